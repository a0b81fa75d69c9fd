"""The Arrow reader gives what the row reader gives, whatever the file is like."""

from __future__ import annotations

import io
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

import hypothesis.strategies as st
import pyarrow as pa
import pytest
from hypothesis import example, given

from marketo_bulk import Column, DecodeError, RowReader
from marketo_bulk.reader import arrow_reader
from marketo_bulk.reader.arrow_reader import ArrowReader
from marketo_bulk.reader.arrow_values import arrow_schema, from_values
from marketo_bulk.reader.columns import Kind
from marketo_bulk.reader.values import parse_number
from tap_marketo_bulk.output.writer import ENCODER

if TYPE_CHECKING:
    from collections.abc import Sequence

COLUMNS = (
    Column("leadId", Kind.INTEGER),
    Column("score", Kind.NUMBER),
    Column("isIn", Kind.BOOLEAN),
    Column("day", Kind.DATE),
    Column("updatedAt", Kind.DATETIME),
    Column("text", Kind.STRING),
    Column("amount", Kind.NUMBER, is_money=True),
)
HEADER = "leadId,score,isIn,day,updatedAt,text,amount"
PLAIN = "7,1.5,true,2026-01-31,2026-10-21T00:00:00Z,hello,12.50"

CELLS: dict[str, list[str]] = {
    "leadId": ["1", "-5", "007", "+5", "5.0", "0x1F", " 5", "1e3", "9223372036854775807", "", "x"],
    "score": ["1", "-0", "0.1", "1e3", "nan", "0.12345678901234567", " 1", ".5", "5.", "1_0"],
    "isIn": ["true", "FALSE", "1", "0", "yes", "t", "2", " true"],
    "day": ["2026-02-28", "2026-02-30", "0000-01-01", "2026-10-21T00:00:00Z", "20261021"],
    "updatedAt": [
        "2026-10-21T00:00:00Z",
        "2026-10-21 00:00:00Z",
        "2026-10-21T00:00:00+02:00",
        "2026-10-21",
        "2026-10-21T00:00:00.123456Z",
        "0000-10-21T00:00:00Z",
        "2026-10-21T24:00:00Z",
        "2026-10-21T23:59:60Z",
    ],
    "text": ["", "a b", '"x, y"', '"two\nlines"', '"say ""hi"""', "Ünï😀", '"null"', 'a"b', "a\rb"],
    "amount": ["12.50", "0.1", "123456789012345678901.123456789", "-3", "1e2"],
}


def read(
    data: bytes, *, by_arrow: bool, on_bad_value: Literal["fail", "null"] = "fail", **options: Any
) -> tuple[Any, ...]:
    """Return columns and counts, or what the error says."""
    reader = RowReader(COLUMNS, on_bad_value=on_bad_value, **options)
    file = io.BytesIO(data)
    columns: list[list[Any]] = [[] for _ in COLUMNS]
    nulled: dict[str, int] = {}
    try:
        if by_arrow:
            for batch in ArrowReader(reader).record_batches(file):
                for column, array in zip(columns, batch.columns, strict=True):
                    column.extend(array.to_pylist())
        else:
            for values in reader.columns(file):
                for column, spec, part in zip(columns, COLUMNS, values, strict=True):
                    counts = nulled if on_bad_value == "null" else None
                    column.extend(from_values(spec, part, "export", counts).to_pylist())
            reader.note_nulled(nulled)
    except DecodeError as error:
        return str(error), error.line
    return columns, reader.counts


def both_agree(data: bytes, **options: Any) -> tuple[Any, ...]:
    """Return what both readers give."""
    plain, arrow = (read(data, by_arrow=by_arrow, **options) for by_arrow in (False, True))
    assert arrow == plain
    return plain


@pytest.mark.parametrize("on_bad_value", ["fail", "null"])
@pytest.mark.parametrize(
    ("name", "cell"), [(name, cell) for name, cells in CELLS.items() for cell in [*cells, "null"]]
)
def test_each_cell_is_read_alike(name: str, cell: str, on_bad_value: str) -> None:
    """Odd spellings of values among plain ones."""
    cells = dict(zip(HEADER.split(","), PLAIN.split(","), strict=True)) | {name: cell}
    data = "\n".join([HEADER, PLAIN, ",".join(cells.values()), PLAIN, ""])
    both_agree(data.encode(), on_bad_value=on_bad_value)


FILES: Sequence[bytes] = [
    b"",
    HEADER.encode(),
    f"{HEADER}\n".encode(),
    f"\ufeff{HEADER}\r\n{PLAIN}\r\n{PLAIN}".encode(),
    f"{HEADER}\n{PLAIN}\n\n".encode(),
    f"{HEADER}\n\n{PLAIN}\n".encode(),
    f"{HEADER}\n{PLAIN},more\n".encode(),
    f"{HEADER}\n{PLAIN}\n{PLAIN}\0\0".encode(),
    f"{HEADER}\n{PLAIN}\n".encode().replace(b"hello", b"\xff"),
    f"{HEADER}\n{PLAIN}\n{PLAIN.replace('hello', chr(34) + 'open')}\n{PLAIN}\n".encode(),
    # Quotes in the middle of a cell, between quoted cells, before the first and after the last.
    f'{HEADER}\n"7",1.5,true,2026-01-31,2026-10-21T00:00:00Z,he"llo wor"ld,"12.50"\n'.encode(),
    f'{HEADER}\n7,1.5,true,2026-01-31,2026-10-21T00:00:00Z,he"llo wor"ld,"12.50"\n'.encode(),
    f'{HEADER}\n"7",1.5,true,2026-01-31,2026-10-21T00:00:00Z,he"llo wor"ld,12.50\n'.encode(),
    f'{HEADER}\n7,1.5,true,2026-01-31,2026-10-21T00:00:00Z,"hello"world,"12.50"\n'.encode(),
    f"{HEADER},extra\n{PLAIN},1\n".encode(),
    f"{HEADER}\n{PLAIN}\n".replace(",", ";").encode(),
    f'"leadId"{HEADER[6:]}\n{PLAIN}\n'.encode(),
    b"nothing,of,this\n1,2,3\n",
]


@pytest.mark.parametrize("data", FILES)
@pytest.mark.parametrize("on_bad_value", ["fail", "null"])
def test_each_file_is_read_alike(data: bytes, on_bad_value: str) -> None:
    """Odd heads, ends, line ends and bytes."""
    both_agree(data, on_bad_value=on_bad_value)


MODES = st.sampled_from(["fail", "null"])
rows = st.lists(
    st.tuples(*(st.sampled_from([*cells, "null"]) for cells in CELLS.values())), max_size=30
)


@given(rows, st.integers(60, 400), st.sampled_from(["\n", "\r\n"]), MODES)
@example([("1", "1", "true", "2026-02-28", "2026-10-21", '"\n\n"', "1")] * 20, 60, "\n", "null")
def test_random_files_are_read_alike(
    cells: list[tuple[str, ...]], block_bytes: int, end: str, on_bad_value: str
) -> None:
    """Rows of any cells, in blocks that end anywhere."""
    text = end.join([HEADER, *(",".join(row) for row in [PLAIN.split(","), *cells])])
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(arrow_reader, "BLOCK_BYTES", block_bytes)
        both_agree(text.encode(), on_bad_value=on_bad_value)


def test_rows_before_a_bound_are_dropped_and_required_values_missed() -> None:
    """As the row reader does, with its counts and its words."""
    earlier = PLAIN.replace("2026-10-21T00:00:00Z", "2026-10-20T23:59:59Z")
    without = PLAIN.replace("2026-10-21T00:00:00Z", "null")
    data = f"{HEADER}\n{earlier}\n{PLAIN}\n{without}\n".encode()
    columns, counts = both_agree(data, keep_from=("updatedAt", "2026-10-21T00:00:00Z"))
    assert (len(columns[0]), counts.rows, counts.filtered_rows) == (2, 3, 1)
    later = ("updatedAt", "2026-10-21T00:00:00Z")
    columns, counts = both_agree(data, keep_before=later)
    assert (len(columns[0]), counts.rows, counts.filtered_rows) == (2, 3, 1)
    columns, counts = both_agree(data, keep_before=later, keep_from=later)
    assert (len(columns[0]), counts.rows, counts.filtered_rows) == (1, 3, 2)
    message, line = both_agree(data, required=("updatedAt",))
    assert line == 4
    assert "every row needs one" in message


def test_values_are_amended_where_that_is_asked() -> None:
    """By column, before they become arrays."""
    reader = ArrowReader(RowReader(COLUMNS), amend=lambda columns: [[None] for _ in columns])
    (batch,) = reader.record_batches(io.BytesIO(f"{HEADER}\n{PLAIN}\n".encode()))
    assert [column.to_pylist() for column in batch.columns] == [[None]] * len(COLUMNS)


def test_types_are_those_of_the_columns() -> None:
    """Zones, days, and decimals for money."""
    assert arrow_schema(COLUMNS).types == [
        pa.int64(),
        pa.float64(),
        pa.bool_(),
        pa.date32(),
        pa.timestamp("us", "UTC"),
        pa.string(),
        pa.decimal128(38, 9),
    ]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        (COLUMNS[0], 2**63),
        (COLUMNS[1], Decimal("0.12345678901234567")),
        (COLUMNS[1], 2**53 + 1),
        (COLUMNS[4], "2026-10-21T00:00:00.1234567Z"),
        (COLUMNS[6], 1e300),
        (COLUMNS[5], 5),
    ],
)
def test_a_value_beyond_its_parquet_type_is_told_by_its_column(column: Column, value: Any) -> None:
    """Nothing is rounded or cut; the value is not shown."""
    with pytest.raises(DecodeError, match=f"column {column.name}: a value does not fit") as told:
        from_values(column, [value], "export")
    assert str(value) not in str(told.value)
    nulled: dict[str, int] = {}
    assert from_values(column, [None, value], "export", nulled).to_pylist() == [None, None]
    assert nulled == {column.name: 1}


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9))
@example(Decimal("5.6843418860808015E-14"))
@example(Decimal("0.1000000000000000055511151231257827"))
def test_a_number_is_the_one_that_a_record_has_or_it_is_told(number: Decimal) -> None:
    """In a file of JSON lines as in one of Parquet; of the file no number is the nearest one."""
    value = parse_number(f"{number:f}")
    in_lines = json.loads(ENCODER.encode(value), parse_float=Decimal, parse_int=Decimal)
    assert in_lines == number
    try:
        (in_parquet,) = from_values(COLUMNS[1], [value], "export").to_pylist()
    except DecodeError:
        assert Decimal(repr(float(number))) != number
    else:
        assert Decimal(repr(in_parquet)) == number

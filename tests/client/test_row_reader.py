"""Rows: a verified file becomes typed rows, exactly, or an error that says where."""

from __future__ import annotations

import csv
import io
import json
import logging
import tempfile
import tracemalloc
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketo_bulk.errors import DecodeError, MarketoBulkError
from marketo_bulk.reader import row_reader
from marketo_bulk.reader.columns import Column, Kind, kind_of
from marketo_bulk.reader.row_reader import RowReader
from marketo_bulk.reader.text_decoder import Counts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Literal

MEMBER = (
    Column("leadId", Kind.INTEGER, ("Lead Id",)),
    Column("status", Kind.STRING, ("Status",)),
    Column("updatedAt", Kind.DATETIME, ("Updated At",)),
)
TYPES = ("integer", "percent", "boolean", "date", "datetime", "string")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return the path of a file to write."""
    return tmp_path / "export.csv"


def read(
    path: Path, content: str | bytes, columns: Sequence[Column] = MEMBER, **options: object
) -> tuple[list[dict[str, object]], Counts]:
    """Return the rows of a file with `content`, and the counts."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    reader = RowReader(columns, source="export e1", **options)  # type: ignore[arg-type]
    return list(reader.row_dicts(path)), reader.counts


def column_of(data_type: str) -> list[Column]:
    """Return one column `c` of a type."""
    return [Column("c", kind_of(data_type))]


# --- header ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header",
    [
        pytest.param("updatedAt,leadId,status", id="C1-reordered"),
        pytest.param("Updated At,Lead Id,Status", id="C2-labels"),
        pytest.param("UPDATEDAT,LeadID,STATUS", id="C3-any-case"),
        pytest.param("\ufeffupdatedAt,leadId,status", id="C8-byte-order-mark"),
        pytest.param('\ufeff"updatedAt","leadId","status"', id="C8-mark-before-quote"),
    ],
)
def test_rows_have_the_wanted_names_in_the_wanted_order(path: Path, header: str) -> None:
    """Whatever the file calls its columns and in which order, rows look as they were asked for."""
    path.write_text(f"{header}\n2026-10-21T00:00:00Z,7,02 Opened\n", encoding="utf-8")
    (row,) = RowReader(MEMBER).rows(path)
    assert msgspec.json.encode(row) == (
        b'{"leadId":7,"status":"02 Opened","updatedAt":"2026-10-21T00:00:00Z"}'
    )


def test_rows_without_a_wanted_column_are_refused(path: Path) -> None:
    """C4: a missing column is named together with the header, and is never read as nulls."""
    with pytest.raises(DecodeError) as caught:
        read(path, "leadId,Stattus\n1,x\n")
    assert str(caught.value) == (
        "export e1: no column for status, updatedAt in the header 'leadId, Stattus'"
    )
    assert (caught.value.line, caught.value.column, caught.value.value) == (1, "status", None)
    assert isinstance(caught.value, MarketoBulkError)


def test_rows_without_a_header_show_nothing_of_the_first_row(path: Path) -> None:
    """A file that has lost its header begins with a person, who is not to be in a log."""
    with pytest.raises(DecodeError, match="the first line has 3 cells") as caught:
        read(path, "7,Ada,2026-10-21T00:00:00Z\n")
    assert "Ada" not in str(caught.value)


def test_rows_of_a_long_wrong_header_show_only_its_start(path: Path) -> None:
    """A file that is no export at all does not fill the log with itself."""
    with pytest.raises(DecodeError) as caught:
        read(path, "<html>" * 10_000)
    assert len(str(caught.value)) < 600


def test_rows_ignore_extra_columns_with_one_warning(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """C5: a column nobody asked for is named once, without any of its values."""
    rows, _ = read(path, "secret,leadId,note\nhush,1,hush\nhush,2,hush\n", MEMBER[:1])
    assert rows == [{"leadId": 1}, {"leadId": 2}]
    assert caplog.messages == [
        "export e1: columns that were not asked for are left out: 'secret,note'"
    ]


@pytest.mark.parametrize(
    ("content", "row"),
    [
        pytest.param("programId,leadId,programId\n1,2,3\n", {"leadId": 2, "programId": 1}, id="C6"),
        pytest.param("programId,leadId\n1,2\n", {"leadId": 2, "programId": 1}, id="C7"),
    ],
)
def test_rows_take_the_first_of_equal_columns(
    path: Path, content: str, row: dict[str, object]
) -> None:
    """C6, C7: programId leads the file, and a second one changes nothing."""
    columns = [Column("leadId", Kind.INTEGER), Column("programId", Kind.INTEGER)]
    assert read(path, content, columns)[0] == [row]


@pytest.mark.parametrize(
    ("asked", "sent"), [("CSV", "\t"), ("CSV", ";"), ("SSV", "\t"), ("TSV", ",")]
)
def test_rows_with_another_delimiter_are_read_with_a_warning(
    path: Path, caplog: pytest.LogCaptureFixture, asked: str, sent: str
) -> None:
    """C27: if the header makes sense with another delimiter, that one is used, and it is said."""
    lines = ['"leadId"', "status"], ["1", '"a,b;c\td"']
    content = "".join(sent.join(line) + "\n" for line in lines)
    rows, counts = read(path, content, MEMBER[:2], file_format=asked)
    assert (rows, counts) == (
        [{"leadId": 1, "status": "a,b;c\td"}],
        Counts(had_header=True, rows=1),
    )
    [message] = caplog.messages
    assert "the delimiter is" in message


@pytest.mark.parametrize(("file_format", "mark"), [("CSV", ","), ("TSV", "\t"), ("SSV", ";")])
def test_rows_of_each_format_are_read_without_a_warning(
    path: Path, caplog: pytest.LogCaptureFixture, file_format: str, mark: str
) -> None:
    """The delimiter that was asked for is the one that is expected."""
    content = f"leadId{mark}status\n1{mark}x\n"
    rows, _ = read(path, content, MEMBER[:2], file_format=file_format)
    assert (rows, caplog.messages) == ([{"leadId": 1, "status": "x"}], [])


def test_rows_of_an_empty_file_are_none_without_a_header(path: Path) -> None:
    """C18: the caller, who knows how many rows to expect, can tell no bytes from no rows."""
    assert read(path, "") == ([], Counts(had_header=False))


@pytest.mark.parametrize("content", ["leadId\n", "leadId", "leadId\r\n", "\ufeffleadId\n"])
def test_rows_of_a_header_alone_are_none_with_a_header(path: Path, content: str) -> None:
    """C17: zero rows are no error."""
    assert read(path, content, MEMBER[:1]) == ([], Counts(had_header=True))


def test_rows_of_two_files_are_counted_apart(path: Path) -> None:
    """Counts are those of the file read last."""
    reader = RowReader(MEMBER[:1])
    for numbers in ("1\n2\n", "3\n"):
        path.write_text(f"leadId\n{numbers}", encoding="utf-8")
        list(reader.rows(path))
    assert reader.counts == Counts(had_header=True, rows=1)


# --- values ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data_type", "texts", "values"),
    [
        pytest.param("string", ("null", "Null", " null", '"null"', '""', "x"),
                     (None, "Null", " null", None, "", "x"), id="C16"),
        pytest.param("boolean", ("0", "1", "true", "FALSE", "Yes", "null"),
                     (False, True, True, False, True, None), id="C20"),
        pytest.param("percent", ("12.5", "30", "null"), (12.5, 30.0, None), id="C21-percent"),
        pytest.param("integer", ("5.0", "1e3", "-7"), (5, 1000, -7), id="C21-integer"),
        pytest.param("datetime", ("2019-04-12T05:58:10Z", "2019-04-12T05:58:10.5Z",
                                  "2019-04-11T21:58:10-08:00", "2019-04-12T05:58:10Z+0000",
                                  "2019-04-12"),
                     ("2019-04-12T05:58:10Z", "2019-04-12T05:58:10.5Z", "2019-04-12T05:58:10Z",
                      "2019-04-12T05:58:10Z", "2019-04-12T00:00:00Z"), id="C22"),
        pytest.param("date", ("2010-05-07", "2010-05-07T00:00:00Z"),
                     ("2010-05-07", "2010-05-07"), id="C22-date"),
        pytest.param("currency", ("16777217", "1.0E7", "0.12345678901234567890"),
                     (16777217.0, 1e7, Decimal("0.12345678901234567890")), id="C23"),
        pytest.param("string", ("no status of this channel",), ("no status of this channel",),
                     id="C28"),
    ],
)  # fmt: skip
def test_rows_hold_exact_values(
    path: Path, data_type: str, texts: tuple[str, ...], values: tuple[object, ...]
) -> None:
    """Every known spelling of every type is read, among others in the same column."""
    content = "c\n" + "".join(f"{text}\n" for text in texts)
    rows, counts = read(path, content, column_of(data_type))
    assert [row["c"] for row in rows] == list(values)
    assert counts == Counts(had_header=True, rows=len(values))


def test_rows_keep_every_digit_when_encoded(path: Path) -> None:
    """C23: neither a long decimal nor an integer beyond 64 bits is rounded on its way out."""
    content = "leadId,c\n99999999999999999999,0.12345678901234567890\n"
    path.write_text(content, encoding="utf-8")
    (row,) = RowReader([MEMBER[0], *column_of("float")]).rows(path)
    assert msgspec.json.Encoder(decimal_format="number").encode(row) == (
        b'{"leadId":99999999999999999999,"c":0.12345678901234567890}'
    )


def test_rows_with_a_bad_value_fail_with_its_place(path: Path) -> None:
    """C21: the first bad value of the file stops it, with line and column, without the value."""
    bad = "N/A" * 100
    content = f'leadId,status,updatedAt\n1,"a\nb",null\n{bad},x,null\n2,x,yesterday\n'
    with pytest.raises(DecodeError) as caught:
        read(path, content)
    assert str(caught.value) == (
        "export e1: line 4, column leadId: text of 300 characters is no integer. "
        "Set on_bad_value to null to read such values as null"
    )
    error = caught.value
    assert (error.line, error.column, error.value) == (4, "leadId", bad)


def test_rows_with_bad_values_are_nulled_counted_and_reported(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """C21: under `null`, the log says how many of which column, and never shows a value."""
    content = b"leadId,status,updatedAt\nN/A,ok,2026-02-30\n5.5,\xff,\n7,x,2026-02-28T00:00:00Z\n"
    rows, counts = read(path, content, on_bad_value="null")
    assert rows == [
        {"leadId": None, "status": "ok", "updatedAt": None},
        {"leadId": None, "status": "\ufffd", "updatedAt": None},
        {"leadId": 7, "status": "x", "updatedAt": "2026-02-28T00:00:00Z"},
    ]
    assert counts == Counts(
        had_header=True,
        rows=3,
        replaced_bytes=1,
        bad_values={"leadId": 2, "updatedAt": 1},
    )
    assert caplog.messages == [
        "export e1: column leadId: 2 values do not fit its type, null instead",
        "export e1: column updatedAt: 1 values do not fit its type, null instead",
        "export e1: 1 bytes that are no UTF-8 replaced",
    ]
    assert {record.levelno for record in caplog.records} == {logging.WARNING}


@pytest.mark.slow
def test_rows_with_bad_values_in_many_chunks_are_all_counted(path: Path) -> None:
    """The counts are those of the whole file, not of its last piece."""
    content = "leadId\n" + "N/A\n7\n" * 50_000
    assert read(path, content, MEMBER[:1], on_bad_value="null")[1] == Counts(
        had_header=True, rows=100_000, bad_values={"leadId": 50_000}
    )


def test_rows_that_are_no_utf8_fail(path: Path) -> None:
    """C12: under `fail`, invalid bytes stop the file and are located."""
    with pytest.raises(DecodeError, match=r"export e1: byte 9 \(line 2\) is not UTF-8"):
        read(path, b"leadId\n12\xff\n", MEMBER[:1])


def test_rows_report_what_was_repaired(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """C11, C14: removed NULs and forgiven quotes are counted and said once."""
    content = 'leadId,status\n1,"a"b"\n2,"c"d\0"\n\x003,e\n'
    rows, counts = read(path, content, MEMBER[:2])
    assert [row["status"] for row in rows] == ['a"b', 'c"d', "e"]
    assert counts == Counts(had_header=True, rows=3, lenient_rows=2, nul_bytes=2)
    assert caplog.messages == [
        "export e1: 2 NUL bytes removed",
        "export e1: 2 rows with quotes that are not doubled, read all the same",
    ]


@pytest.mark.parametrize("wrong", ["1,x\n", "1,x,null,4\n", "\n"])
def test_rows_of_another_width_fail(path: Path, wrong: str) -> None:
    """C15: a short, long or empty row is refused with its line."""
    content = f"leadId,status,updatedAt\n1,x,null\n{wrong}2,y,null\n"
    with pytest.raises(DecodeError, match="export e1: the row on line 3 has") as caught:
        read(path, content)
    assert caught.value.line == 3


@pytest.mark.parametrize("cell", ["null", "", "N/A"])
@pytest.mark.parametrize("policy", ["fail", "null"])
def test_rows_without_a_required_value_fail(path: Path, cell: str, policy: str) -> None:
    """C21: no policy makes a row of what its key is missing from."""
    content = f"leadId,status,updatedAt\n1,a,null\n{cell},b,null\n"
    with pytest.raises(DecodeError) as caught:
        read(path, content, MEMBER, on_bad_value=policy, required={"leadId"})
    assert (caught.value.line, caught.value.column, caught.value.value) == (3, "leadId", cell)


# --- bound ----------------------------------------------------------------------------------


def test_rows_before_a_bound_are_dropped_and_counted(path: Path) -> None:
    """Rows are kept from the bound on, also those a fraction of a second after it or undated."""
    moments = [
        "2026-10-20T23:59:59Z",
        "2026-10-20T23:59:59.9Z",
        "2026-10-21T00:00:00Z",
        "2026-10-21T00:00:00.5Z",
        "null",
        "2026-10-20T17:00:01-07:00",
        "2026-10-21",
    ]
    content = "updatedAt\n" + "".join(f"{moment}\n" for moment in moments)
    bound = ("updatedAt", "2026-10-21T00:00:00Z")
    rows, counts = read(path, content, MEMBER[2:], keep_from=bound)
    assert [row["updatedAt"] for row in rows] == [
        "2026-10-21T00:00:00Z",
        "2026-10-21T00:00:00.5Z",
        None,
        "2026-10-21T00:00:01Z",
        "2026-10-21T00:00:00Z",
    ]
    assert counts == Counts(had_header=True, rows=7, filtered_rows=2)


def test_rows_from_an_upper_bound_on_are_dropped(path: Path) -> None:
    """A fraction of a second after it, too; rows that are undated are kept."""
    moments = ["2026-10-20", "2026-10-20T23:59:59.9Z", "2026-10-21", "2026-10-21T00:00:00.5Z"]
    content = "updatedAt\n" + "".join(f"{moment}\n" for moment in [*moments, "null"])
    options: dict[str, Any] = {"keep_before": ("updatedAt", "2026-10-21T00:00:00Z")}
    rows, counts = read(path, content, MEMBER[2:], **options)
    kept = ["2026-10-20T00:00:00Z", "2026-10-20T23:59:59.9Z", None]
    assert [row["updatedAt"] for row in rows] == kept
    assert counts == Counts(had_header=True, rows=5, filtered_rows=2)
    options["keep_from"] = ("updatedAt", "2026-10-20T00:00:01Z")
    rows, _ = read(path, content, MEMBER[2:], **options)
    assert [row["updatedAt"] for row in rows] == kept[1:]


def test_rows_all_before_a_bound_make_no_chunk(path: Path) -> None:
    """No list of rows is ever empty."""
    path.write_text("updatedAt\n2020-01-01\n", encoding="utf-8")
    reader = RowReader(MEMBER[2:], keep_from=("updatedAt", "2026-10-21T00:00:00Z"))
    assert (list(reader.chunks(path)), reader.counts.filtered_rows) == ([], 1)


@pytest.mark.parametrize(
    "options",
    [
        {"columns": []},
        {"columns": [MEMBER[0], MEMBER[0]]},
        {"columns": MEMBER, "file_format": "XLS"},
        {"columns": MEMBER, "keep_from": ("createdAt", "2026-10-21T00:00:00Z")},
        {"columns": MEMBER, "keep_from": ("status", "2026-10-21T00:00:00Z")},
        {"columns": MEMBER, "keep_from": ("updatedAt", "2026-10-21T00:00:00.5Z")},
        {"columns": MEMBER, "keep_from": ("updatedAt", "2026-10-21T00:00:00-07:00")},
        {"columns": MEMBER, "keep_from": ("updatedAt", "yesterday")},
        {"columns": MEMBER, "keep_before": ("updatedAt", "tomorrow")},
        {"columns": MEMBER, "keep_before": ("status", "2026-10-21T00:00:00Z")},
    ],
)
def test_row_reader_refuses_what_it_cannot_mean(options: dict[str, Any]) -> None:
    """Columns without names of their own and bounds that are none are the caller's mistakes."""
    with pytest.raises(ValueError):  # noqa: PT011 - which is meant is in the parameters
        RowReader(**options)


# --- properties -----------------------------------------------------------------------------

CELLS = st.one_of(
    st.sampled_from(["null", "", "N/A", "0", "true", "12.5", "-3", "2026-02-29", "1e3", " 1"]),
    st.integers().map(str),
    st.floats().map(repr),
    st.datetimes().map(lambda moment: f"{moment.isoformat()}Z"),
    st.text(st.characters(codec="utf-8", exclude_characters="\0\ufeff"), max_size=5),
)


@settings(deadline=None)
@given(st.lists(st.lists(CELLS, min_size=len(TYPES), max_size=len(TYPES)), max_size=5))
def test_rows_are_the_same_as_structs_and_dicts(table: list[list[str]]) -> None:
    """Both shapes of a row hold the same values in the same order."""
    file = io.StringIO(newline="")
    csv.writer(file, lineterminator="\n").writerows([TYPES, *table])
    columns = [Column(name, kind_of(name)) for name in TYPES]
    encode = msgspec.json.Encoder(decimal_format="number").encode
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "export.csv"
        path.write_bytes(file.getvalue().encode())
        reader = RowReader(columns, on_bad_value="null")
        structs = [encode(row) for row in reader.rows(path)]
        dicts = [encode(row) for row in reader.row_dicts(path)]
        chunks = [encode(row) for chunk in reader.chunks(path) for row in chunk]
    assert structs == dicts == chunks
    assert [list(json.loads(row)) for row in dicts] == [list(TYPES)] * len(table)


@settings(deadline=None)
@given(
    st.one_of(
        st.binary(max_size=60),
        st.text('c,;\t"\r\nul123-:TZ\0', max_size=60).map(str.encode),
        st.text('c,;\t"\r\nul123-:TZ\0', max_size=60).map(lambda text: f"c,d\n{text}".encode()),
    ),
    st.sampled_from(TYPES),
    st.sampled_from(["fail", "null"]),
)
def test_rows_of_any_bytes_are_read_or_refused(
    content: bytes, data_type: str, policy: Literal["fail", "null"]
) -> None:
    """Whatever the file holds, the only error is one that says where it is."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "export.csv"
        path.write_bytes(content)
        reader = RowReader(column_of(data_type), on_bad_value=policy)
        try:
            rows = list(reader.rows(path))
        except DecodeError as error:
            assert error.line is not None  # noqa: PT017 - both outcomes are fine
        else:
            assert len(rows) == reader.counts.rows


@pytest.mark.slow
def test_rows_of_a_large_file_take_little_memory(path: Path) -> None:
    """Memory does not grow with the file: twenty megabytes pass through less than four."""
    row = ",".join(["123", '"a, b"', "2026-10-21T00:00:00Z", "x" * 400])
    with path.open("w", encoding="utf-8") as file:
        file.write("leadId,status,updatedAt,note\n")
        file.writelines(f"{row}\n" for _ in range(45_000))
    columns = [*MEMBER, Column("note", Kind.STRING)]
    tracemalloc.start()
    count = sum(len(chunk) for chunk in RowReader(columns).chunks(path))
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 45_000
    assert peak_bytes < 4_000_000


@pytest.mark.slow
@given(
    st.text(st.characters(codec="utf-8", exclude_characters='",\r\n\x00'), min_size=1, max_size=90),
    st.sampled_from(["leadId", "updatedAt"]),
)
@pytest.mark.fault(
    "T2.1",
    "a cell of an export file does not fit its column, and may be anything",
    "the error has line, column and length of the text, and nothing of the text",
)
def test_t2_1_error_about_a_cell_does_not_show_it(
    tmp_path_factory: pytest.TempPathFactory, cell: str, column: str
) -> None:
    """Whatever it is: no four characters of it are in the message, nor in what the error hides."""
    path = tmp_path_factory.getbasetemp() / "told.csv"
    marked = f"Qz{cell}"
    row = {"leadId": "1", "status": "x", "updatedAt": "null", column: marked}
    path.write_text(f"leadId,status,updatedAt\n{','.join(row.values())}\n", newline="")
    with pytest.raises(DecodeError) as caught:
        list(RowReader(MEMBER, source="export e1").row_dicts(path))
    rest = str(caught.value).replace(
        f"line 2, column {column}: text of {len(marked)} characters is no ", ""
    )
    assert len(rest) < len(str(caught.value))
    assert "Qz" not in rest
    assert caught.value.value == marked


@pytest.mark.parametrize("rows", [1, 2, row_reader.TOGETHER_MAX_ROWS + 1])
def test_wide_rows_are_what_narrow_ones_are(path: Path, rows: int) -> None:
    """Columns of one type are read together in a short block, and end up in their own places."""
    columns = [Column(f"c{i}", kind_of(TYPES[i % len(TYPES)])) for i in range(60)]
    cells = {
        "integer": "7", "percent": "1.5", "boolean": "true", "date": "2026-10-21",
        "datetime": "2026-10-21T00:00:00Z", "string": "text",
    }  # fmt: skip
    line = ",".join("null" if i % 7 == 0 else cells[TYPES[i % len(TYPES)]] for i in range(60))
    header = ",".join(column.name for column in columns)
    found, _ = read(path, f"{header}\n" + f"{line}\n" * rows, columns)
    assert len(found) == rows
    for column in columns:
        narrow, _ = read(path, f"{header}\n{line}\n", [column])
        assert [row[column.name] for row in found] == [narrow[0][column.name]] * rows


def test_first_bad_cell_of_wide_rows_is_named(path: Path) -> None:
    """The error names the first bad row and its column, also where columns are read together."""
    columns = [Column(f"c{i}", Kind.INTEGER) for i in range(30)]
    good = ",".join("1" for _ in columns)
    bad = ",".join("x" if i in {11, 20} else "1" for i in range(30))
    header = ",".join(column.name for column in columns)
    with pytest.raises(DecodeError, match="line 3, column c11:"):
        read(path, f"{header}\n{good}\n{bad}\n{bad}\n", columns)

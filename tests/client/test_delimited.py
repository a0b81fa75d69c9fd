"""Delimited files: every row is cut as its writer meant it, or refused."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from marketo_bulk.errors import DecodeError
from marketo_bulk.reader import delimited
from marketo_bulk.reader.delimited import Chunk, DelimitedReader
from marketo_bulk.reader.text_decoder import Block, Counts

if TYPE_CHECKING:
    from collections.abc import Iterator

CELLS = st.text(
    st.one_of(
        st.sampled_from('a"\n\r,;\t \u2028\x0b\x0c\x1c\x85'),
        st.characters(codec="utf-8", exclude_characters="\0"),
    ),
    max_size=8,
)


def blocks(text: str, size: int) -> Iterator[Block]:
    """Yield `text` in pieces of `size`."""
    starts = range(0, max(len(text), 1), size)
    for start in starts:
        yield Block(text[start : start + size], is_last=start == starts[-1])


def read(
    text: str, *, size: int = 1 << 16, delimiter: str = ","
) -> tuple[list[str] | None, list[list[str]], int]:
    """Return header, rows and the count of forgiven rows; check the line of every chunk."""
    counts = Counts()
    reader = DelimitedReader(blocks(text, size), delimiter=delimiter, source="file", counts=counts)
    header = reader.header()
    rows: list[list[str]] = []
    line = 1 + sum(cell.count("\n") for cell in header or []) + 1
    for chunk in reader.chunks():
        assert chunk.first_line == line
        cut = [list(row) for row in zip(*chunk.columns, strict=True)]
        line += sum(1 + "".join(row).count("\n") for row in cut)
        rows += cut
    return header, rows, counts.lenient_rows


class MalformedError(Exception):
    """The reference below refuses a text."""


# One branch for each thing a character can be is what makes it plain.
def plain_rows(text: str) -> list[list[str]]:  # noqa: C901, PLR0912
    """Return the rows of `text`, one character at a time: the reference, plain and slow."""
    rows: list[list[str]] = []
    cells: list[str] = []
    cell, state = "", "start"
    for index, char in enumerate(text):
        ends_line = char == "\n" or text[index : index + 2] == "\r\n"
        if state == "quoted":
            if char == '"':
                state = "quote"
            else:
                cell += char
        elif state == "quote" and char == '"':
            cell, state = cell + '"', "quoted"
        elif char == ",":
            cells, cell, state = [*cells, cell], "", "start"
        elif char == "\n":
            rows, cells, cell, state = [*rows, [*cells, cell]], [], "", "start"
        elif ends_line:
            state = "ended"
        elif state == "quote":
            raise MalformedError
        elif char == '"' and state == "start":
            state = "quoted"
        else:
            cell, state = cell + char, "plain"
    if state == "quoted":
        raise MalformedError
    if text and not (text.endswith("\n") and state == "start" and not cells):
        rows.append([*cells, cell])
    return rows


@settings(deadline=None)
@given(
    table=st.integers(1, 4).flatmap(
        lambda width: st.lists(st.lists(CELLS, min_size=width, max_size=width), min_size=1)
    ),
    size=st.integers(1, 40),
    line_end=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    delimiter=st.sampled_from([",", "\t", ";"]),
)
def test_rows_round_trip_through_csv(
    table: list[list[str]], size: int, line_end: str, quoting: int, delimiter: str
) -> None:
    """C9, C10: what a CSV writer wrote is read back, cell by cell, wherever blocks end."""
    if quoting == csv.QUOTE_MINIMAL:  # some versions leave CR unquoted, and CRLF ends a row
        table = [[*row[:-1], row[-1].rstrip("\r")] for row in table]
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator=line_end, quoting=quoting, delimiter=delimiter)  # type: ignore[arg-type]
    writer.writerows(table)
    assert read(file.getvalue(), size=size, delimiter=delimiter) == (table[0], table[1:], 0)


@settings(deadline=None)
@given(text=st.text('ab",\r\n', max_size=30), size=st.integers(1, 31))
@example(text='a,b\n1,"2\n3,4"5\n', size=3)
@example(text="a,b\n\n", size=4)
@example(text='a,b\n""', size=4)
@example(text='a,b\n""\n', size=100)
@example(text="a\n\n", size=100)
@example(text='"a"\n""\n\n"b"\n', size=100)
@example(text="a,b\r\n\r\n", size=100)
@example(text='a,b\n1,"2"\r', size=100)
@example(text='a,b\n"1",2\r\r\n', size=100)
@example(text='"a",b\n"1",2\r\r\n"\n",""', size=100)
def test_rows_of_any_text_are_the_reference_s_or_forgiven_or_refused(text: str, size: int) -> None:
    """Whatever the file, no cell is silently in another column or row than the plain reading."""
    expected: list[list[str]] | None
    try:
        expected = plain_rows(text)
    except MalformedError:
        expected = None
    else:
        last_line = text.removesuffix("\n").rpartition("\n")[2].strip("\r")
        if expected and len(expected[0]) > 1 and expected[-1] == [""] and not last_line:
            expected.pop()
        if len({len(row) for row in expected}) > 1:
            expected = None
    try:
        header, rows, lenient = read(text, size=size)
    except DecodeError:
        assert expected is None
    else:
        assert {len(row) for row in rows} <= {len(header or [])}
        assert lenient or ([] if header is None else [header, *rows]) == expected


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        pytest.param("a,b\r\n1,2\r\n", [["1", "2"]], id="C9-CRLF"),
        pytest.param("a,b\n1\r2,\r3\n", [["1\r2", "\r3"]], id="C9-lone-CR"),
        pytest.param('a,b\n"1\r\n2",3\r4\r\n', [["1\r\n2", "3\r4"]], id="C9-mixed"),
        pytest.param('a,b\n"x",3\r\r\n', [["x", "3\r"]], id="C9-CR-before-CRLF"),
        pytest.param('a,b\n"1\n2",3\n', [["1\n2", "3"]], id="C10-quoted-LF"),
        pytest.param(
            "a,b\n\u2028\u2029,\x0b\x0c\x85\x1c\n", [["\u2028\u2029", "\x0b\x0c\x85\x1c"]],
            id="C10-other-line-ends",
        ),
        pytest.param(f'a,b\n"{"x" * 200_000}",2\n', [["x" * 200_000, "2"]], id="C13-200-kB"),
        pytest.param(f"a,b\n{'x' * 200_000},2\n", [["x" * 200_000, "2"]], id="C13-unquoted"),
        pytest.param("a,b\n", [], id="C17-header-only"),
        pytest.param("a,b", [], id="C17-header-without-line-end"),
        pytest.param("a,b\n1,2", [["1", "2"]], id="C19-no-trailing-newline"),
        pytest.param('a,b\n1,"2"', [["1", "2"]], id="C19-quoted-no-trailing-newline"),
        pytest.param("a,b\n1,2\n\n", [["1", "2"]], id="one-empty-last-line"),
        pytest.param("a\n\n1\n\n", [[""], ["1"], [""]], id="empty-lines-of-one-column"),
        pytest.param('a,b\n5" pipe,6"\n', [['5" pipe', '6"']], id="quotes-inside-unquoted"),
        pytest.param(
            'a\n5"\n\n\r\n1\n', [['5"'], [""], [""], ["1"]], id="empty-lines-after-odd-quote"
        ),
        pytest.param('a\n5"\n\n', [['5"'], [""]], id="empty-last-line-after-odd-quote"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("size", [3, 1 << 16])
def test_rows_of_odd_but_sound_files(text: str, rows: list[list[str]], size: int) -> None:
    """Line ends of any kind, long cells and missing last newlines change no cell."""
    assert read(text, size=size)[1:] == (rows, 0)


@pytest.mark.slow
def test_rows_of_fifty_megabytes_of_one_cell_are_read() -> None:
    """C13: a huge quoted cell is read, in time that does not grow with its square."""
    cell = "x" * 50_000_000
    assert read(f'a,b\n"{cell}",2\n')[1] == [[cell, "2"]]


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ('a,b\n"first"Name1","lastName1"\n', ['first"Name1', "lastName1"]),
        ('a,b\n1,"say "hi" now"\n', ["1", 'say "hi" now']),
        ('a,b\n"say "hi" and\nleave",2\n', ['say "hi" and\nleave', "2"]),
    ],
)
@pytest.mark.parametrize("size", [1, 5, 1 << 16])
def test_rows_with_undoubled_quotes_are_forgiven_and_counted(
    text: str, row: list[str], size: int
) -> None:
    """C14: a quote inside quotes is kept as data if the row then fits the header."""
    assert read(text + '3,"4"\n', size=size)[1:] == ([row, ["3", "4"]], 1)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param('a,b\n1,2\n"x"y",3,4\n', 3, id="too-wide"),
        pytest.param('a,b\n"x"y"\n', 2, id="too-narrow"),
        pytest.param('a,b,c\n1,"x,2\n3,"y",4\n', 2, id="takes-in-the-next-row"),
        pytest.param('a,b,c\n"say "hi"","x "y", z",e\n', 2, id="two-faults-make-up-the-width"),
        pytest.param('a,b\n1,"x\n"y",4\n', 2, id="takes-in-the-next-row-of-the-first-column"),
        pytest.param('a,b,c\n"x",","y",z\n', 2, id="a-cell-ends-like-a-border"),
    ],
)
def test_rows_with_undoubled_quotes_are_refused_where_a_guess_is_needed(
    text: str, line: int
) -> None:
    """C14: no column is shifted and no row swallowed; the error names the line."""
    with pytest.raises(DecodeError, match=f"file: the row on line {line} has quotes") as caught:
        read(text)
    assert caught.value.line == line


@pytest.mark.parametrize("size", [1, 1 << 16])
@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a,b\n1,2\n3\n", 3, "has 1 cells, the header has 2"),
        ('a,b\n"1\n1",2\n3,4,5\n', 4, "has 3 cells, the header has 2"),
        ('a,b\n"1","2"\n"3"\n', 3, "has 1 cells, the header has 2"),
        ("a,b\n\n1,2\n", 2, "has 1 cells, the header has 2"),
        ("a,b\n1,2\n\n\n", 3, "has 1 cells, the header has 2"),
    ],
)
def test_rows_of_another_width_are_refused(text: str, line: int, message: str, size: int) -> None:
    """C15: a row that is shorter or longer than the header stops the reading at its line."""
    with pytest.raises(DecodeError, match=f"file: the row on line {line} {message}") as caught:
        read(text, size=size)
    assert caught.value.line == line


@pytest.mark.parametrize(("text", "line"), [('"a,b', 1), ('a,b\n"1,2\n3,4\n', 2)])
@pytest.mark.parametrize("size", [1, 1 << 16])
def test_rows_with_an_open_quote_are_refused(text: str, line: int, size: int) -> None:
    """C14: a quote that is never closed is an error, not a long cell."""
    with pytest.raises(DecodeError, match=f"row on line {line} is never closed") as caught:
        read(text, size=size)
    assert caught.value.line == line


def test_rows_beyond_the_bound_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """An open quote early in a huge file does not read it all into memory."""
    monkeypatch.setattr(delimited, "ROW_MAX_CHARACTERS", 100)
    with pytest.raises(DecodeError, match="row on line 2 is longer than 100 characters") as caught:
        read('a,b\n"' + "1,2\n" * 100, size=10)
    assert caught.value.line == 2


def test_rows_with_many_faults_are_read_in_one_pass() -> None:
    """A file in which every quote is undoubled takes time in proportion to its size."""
    rows = [["1", f'a "b" c {number}'] for number in range(20_000)]
    text = "a,b\n" + "".join(f'{first},"{second}"\n' for first, second in rows)
    assert read(text)[1:] == (rows, 20_000)


def test_header_of_no_text_is_none() -> None:
    """C18: an empty file has no header and no rows."""
    assert read("") == (None, [], 0)


def test_chunk_counts_lines_inside_cells() -> None:
    """A row's line is where it begins, after the line ends inside earlier rows."""
    chunk = Chunk(10, [["a\nb", "c", "d"], ["\r\n", "", ""]])
    assert [chunk.line_of(index) for index in range(3)] == [10, 13, 14]

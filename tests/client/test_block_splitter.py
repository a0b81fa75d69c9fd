"""Text tables: many rows cut at once are the rows cut one by one, or none at all."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from marketo_bulk.reader.block_splitter import cut_table
from marketo_bulk.reader.row_splitter import cut_row


def rows_of(text: str, width: int) -> tuple[list[list[str]], int] | None:
    """Return rows and the end of the last, or None where the table refuses."""
    table = cut_table(text, width, ",")
    if table is None:
        return None
    return [list(row) for row in zip(*table.columns, strict=True)], table.end


@settings(deadline=None, max_examples=500)
@given(st.text('ab",\r\n', min_size=1, max_size=30), st.integers(1, 3))
@example('1,"a\n', 2)
@example('1,"a"\n2,"b",""\n3,"open', 2)
@example('1,"a","b"\n"c",2,""""\n', 3)
@example('1,2"\n', 2)
@example("1\r\n,2\n\n", 2)
def test_table_is_what_rows_cut_one_by_one_are(text: str, width: int) -> None:
    """Whatever a table takes, the careful way reads the same, up to the same place."""
    found = rows_of(text, width)
    if found is None:
        return
    rows, end = found
    start = 0
    for cells in rows:
        row = cut_row(text, start, ",")
        assert row is not None
        assert cells == row.cells
        assert not row.is_lenient
        assert len(cells) == width
        start = row.end
    assert start == end
    assert end == len(text) or cut_row(text, end, ",") is None


@pytest.mark.parametrize(
    ("text", "rows", "end"),
    [
        ("1,2\n3,4", [["1", "2"], ["3", "4"]], 7),
        ('"1","2,\n"\r\n3,""""\r\n', [["1", "2,\n"], ["3", '"']], 19),
        ('"1","2"\n3,"4","5\n6', [["1", "2"]], 8),
        ("\n", [[""]], 1),
    ],
)
def test_table_takes_what_is_as_it_should_be(text: str, rows: list[list[str]], end: int) -> None:
    """Quoted cells, CRLF and a row that goes on in the next block need no second look."""
    assert rows_of(text, len(rows[0])) == (rows, end)


@pytest.mark.parametrize("text", ["1,2,3\n4\n", '1,5"\n', '"x"y",2\n', '"1"\r,2\n', '"1,2\n', ""])
def test_table_leaves_the_rest_alone(text: str) -> None:
    """Another width, a stray quote or nothing at all is for others to judge."""
    assert rows_of(text, 2) is None

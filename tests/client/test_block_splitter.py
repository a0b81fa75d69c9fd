"""Text tables: many rows cut at once are the rows cut one by one, or none at all."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from marketo_bulk.reader import block_splitter
from marketo_bulk.reader.block_splitter import cut_table
from marketo_bulk.reader.row_splitter import cut_row

if TYPE_CHECKING:
    from collections.abc import Iterator


def rows_of(text: str, width: int) -> tuple[list[list[str]], int] | None:
    """Return rows and the end of the last, or None where the table refuses."""
    table = cut_table(text, width, ",")
    if table is None:
        return None
    return [list(row) for row in zip(*table.columns, strict=True)], table.end


@contextlib.contextmanager
def always(*, dense: bool) -> Iterator[None]:
    """Make every text one with many quotes, or none."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(block_splitter, "DENSE_QUOTES", -1 if dense else 10_000)
        yield


@settings(deadline=None, max_examples=500)
@given(st.text('ab",\r\n\1é🦩', min_size=1, max_size=30), st.integers(1, 3), st.booleans())
@example('1,"a\n', 2, True)  # noqa: FBT003  # dense, here and below
@example('1,"a"\n2,"b",""\n3,"open', 2, True)  # noqa: FBT003
@example('1,"a","b"\n"c",2,""""\n', 3, True)  # noqa: FBT003
@example('1,2"\n', 2, True)  # noqa: FBT003
@example("1\r\n,2\n\n", 2, True)  # noqa: FBT003
@example('"""a"",",1\r\n2,"\1"\n', 2, True)  # noqa: FBT003
@example('"a"\r,1\n', 2, True)  # noqa: FBT003
def test_table_is_what_rows_cut_one_by_one_are(text: str, width: int, dense: bool) -> None:  # noqa: FBT001
    """Whatever a table takes, the careful way reads the same, up to the same place."""
    with always(dense=dense):
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


@settings(deadline=None, max_examples=500)
@given(st.text('a",\r\n\1é', min_size=1, max_size=20), st.integers(1, 3))
def test_many_quotes_are_cut_as_few_are(text: str, width: int) -> None:
    """How dense quotes are settles how fast a table is cut, and nothing else."""
    with always(dense=True):
        found = rows_of(text, width)
    with always(dense=False):
        assert rows_of(text, width) == found


@pytest.mark.parametrize("dense", [True, False])
@pytest.mark.parametrize(
    ("text", "rows", "end"),
    [
        ("1,2\n3,4", [["1", "2"], ["3", "4"]], 7),
        ('"1","2,\n"\r\n3,""""\r\n', [["1", "2,\n"], ["3", '"']], 19),
        ('"1","2"\n3,"4","5\n6', [["1", "2"]], 8),
        ("\n", [[""]], 1),
        ('"{""a"": ""é🦩""}",2\n', [['{"a": "é🦩"}', "2"]], 20),
    ],
)
def test_table_takes_what_is_as_it_should_be(
    text: str, rows: list[list[str]], end: int, *, dense: bool
) -> None:
    """Quoted cells, CRLF and a row that goes on in the next block need no second look."""
    with always(dense=dense):
        assert rows_of(text, len(rows[0])) == (rows, end)


def test_texts_of_many_quotes_are_cut_at_them() -> None:
    """Else every cell of JSON would be walked through by the pattern."""
    text = '"{""a"": ""b"", ""c"": """"}",1\n' * 50
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(block_splitter, "_QUOTED", {})
        assert rows_of(text, 2) == ([['{"a": "b", "c": ""}', "1"]] * 50, len(text))


@pytest.mark.parametrize("text", ["1,2,3\n4\n", '1,5"\n', '"x"y",2\n', '"1"\r,2\n', '"1,2\n', ""])
def test_table_leaves_the_rest_alone(text: str) -> None:
    """Another width, a stray quote or nothing at all is for others to judge."""
    assert rows_of(text, 2) is None

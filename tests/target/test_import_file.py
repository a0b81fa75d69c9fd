from __future__ import annotations

import csv
import io
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_marketo_bulk.files.open_file import OpenFile
from target_marketo_bulk.records.lookup_keys import Key, Keys
from target_marketo_bulk.records.row_format import RowFormat
from tests.target.layouts import layout_of

if TYPE_CHECKING:
    from target_marketo_bulk.files.import_file import ImportFile
    from target_marketo_bulk.records.layout import Layout

UNSENDABLE = "\0" if sys.version_info < (3, 11) else ""
"""What the `csv` module of this Python cannot read back."""

NASTY = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters=UNSENDABLE), max_size=12
) | st.sampled_from(
    [
        "a,b",
        'say "hi"',
        "two\nlines",
        "lone\rreturn",
        "\r\n",
        " lead",
        "trail ",
        "null",
        "\t;",
        "\ufffd" if UNSENDABLE else "\0",
    ]
)


def layout(name: str = "csv") -> Layout:
    """Return a layout of two columns."""
    return layout_of("email", "note", format_name=name)


def content(file: ImportFile) -> bytes:
    """Return a file's bytes."""
    file.handle.seek(0)
    return file.handle.read()


@given(
    st.sampled_from(["csv", "tsv", "ssv"]), st.lists(st.tuples(st.text("abc", min_size=1), NASTY))
)
def test_file_holds_the_last_row_of_each_key(name: str, rows: list[tuple[str, str]]) -> None:
    """The bytes, the size, the count and the rows read back are those of the last rows."""
    made = layout(name)
    open_file = OpenFile(1, made, opened_at=0, slack_bytes=40)
    for row in rows:
        open_file.put(Key(row[0]), made.row_format.encode(row))
    file = open_file.finish()[0]
    last: dict[str, str] = {}
    for key, note in rows:
        last.pop(key, None)
        last[key] = note
    body = content(file)
    text = io.StringIO(body.decode(), newline="")
    assert [["email", "note"], *map(list, last.items())] == list(
        csv.reader(text, delimiter=made.row_format.delimiter)
    )
    assert (len(body), len(last)) == (file.size_bytes, file.rows)
    assert list(map(list, last.items())) == list(file.read_rows())
    file.close()


@given(st.lists(st.lists(st.tuples(st.text("abAB ", max_size=2), NASTY), min_size=1), max_size=6))
def test_rows_put_together_are_those_put_one_by_one(batches: list[list[tuple[str, str]]]) -> None:
    """Rows of new keys go into a file at once; any other batch is refused, and changes nothing."""
    made = layout()
    files = [OpenFile(1, made, opened_at=0), OpenFile(1, made, opened_at=0)]
    seen: set[str] = set()
    for batch in batches:
        lines = [made.row_format.encode(row) for row in batch]
        keys = [Key(text) for text, _ in batch]
        folded = [key.folded for key in keys]
        are_new = len({*seen, *folded}) == len(seen) + len(folded)
        seen.update(folded)
        assert are_new == files[0].put_new(Keys([text for text, _ in batch]), lines)
        for file in files[are_new:]:
            for key, line in zip(keys, lines, strict=True):
                file.put(key, line)
    sizes = {(file.size_bytes, file.spooled_bytes, file.index_bytes) for file in files}
    assert len(sizes) == 1
    spelled = [[file.spelling_of(key) for key in ("a", "b", "bb")] for file in files]
    assert spelled[0] == spelled[1]
    finished = [file.finish()[0] for file in files]
    assert content(finished[0]) == content(finished[1])
    for done in finished:
        done.close()


@given(
    st.sampled_from(["csv", "tsv", "ssv"]),
    st.integers(1, 3).flatmap(lambda width: st.lists(st.tuples(*[NASTY] * width), min_size=1)),
)
def test_rows_encoded_together_are_those_encoded_one_by_one(
    name: str, rows: list[tuple[str, ...]]
) -> None:
    """Column by column or row by row: the same bytes, as `csv` writes them."""
    row_format = RowFormat(name)
    assert list(map(row_format.encode, rows)) == row_format.encode_columns(
        list(zip(*rows, strict=True))
    )


def test_row_is_quoted_as_rfc_4180_says() -> None:
    """Only what needs quotes has them; a lone carriage return does; lines end in LF."""
    assert layout().row_format.encode(["a\rb", 'c"d', " e", None]) == b'"a\rb","c""d", e,\n'


def test_halves_have_all_rows_in_order() -> None:
    """The halves of a file have a header each, and its rows between them."""
    made = layout()
    open_file = OpenFile(7, made, opened_at=0)
    for number in range(5):
        row = (f"{number}@example.com", "line\nbreak")
        open_file.put(Key(row[0]), made.row_format.encode(row))
    file = open_file.finish()[0]
    rows = list(file.read_rows())
    first, second = file.halves()
    assert rows == [*first.read_rows(), *second.read_rows()]
    assert (first.rows, second.rows, first.unit, second.unit) == (2, 3, 7, 7)
    assert all(content(half).startswith(b"email,note\n") for half in (first, second))
    for each in (file, first, second):
        each.close()


def test_single_row_cannot_be_halved() -> None:
    """A file of one row says so instead of making an empty one."""
    made = layout()
    open_file = OpenFile(1, made, opened_at=0)
    open_file.put(Key("a"), b"a,b\n")
    file = open_file.finish()[0]
    with pytest.raises(ValueError, match="one row"):
        file.halves()
    file.close()


def test_replaced_bytes_do_not_fill_the_disk() -> None:
    """A stream that changes one lead forever keeps the file small."""
    made = layout()
    file = OpenFile(1, made, opened_at=0, slack_bytes=1_000)
    for number in range(5_000):
        file.put(Key("a"), b"a,%07d\n" % number)
        assert file.spooled_bytes < 1_100
    finished = file.finish()[0]
    assert content(finished) == b"email,note\na,0004999\n"
    finished.close()

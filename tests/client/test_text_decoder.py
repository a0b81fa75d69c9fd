"""Text blocks: bytes of a file become text, and nothing is changed uncounted."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typing_extensions import override

from marketo_bulk.errors import DecodeError
from marketo_bulk.reader.text_decoder import (
    BLOCK_BYTES,
    BLOCK_ROWS_MIN,
    WIDE_BLOCK_BYTES,
    Counts,
    TextReader,
)


class Dripping(io.BytesIO):
    """A file that hands out a few bytes at a time, to put every border somewhere."""

    def __init__(self, content: bytes, size: int) -> None:
        super().__init__(content)
        self.size = size

    @override
    def read(self, _size: int | None = -1, /) -> bytes:
        return super().read(self.size)


def read(content: bytes, *, size: int = 3, replace: bool = False) -> tuple[str, Counts]:
    """Return the whole text and the counts."""
    counts = Counts()
    reader = TextReader(
        Dripping(content, size), source="file", replace_invalid=replace, counts=counts
    )
    blocks = list(reader.blocks())
    assert [block.is_last for block in blocks] == [False] * (len(blocks) - 1) + [True]
    return "".join(block.text for block in blocks), counts


@settings(deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_characters="\0\ufeff")), st.integers(1, 9))
def test_text_of_utf8_is_unchanged_wherever_blocks_end(text: str, size: int) -> None:
    """C12: a character that spans two blocks is one character, and counts say nothing."""
    assert read(text.encode(), size=size) == (text, Counts())


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_text_drops_only_the_first_byte_order_mark(size: int) -> None:
    """C8: the mark is no part of the first header; a later one is data."""
    assert read("\ufeffa\ufeffb".encode(), size=size)[0] == "a\ufeffb"


def test_text_of_empty_file_is_one_empty_block() -> None:
    """C18: no bytes are no text, and no error here."""
    assert read(b"") == ("", Counts())


def test_text_that_ends_in_nuls_ends_before_them() -> None:
    """Whether a block is the last is known at the last text, wherever the NULs behind it lie."""
    reader = TextReader(
        Dripping(b"a\n\0\0\0\0", 2), source="file", replace_invalid=False, counts=Counts()
    )
    assert list(reader.blocks()) == [("a\n", True)]


def test_text_removes_and_counts_nuls() -> None:
    """C11: NULs are removed, also before the mark, and counted."""
    assert read(b"\0\xef\xbb\xbfa\0b\n\0\0") == ("ab\n", Counts(nul_bytes=4))


@pytest.mark.parametrize("size", [1, 2, 5, 100])
@pytest.mark.parametrize(
    ("content", "offset", "line"),
    [
        (b"a\nb\xffc", 3, 2),
        (b"\xffabc", 0, 1),
        ("é\né\n".encode() + b"\xc3", 6, 3),
        (b"ok\n\n\n\xe2\x82x", 5, 4),
        (b"\xed\xa0\x80", 0, 1),
    ],
)
def test_text_that_is_no_utf8_is_refused_with_its_place(
    size: int, content: bytes, offset: int, line: int
) -> None:
    """C12: the error names the byte and the line, wherever blocks end."""
    with pytest.raises(DecodeError, match=rf"file: byte {offset} \(line {line}\)") as caught:
        read(content, size=size)
    assert caught.value.line == line


@settings(deadline=None)
@given(st.binary(max_size=40), st.integers(1, 9))
def test_text_replaces_and_counts_invalid_bytes(content: bytes, size: int) -> None:
    """C12: replaced text is Python's own, and the count is that of the bytes lost."""
    text, counts = read(b"x" + content, size=size, replace=True)
    assert text == (b"x" + content).decode(errors="replace").replace("\0", "")
    lost = len(content) - len(content.decode(errors="ignore").encode())
    assert counts == Counts(nul_bytes=content.count(0), replaced_bytes=lost)


class Sized(io.BytesIO):
    """A file that keeps note of how many bytes were asked for."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.sizes: list[int] = []

    @override
    def read(self, size: int | None = -1, /) -> bytes:
        self.sizes.append(size or 0)
        return super().read(size)


@pytest.mark.parametrize(
    ("row_bytes", "largest"),
    [
        (10, BLOCK_BYTES),
        (BLOCK_BYTES // BLOCK_ROWS_MIN - 10, BLOCK_BYTES),
        (BLOCK_BYTES // BLOCK_ROWS_MIN + 100, 2 * BLOCK_BYTES),
        (WIDE_BLOCK_BYTES // BLOCK_ROWS_MIN, WIDE_BLOCK_BYTES),
        (WIDE_BLOCK_BYTES * 3, WIDE_BLOCK_BYTES),
    ],
)
def test_blocks_grow_with_the_width_of_a_row_up_to_a_bound(row_bytes: int, largest: int) -> None:
    """A block has enough rows to be worth its price for each column, and no block is huge."""
    row = b"x" * (row_bytes - 1) + b"\n"
    content = row * (20 * WIDE_BLOCK_BYTES // row_bytes + 1)
    file = Sized(content)
    reader = TextReader(file, source="file", replace_invalid=False, counts=Counts())
    assert "".join(block.text for block in reader.blocks()).encode() == content
    assert max(file.sizes) == largest
    assert file.sizes[0] == BLOCK_BYTES

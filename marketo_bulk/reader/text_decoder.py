"""Text decoder: bytes to blocks of text that end with a line, and their counts."""

from __future__ import annotations

import codecs
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from marketo_bulk.errors import DecodeError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO


# The cells of larger blocks leave the processor's cache before they are written.
BLOCK_BYTES = 1 << 15

# Each block costs something for each column. Where rows are so wide that a block has but a few,
# larger ones cost less, whatever leaves the cache.
WIDE_BLOCK_BYTES = 1 << 17
BLOCK_ROWS_MIN = 24

_MARK = "\ufeff"
_REPLACEMENT = "\ufffd"


class Block(NamedTuple):
    """A piece of the text, and whether it is the last one."""

    text: str
    is_last: bool


class TextReader:
    """Reads `file`, named `source` in messages.

    Bytes that are no UTF-8 are an error, or U+FFFD if `replace_invalid`; `counts` gets the number
    of bytes replaced, and of NULs removed.
    """

    def __init__(
        self, file: BinaryIO, *, source: str, replace_invalid: bool, counts: Counts
    ) -> None:
        self._file = file
        self._source = source
        self._replace_invalid = replace_invalid
        self._counts = counts
        self._offset_bytes = 0
        self._lines = 0

    def blocks(self) -> Iterator[Block]:
        """Yield the text.

        Shape: lazy; never empty: a file without any text is one empty block; behind every block
            but the last there is more text. A block ends with a line, where a line ends in it.
        Raises: DecodeError at the first byte that is no UTF-8.
        """
        is_start = True
        # Held back until more text is there: bytes that follow may be NULs and nothing else.
        held = ""
        size = BLOCK_BYTES
        unread = self._file.read(size)
        rest = b""
        is_last = False
        while not is_last:
            bytes_ = rest + unread
            # Read ahead: the rows need to know that nothing follows.
            unread = self._file.read(size)
            is_last = not unread
            end = len(bytes_) if is_last else bytes_.rfind(b"\n") + 1 or len(bytes_)
            text, used = self._decode(bytes_[:end], is_last=is_last)
            rest = bytes_[used:]
            self._offset_bytes += used
            # Looked for in the bytes: text with an emoji in it is four times as long.
            lines = bytes_.count(b"\n", 0, used)
            self._lines += lines
            if lines < BLOCK_ROWS_MIN and len(bytes_) >= size:
                size = min(2 * size, WIDE_BLOCK_BYTES)
            if b"\0" in bytes_:
                text = self._without_nuls(text)
            if is_start and text:
                text = text.removeprefix(_MARK)
                is_start = False
            if text and held:
                yield Block(held, is_last=False)
            held = text or held
        yield Block(held, is_last=True)

    def _decode(self, bytes_: bytes, *, is_last: bool) -> tuple[str, int]:
        try:
            return codecs.utf_8_decode(bytes_, "strict", is_last)
        except UnicodeDecodeError as error:
            if not self._replace_invalid:
                line = self._lines + bytes_.count(b"\n", 0, error.start) + 1
                raise DecodeError(
                    f"{self._source}: byte {self._offset_bytes + error.start} (line {line}) "
                    f"is not UTF-8. Export again, or set on_bad_value to null to read it as U+FFFD",
                    line=line,
                ) from error
        text, used = codecs.utf_8_decode(bytes_, "replace", is_last)
        sound = bytes_.count(_REPLACEMENT.encode(), 0, used)
        replaced = text.count(_REPLACEMENT) - sound
        kept = len(text.encode()) - replaced * len(_REPLACEMENT.encode())
        self._counts.replaced_bytes += used - kept
        return text, used

    def _without_nuls(self, text: str) -> str:
        self._counts.nul_bytes += text.count("\0")
        return text.replace("\0", "")


@dataclass(slots=True)
class Counts:
    """What a reading met so far.

    Shape: `rows` are the rows of the file, whether or not `filtered_rows` of them were dropped.
    """

    had_header: bool = False
    rows: int = 0
    filtered_rows: int = 0
    lenient_rows: int = 0
    nul_bytes: int = 0
    replaced_bytes: int = 0
    bad_values: dict[str, int] = field(default_factory=dict)
    mended_objects: int = 0
    unreadable_objects: int = 0

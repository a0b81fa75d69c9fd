"""Import files: rows on disk, the last one of each lookup value, in exact bytes."""

from __future__ import annotations

import io
import tempfile
from array import array
from bisect import bisect_left
from dataclasses import dataclass
from itertools import accumulate, count, islice
from typing import TYPE_CHECKING, BinaryIO

from target_marketo_bulk.keys import Key, Keys, KeySet, index_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator, KeysView, Sequence

    from target_marketo_bulk.row_format import RowFormat

_BUFFER_BYTES = 1 << 14
"""A smaller file is in memory alone, so that many sets of columns need few descriptors."""

_COPY_BYTES = 1 << 20


def _private_file() -> BinaryIO:
    # It has no name, so nobody else can open it and nothing is left behind by a killed process.
    return tempfile.TemporaryFile(buffering=_BUFFER_BYTES)  # type: ignore[return-value]


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """What the rows of a file share: columns, the lookup column's place, and the format.

    There is one for each set of columns: two layouts are never equal.
    """

    columns: tuple[str, ...]
    lookup_index: int
    row_format: RowFormat

    @property
    def header(self) -> bytes:
        """The first row, with its line end."""
        return self.row_format.encode(self.columns)


@dataclass(frozen=True, slots=True)
class ImportFile:
    """A finished file: at most one row for each lookup value.

    `unit` is the number of the open file it came from; the halves of a file share it.
    """

    unit: int
    layout: Layout
    handle: BinaryIO
    rows: int
    size_bytes: int
    keys: KeySet

    def read_rows(self) -> Iterator[list[str]]:
        """Yield the rows without the header, in the file's order; lazy."""
        return islice(self.layout.row_format.decode(self.handle), 1, None)

    def halves(self) -> tuple[ImportFile, ImportFile]:
        """Return two new files which together have this one's rows, in its order.

        Raises: ValueError for a file of one row.
        """
        if self.rows < 2:  # noqa: PLR2004  # two halves
            raise ValueError("a file of one row cannot be halved")
        rows = self.read_rows()
        first = self._from_rows(islice(rows, self.rows // 2))
        return first, self._from_rows(rows)

    def _from_rows(self, rows: Iterator[list[str]]) -> ImportFile:
        part = OpenFile(self.unit, self.layout, opened_at=0.0)
        for row in rows:
            part.put(Key(row[self.layout.lookup_index]), self.layout.row_format.encode(row))
        return part.finish()

    def close(self) -> None:
        """Give the disk space back."""
        self.handle.close()


class OpenFile:
    """A file that still takes rows.

    A row replaces the earlier row of its lookup value. The replaced bytes stay on disk until
    `finish`, or until there are `slack_bytes` of them, and never count as the file's size.
    """

    def __init__(
        self, unit: int, layout: Layout, *, opened_at: float, slack_bytes: int = 10_000_000
    ) -> None:
        self.unit = unit
        self.layout = layout
        self.opened_at = opened_at
        self.index_bytes = 0
        self._slack_bytes = slack_bytes
        self.used_at = 0
        """Set by whoever needs to know which file was used least recently."""
        self._handle: BinaryIO = io.BytesIO()
        self._handle.write(layout.header)
        self._end = self.size_bytes = len(layout.header)
        self._starts = array("I")
        self._ordinals: dict[str, int] = {}
        self._spellings: dict[str, str] = {}
        self._replaced = array("I")

    @property
    def rows(self) -> int:
        """Number of rows, replaced ones not counted."""
        return len(self._ordinals)

    @property
    def spooled_bytes(self) -> int:
        """Disk space taken, that of replaced rows among it."""
        return self._end

    @property
    def folded_keys(self) -> KeysView[str]:
        """The lookup values in it."""
        return self._ordinals.keys()

    def size_with(self, key: Key, line_bytes: int) -> int:
        """Return the file's size if this row were put into it."""
        ordinal = self._ordinals.get(key.folded)
        replaced_bytes = 0 if ordinal is None else self._length(ordinal)
        return self.size_bytes + line_bytes - replaced_bytes

    def has_other_spelling(self, key: Key) -> bool:
        """Whether it has a row that may be the same lead, under a key spelled differently."""
        folded = key.folded
        return folded in self._ordinals and self._spellings.get(folded, folded) != key.text

    def put(self, key: Key, line: bytes) -> bool:
        """Add a row; return whether it replaced an earlier one."""
        folded = key.folded
        ordinal = self._ordinals.get(folded)
        self._ordinals[folded] = len(self._starts)
        self._starts.append(self._end)
        self._append(line)
        if ordinal is None:
            self._note_new(key)
            return False
        self.size_bytes -= self._length(ordinal)
        self._replaced.append(ordinal)
        if self._end - self.size_bytes > self._slack_bytes:
            self._drop_replaced()
        return True

    def put_new(self, keys: Keys, lines: Sequence[bytes]) -> bool:
        """Add rows, at least one; return False, and add none, if one would replace another."""
        folded = keys.folded
        if len(set(folded)) < len(folded) or not self._ordinals.keys().isdisjoint(folded):
            return False
        self._ordinals.update(zip(folded, count(len(self._starts))))
        self._starts.extend(accumulate(map(len, lines[:-1]), initial=self._end))
        self._append(b"".join(lines))
        self._spellings.update(keys.respelled)
        self.index_bytes += keys.index_bytes
        return True

    def _append(self, lines: bytes) -> None:
        self._handle.write(lines)
        self._end += len(lines)
        self.size_bytes += len(lines)
        if self._end > _BUFFER_BYTES and isinstance(self._handle, io.BytesIO):
            self._move_to_disk(self._handle)

    def _note_new(self, key: Key) -> None:
        self.index_bytes += index_bytes((key.folded,))
        if key.text != key.folded:
            self._spellings[key.folded] = key.text
            self.index_bytes += index_bytes((key.text,))

    def finish(self) -> ImportFile:
        """Return the file as it is to be sent; nothing can be added any more."""
        if self._replaced:
            self._drop_replaced()
        self._handle.flush()
        return ImportFile(
            self.unit, self.layout, self._handle, self.rows, self.size_bytes, KeySet(self._ordinals)
        )

    def close(self) -> None:
        """Throw the rows away."""
        self._handle.close()

    def _move_to_disk(self, memory: io.BytesIO) -> None:
        self._handle = _private_file()
        self._handle.write(memory.getvalue())
        memory.close()

    def _length(self, ordinal: int) -> int:
        following = ordinal + 1
        end = self._starts[following] if following < len(self._starts) else self._end
        return end - self._starts[ordinal]

    def _drop_replaced(self) -> None:
        replaced = sorted(self._replaced)
        kept = _private_file()
        cursor = 0
        for ordinal in replaced:
            start = self._starts[ordinal]
            self._copy(kept, cursor, start)
            cursor = start + self._length(ordinal)
        self._copy(kept, cursor, self._end)
        self._renumber(replaced)
        self._handle.close()
        self._handle, self._end = kept, self.size_bytes

    def _copy(self, target: BinaryIO, start: int, end: int) -> None:
        self._handle.seek(start)
        while start < end:
            target.write(self._handle.read(min(_COPY_BYTES, end - start)))
            start = min(start + _COPY_BYTES, end)

    def _renumber(self, replaced: list[int]) -> None:
        lengths = array("I")
        gone = set(replaced)
        lengths.extend(
            self._length(ordinal) for ordinal in range(len(self._starts)) if ordinal not in gone
        )
        starts, position = array("I"), self._end_of_header()
        for length in lengths:
            starts.append(position)
            position += length
        self._ordinals = {
            key: ordinal - bisect_left(replaced, ordinal) for key, ordinal in self._ordinals.items()
        }
        self._starts, self._replaced = starts, array("I")

    def _end_of_header(self) -> int:
        return len(self.layout.header)

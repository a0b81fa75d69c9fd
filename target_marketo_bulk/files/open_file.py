"""Open file: the rows of one set of columns that are still being collected."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from itertools import accumulate, chain, count
from typing import TYPE_CHECKING

from target_marketo_bulk.files.import_file import file_of
from target_marketo_bulk.files.spill import SpilledBytes, SpillFile
from target_marketo_bulk.records.lookup_keys import INDEX_ENTRY_BYTES, Key, index_bytes

if TYPE_CHECKING:
    from collections.abc import KeysView, Mapping, Sequence

    from target_marketo_bulk.files.import_file import ImportFile
    from target_marketo_bulk.records.layout import Layout
    from target_marketo_bulk.records.lookup_keys import Keys

OPEN_FILE_BYTES = 4_000
"""Memory an open file takes, without its rows and columns."""

_COPY_BYTES = 1 << 20


class OpenFile:
    """A file that still takes rows.

    A row replaces the earlier row of its lookup value, spelled the same. The replaced bytes stay
    on disk until `finish`, or until there are `slack_bytes` of them, and never count as the file's
    size.
    """

    def __init__(
        self,
        unit: int,
        layout: Layout,
        *,
        opened_at: float,
        slack_bytes: int = 10_000_000,
        spill: SpillFile | None = None,
    ) -> None:
        self.unit = unit
        self.layout = layout
        self.opened_at = opened_at
        self.index_bytes = OPEN_FILE_BYTES + INDEX_ENTRY_BYTES * len(layout.columns) // 4
        self.chained: set[str] = set()
        """Lookup values of which there are other rows, here or in other files."""
        self._slack_bytes = slack_bytes
        self._spill = spill or SpillFile()
        header = layout.header
        self._header_bytes = self.size_bytes = len(header)
        self._bytes = SpilledBytes(self._spill)
        self._bytes.append(header)
        self._starts = array("I")
        self._ordinals: dict[str, int] = {}
        self._spellings: dict[str, str] = {}
        self._variants: dict[str, int] = {}
        """Rows of lookup values that were spelled differently later on."""
        self._replaced = array("I")

    @property
    def rows(self) -> int:
        """Number of rows, replaced ones not counted."""
        return len(self._ordinals) + len(self._variants)

    @property
    def spooled_bytes(self) -> int:
        """Disk space taken, that of replaced rows among it."""
        return self._bytes.size_bytes

    @property
    def folded_keys(self) -> KeysView[str]:
        """The lookup values in it."""
        return self._ordinals.keys()

    def spelling_of(self, folded: str) -> str | None:
        """Return how the newest row of a lookup value spells it; None if there is none."""
        return self._spellings.get(folded, folded) if folded in self._ordinals else None

    def size_with(self, key: Key, line_bytes: int) -> int:
        """Return the file's size if this row were put into it."""
        ordinal = self._ordinal_of(key)
        replaced_bytes = 0 if ordinal is None else self._length(ordinal)
        return self.size_bytes + line_bytes - replaced_bytes

    def put(self, key: Key, line: bytes) -> bool:
        """Add a row; return whether it replaced an earlier one."""
        folded = key.folded
        replaced = self._ordinal_of(key)
        newest = self._ordinals.get(folded)
        if newest is None:
            self._note_new(key)
        elif self._spellings.get(folded, folded) != key.text:
            self._respell(key, newest)
        self._ordinals[folded] = len(self._starts)
        self._starts.append(self._bytes.size_bytes)
        self._bytes.append(line)
        self.size_bytes += len(line)
        if replaced is None:
            return False
        self.size_bytes -= self._length(replaced)
        self._replaced.append(replaced)
        if self._bytes.size_bytes - self.size_bytes > self._slack_bytes:
            self._drop_replaced()
        return True

    def put_new(self, keys: Keys, lines: Sequence[bytes]) -> bool:
        """Add rows, at least one; return False, and add none, if one would replace another."""
        folded = keys.folded
        if len(set(folded)) < len(folded) or not self._ordinals.keys().isdisjoint(folded):
            return False
        self._ordinals.update(zip(folded, count(len(self._starts))))
        self._starts.extend(accumulate(map(len, lines[:-1]), initial=self._bytes.size_bytes))
        whole = b"".join(lines)
        self._bytes.append(whole)
        self.size_bytes += len(whole)
        self._spellings.update(keys.respelled)
        self.index_bytes += keys.index_bytes
        return True

    def finish(
        self, rounds: Mapping[str, Mapping[str, int]] | None = None
    ) -> dict[int, ImportFile]:
        """Return the files as they are to be sent, by round; nothing can be added any more.

        `rounds` has, by lookup value and spelling, the rows that are not of the first round.
        """
        later: dict[int, list[tuple[str, int]]] = {}
        for folded, by_spelling in (rounds or {}).items():
            for text, number in by_spelling.items():
                later.setdefault(number, []).append((folded, self._pull(folded, text)))
        files = {number: self._file_of(pulled) for number, pulled in later.items()}
        if self._replaced:
            self._drop_replaced()
        if self.rows or not files:
            keys = chain(self._ordinals, (Key(text).folded for text in self._variants))
            files[0] = file_of(self._bytes, self.unit, self.layout, keys)
        else:
            self._bytes.close()
        return files

    def close(self) -> None:
        """Throw the rows away."""
        self._bytes.close()

    def _ordinal_of(self, key: Key) -> int | None:
        newest = self._ordinals.get(key.folded)
        if newest is None or self._spellings.get(key.folded, key.folded) == key.text:
            return newest
        return self._variants.get(key.text)

    def _note_new(self, key: Key) -> None:
        self.index_bytes += index_bytes((key.folded,))
        if key.text != key.folded:
            self._spellings[key.folded] = key.text
            self.index_bytes += index_bytes((key.text,))

    def _respell(self, key: Key, newest: int) -> None:
        former = self._spellings.get(key.folded, key.folded)
        self._variants.pop(key.text, None)
        self._variants[former] = newest
        self._spellings[key.folded] = key.text
        self.index_bytes += index_bytes((key.text,))

    def _pull(self, folded: str, text: str) -> int:
        """Take a row out; return its number."""
        if self._spellings.get(folded, folded) == text and folded in self._ordinals:
            ordinal = self._ordinals.pop(folded)
        else:
            ordinal = self._variants.pop(text)
        self.size_bytes -= self._length(ordinal)
        self._replaced.append(ordinal)
        return ordinal

    def _file_of(self, pulled: list[tuple[str, int]]) -> ImportFile:
        rows = SpilledBytes(self._spill)
        rows.append(self.layout.header)
        for _, ordinal in sorted(pulled, key=lambda row: row[1]):
            rows.append(self._bytes.read_all(self._starts[ordinal], self._length(ordinal)))
        return file_of(rows, self.unit, self.layout, [folded for folded, _ in pulled])

    def _length(self, ordinal: int) -> int:
        following = ordinal + 1
        end = self._starts[following] if following < len(self._starts) else self._bytes.size_bytes
        return end - self._starts[ordinal]

    def _drop_replaced(self) -> None:
        replaced = sorted(self._replaced)
        kept = SpilledBytes(self._spill)
        cursor = 0
        for ordinal in replaced:
            start = self._starts[ordinal]
            self._copy(kept, cursor, start)
            cursor = start + self._length(ordinal)
        self._copy(kept, cursor, self._bytes.size_bytes)
        self._renumber(replaced)
        self._bytes.close()
        self._bytes = kept

    def _copy(self, target: SpilledBytes, start: int, end: int) -> None:
        while start < end:
            part = self._bytes.read(start, min(_COPY_BYTES, end - start))
            target.append(part)
            start += len(part)

    def _renumber(self, replaced: list[int]) -> None:
        gone = set(replaced)
        lengths = (
            self._length(ordinal) for ordinal in range(len(self._starts)) if ordinal not in gone
        )
        starts = array("I", accumulate(lengths, initial=self._header_bytes))
        starts.pop()
        for table in (self._ordinals, self._variants):
            for key, ordinal in table.items():
                table[key] = ordinal - bisect_left(replaced, ordinal)
        self._starts, self._replaced = starts, array("I")

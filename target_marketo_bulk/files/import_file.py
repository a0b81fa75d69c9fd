"""Import files: rows on disk, the last one of each lookup value, in exact bytes."""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO

from target_marketo_bulk.files.spill import BLOCK_BYTES, SpilledBytes, SpillFile, SpillReader
from target_marketo_bulk.records.lookup_keys import Key, KeySet

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from target_marketo_bulk.records.layout import Layout


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
    is_last: bool = True
    """Whether no other file of the same unit is to come."""

    def may_meet(self, other: ImportFile) -> bool:
        """Whether a row of one and a row of the other may be about the same object."""
        return self.layout.destination.may_overtake(
            other.layout.destination
        ) or not self.keys.isdisjoint(other.keys)

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
        part = SpilledBytes(SpillFile())
        part.append(self.layout.header)
        folded = []
        for row in rows:
            folded.append(Key(self.layout.lookup_value(row)).folded)
            part.append(self.layout.row_format.encode(row))
        return file_of(part, self.unit, self.layout, folded)

    def close(self) -> None:
        """Give the disk space back."""
        with contextlib.suppress(OSError):
            self.handle.close()


def file_of(rows: SpilledBytes, unit: int, layout: Layout, folded: Iterable[str]) -> ImportFile:
    """Return the file of these bytes, which has one row for each lookup value."""
    keys = KeySet(folded)
    handle = io.BufferedReader(SpillReader(rows), buffer_size=BLOCK_BYTES)
    return ImportFile(unit, layout, handle, len(keys), rows.size_bytes, keys)

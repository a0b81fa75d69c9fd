"""Layout: what the rows of one file share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_marketo_bulk.records.destination import Destination
    from target_marketo_bulk.records.row_format import RowFormat

SEPARATOR = "\x1f"
"""Stands between the parts of a lookup value of several fields."""


@dataclass(frozen=True, eq=False)
class Layout:
    """What the rows of a file share: columns, format, and where they go.

    Two layouts are never equal; of a set of columns there is one as long as anybody uses it.
    """

    columns: tuple[str, ...]
    destination: Destination
    row_format: RowFormat

    @property
    def header(self) -> bytes:
        """The first row, with its line end."""
        return self.row_format.encode(self.columns)

    @cached_property
    def lookup_indexes(self) -> tuple[int, ...]:
        """The places of the lookup columns."""
        return tuple(map(self.columns.index, self.destination.lookup_fields))

    def lookup_values(self, columns: Sequence[Sequence[str]]) -> Sequence[str]:
        """Return the lookup value of each row, as one text that tells the space, too.

        Shape: the rows are given as columns of text.
        """
        parts = [columns[index] for index in self.lookup_indexes]
        if len(parts) == 1 and not self.destination.object.space:
            return parts[0]
        return list(map(self.joined, zip(*parts, strict=True)))

    def lookup_value(self, row: Sequence[str]) -> str:
        """Return the lookup value of one row, as `lookup_values` does."""
        return self.joined([row[index] for index in self.lookup_indexes])

    def joined(self, parts: Sequence[str]) -> str:
        """Return the lookup value of these parts."""
        space = self.destination.object.space
        return parts[0] if len(parts) == 1 and not space else SEPARATOR.join((space, *parts))

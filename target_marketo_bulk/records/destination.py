"""Destination: where the rows of a stream go, and how Marketo finds what they are about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from marketo_bulk.imports.objects import ImportObject
    from marketo_bulk.imports.requests import ImportOptions
    from target_marketo_bulk.records.column_catalog import ColumnCatalog


@dataclass(frozen=True, eq=False)
class Destination:
    """What all rows of one or more streams share; two destinations are never equal."""

    object: ImportObject
    lookup_fields: tuple[str, ...]
    """Columns that tell one object from another, spelled as Marketo does."""
    options: ImportOptions
    catalog: ColumnCatalog
    most_running: int
    """Most of its imports that may be under way at once."""
    settings: tuple[str, ...]
    """The settings it was made of, which a refusal may be about."""

    def is_queued_with(self, other: Destination) -> bool:
        """Whether `most_running` is about the imports of both together."""
        return self.object == other.object and self.options.list_id == other.options.list_id

    def may_overtake(self, other: Destination) -> bool:
        """Whether rows of another destination may be about the same object, and show it by nothing.

        Lookup values are compared within one space; those of different fields cannot be.
        """
        return self.object.space == other.object.space and _folded(self) != _folded(other)


def _folded(destination: Destination) -> set[str]:
    return {name.casefold() for name in destination.lookup_fields}

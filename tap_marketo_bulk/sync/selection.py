"""Selection: which columns a run brings, and what their values must be."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tap_marketo_bulk.output.value_checks import ValueChecks

if TYPE_CHECKING:
    from collections.abc import Iterable

    from marketo_bulk import Column, ExportObject


@dataclass(frozen=True, slots=True)
class Selection:
    """Which columns a run is to bring, in the order of the record, and what their values must be.

    Shape: `keys` and `bookmark` are always among the columns. With `limited`, only a few records
        are wanted. `never_null` names columns with a value in every row, keys aside;
        `never_absent` those no record is without.
    """

    object: ExportObject
    keys: frozenset[str]
    bookmark: str
    columns: tuple[Column, ...]
    incremental: bool = True
    limited: bool = False
    never_null: frozenset[str] = frozenset()
    never_absent: frozenset[str] = frozenset()
    checks: ValueChecks = field(default_factory=ValueChecks.none)

    @property
    def keeps_jobs(self) -> bool:
        """Whether jobs in flight are left to the next run when this one ends early."""
        return self.incremental and not self.limited

    def fields(self) -> tuple[str, ...]:
        """Return the fields of a job.

        Shape: what comes anyway is left out; the bookmark's field comes last, so that a stray CR
            before a line end is never data.
        """
        left_out = {*self.object.comes_anyway, self.bookmark}
        # A column that stands in no file is made of another.
        asked = dict.fromkeys(column.of or column.name for column in self.columns)
        return (*(name for name in asked if name not in left_out), self.bookmark)

    def required_fields(self) -> frozenset[str]:
        """Return the fields of a job that a record cannot do without."""
        asked = self.keys.difference(self.object.comes_anyway)
        return self.never_absent.union(asked, {self.bookmark})

    def columns_of(self, fields: Iterable[str]) -> list[Column]:
        """Return the columns that a job over `fields` brings."""
        brought = {*self.object.comes_anyway, *fields}
        return [column for column in self.columns if (column.of or column.name) in brought]

"""Rows: many records with the same properties, as lines of a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from target_marketo_bulk.records.row_format import RowFormat
    from target_marketo_bulk.records.row_plan import RowPlan


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of records, in their order; those of odd ones are worth nothing."""

    lookup_values: Sequence[str]
    lines: Sequence[bytes]

    def part(self, start: int, end: int) -> Rows:
        """Return some of the rows."""
        return Rows(self.lookup_values[start:end], self.lines[start:end])

    @classmethod
    def of(
        cls, plan: RowPlan, records: Sequence[Mapping[str, Any]], odd: set[int], *, checked: bool
    ) -> Rows:
        """Return the rows of records with the same properties.

        Shape: the numbers of records that ask for a look by themselves are added to `odd`.
        Raises: UndecidedError, ValueError if none can be told from the others.
        """
        columns = plan.columns(records, odd, checked=checked)
        lines = _encoded(plan.layout.row_format, columns, odd)
        for index in plan.layout.lookup_indexes:
            if not all(map(str.strip, columns[index])):
                odd.update(n for n, text in enumerate(columns[index]) if not text.strip())
        return cls(plan.layout.lookup_values(columns), lines)


def _encoded(row_format: RowFormat, columns: list[Sequence[str]], odd: set[int]) -> list[bytes]:
    try:
        return row_format.encode_columns(columns)
    except UnicodeEncodeError:
        for place, texts in enumerate(columns):
            bad = set(_not_unicode(texts))
            if bad:
                columns[place] = ["" if n in bad else text for n, text in enumerate(texts)]
                odd |= bad
        return row_format.encode_columns(columns)


def _not_unicode(texts: Sequence[str]) -> Iterator[int]:
    """Yield the numbers of texts with half a surrogate pair."""
    try:
        "".join(texts).encode()
    except UnicodeEncodeError:
        for number, text in enumerate(texts):
            if text != text.encode(errors="ignore").decode():
                yield number

"""Row plans: how the records of one stream that have the same properties become rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from target_marketo_bulk.cells import UnsendableValueError, converter_for

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from target_marketo_bulk.cells import Converter
    from target_marketo_bulk.import_file import Layout
    from target_marketo_bulk.validator import Guard

SHAPES_MAX = 4_096
"""Combinations of value types remembered for one set of properties."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What a row whose values have certain types needs."""

    conversions: tuple[tuple[int, Converter], ...]
    is_valid: bool
    """The types alone say that the record is valid."""


@dataclass(slots=True)
class RowPlan:
    """The way from a record to the cells of its row, in the order of the file's columns."""

    layout: Layout
    names: tuple[str, ...]
    """The record's properties that are sent, in the order of the file's columns."""
    schemas: tuple[Mapping[str, Any], ...]
    """The JSON schemas of those properties."""
    null_cell: str
    email_index: int | None
    guards: tuple[Guard, ...] = ()
    """Tests the values must pass besides having the right types."""
    _pick: Callable[[Mapping[str, Any]], Sequence[Any]] = field(init=False)
    _shapes: dict[tuple[type, ...], Shape] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        picker = itemgetter(*self.names)
        # For one name `itemgetter` returns the value itself.
        self._pick = picker if len(self.names) > 1 else lambda record: (picker(record),)

    def pick(self, record: Mapping[str, Any]) -> list[Any]:
        """Return the values that are sent."""
        return list(self._pick(record))

    def shape_of(self, types: tuple[type, ...]) -> Shape | None:
        """Return what is known about a row of these types."""
        return self._shapes.get(types)

    def learn(self, types: tuple[type, ...], *, is_valid: bool) -> Shape:
        """Work out, and remember, what a row of these types needs.

        Raises: UnsendableValueError naming the property, for a type that has no text.
        """
        conversions = []
        for index, value_type in enumerate(types):
            try:
                convert = converter_for(
                    value_type, self.schemas[index], null_cell=self.null_cell
                )
            except UnsendableValueError as error:
                raise UnsendableValueError(f"{self.names[index]}: {error}") from None
            if convert is not None:
                conversions.append((index, convert))
        if len(self._shapes) >= SHAPES_MAX:
            self._shapes.clear()
        shape = self._shapes[types] = Shape(tuple(conversions), is_valid)
        return shape

    def convert(self, values: list[Any], shape: Shape) -> None:
        """Replace, in place, the values that `csv.writer` would not write as Marketo reads them.

        Raises: UnsendableValueError naming the property.
        """
        for index, convert in shape.conversions:
            try:
                values[index] = convert(values[index])
            except UnsendableValueError as error:
                raise UnsendableValueError(f"{self.names[index]}: {error}") from None

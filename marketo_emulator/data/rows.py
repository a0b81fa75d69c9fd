"""The row: the values of one lead, member or custom object, in the order of its fields."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marketo_emulator.data.values import Value, parse_moment, readable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from marketo_emulator.data.fields import FieldSet

    Row = tuple[Value, ...]


def changed(row: Row, fields: FieldSet, values: Mapping[str, Value]) -> Row:
    """Return the row with these values by field name; moments may be text.

    Raises: KeyError for a name that was never a field.
    """
    after, position, moments = list(row), fields.position, fields.moments
    for name, value in values.items():
        is_text = isinstance(value, str) and name in moments
        after[position[name]] = parse_moment(value) if is_text else value  # type: ignore[arg-type]
    return tuple(after)


def shown(row: Row, fields: FieldSet) -> dict[str, Value]:
    """Return the values by name; moments as `2019-04-12T05:58:10Z`."""
    return {
        field.name: readable(row[fields.position[field.name]], field.data_type) for field in fields
    }

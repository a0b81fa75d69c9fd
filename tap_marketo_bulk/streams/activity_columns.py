"""Activity columns: the attributes of one type of activity as columns, typed as Marketo lists them.

A value that the list of types knows nothing of stays in an object beside them: nothing is dropped.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from marketo_bulk import DecodeError
from marketo_bulk.reader.columns import Kind, kind_of
from marketo_bulk.reader.values import BOOLEANS, parse_integer, parse_number
from tap_marketo_bulk.output.writer import ENCODER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from collections.abc import Set as AbstractSet

    from marketo_bulk import ActivityAttribute, ActivityType

OTHERS = "other_attributes"
"""The column of attributes that the type does not list."""

TYPES_STREAM = "activity_types"
"""The stream that lists the types, whose name a type cannot have."""

_SEPARATORS = re.compile(r"[^0-9a-z]+")
_INNER_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SCHEMAS: Mapping[Kind, dict[str, Any]] = {
    Kind.INTEGER: {"type": ["integer", "null"]},
    Kind.NUMBER: {"type": ["number", "null"]},
    Kind.BOOLEAN: {"type": ["boolean", "null"]},
}


def snake(name: str) -> str:
    """Return a name in lower snake case."""
    return _SEPARATORS.sub("_", _INNER_CAPITAL.sub("_", name).lower()).strip("_") or "unnamed"


def stream_names(types: Iterable[ActivityType]) -> dict[int, str]:
    """Return the name of the stream of each type; of two that are alike the later gets its id.

    Shape: `types` are all there are, so that a choice among them renames none.
    """
    found: dict[int, str] = {}
    taken = {TYPES_STREAM}
    for each in sorted(types, key=lambda each: each.type_id):
        name = f"activity_{_SEPARATORS.sub('_', each.name.lower()).strip('_') or each.type_id}"
        while name in taken:
            name = f"{name}_{each.type_id}"
        taken.add(name)
        found[each.type_id] = name
    return found


def column_names(attributes: Iterable[ActivityAttribute], base: AbstractSet[str]) -> dict[str, str]:
    """Return the name of the column of each attribute; `base` are columns that every type has."""
    # In small letters, too: many warehouses take names that differ by case for one.
    taken = {*base, *map(snake, base), *map(str.lower, base), OTHERS}
    named: dict[str, str] = {}
    for attribute in attributes:
        if attribute.name in named:
            continue
        name = _SEPARATORS.sub("_", attribute.name.lower()).strip("_") or "attribute"
        if name in taken and name not in named.values():
            name = f"attribute_{name}"
        number, stem = 1, name
        while name in taken or name in named.values():
            number += 1
            name = f"{stem}_{number}"
        named[attribute.name] = name
    return named


def schema_of(attribute: ActivityAttribute) -> dict[str, Any]:
    """Return the JSON Schema of the column of an attribute.

    Shape: dates and times are text, as they come without a zone.
    """
    schema = dict(_SCHEMAS.get(kind_of(attribute.data_type), {"type": ["string", "null"]}))
    return {**schema, "title": attribute.name}


@dataclass
class TypedAttributes:
    """Turns the attributes of one type into columns.

    `nulls_misfits` says that a value which does not fit its type becomes null, and is counted;
    otherwise it is an error.
    """

    stream: str
    columns: Mapping[str, str]
    kinds: Mapping[str, Kind]
    wanted: AbstractSet[str]
    nulls_misfits: bool = False
    misfits: dict[str, int] = field(default_factory=dict)

    def of(self, attributes: Mapping[str, Any] | None) -> dict[str, Any]:
        """Return the wanted columns.

        Raises: DecodeError for a value that does not fit, unless that becomes null.
        """
        given = attributes or {}
        record: dict[str, Any] = {}
        for name, column in self.columns.items():
            if column in self.wanted:
                record[column] = self._value(name, given.get(name))
        if OTHERS in self.wanted:
            others = {n: v for n, v in given.items() if n not in self.columns}
            record[OTHERS] = others or None
        return record

    def _value(self, name: str, value: object) -> object:
        if value is None:
            return None
        kind = self.kinds[name]
        if value == "" and kind in _SCHEMAS:
            return None
        try:
            return _READERS[kind](value)
        except ValueError:
            if not self.nulls_misfits:
                raise DecodeError(
                    f"{self.stream}: a value of {self.columns[name]} is no {kind.value}. Set "
                    "on_bad_value to null to read such values as null",
                    column=self.columns[name],
                ) from None
            self.misfits[name] = self.misfits.get(name, 0) + 1
            return None


def _integer(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        raise ValueError  # noqa: TRY004  # a value that does not fit, of whatever type
    return value if isinstance(value, int) else parse_integer(str(value))


def _number(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        raise ValueError  # noqa: TRY004  # as above
    return parse_number(value) if isinstance(value, str) else value


def _boolean(value: object) -> bool:
    truth = value if isinstance(value, bool) else BOOLEANS.get(str(value).lower())
    if truth is None:
        raise ValueError
    return truth


def _text(value: object) -> str:
    return value if isinstance(value, str) else ENCODER.encode(value).decode()


_READERS: Mapping[Kind, Callable[[object], object]] = {
    Kind.INTEGER: _integer,
    Kind.NUMBER: _number,
    Kind.BOOLEAN: _boolean,
    Kind.STRING: _text,
    # Without a zone: no moment, but what somebody wrote.
    Kind.DATE: _text,
    Kind.DATETIME: _text,
}

"""The schema: fields added, removed and retyped while the instance is running."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from marketo_emulator.data.fields import Field, FieldSet
from marketo_emulator.data.values import Value, cell_writer, parse_cell

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Row = tuple[Value, ...]
    Rows = dict[Any, Row]

DATA_TYPES = (
    "boolean", "currency", "date", "datetime", "email", "float", "formula", "integer", "percent",
    "phone", "reference", "score", "string", "text", "textarea", "url",
)  # fmt: skip


class Schema:
    """The fields of one kind of row, and the tables whose rows have them.

    `fixed` are those the emulator itself works with: they can be removed from sight, but their
    data type stays.
    """

    def __init__(
        self, fields: FieldSet, tables: Callable[[], Sequence[Rows]], fixed: frozenset[str]
    ) -> None:
        self.fields = fields
        self._tables = tables
        self._fixed = fixed

    def add(
        self,
        name: str,
        data_type: str,
        *,
        label: str = "",
        length: int | None = None,
        updateable: bool = True,
    ) -> Field:
        """Add a field without values.

        Raises: ValueError if there is one of exactly this name, or no such data type.
        """
        if name in self.fields.names:
            raise ValueError(f"there is already a field '{name}'")
        field = Field(
            name,
            _known(data_type),
            label or name,
            length,
            updateable=updateable,
            soap=False,
            custom=True,
        )
        self._add(field)
        return field

    def remove(self, name: str) -> None:
        """Take a field out of describe, exports and imports.

        Raises: KeyError if there is none.
        """
        self._find(name)
        self.fields.remove(name)

    def retype(self, name: str, data_type: str) -> Field:
        """Give a field another data type; values that do not fit it become null.

        Raises: KeyError if there is none; ValueError for one the emulator works with.
        """
        before = self._find(name)
        if name in self._fixed:
            raise ValueError(f"the data type of '{name}' is fixed")
        position = self.fields.position[name]
        after = replace(before, data_type=_known(data_type))
        self.fields.remove(name)
        self._add(after)
        for rows in self._tables():
            for key, row in rows.items():
                value = _converted(row[position], before.data_type, after.data_type)
                rows[key] = (*row[:-1], value)
        return after

    def _find(self, name: str) -> Field:
        for field in self.fields:
            if field.name == name:
                return field
        raise KeyError(name)

    def _add(self, field: Field) -> None:
        self.fields.add(field)
        for rows in self._tables():
            for key, row in rows.items():
                rows[key] = (*row, None)


def _known(data_type: str) -> str:
    if data_type not in DATA_TYPES:
        raise ValueError(f"there is no data type '{data_type}'; there are {', '.join(DATA_TYPES)}")
    return data_type


def _converted(value: Value, before: str, after: str) -> Value:
    if value is None:
        return None
    write = cell_writer(before, "words")
    try:
        return parse_cell(str(value) if write is None else write(value), after)
    except ValueError:
        return None

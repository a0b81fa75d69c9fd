"""The custom object: a type with fields of its own, and its records (C§24)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from marketo_emulator.data.rows import changed
from marketo_emulator.data.values import moment_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from marketo_emulator.data.fields import Field, FieldSet
    from marketo_emulator.data.values import Value
    from marketo_emulator.options import Options

    Row = tuple[Value, ...]

LEAD = "Lead"
ID_FIELD = "marketoGUID"
FIXED_FIELDS = frozenset({ID_FIELD, "createdAt", "updatedAt"})


@dataclass(frozen=True, slots=True)
class Link:
    """Which field of an object points to which field of what."""

    field: str
    to: str
    to_field: str
    """As the metadata spells it: a REST name or a label."""
    lead_field: str = ""
    """REST name of the lead field, if it points to leads."""


@dataclass(slots=True, eq=False)
class ObjectType:
    """One custom object and all its records by marketoGUID."""

    name: str
    display_name: str
    fields: FieldSet
    dedupe: tuple[str, ...]
    links: tuple[Link, ...]
    created_at: int
    state: Literal["approved", "draft"] = "approved"
    rows: dict[str, Row] = field(default_factory=dict)

    @property
    def lead_link(self) -> Link | None:
        """The link to leads, or None for objects linked to something else."""
        return next((link for link in self.links if link.to == LEAD), None)

    def key(self, values: Mapping[str, Value]) -> tuple[Value, ...]:
        """Return the values of the dedupe fields, letters folded."""
        found = (values.get(name) for name in self.dedupe)
        return tuple(value.casefold() if isinstance(value, str) else value for value in found)

    def keys(self) -> dict[tuple[Value, ...], str]:
        """Return the marketoGUID of every key."""
        positions = [(name, self.fields.position[name]) for name in self.dedupe]
        return {
            self.key({name: row[position] for name, position in positions}): guid
            for guid, row in self.rows.items()
        }

    def put(self, guid: str, values: Mapping[str, Value], now: int) -> None:
        """Make a record, or change the one of this id."""
        before = self.rows.get(guid)
        if before is None:
            born: dict[str, Value] = {ID_FIELD: guid, "createdAt": now}
            before = changed((None,) * self.fields.width, self.fields, born)
        self.rows[guid] = changed(before, self.fields, {"updatedAt": now, **values})

    def shown(self, options: Options) -> dict[str, object]:
        """Return what the list says: everything but the fields (C§24.3)."""
        relations = []
        for link in self.links:
            related = {"name": link.to, "field": link.to_field}
            kind = options.object_relation_type
            relations.append({"field": link.field, "type": kind, options.object_relation: related})
        return {
            options.object_name_key: self.name,
            "displayName": self.display_name,
            "description": f"{self.display_name} of a person",
            "createdAt": moment_text(self.created_at),
            "updatedAt": moment_text(self.created_at),
            "idField": ID_FIELD,
            "dedupeFields": list(self.dedupe),
            "searchableFields": [list(self.dedupe), [ID_FIELD], *([x.field] for x in self.links)],
            "relationships": relations,
        }

    def described(self, options: Options) -> dict[str, object]:
        """Return what describe says."""
        return {**self.shown(options), "fields": [_field_shown(field) for field in self.fields]}


def _field_shown(known: Field) -> dict[str, object]:
    shown: dict[str, object] = {
        "name": known.name,
        "displayName": known.label,
        "dataType": known.data_type,
    }
    if known.length is not None:
        shown["length"] = known.length
    return {**shown, "updateable": known.updateable, "crmManaged": False}

"""Discovery: Marketo's describe results as JSON Schema and as columns to read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from marketo_bulk.columns import Column, Kind, kind_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from marketo_bulk.describe import FieldDescription

LEAD_ID = "leadId"
PROGRAM_ID = "programId"
AUTOMATIC = (LEAD_ID, PROGRAM_ID)

MEMBER_LABELS: Mapping[str, str] = {
    "isExhausted": "Nurture Exhausted",
    "membershipDate": "Member Date",
    "reachedSuccess": "Success",
    "reachedSuccessDate": "Success Date",
    "statusName": "Status",
    "trackName": "Nurture Track",
}
"""What the user interface calls standard fields, where that is not their name in words.

Describe does not tell; Adobe's sample of an export has such a header.
"""

SCHEMA_OF_KIND: Mapping[Kind, dict[str, str]] = {
    Kind.INTEGER: {"type": "integer"},
    Kind.NUMBER: {"type": "number"},
    Kind.BOOLEAN: {"type": "boolean"},
    Kind.DATE: {"type": "string", "format": "date"},
    Kind.DATETIME: {"type": "string", "format": "date-time"},
    Kind.STRING: {"type": "string"},
}


@dataclass(frozen=True, slots=True)
class MemberFields:
    """The fields a program member export can bring."""

    member: tuple[FieldDescription, ...]
    lead: tuple[FieldDescription, ...]
    """Those whose name is no member field's: of two fields of one name, the export brings the
    member's."""

    @classmethod
    def from_describe(
        cls, member: Iterable[FieldDescription], lead: Iterable[FieldDescription]
    ) -> MemberFields:
        """Return what both describe calls list, without lead fields a member field hides."""
        members = tuple(member)
        names = {field.name.lower() for field in members}
        return cls(members, tuple(f for f in lead if f.name.lower() not in names))

    def labels(self) -> Mapping[str, tuple[str, ...]]:
        """Return what else a header may call each field."""
        return {field.name: (field.display_name,) for field in self.lead} | {
            field.name: (field.display_name, MEMBER_LABELS.get(field.name, field.display_name))
            for field in self.member
        }

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of a record.

        Shape: everything but the key may be null; lengths are left out, because Marketo declares
            them in characters and keeps them in bytes.
        """
        properties = {field.name: property_of(field) for field in (*self.member, *self.lead)}
        for name in AUTOMATIC:
            properties[name] = {"type": ["integer"]}
        return {"type": "object", "properties": properties, "required": list(AUTOMATIC)}


def property_of(field: FieldDescription) -> dict[str, Any]:
    """Return the JSON Schema of one field."""
    schema = dict[str, Any](SCHEMA_OF_KIND[kind_of(field.data_type)])
    schema["type"] = [schema["type"], "null"]
    if field.display_name != field.name:
        schema["title"] = field.display_name
    return schema


def column_of(name: str, schema: Mapping[str, Any], labels: Sequence[str] = ()) -> Column:
    """Return how to read the cells of a property, as its (possibly overridden) schema says."""
    types = schema.get("type", "string")
    types = {types} if isinstance(types, str) else set(types)
    for kind in (Kind.INTEGER, Kind.NUMBER, Kind.BOOLEAN):
        if SCHEMA_OF_KIND[kind]["type"] in types:
            return Column(name, DATA_TYPE_OF_KIND[kind], tuple(labels))
    formats = {"date": Kind.DATE, "date-time": Kind.DATETIME}
    kind = formats.get(schema.get("format", ""), Kind.STRING)
    return Column(name, DATA_TYPE_OF_KIND[kind], tuple(labels))


DATA_TYPE_OF_KIND: Mapping[Kind, str] = {
    Kind.INTEGER: "integer",
    Kind.NUMBER: "float",
    Kind.BOOLEAN: "boolean",
    Kind.DATE: "date",
    Kind.DATETIME: "datetime",
    Kind.STRING: "string",
}

"""Discovery: Marketo's describe results as JSON Schema and as columns to read."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from marketo_bulk import ConfigurationError, FieldDescription
from marketo_bulk.reader.columns import Column, Kind, kind_of
from tap_marketo_bulk.streams.property_schema import PropertySchema

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Made:
    """How a field is made that stands in no file: in words for the values of another field.

    `words` is asked for them once a record is to be read, as they may cost a call.
    """

    of: str
    words: Callable[[], Mapping[object, str]]


SCHEMA_OF_KIND: Mapping[Kind, dict[str, str]] = {
    Kind.INTEGER: {"type": "integer"},
    Kind.NUMBER: {"type": "number"},
    Kind.BOOLEAN: {"type": "boolean"},
    Kind.DATE: {"type": "string", "format": "date"},
    Kind.DATETIME: {"type": "string", "format": "date-time"},
    Kind.STRING: {"type": "string"},
    Kind.JSON: {"type": "object"},
}


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields that an export of one object can bring.

    Shape: `keys` are the key properties with their JSON types. `labels` are what else a header may
        call a field, besides what describe calls it. `optional` are not selected by default. `made`
        are those that stand in no file.
    """

    described: tuple[FieldDescription, ...]
    keys: Mapping[str, str]
    labels: Mapping[str, str] = field(default_factory=dict)
    optional: frozenset[str] = frozenset()
    made: Mapping[str, Made] = field(default_factory=dict)

    def kinds(self) -> Mapping[str, Kind]:
        """Return how the cells of each field are read, by Marketo's own type."""
        return {described.name: kind_of(described.data_type) for described in self.described}

    def headers(self) -> Mapping[str, tuple[str, ...]]:
        """Return what else a header may call each field."""
        return {
            described.name: (
                described.display_name,
                *([self.labels[described.name]] if described.name in self.labels else []),
            )
            for described in self.described
        }

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of a record.

        Shape: everything but the key may be null; lengths are left out, because Marketo declares
            them in characters and keeps them in bytes.
        """
        properties = {described.name: property_of(described) for described in self.described}
        for name, kind in self.keys.items():
            properties[name] = {"type": [kind]}
        return {"type": "object", "properties": properties, "required": list(self.keys)}


def property_of(field: FieldDescription) -> dict[str, Any]:
    """Return the JSON Schema of one field."""
    schema = dict[str, Any](SCHEMA_OF_KIND[kind_of(field.data_type)])
    schema["type"] = [schema["type"], "null"]
    if field.display_name != field.name:
        schema["title"] = field.display_name
    return schema


def column_of(
    name: str,
    schema: Mapping[str, Any],
    labels: Sequence[str] = (),
    natural: Kind | None = None,
    *,
    is_bookmark: bool = False,
) -> Column:
    """Return how to read the cells of a property, as its (possibly overridden) schema says.

    Shape: `natural` is the kind of the field itself, which is kept where the schema allows it.
        A bookmark's property is read as a moment.
    Raises: ConfigurationError if no value a cell can have is allowed, or the name cannot be asked
        for.
    """
    if not _can_be_named(name):
        raise ConfigurationError(
            f"field {name!a}: a name with a quote, a backslash or a control character cannot be "
            "asked for. Deselect the field in the catalog."
        )
    allowed = PropertySchema.of(schema)
    kind = allowed.kind(Kind.DATETIME if is_bookmark else natural)
    if is_bookmark and kind in {Kind.STRING, Kind.DATETIME}:
        # Compared with bookmarks, so it must be a moment; that is text, too.
        kind = Kind.DATETIME
    elif kind is None or is_bookmark:
        wanted = "text, as it is compared with bookmarks" if kind else "text, number or boolean"
        raise ConfigurationError(
            f"catalog, property {name}: its schema must allow {wanted}, and allows "
            f"{', '.join(sorted(allowed.types)) or 'nothing'}"
        )
    return Column(name, kind, tuple(labels))


def _can_be_named(name: str) -> bool:
    """Return whether a field's name can stand in a record as it is, and in a line of the log."""
    return not any(
        mark in '"\\' or unicodedata.category(mark) in {"Cc", "Cs", "Zl", "Zp"} for mark in name
    )

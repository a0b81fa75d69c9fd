"""A property's schema: which cells of an export file can be written under it, and how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from singer_sdk.typing import DEFAULT_JSONSCHEMA_VALIDATOR

from marketo_bulk import ConfigurationError
from marketo_bulk.reader.columns import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ALL_TYPES = frozenset({"null", "boolean", "integer", "number", "string", "object", "array"})

KIND_OF_FORMAT: Mapping[str | None, Kind] = {"date": Kind.DATE, "date-time": Kind.DATETIME}
KIND_OF_TYPE: Mapping[str, Kind] = {
    "integer": Kind.INTEGER,
    "number": Kind.NUMBER,
    "boolean": Kind.BOOLEAN,
    "object": Kind.JSON,
}
IN_DOUBT = (Kind.STRING, Kind.DATETIME, Kind.DATE, Kind.NUMBER, Kind.INTEGER, Kind.BOOLEAN)
"""Which kind is taken when the schema does not allow the field's own: text takes every cell."""

SAYS_NOTHING = frozenset(
    {"title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly"}
    | {"$comment", "$id", "$schema", "contentMediaType", "contentEncoding"}
)
"""Keywords of JSON Schema that no value can contradict."""

KEYWORDS = frozenset(DEFAULT_JSONSCHEMA_VALIDATOR.VALIDATORS)
"""Those that one can; others, such as `x-sql-datatype`, are for whoever knows them."""


@dataclass(frozen=True, slots=True)
class PropertySchema:
    """What a property's schema allows.

    Shape: `types` are JSON types; `formats` those of text, None standing for text of no format.
        Where `is_plain`, that is all the schema asks; else each value must be checked.
    """

    types: frozenset[str]
    formats: frozenset[str | None]
    is_plain: bool

    @classmethod
    def of(cls, schema: Mapping[str, Any]) -> PropertySchema:
        """Return what a valid JSON Schema without references allows."""
        return cls(_types(schema), _formats(schema), _is_plain(schema))

    def kind(self, natural: Kind | None) -> Kind | None:
        """Return how cells are read: as the field's `natural` kind if the schema allows it.

        Shape: None if no value a cell can have is allowed.
        """
        possible = {kind for name, kind in KIND_OF_TYPE.items() if name in self.types}
        if "string" in self.types:
            possible |= {KIND_OF_FORMAT.get(name, Kind.STRING) for name in self.formats}
        if natural is not Kind.JSON:
            # Cells of other fields are no objects.
            possible.discard(Kind.JSON)
        wanted = [] if natural is None else [natural]
        return next((kind for kind in (*wanted, *IN_DOUBT) if kind in possible), None)

    @property
    def is_nullable(self) -> bool:
        """Whether a value may be null."""
        return "null" in self.types


def check_schema(schema: object, place: str) -> None:
    """Hold the schema of a property against JSON Schema itself.

    Raises: ConfigurationError that begins with `place` if it is none, or one the SDK cannot read.
    """
    if not isinstance(schema, dict):
        raise ConfigurationError(
            f"{place}: a schema must be an object such as "
            f'{{"type": ["string", "null"]}}, not {_word(schema)}'
        )
    if _is_plain(schema):
        return
    for sub in _parts(schema):
        check_schema(sub, place)
    validator = DEFAULT_JSONSCHEMA_VALIDATOR(
        DEFAULT_JSONSCHEMA_VALIDATOR.META_SCHEMA,
        format_checker=DEFAULT_JSONSCHEMA_VALIDATOR.FORMAT_CHECKER,
    )
    for fault in validator.iter_errors(schema):
        where = ".".join(str(step) for step in fault.absolute_path) or "its root"
        raise ConfigurationError(f"{place}: the schema is no valid JSON Schema at {where}")


def _parts(schema: Mapping[str, Any]) -> Iterable[object]:
    """Return the schemas inside a schema, as far as the SDK reads them."""
    for keyword in ("anyOf", "oneOf", "allOf"):
        branches = schema.get(keyword, [])
        yield from branches if isinstance(branches, list) else ()
    properties = schema.get("properties", {})
    yield from properties.values() if isinstance(properties, dict) else ()
    if "items" in schema:
        yield schema["items"]


def _word(value: object) -> str:
    if value is None or isinstance(value, bool):
        return str(value).lower().replace("none", "null")
    return f"a {type(value).__name__}"


def _declared(schema: Mapping[str, Any]) -> frozenset[str]:
    declared = schema.get("type")
    if declared is None:
        return ALL_TYPES
    return frozenset({declared} if isinstance(declared, str) else declared)


def _types(schema: object) -> frozenset[str]:
    if not isinstance(schema, dict):
        return ALL_TYPES if schema is True else frozenset()
    types = _declared(schema)
    for branch in schema.get("allOf", ()):
        types = _both(types, _types(branch))
    for keyword in ("anyOf", "oneOf"):
        if keyword in schema:
            types = _both(types, frozenset().union(*map(_types, schema[keyword])))
    if "enum" in schema:
        types = _both(types, frozenset(map(_type_of, schema["enum"])))
    return types


def _both(one: frozenset[str], other: frozenset[str]) -> frozenset[str]:
    """Return the types both allow; an integer is a number, too."""
    integer = {"integer"} if all(t & {"integer", "number"} for t in (one, other)) else set()
    return (one & other) | (integer & (one | other))


def _type_of(value: object) -> str:
    """Return the JSON type of a value."""
    kinds = (
        (bool, "boolean"),
        (int, "integer"),
        (str, "string"),
        (dict, "object"),
        (list, "array"),
    )
    if value is None:
        return "null"
    return next((name for kind, name in kinds if isinstance(value, kind)), "number")


def _formats(schema: object) -> frozenset[str | None]:
    if not isinstance(schema, dict):
        return frozenset({None})
    if "format" in schema:
        return frozenset({schema["format"]})
    found: set[str | None] = set()
    for keyword in ("anyOf", "oneOf"):
        for branch in schema.get(keyword, ()):
            if "string" in _types(branch):
                found |= _formats(branch)
    for branch in schema.get("allOf", ()):
        found |= _formats(branch) - {None}
    return frozenset(found or {None})


def _is_plain(schema: object) -> bool:
    if not isinstance(schema, dict):
        return False
    asking = (schema.keys() & KEYWORDS) - SAYS_NOTHING
    if asking == {"anyOf"} and isinstance(schema["anyOf"], list) and schema["anyOf"]:
        return all(map(_is_plain, schema["anyOf"]))
    if asking - {"type", "format"} or not _is_type(schema.get("type", "null")):
        return False
    name = schema.get("format")
    if name is not None and not isinstance(name, str):
        return False
    # A format of text that the validator knows, but cells are not read by.
    known = DEFAULT_JSONSCHEMA_VALIDATOR.FORMAT_CHECKER.checkers
    return name in KIND_OF_FORMAT or name not in known


def _is_type(declared: object) -> bool:
    types = [declared] if isinstance(declared, str) else declared
    return (
        isinstance(types, list)
        and bool(types)
        and all(isinstance(t, str) and t in ALL_TYPES for t in types)
    )

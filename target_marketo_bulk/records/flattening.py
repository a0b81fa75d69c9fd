"""Flattening: a schema written so that the SDK's flattening loses nothing of it.

The SDK goes by the `type` of a property alone. Of a property without one it keeps the first branch,
or takes it for text, or ends in an error.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from target_marketo_bulk.records.property_types import inlined

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    KeyOf = Callable[[str, Sequence[str]], str]

NESTED = frozenset({"array", "object"})
"""Types of values that become text where they are not taken apart."""

SCALARS = frozenset({"boolean", "integer", "null", "number", "string"})
_TYPES = NESTED | SCALARS

_TYPES_OF_VALUES: Mapping[type, str] = {
    bool: "boolean",
    int: "integer",
    float: "number",
    Decimal: "number",
    str: "string",
    type(None): "null",
    list: "array",
    dict: "object",
}


def flattenable(schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
    """Return a schema whose properties all have a `type`, references and branches resolved.

    Shape: objects are left to be taken apart down to `depth`, and no longer required themselves,
        because their records have other names then; of what becomes text the type is text.
    """
    properties = {
        name: _written_out(each, schema, depth) for name, each in schema["properties"].items()
    }
    flat = {**schema, "properties": properties}
    if isinstance(schema.get("required"), list):
        flat["required"] = [
            name for name in schema["required"] if not _is_taken_apart(properties.get(name, {}))
        ]
    return flat


def columns_of_objects(flat: Mapping[str, Any], key_of: KeyOf) -> dict[str, list[str]]:
    """Return the columns of each object that may be null, by the name that such a null keeps.

    `flat` is what `flattenable` returned; `key_of` makes a column of a name and those above it.
    """
    found: dict[str, list[str]] = {}

    def columns(properties: Mapping[str, Any], parents: Sequence[str]) -> list[str]:
        names: list[str] = []
        for name, schema in properties.items():
            key = key_of(name, parents)
            if not _is_taken_apart(schema):
                names.append(key)
                continue
            inner = columns(schema["properties"], [*parents, name])
            names += inner
            if "null" in schema["type"]:
                found[key] = inner
        return names

    columns(flat["properties"], [])
    return found


def _is_taken_apart(schema: Mapping[str, Any]) -> bool:
    return "object" in schema.get("type", ()) and "properties" in schema


def _written_out(schema: object, root: Mapping[str, Any], depth: int) -> dict[str, Any]:
    if isinstance(schema, bool):
        schema = {} if schema else {"not": {}}
    found = inlined(schema, root)
    types = _types_of(found)
    parts = found.get("properties")
    if "object" in types and "type" in found and isinstance(parts, dict) and depth > 0:
        taken_apart = {n: _written_out(each, root, depth - 1) for n, each in parts.items()}
        return {**found, "type": sorted(types), "properties": taken_apart}
    if types & NESTED:
        return {"type": sorted((types - NESTED) | {"string"})}
    return {**found, "type": sorted(types)}


def _types_of(schema: Mapping[str, Any]) -> frozenset[str]:
    """Return the types a value may have, or more of them."""
    named = schema.get("type")
    types = _TYPES.intersection(_texts(named))
    if types:
        return types
    if isinstance(schema.get("enum"), list):
        return _types_of_values(schema["enum"])
    if "const" in schema:
        return _types_of_values([schema["const"]])
    for name in ("anyOf", "oneOf"):
        branches = schema.get(name)
        if isinstance(branches, list) and branches:
            return frozenset().union(*map(_types_of_branch, branches))
    parts = schema.get("allOf")
    for part in parts if isinstance(parts, list) else ():
        types = _types_of_branch(part)
        if types != _TYPES:
            return types
    return _TYPES


def _types_of_branch(branch: object) -> frozenset[str]:
    return _types_of(branch) if isinstance(branch, dict) else _TYPES


def _types_of_values(values: Iterable[object]) -> frozenset[str]:
    return frozenset(_TYPES_OF_VALUES.get(type(value), "object") for value in values) or _TYPES


def _texts(named: object) -> list[str]:
    names = named if isinstance(named, list) else [named]
    return [name for name in names if isinstance(name, str)]

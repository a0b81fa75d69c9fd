"""Property types: what a property's schema announces, references and branches included."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_BRANCHES = ("anyOf", "oneOf", "allOf")
_DEPTH_MAX = 16
"""A reference may lead back to itself."""


def inlined(schema: object, root: Mapping[str, Any], depth: int = 0) -> dict[str, Any]:
    """Return a schema whose own references, and those of its branches, are what they refer to.

    Shape: empty for a schema that is no object; a reference that leads nowhere is left out.
    """
    if not isinstance(schema, dict) or depth > _DEPTH_MAX:
        return {}
    if "$ref" in schema:
        beside = {name: value for name, value in schema.items() if name != "$ref"}
        found = inlined(_referred_to(schema["$ref"], root), root, depth + 1)
        return {**found, **inlined(beside, root, depth + 1)}
    branches = {
        name: [inlined(branch, root, depth + 1) for branch in schema[name]]
        for name in _BRANCHES
        if isinstance(schema.get(name), list)
    }
    return {**schema, **branches}


def is_datetime(schema: Mapping[str, Any]) -> bool:
    """Whether a property's schema, inlined, announces date-times."""
    return any(each.get("format") == "date-time" for each in _parts(schema))


def is_integer(schema: Mapping[str, Any]) -> bool:
    """Whether the numbers a property's schema, inlined, announces are whole ones."""
    types: set[object] = set()
    for each in _parts(schema):
        named = each.get("type")
        types.update(named if isinstance(named, list) else [named])
    return "integer" in types and "number" not in types


def _parts(schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield a schema and its branches."""
    yield schema
    for name in _BRANCHES:
        branches = schema.get(name)
        for branch in branches if isinstance(branches, list) else ():
            if isinstance(branch, dict):
                yield from _parts(branch)


def _referred_to(reference: object, root: Mapping[str, Any]) -> object:
    if not isinstance(reference, str) or not reference.startswith("#"):
        return None
    found: Any = root
    for part in unquote(reference[1:]).split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if not isinstance(found, dict) or name not in found:
            return None
        found = found[name]
    return found

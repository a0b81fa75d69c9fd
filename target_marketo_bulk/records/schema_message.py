"""Schema message: whether what a tap sends as SCHEMA can be worked with, said before it is used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from singer_sdk.exceptions import InvalidJSONSchema
from singer_sdk.singerlib.exceptions import InvalidInputLine
from singer_sdk.sinks.core import JSONSchemaValidator

from marketo_bulk.errors import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

_DATA_KEYWORDS = frozenset({"const", "default", "enum", "examples"})
"""Their values are data, in which a `$ref` is a name like any other."""

_REASON_MAX_CHARACTERS = 200


def usable_schema(stream: str, schema: object, *, validates: bool) -> dict[str, Any]:
    """Return a schema whose properties are objects: `true` and `false` are spelled out.

    Shape: only a schema that `validates` records must be one in every keyword.

    Raises: InvalidInputLine naming the stream, and the property if one is at fault.
    """
    if not isinstance(schema, dict):
        raise _fault(stream, "it is no object")
    properties = schema.get("properties")
    if not isinstance(properties, dict):
        raise _fault(stream, "its properties are no object")
    usable = {**schema, "properties": {n: _spelled_out(p) for n, p in properties.items()}}
    odd = [name for name, each in usable["properties"].items() if not isinstance(each, dict)]
    if odd:
        raise _fault(stream, f"properties/{odd[0]} is no schema")
    if validates:
        _check_keywords(stream, usable)
    return usable


def _check_keywords(stream: str, usable: dict[str, Any]) -> None:
    try:
        JSONSchemaValidator(usable)
        _check_references(stream, usable)
    except InvalidJSONSchema as error:
        raise _fault(stream, _reason_of(error.__cause__ or error)) from None
    except RecursionError:
        raise _fault(stream, "it is nested too deeply") from None


def check_key_properties(stream: str, names: object) -> None:
    """Return if these are names, or nothing.

    Raises: InvalidInputLine naming the stream.
    """
    if names is None or (isinstance(names, list) and all(isinstance(n, str) for n in names)):
        return
    raise InvalidInputLine(
        f"SCHEMA of stream {stream!r}: key_properties must be a list of property names"
    )


def unflattened(stream: str, error: ValueError) -> InvalidInputLine:
    """Return what to tell of a schema that the SDK cannot flatten: it names the column."""
    advice = "Set another flattening_separator, or drop one of them with stream_maps"
    return InvalidInputLine(
        one_line(f"SCHEMA of stream {stream!r} cannot be flattened: {error}. {advice}")
    )


def _reason_of(error: BaseException) -> str:
    place = "/".join(map(str, getattr(error, "absolute_path", ())))
    reason = str(getattr(error, "message", error))[:_REASON_MAX_CHARACTERS]
    return f"{place}: {reason}" if place else reason


def _spelled_out(schema: object) -> object:
    if isinstance(schema, bool):
        return {} if schema else {"not": {}}
    return schema


def _check_references(stream: str, schema: dict[str, Any]) -> None:
    """Return if every `$ref` leads to a place in the schema: nothing is fetched for one.

    Those that need a base (`$id`, `$anchor`) are left to the check of the records.
    """
    text = repr(schema)
    has_bases = "'$id'" in text or "'$anchor'" in text
    for place, reference in _references(schema, ""):
        is_pointer = reference == "#" or reference.startswith("#/")
        if (is_pointer or not has_bases) and not (is_pointer and _leads(reference, schema)):
            raise _fault(stream, f"{place}: $ref {reference!r} leads nowhere")


def _leads(pointer: str, schema: object) -> bool:
    """Return whether a JSON Pointer leads to a schema."""
    found: Any = schema
    for step in pointer.split("/")[1:]:
        name = unquote(step).replace("~1", "/").replace("~0", "~")
        if isinstance(found, list) and name.isdecimal() and int(name) < len(found):
            found = found[int(name)]
        elif isinstance(found, dict) and name in found:
            found = found[name]
        else:
            return False
    return isinstance(found, dict | bool)


def _references(schema: object, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(schema, dict):
        if isinstance(schema.get("$ref"), str):
            yield place, schema["$ref"]
        for name, value in schema.items():
            if name not in _DATA_KEYWORDS or place.endswith("properties"):
                yield from _references(value, f"{place}/{name}" if place else name)
    elif isinstance(schema, list):
        for number, value in enumerate(schema):
            yield from _references(value, f"{place}/{number}")


def _fault(stream: str, reason: str) -> InvalidInputLine:
    return InvalidInputLine(one_line(f"SCHEMA of stream {stream!r} cannot be used: {reason}"))

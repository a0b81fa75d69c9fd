"""Schema check: whether each record is as the SCHEMA before it says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|\+00:00|Z\+0000|\+0000)")
_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
    "null": (type(None),),
}


def disagreements(messages: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield what is wrong with the messages of a run, apart from their values.

    Shape: no record comes before its SCHEMA, lacks a key or a required property, or has one that
        the SCHEMA does not know, or of another type.
    """
    schemas: dict[str, Mapping[str, Any]] = {}
    for message in messages:
        kind, stream = message["type"], message.get("stream", "")
        if kind == "SCHEMA":
            schemas[stream] = message
        elif kind != "STATE" and stream not in schemas:
            yield f"{kind} of {stream} before its SCHEMA"
        elif kind == "RECORD":
            yield from _wrong(stream, message["record"], schemas[stream])


def _wrong(stream: str, record: Mapping[str, Any], message: Mapping[str, Any]) -> Iterator[str]:
    schema = message["schema"]
    known = schema["properties"]
    for name in {*message["key_properties"], *schema.get("required", ())}:
        if record.get(name) is None:
            yield f"a record of {stream} without {name}"
    for name, value in record.items():
        if name not in known:
            yield f"a record of {stream} has {name}, which its SCHEMA does not have"
        elif not _fits(value, known[name]):
            yield f"a record of {stream} has a {name} that is no {known[name]}: {value!r}"


def _fits(value: object, schema: Mapping[str, Any]) -> bool:
    types = schema.get("type", ())
    types = [types] if isinstance(types, str) else types
    allowed = tuple(kind for name in types for kind in _TYPES[name])
    if isinstance(value, bool):
        return bool in allowed
    if not isinstance(value, allowed):
        return False
    if isinstance(value, str) and schema.get("format") == "date-time":
        return _MOMENT.fullmatch(value) is not None
    return True

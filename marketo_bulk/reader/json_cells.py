"""JSON cells: objects in a column of a file, kept as they are written.

No cell is given up: one that is no object in JSON is read more leniently, and at last kept as the
text it is. So a row never costs a run.
Source: Adobe, Bulk Activity Extract (read 2026-08-17) and release notes of August 2026; recorded
files.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from marketo_bulk.reader.values import NUMERAL_MAX_CHARACTERS

if TYPE_CHECKING:
    from collections.abc import Sequence

NOTHING = msgspec.Raw(b"{}")
EMPTY = frozenset({"", "null", "{}"})
UNREADABLE = "_unreadable"
"""The key under which the text of a cell stands that is no object in any reading."""


class _AnyObject(msgspec.Struct, gc=False):
    """An object that is checked to be JSON, and of which nothing is kept."""


_OBJECTS = msgspec.json.Decoder(list[_AnyObject])
_OBJECT = msgspec.json.Decoder(_AnyObject)
# A number that was once written as a string in quotes of its own: ""102938"".
_TWICE_QUOTED = re.compile(r'(:\s*)""([^"\\]*)""(?=\s*[,}])')


def _number(text: str) -> float | Decimal:
    number, exact = float(text), Decimal(text)
    return number if Decimal(repr(number)) == exact else exact


_VALUES = msgspec.json.Decoder(dict[str, Any], float_hook=_number)


class JsonCells(NamedTuple):
    """What cells hold, and how many could be read only otherwise than as JSON, or not at all."""

    values: Sequence[msgspec.Raw]
    mended: int = 0
    unreadable: int = 0


def read_json_cells(cells: Sequence[str]) -> JsonCells:
    """Return the object of each cell, as JSON text; an empty one for an empty cell or `null`."""
    filled = ["{}" if cell in EMPTY else cell for cell in cells]
    # As bytes, one by one: a single emoji makes a text of all of them four times as long.
    raw = [*map(msgspec.Raw, filled)]
    try:
        objects = _OBJECTS.decode(b"[" + b",".join(raw) + b"]")
    except (msgspec.MsgspecError, RecursionError):
        objects = []
    # A cell with a comma outside of any object makes two elements of one.
    if len(objects) == len(cells):
        return JsonCells(raw)
    read = [_read(cell) for cell in filled]
    return JsonCells(
        [value for value, _ in read],
        sum(how == "mended" for _, how in read),
        sum(how == UNREADABLE for _, how in read),
    )


def decode_object(raw: object) -> object:
    """Return the object that a value of `read_json_cells` is; anything else as it is.

    Shape: numbers that a float would change are Decimal, and integers of more digits than Python
        reads. Half of a surrogate pair is U+FFFD, for nothing else can be written.
    """
    if not isinstance(raw, msgspec.Raw):
        return raw
    try:
        return _VALUES.decode(raw)
    except (msgspec.MsgspecError, RecursionError):
        found = json.loads(bytes(raw), parse_float=_number, parse_int=_integer)
        return _encodable(found)


def _integer(text: str) -> int | Decimal:
    return int(text) if len(text) <= NUMERAL_MAX_CHARACTERS else Decimal(text)


def _encodable(value: Any) -> Any:  # noqa: ANN401  # JSON
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_encodable(name): _encodable(part) for name, part in value.items()}
    return [*map(_encodable, value)] if isinstance(value, list) else value


def _read(cell: str) -> tuple[msgspec.Raw, str]:
    try:
        _OBJECT.decode(cell)
    except (msgspec.MsgspecError, RecursionError):
        pass
    else:
        return msgspec.Raw(cell), ""
    for text in (cell, _TWICE_QUOTED.sub(r'\1"\2"', cell)):
        found = _lenient(text)
        if found is not None:
            return found, "mended"
    return _written({UNREADABLE: cell}), UNREADABLE


def _lenient(text: str) -> msgspec.Raw | None:
    """Return an object that has raw line ends in its texts, or is a list of names and values."""
    try:
        found = json.loads(text, strict=False, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None
    if isinstance(found, list) and all(
        isinstance(each, dict) and isinstance(each.get("name"), str) for each in found
    ):
        found = {each["name"]: each.get("value") for each in found}
    return _written(found) if isinstance(found, dict) else None


def _written(value: dict[str, Any]) -> msgspec.Raw:
    # In ASCII: half of a surrogate pair has no other way into JSON.
    return msgspec.Raw(json.dumps(value))


def _refuse(name: str) -> None:
    raise ValueError(name)

"""Members: the parts of one entry of an answer, as far as they can be read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from marketo_bulk.errors import DecodeError

if TYPE_CHECKING:
    from collections.abc import Mapping

_NUMBER = re.compile(r"-?[0-9]{1,19}", re.ASCII)


def text(entry: Mapping[str, object], name: str) -> str | None:
    """Return a text, or a number as text; None if there is none.

    Raises: DecodeError if it is something else.
    """
    value = entry.get(name)
    if value is None or isinstance(value, str):
        return value
    if type(value) is int:
        return str(value)
    raise DecodeError(f"{name} is {_kind(value)}, and must be text")


def number(entry: Mapping[str, object], name: str) -> int | None:
    """Return a whole number, which may come as text; None if there is none.

    Raises: DecodeError if it is something else.
    """
    value = entry.get(name)
    if value is None or value == "":
        return None
    is_whole = isinstance(value, float) and value.is_integer()
    if is_whole or (isinstance(value, str) and _NUMBER.fullmatch(value)):
        return int(value)  # type: ignore[call-overload,no-any-return]  # of a text or a float
    if type(value) is int:
        return value
    raise DecodeError(f"{name} is {_kind(value)}, and must be a whole number")


def _kind(value: object) -> str:
    """Return what came in place of a value, which may be a person's and is not shown."""
    return {str: "other text", list: "a list", dict: "an object", bool: "a boolean"}.get(
        type(value), "a number with a fraction"
    )

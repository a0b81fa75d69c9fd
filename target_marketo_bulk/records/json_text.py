"""JSON text: values written as JSON that says the same."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

NOT_FINITE = "a number that is not finite"

_ENCODER = msgspec.json.Encoder(decimal_format="number")
_FINITE = frozenset({str, int, bool, type(None)})


def json_text(value: object) -> str:
    """Return a value as JSON; fractions keep their digits, half a surrogate pair its escape.

    Raises: ValueError for a number JSON has no form for, or a type it does not have.
    """
    try:
        text = _ENCODER.encode(value).decode()
    except UnicodeEncodeError:
        # Half a surrogate pair has no UTF-8 form, but JSON can spell it with an escape.
        return escaped_json(value)
    except TypeError as error:
        raise ValueError("a type that JSON does not have") from error
    # msgspec writes null for a float that is not finite, and a Decimal by its name.
    is_doubtful = "null" in text or "NaN" in text or "Infinity" in text
    if is_doubtful and not _is_finite(value):
        raise ValueError(NOT_FINITE)
    return text


def _is_finite(value: object) -> bool:
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list | tuple):
        return not isinstance(value, float | Decimal) or math.isfinite(value)
    return all(_is_finite(each) for each in value if type(each) not in _FINITE)


def escaped_json(value: object, *, scalar: Callable[[object], str] | None = None) -> str:
    """Return a value as JSON of ASCII alone; `scalar` writes what is no text and no Decimal."""
    write = partial(escaped_json, scalar=scalar)
    if isinstance(value, dict):
        pairs = (f"{json.dumps(str(name))}:{write(each)}" for name, each in value.items())
        return f"{{{','.join(pairs)}}}"
    if isinstance(value, list | tuple):
        return f"[{','.join(map(write, value))}]"
    if isinstance(value, Decimal) and value.is_finite():
        return str(value)
    return json.dumps(value) if isinstance(value, str) else (scalar or json_text)(value)

"""Cells: the text a JSON value becomes in an import file."""

from __future__ import annotations

import datetime as dt
import json
import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Converter = Callable[[Any], str]

NUMBER_MAX_DIGITS = 400
"""Longest number written out: beyond it an exponent is a mistake, and would fill the disk."""

_ENCODER = msgspec.json.Encoder(decimal_format="number")
_UTC_OFFSET = "+00:00"
_SHORTEST_DATETIME = len("2010-05-07T15:41")


class UnsendableValueError(ValueError):
    """A value no cell of an import file can hold; the record becomes a reject."""


def datetime_text(value: str) -> str:
    """Return a date-time with a `T` and an offset, the form the import accepts.

    Shape: text that is already so, or is no date-time at all, comes back as it was: Marketo judges.
    A date-time without an offset is UTC, as Singer has it.
    """
    if len(value) < _SHORTEST_DATETIME or (value[10] == "T" and _has_offset(value)):
        return value
    try:
        moment = dt.datetime.fromisoformat(value[:-1] + _UTC_OFFSET if value[-1] in "zZ" else value)
    except ValueError:
        return value
    return _moment_text(moment)


def _has_offset(value: str) -> bool:
    return value[-1] == "Z" or value[-6] in "+-"


def _moment_text(moment: dt.datetime) -> str:
    text = moment.isoformat()
    return text if moment.tzinfo is not None else text + "Z"


_boolean_text = {True: "true", False: "false"}.__getitem__


def _decimal_text(value: Decimal) -> str:
    text = str(value)
    if "E" not in text and text[-1].isdigit():
        return text
    if not value.is_finite():
        raise UnsendableValueError("a number that is not finite")
    if abs(value.adjusted()) > NUMBER_MAX_DIGITS:
        raise UnsendableValueError(f"a number of more than {NUMBER_MAX_DIGITS} digits")
    return f"{value:f}"


def _float_text(value: float) -> str:
    if not math.isfinite(value):
        raise UnsendableValueError("a number that is not finite")
    text = repr(value)
    return _decimal_text(Decimal(text)) if "e" in text else text


def _json_text(value: object) -> str:
    try:
        return _ENCODER.encode(value).decode()
    except UnicodeEncodeError:
        # Half a surrogate pair has no UTF-8 form, but JSON can spell it with an escape.
        return json.dumps(value, default=str, separators=(",", ":"))


_CONVERTERS: dict[type, Converter] = {
    bool: _boolean_text,
    float: _float_text,
    Decimal: _decimal_text,
    dict: _json_text,
    list: _json_text,
    tuple: _json_text,
    dt.datetime: _moment_text,
    dt.date: dt.date.isoformat,
    dt.time: dt.time.isoformat,
}

_WRITTEN_AS_IS = frozenset({str, int})
"""Types `csv.writer` itself turns into the right text."""


def converter_for(
    value_type: type, schema: Mapping[str, Any], *, null_cell: str = ""
) -> Converter | None:
    """Return what turns a value of this type into its cell; None where `csv.writer` does it.

    Raises: UnsendableValueError for a type that is no JSON value.
    """
    if value_type is type(None):
        return (lambda _: null_cell) if null_cell else None
    if value_type is str and is_datetime(schema):
        return datetime_text
    if value_type in _WRITTEN_AS_IS:
        return None
    try:
        return _CONVERTERS[value_type]
    except KeyError:
        raise UnsendableValueError(f"a value of type {value_type.__name__}") from None


def is_datetime(schema: Mapping[str, Any]) -> bool:
    """Whether a property's schema announces date-times."""
    branches = schema.get("anyOf")
    if isinstance(branches, list):
        return any(isinstance(branch, dict) and is_datetime(branch) for branch in branches)
    return schema.get("format") == "date-time"

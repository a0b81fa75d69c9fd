"""Cells: the text a JSON value becomes in an import file."""

from __future__ import annotations

import datetime as dt
import math
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from target_marketo_bulk.records.json_text import NOT_FINITE, json_text
from target_marketo_bulk.records.property_types import is_datetime, is_integer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Converter = Callable[[Any], str]

NUMBER_MAX_DIGITS = 400
"""Longest number written out: beyond it an exponent is a mistake, and would fill the disk."""

WHOLE_TYPES = frozenset({"integer", "score", "reference", "boolean"})
"""Marketo's types of which no value is written with a fraction."""

DATE_TYPE = "date"
TIME_OF_DAY = "a time of day, which a date field cannot hold"

_SHORTEST_DATETIME = len("2010-05-07T15:41")
# Python's own reader takes more forms, other ones in each version, and reads digits as dates.
_DATETIME = re.compile(
    r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ](?P<minute>[0-9]{2}:[0-9]{2})"
    r"(?:(?P<second>:[0-9]{2})(?:[.,](?P<fraction>[0-9]+))?)?"
    r"(?:[Zz]|(?P<hours>[+-](?:[01][0-9]|2[0-3]))(?::?(?P<minutes>[0-5][0-9]))?)?"
)


class UnsendableValueError(ValueError):
    """A value no cell of an import file can hold; the record becomes a reject.

    Remedy: Correct the value at its source, or with a stream map.
    """


def datetime_text(value: str) -> str:
    """Return a date-time with a `T` and an offset, the form the import accepts.

    Shape: text that is already so, or is no date-time at all, comes back as it was: Marketo judges.
    A date-time without an offset is UTC, as Singer has it.
    """
    if len(value) < _SHORTEST_DATETIME or (value[10] == "T" and _has_offset(value)):
        return value
    found = _real_datetime(value)
    if found is None:
        return value
    fraction = f".{found['fraction']}" if found["fraction"] else ""
    offset = f"{found['hours']}:{found['minutes'] or '00'}" if found["hours"] else "Z"
    return f"{found['day']}T{found['minute']}{found['second'] or ':00'}{fraction}{offset}"


def date_text(value: str) -> str:
    """Return the day a date-time stands for if it is midnight as written; other text as it is.

    Raises: UnsendableValueError for another time of day, which would be lost.
    """
    found = _real_datetime(value)
    if found is None:
        return value
    time = f"{found['minute']}{found['second'] or ''}{found['fraction'] or ''}"
    if time.strip("0:"):
        raise UnsendableValueError(TIME_OF_DAY)
    return found["day"]


def _real_datetime(value: str) -> re.Match[str] | None:
    """Return the parts of text that has the form of a date-time and names a real one."""
    found = _DATETIME.fullmatch(value)
    if found is not None:
        try:
            dt.datetime.fromisoformat(f"{found['day']}T{found['minute']}{found['second'] or ''}")
        except ValueError:
            return None
    return found


def _has_offset(value: str) -> bool:
    return value[-1] == "Z" or value[-6] in "+-"


def _midnight_text(moment: dt.datetime) -> str:
    return date_text(_moment_text(moment))


def _moment_text(moment: dt.datetime) -> str:
    text = moment.isoformat()
    return text if moment.tzinfo is not None else text + "Z"


_boolean_text = {True: "true", False: "false"}.__getitem__


def _decimal_text(value: Decimal) -> str:
    text = str(value)
    if "E" not in text and text[-1].isdigit():
        return text
    if not value.is_finite():
        raise UnsendableValueError(NOT_FINITE)
    if abs(value.adjusted()) > NUMBER_MAX_DIGITS:
        raise UnsendableValueError(f"a number of more than {NUMBER_MAX_DIGITS} digits")
    return f"{value:f}"


def _float_text(value: float) -> str:
    if not math.isfinite(value):
        raise UnsendableValueError(NOT_FINITE)
    text = repr(value)
    return _decimal_text(Decimal(text)) if "e" in text else text


def _whole_text(to_text: Converter) -> Converter:
    """Return what writes a whole number without a fraction: `5.0` denotes the integer 5."""

    def convert(value: object) -> str:
        text = to_text(value)
        whole, _, fraction = text.partition(".")
        if fraction.strip("0"):
            return text
        return "0" if whole == "-0" else whole

    return convert


def _nested_text(value: object) -> str:
    try:
        return json_text(value)
    except ValueError as error:
        raise UnsendableValueError(str(error)) from None


_CONVERTERS: dict[type, Converter] = {
    bool: _boolean_text,
    float: _float_text,
    Decimal: _decimal_text,
    dict: _nested_text,
    list: _nested_text,
    tuple: _nested_text,
    dt.datetime: _moment_text,
    dt.date: dt.date.isoformat,
    dt.time: dt.time.isoformat,
}

_WRITTEN_AS_IS = frozenset({str, int})
"""Types `csv.writer` itself turns into the right text."""


_DATE_CONVERTERS: dict[type, Converter] = {str: date_text, dt.datetime: _midnight_text}
_FRACTIONS = frozenset({float, Decimal})


def converter_for(
    value_type: type, schema: Mapping[str, Any], *, null_cell: str = "", data_type: str = ""
) -> Converter | None:
    """Return what turns a value of this type into its cell; None where `csv.writer` does it.

    `data_type` is Marketo's type of the field, in small letters; empty where it is not known.

    Raises: UnsendableValueError for a type that is no JSON value.
    """
    if value_type is type(None):
        return (lambda _: null_cell) if null_cell else None
    if data_type == DATE_TYPE and value_type in _DATE_CONVERTERS:
        return _DATE_CONVERTERS[value_type]
    if value_type is str and is_datetime(schema):
        return datetime_text
    if value_type in _WRITTEN_AS_IS:
        return None
    try:
        converter = _CONVERTERS[value_type]
    except KeyError:
        raise UnsendableValueError(f"a value of type {value_type.__name__}") from None
    is_whole = data_type in WHOLE_TYPES or is_integer(schema)
    return _whole_text(converter) if is_whole and value_type in _FRACTIONS else converter

"""A value: one cell of text read as its column's type, exactly or not at all.

These functions are the rules; `cells` reads whole columns faster and must agree with them.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from math import isinf
from typing import TYPE_CHECKING

from marketo_bulk.reader.columns import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# Longer numerals are no numbers Marketo can hold, and `1e999999999` would fill the memory. Python
# itself refuses to print integers of more than 4,300 digits.
NUMERAL_MAX_CHARACTERS = 4_000
INTEGER_MAX_DIGITS = 4_000

BOOLEANS: Mapping[str, bool] = {
    "true": True, "1": True, "yes": True, "t": True,
    "false": False, "0": False, "no": False, "f": False,
}  # fmt: skip

_NUMERAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT = re.compile(
    r"(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[T ](?P<time>[0-9]{2}:[0-9]{2}:[0-9]{2})(?P<fraction>\.[0-9]{1,9})?"
    r"(?:Z|Z?[+-]00:?00|(?P<sign>[+-])(?P<hours>[01][0-9]|2[0-3]):?(?P<minutes>[0-5][0-9]))?)?"
)


def parse_integer(text: str) -> int:
    """Return the integer `text` denotes; `5.0` and `1e3` denote integers, `5.5` does not.

    Raises: ValueError if it denotes none.
    """
    number = _parse_decimal(text)
    if not number:
        return 0
    if number != number.to_integral_value() or number.adjusted() >= INTEGER_MAX_DIGITS:
        raise ValueError(text)
    return int(number)


def parse_number(text: str) -> float | Decimal:
    """Return the number `text` denotes.

    Shape: a float if its shortest spelling denotes the same number as `text`, which is so for
    every numeral of up to 15 significant digits; else a Decimal, so that no digit is lost.
    Raises: ValueError if it denotes none, or one beyond the range of a float.
    """
    exact = _parse_decimal(text)
    number = float(text)
    if isinf(number):
        raise ValueError(text)
    return number if Decimal(repr(number)) == exact else exact


def parse_boolean(text: str) -> bool:
    """Return the truth `text` denotes, in any case.

    Raises: ValueError if it denotes none.
    """
    truth = BOOLEANS.get(text.lower())
    if truth is None:
        raise ValueError(text)
    return truth


def parse_date(text: str) -> str:
    """Return `text` as `YYYY-MM-DD`; midnight of a day, as written, stands for that day.

    Raises: ValueError if it is no such date of the calendar.
    """
    if not _DATE.fullmatch(text):
        match = _INSTANT.fullmatch(text)
        if not match or match["time"] != "00:00:00" or (match["fraction"] or "").strip(".0"):
            raise ValueError(text)
        text = match["date"]
    return date.fromisoformat(text).isoformat()


def parse_datetime(text: str) -> str:
    """Return `text` as `YYYY-MM-DDTHH:MM:SSZ`, with its fraction of a second if it has one.

    Units: UTC; a date alone is its midnight, a time without an offset is UTC already.
    Raises: ValueError if it is no such instant.
    """
    match = _INSTANT.fullmatch(text)
    if not match:
        raise ValueError(text)
    instant = datetime.fromisoformat(f"{match['date']}T{match['time'] or '00:00:00'}")
    if match["sign"]:
        offset = timedelta(hours=int(match["hours"]), minutes=int(match["minutes"]))
        try:
            instant = instant - offset if match["sign"] == "+" else instant + offset
        except OverflowError as error:
            raise ValueError(text) from error
    return f"{instant.isoformat()}{match['fraction'] or ''}Z"


def _parse_decimal(text: str) -> Decimal:
    if len(text) > NUMERAL_MAX_CHARACTERS or not _NUMERAL.fullmatch(text):
        raise ValueError(text)
    try:
        return Decimal(text)
    except ArithmeticError as error:  # an exponent even Decimal cannot hold
        raise ValueError(text) from error


PARSERS: Mapping[Kind, Callable[[str], object]] = {
    Kind.INTEGER: parse_integer,
    Kind.NUMBER: parse_number,
    Kind.BOOLEAN: parse_boolean,
    Kind.DATE: parse_date,
    Kind.DATETIME: parse_datetime,
    Kind.STRING: str,
}

"""The value: how one cell of a lead or member is stored, written to a file and read from one.

Stored forms: text as str, whole numbers as int, other numbers as float, booleans as bool, moments
as int seconds since 1970, dates as their ISO text, and None. Lexical forms: C§13.
"""

from __future__ import annotations

import re
import time
from datetime import date, datetime, timezone
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

Value = str | int | float | bool | None
BooleanStyle = Literal["digits", "words"]

NULL = "null"
_DAY = 86_400
_WHOLE = re.compile(r"[+-]?\d{1,19}")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_MOMENT = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d:\d\d)(?:\.\d+)?(Z\+0000|Z|[+-]\d\d:?\d\d)?)?"
)
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


def moment_text(seconds: float) -> str:
    """Return a stored moment as `2019-04-12T05:58:10Z`."""
    day, second = divmod(int(seconds), _DAY)
    return _day_text(day) + _time_text(second)


@lru_cache(maxsize=4096)
def _day_text(day: int) -> str:
    # `strftime` writes years before 1000 with fewer digits than four.
    year, month, day_of_month = time.gmtime(day * _DAY)[:3]
    return f"{year:04}-{month:02}-{day_of_month:02}T"


# A large file has millions of moments; looked up, they take half the time.
@lru_cache(maxsize=_DAY)
def _time_text(second: int) -> str:
    return time.strftime("%H:%M:%SZ", time.gmtime(second))


def parse_moment(text: str) -> int:
    """Return the stored form of a moment; one without an offset is taken as UTC.

    Raises: ValueError for anything that is no W3C date and time.
    """
    match = _MOMENT.fullmatch(text)
    if match is None:
        message = f"{text!r} is not a date and time"
        raise ValueError(message)
    day, clock, offset = match.groups(default="")
    if not offset.startswith(("+", "-")):
        offset = "+00:00"
    elif ":" not in offset:
        offset = f"{offset[:3]}:{offset[3:]}"
    moment = datetime.fromisoformat(f"{day}T{clock or '00:00:00'}{offset}")
    return int(moment.astimezone(timezone.utc).timestamp())


def cell_writer(data_type: str, booleans: BooleanStyle) -> Callable[[Value], str] | None:
    """Return what turns a stored value that is not None into a cell; None if `str` will do."""
    if data_type == "datetime":
        return moment_text  # type: ignore[return-value]
    if data_type == "boolean":
        true, false = ("1", "0") if booleans == "digits" else ("true", "false")
        return lambda value: true if value else false
    return None


def readable(value: Value, data_type: str) -> Value:
    """Return a stored value as JSON would show it: moments as text."""
    if value is None or data_type != "datetime":
        return value
    return moment_text(float(value))


def parse_cell(text: str, data_type: str) -> Value:
    """Return the stored form of an imported cell that is not empty.

    Raises: ValueError if the text does not fit the data type.
    """
    parse = _PARSERS.get(data_type, str)
    return parse(text)


def _parse_boolean(text: str) -> bool:
    return _BOOLEANS[text.lower()] if text.lower() in _BOOLEANS else _refuse(text, "boolean")


def _parse_whole(text: str) -> int:
    return int(text) if _WHOLE.fullmatch(text) else int(_refuse(text, "integer"))


def _parse_number(text: str) -> float:
    return float(text) if _NUMBER.fullmatch(text) else float(_refuse(text, "number"))


def _parse_date(text: str) -> str:
    # Newer Pythons would also take other ISO forms.
    return (
        date.fromisoformat(text).isoformat()
        if _DATE.fullmatch(text)
        else str(_refuse(text, "date"))
    )


def _refuse(text: str, data_type: str) -> bool:
    message = f"{text!r} is no {data_type}"
    raise ValueError(message)


_PARSERS: dict[str, Callable[[str], Value]] = {
    "boolean": _parse_boolean,
    "currency": _parse_number,
    "date": _parse_date,
    "datetime": parse_moment,
    "float": _parse_number,
    "integer": _parse_whole,
    "percent": _parse_number,
    "score": _parse_whole,
}

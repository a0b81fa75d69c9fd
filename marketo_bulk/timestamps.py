"""Timestamps in the spellings Marketo uses.

Seen from one instance: `2020-05-01T20:41:45Z` (bulk, lead database), `2017-01-21T11:47:30-08:00`
(bulk samples), `2013-09-26T06:56:35+0000` (activities), `2015-11-18T15:25:35Z+0000` (assets).
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

from marketo_bulk.errors import DecodeError

_TIMESTAMP = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?"
    r"(?:Z(?:\+00:?00)?|([+-])(\d\d):?(\d\d))",
    re.ASCII,
)


def parse_timestamp(text: str) -> datetime:
    """Return the moment a Marketo timestamp names, in UTC.

    Raises: DecodeError if text has another form, no offset, or names no moment. Digits beyond
    the microsecond are cut off, which is as much as a datetime holds.
    """
    matched = _TIMESTAMP.fullmatch(text)
    if matched is None:
        raise DecodeError(f"not a Marketo timestamp: {text[:60]!r}", value=text)
    *clock_fields, fraction, sign, hours, minutes = matched.groups()
    year, month, day, hour, minute, second = (int(field) for field in clock_fields)
    microsecond = int((fraction or "").ljust(6, "0")[:6])
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    try:
        zone = timezone(-offset if sign == "-" else offset)
        moment = datetime(year, month, day, hour, minute, second, microsecond, tzinfo=zone)
        return moment.astimezone(timezone.utc)
    except (ValueError, OverflowError) as error:
        raise DecodeError(f"no such moment: {text!r} ({error})", value=text) from error


def format_timestamp(moment: datetime) -> str:
    """Return the spelling Marketo takes in filters: UTC, whole seconds.

    Raises: ValueError if moment is naive or has a fraction of a second, which Marketo refuses
    and which must be rounded, up or down, by someone who knows which.
    """
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone")
    if moment.microsecond:
        raise ValueError(f"{moment} is not a whole second")
    return moment.astimezone(timezone.utc).replace(tzinfo=None).isoformat() + "Z"


def floor_second(moment: datetime) -> datetime:
    """Return the whole second that `moment` lies in, in UTC."""
    return moment.astimezone(timezone.utc).replace(microsecond=0)

"""Window: a stretch of time that one export job may ask for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

ONE_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """From `start` to `end`, both included, as Marketo reads them.

    Units: aware datetimes, whole seconds, UTC.
    """

    start: datetime
    end: datetime

    def to_filter(self) -> dict[str, str]:
        """Return the value of the date filter of a job."""
        return {"startAt": format_timestamp(self.start), "endAt": format_timestamp(self.end)}


def format_timestamp(moment: datetime) -> str:
    """Return `moment` as Marketo and the state spell it: UTC, whole seconds, `Z`.

    Shape: the year has four digits, which `strftime` does not see to before the year 1000.
    """
    clock = moment.astimezone(timezone.utc).replace(tzinfo=None)
    return f"{clock.isoformat(timespec='seconds')}Z"


LAST_AT_LEAST = timedelta(hours=1)
"""Marketo refuses a window that begins in the future, and the clock by which `end` is known may be
minutes ahead of the one Marketo compares it with."""


def split_windows(start: datetime, end: datetime, length: timedelta) -> list[Window]:
    """Cut start..end into windows of at most `length`.

    Shape: ascending; neighbours share their border, because both ends are included and a
        record updated in that very second must not fall between them; empty if start >= end.
        The last one of several is at least `LAST_AT_LEAST` long where `length` lets it.
    """
    windows = []
    while start < end:
        border = min(start + length, end)
        if border < end < border + LAST_AT_LEAST:
            border = max(end - LAST_AT_LEAST, start + length / 2)
        windows.append(Window(start, border))
        start = border
    return windows


def grid_start(anchor: datetime, moment: datetime, length: timedelta) -> datetime:
    """Return the start of the window that `moment` lies in, counting windows from `anchor`.

    Shape: never before `anchor`.
    """
    if moment <= anchor:
        return anchor
    return anchor + (moment - anchor) // length * length

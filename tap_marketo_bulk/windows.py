"""Window: a stretch of `updatedAt` that one export job may ask for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

TIMESTAMP = "%Y-%m-%dT%H:%M:%SZ"

ONE_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """From `start` to `end`, both included, as Marketo reads them.

    Units: aware datetimes, whole seconds, UTC.
    """

    start: datetime
    end: datetime

    def to_filter(self) -> dict[str, str]:
        """Return the value of the `updatedAt` filter of a job."""
        return {"startAt": format_timestamp(self.start), "endAt": format_timestamp(self.end)}


def format_timestamp(moment: datetime) -> str:
    """Return `moment` as Marketo and the state spell it: UTC, whole seconds, `Z`."""
    return moment.astimezone(timezone.utc).strftime(TIMESTAMP)


def floor_second(moment: datetime) -> datetime:
    """Return the whole second that `moment` lies in, in UTC."""
    return moment.astimezone(timezone.utc).replace(microsecond=0)


def split_windows(start: datetime, end: datetime, length: timedelta) -> list[Window]:
    """Cut start..end into windows of at most `length`.

    Shape: ascending; neighbours share their border, because both ends are included and a
        member updated in that very second must not fall between them; empty if start >= end.
    """
    windows = []
    while start < end:
        border = min(start + length, end)
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

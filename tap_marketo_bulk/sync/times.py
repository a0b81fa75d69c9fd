"""Run times: the end that all streams of a sync share, and where one begins to read again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from marketo_bulk.timestamps import floor_second

if TYPE_CHECKING:
    from datetime import datetime

SETTLING = timedelta(seconds=60)
"""How far behind Marketo's clock the last window ends: an update may take a while to show up."""


@dataclass(frozen=True, slots=True)
class RunTimes:
    """Marketo's time when a sync was planned, in whole seconds, and up to when it reads."""

    end: datetime
    settling: timedelta = SETTLING

    @classmethod
    def at(cls, server_now: datetime) -> RunTimes:
        """Return the times of a sync that begins now."""
        return cls(floor_second(server_now - SETTLING))

    @property
    def now(self) -> datetime:
        """Return the moment of the plan."""
        return self.end + self.settling


def overlapping(bookmark: datetime, overlap: timedelta, start_date: datetime | None) -> datetime:
    """Return from when on to read what may have come late, never before `start_date` for that."""
    begin = bookmark - overlap
    return begin if start_date is None else max(begin, min(bookmark, start_date))

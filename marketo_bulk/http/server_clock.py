"""Server clock: Marketo's time, from the `Date` header of its latest answer.

A window must end at the server's now: this machine's clock may be minutes off.
"""

from __future__ import annotations

import threading
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class ServerClock:
    """The latest `Date` seen, carried on by a monotonic clock. Thread-safe."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: tuple[datetime, float] | None = None

    def observe(self, date_header: str | None) -> None:
        """Take over the time of an answer that has just arrived; anything unreadable is no news."""
        try:
            moment = parsedate_to_datetime(date_header or "")
        except (ValueError, TypeError, OverflowError):
            return
        if moment.tzinfo is None:  # "-0000": a time of unknown zone
            return
        with self._lock:
            self._seen = (moment.astimezone(timezone.utc), self._clock())

    def now(self) -> datetime | None:
        """Return Marketo's time in UTC, late by the reply's travel and up to a second; or None."""
        with self._lock:
            if self._seen is None:
                return None
            moment, seen_at = self._seen
            return moment + timedelta(seconds=self._clock() - seen_at)

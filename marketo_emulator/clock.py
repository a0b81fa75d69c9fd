"""The clock: every moment the emulator knows comes from one of these."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from threading import Lock
from typing import Protocol


class Clock(Protocol):
    """Anything that knows the time."""

    def now(self) -> datetime:
        """Return the present moment, aware and in UTC."""


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        """Return the present moment in UTC."""
        return datetime.now(timezone.utc)


class VirtualClock:
    """A time that moves only when told to, so that days pass in no time."""

    def __init__(self, start: datetime | None = None) -> None:
        self._now = start or datetime(2026, 6, 15, 12, tzinfo=timezone.utc)
        self._lock = Lock()

    def now(self) -> datetime:
        """Return the moment the clock was last moved to."""
        with self._lock:
            return self._now

    def advance(self, seconds: float) -> None:
        """Let time pass; it never goes back."""
        if seconds < 0:
            message = f"a clock cannot go back {-seconds} s; make a new one"
            raise ValueError(message)
        with self._lock:
            self._now += timedelta(seconds=seconds)


def to_epoch(moment: datetime) -> int:
    """Return whole seconds since 1970, the resolution of Marketo's own times."""
    return int(moment.timestamp())


def from_epoch(seconds: float) -> datetime:
    """Return the aware UTC moment of seconds since 1970."""
    return datetime.fromtimestamp(seconds, tz=timezone.utc)

"""The clock: every moment the emulator knows comes from one of these."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from threading import Lock
from typing import Protocol

_LAST = datetime(9000, 1, 1, tzinfo=timezone.utc)


class Clock(Protocol):
    """Anything that knows the time, and lets some of it pass at once."""

    def now(self) -> datetime:
        """Return the present moment, aware and in UTC."""

    def advance(self, seconds: float) -> None:
        """Let time pass; it never goes back."""


class SystemClock:
    """The machine's own time, ahead by all that was skipped."""

    def __init__(self) -> None:
        self._skipped = timedelta(0)
        self._lock = Lock()

    def now(self) -> datetime:
        """Return the present moment in UTC."""
        with self._lock:
            return datetime.now(timezone.utc) + self._skipped

    def advance(self, seconds: float) -> None:
        """Skip time; it goes on from there by itself."""
        with self._lock:
            skipped = self._skipped + _forward(seconds)
            _check(datetime.now(timezone.utc), skipped)
            self._skipped = skipped


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
        with self._lock:
            step = _forward(seconds)
            _check(self._now, step)
            self._now += step


def _forward(seconds: float) -> timedelta:
    if seconds < 0:
        message = f"a clock cannot go back {-seconds} s; make a new one"
        raise ValueError(message)
    return timedelta(seconds=seconds)


def _check(moment: datetime, step: timedelta) -> None:
    """Refuse a step after which days could no longer be added to a moment."""
    if step > _LAST - moment:
        message = f"a clock cannot go past {_LAST.year}"
        raise ValueError(message)


def to_epoch(moment: datetime) -> int:
    """Return whole seconds since 1970, the resolution of Marketo's own times."""
    return int(moment.timestamp())

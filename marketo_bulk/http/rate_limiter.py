"""RateLimiter: lets calls through no faster, and no more at once, than agreed."""

from __future__ import annotations

import threading
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING

from marketo_bulk.limits import CONCURRENCY_PENALTY_SECONDS, PACING_WINDOW_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from marketo_bulk.clock import Clock

INSTANT_SECONDS = 1e-3
"""Less than this is not waited for: a coarse clock would never get there."""


class RateLimiter:
    """A sliding window of calls and a number of places, shared by all threads of a client.

    Waiting happens outside the lock. A call is counted at the moment it is let through: one that
    was counted earlier and then held back would be made in a window that has forgotten it.
    """

    def __init__(self, calls_per_window: int, max_concurrent: int, clock: Clock) -> None:
        self._clock = clock
        self._places = threading.Condition()
        self._max_concurrent = max_concurrent
        self._allowed = max_concurrent
        self._restore_at = 0.0
        self._in_flight = 0
        self._window_lock = threading.Lock()
        # The moments of the latest calls; a full deque drops the oldest.
        self._moments: deque[float] = deque(maxlen=calls_per_window)
        self._held_until = 0.0
        self._is_hurried = False

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold one of the places for a call, once the window has room for it."""
        self._enter()
        try:
            self._wait_for_window()
            yield
        finally:
            with self._places:
                self._in_flight -= 1
                self._places.notify_all()

    def hold(self, seconds: float) -> None:
        """Let no call start for this long: Marketo says that too many were made."""
        with self._window_lock:
            self._held_until = max(self._held_until, self._clock.now() + seconds)

    def hurry(self) -> None:
        """Wait for no window any more: what comes now are the few last calls of a run."""
        self._is_hurried = True

    def narrow(self) -> None:
        """Use one place less for a while: Marketo says that too many were used at once."""
        with self._places:
            self._allowed = max(1, self._allowed - 1)
            self._restore_at = self._clock.now() + CONCURRENCY_PENALTY_SECONDS

    def _enter(self) -> None:
        with self._places:
            # There is always a call in flight to be woken by: at least one place is allowed,
            # and a call cannot take longer than its time-outs.
            while self._in_flight >= self._current_limit():
                self._places.wait()
            self._in_flight += 1

    def _current_limit(self) -> int:
        if self._allowed < self._max_concurrent and self._clock.now() >= self._restore_at:
            self._allowed = self._max_concurrent
        return self._allowed

    def _wait_for_window(self) -> None:
        while (wait := self._take_moment()) > 0 and not self._is_hurried:
            self._clock.sleep(wait)

    def _take_moment(self) -> float:
        """Count a call made now, if the window has room for it; return the seconds until it may."""
        with self._window_lock:
            now = self._clock.now()
            earliest = self._held_until
            if len(self._moments) == self._moments.maxlen:
                earliest = max(earliest, self._moments[0] + PACING_WINDOW_SECONDS)
            wait = earliest - now
            if wait > INSTANT_SECONDS:
                return wait
            self._moments.append(now)
            return 0.0

"""Quota gate: what may still be asked of Marketo after it said that a daily quota is used up."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, TypeVar

from marketo_bulk.errors import DailyQuotaExceededError, one_line

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

logger = logging.getLogger(__name__)

QUOTA_RESET_HOURS_UTC = (5, 6)
"""Marketo says both "midnight Central" (05:00Z in summer) and "12:00AM CST" (06:00Z)."""

QUOTA_RESET_MARGIN = timedelta(minutes=2)

CALLS_QUOTA_CODE = "607"

REST_OF_RUN_SECONDS = 86_400.0
"""Longer than jobs that are running can still be waited for."""


class QuotaGate:
    """Closed for new exports when the byte quota is used up, for every call when that of calls is.

    Units: `exports_from` and `calls_from` are seconds of the monotonic clock.
    """

    def __init__(
        self, *, wait: bool, clock: Callable[[], float], server_now: Callable[[], datetime]
    ) -> None:
        self._wait = wait
        self._clock = clock
        self._server_now = server_now
        self.exports_from = 0.0
        self.calls_from = 0.0
        self.stopped_by: DailyQuotaExceededError | None = None
        """Set if the run is to end as soon as the jobs still running have been read."""

    def refused(self, error: DailyQuotaExceededError) -> float:
        """Take note of a refusal; return when the gate opens again.

        Raises: `error` if there is nothing left to do in this run.
        """
        no_calls = error.code == CALLS_QUOTA_CODE
        if not self._wait:
            if no_calls:
                raise error
            self.stopped_by = error
            # Nor are the jobs enqueued that this run has created: each try would cost a call.
            self.exports_from = self._clock() + REST_OF_RUN_SECONDS
            return self._clock()
        self.exports_from = self._clock() + _announced_wait(error, self._server_now())
        if no_calls:
            self.calls_from = self.exports_from
        return self.exports_from


class QuotaPatience:
    """Makes calls outside of jobs; one that the day's calls do not suffice for waits, if wanted."""

    def __init__(
        self,
        *,
        wait: bool,
        server_now: Callable[[], datetime],
        sleep: Callable[[float], object],
    ) -> None:
        self._wait = wait
        self._server_now = server_now
        self._sleep = sleep

    def call(self, ask: Callable[[], T]) -> T:
        """Return what `ask` does, asked again after each reset for as long as it is refused.

        Raises: DailyQuotaExceededError at once if nobody wants to wait.
        """
        while True:
            try:
                return ask()
            except DailyQuotaExceededError as error:  # noqa: PERF203 - retries are tries in a loop
                if not self._wait:
                    raise
                self._sleep(_announced_wait(error, self._server_now()))


def _announced_wait(error: DailyQuotaExceededError, now: datetime) -> float:
    """Return the seconds until the next reset, once they have been logged."""
    reset = next_quota_reset(now)
    said = f"{error.answer.operation}: Marketo answered {error.code} {error.message}"
    # Without the error's advice, which is for a run that ends.
    logger.warning("%s Waiting until %s.", one_line(said), f"{reset:%Y-%m-%dT%H:%M:%SZ}")
    return (reset - now).total_seconds()


def next_quota_reset(now: datetime) -> datetime:
    """Return the next moment at which the daily quota may have been reset.

    Source: Adobe's pages say both "12:00AM CST" and "midnight Central Time"; asking at the earlier
        reading costs one refused call where the later one is right.
    """
    midnight = now.astimezone(timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
    candidates = [
        midnight + timedelta(days=day, hours=hour) + QUOTA_RESET_MARGIN
        for day in (0, 1)
        for hour in QUOTA_RESET_HOURS_UTC
    ]
    return min(moment for moment in candidates if moment > now)

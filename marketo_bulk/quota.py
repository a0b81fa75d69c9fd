"""Quota gate: what may still be asked of Marketo after it said that a daily quota is used up."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from marketo_bulk.errors import DailyQuotaExceededError

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
        now = self._server_now()
        reset = next_quota_reset(now)
        logger.warning("%s Waiting until %s.", error, reset.strftime("%Y-%m-%dT%H:%M:%SZ"))
        self.exports_from = self._clock() + (reset - now).total_seconds()
        if no_calls:
            self.calls_from = self.exports_from
        return self.exports_from


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

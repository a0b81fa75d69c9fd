"""Quota gate: what may still be asked of Marketo after it said that a daily quota is used up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marketo_bulk.http.daily_quota import announced_wait

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from marketo_bulk.errors import DailyQuotaExceededError

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
        no_calls = error.is_of_calls
        if not self._wait:
            if no_calls:
                raise error
            self.stopped_by = error
            # Nor are the jobs enqueued that this run has created: each try would cost a call.
            self.exports_from = self._clock() + REST_OF_RUN_SECONDS
            return self._clock()
        self.exports_from = self._clock() + announced_wait(error, self._server_now())
        if no_calls:
            self.calls_from = self.exports_from
        return self.exports_from

"""The call limit: rate, concurrency and daily count, shared by all clients (C§15)."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING

from marketo_emulator.wire.errors import UNCOUNTED_CODES, MarketoError

if TYPE_CHECKING:
    from marketo_emulator.options import Options


@dataclass(frozen=True, slots=True)
class Admission:
    """A call that was let in, to be counted out again."""

    client_id: str
    at: datetime
    concurrency: int


class Limits:
    """The three gauges and the statistics fed by them; callers hold the world's lock."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._timezone: tzinfo = options.business_timezone()
        self._window: deque[datetime] = deque()
        self.in_flight = 0
        self._calls: dict[str, Counter[str]] = {}
        self._errors: dict[str, Counter[str]] = {}

    def day(self, now: datetime) -> str:
        """Return the date on which this moment counts."""
        return now.astimezone(self._timezone).date().isoformat()

    def calls_on(self, day: str) -> Counter[str]:
        """Return the calls of each client on this date."""
        return self._calls.setdefault(day, Counter())

    def errors_on(self, day: str) -> Counter[str]:
        """Return how often each error code was answered on this date."""
        return self._errors.setdefault(day, Counter())

    def calls_in_window(self, now: datetime) -> int:
        """Return how many calls count against the rate limit now."""
        oldest = now - timedelta(seconds=self._options.call_window_seconds)
        while self._window and self._window[0] <= oldest:
            self._window.popleft()
        return len(self._window)

    def enter(self, client_id: str, now: datetime) -> Admission:
        """Let a call in and count it.

        Raises: MarketoError 607, 606 or 615, in that order, when a limit is reached.
        """
        refusal = self._refusal(now)
        if refusal is None or self._options.refused_calls_count:
            self._window.append(now)
            self.calls_on(self.day(now))[client_id] += 1
        if refusal is not None:
            raise refusal
        self.in_flight += 1
        return Admission(client_id, now, self.in_flight)

    def leave(self) -> None:
        """Count a call out."""
        self.in_flight -= 1

    def note_error(self, code: str, admission: Admission | None, now: datetime) -> None:
        """Count an error reply; some codes undo the counting of their call (C§12)."""
        self.errors_on(self.day(now))[code] += 1
        if admission is None or code not in UNCOUNTED_CODES:
            return
        if admission.at in self._window:
            self._window.remove(admission.at)
        self.calls_on(self.day(admission.at))[admission.client_id] -= 1

    def use_up_calls(self, count: int, now: datetime) -> None:
        """Count calls that other integrations made today."""
        self.calls_on(self.day(now))["others"] += count

    def _refusal(self, now: datetime) -> MarketoError | None:
        options = self._options
        in_window = self.calls_in_window(now)
        if self.calls_on(self.day(now)).total() >= options.daily_calls:
            return MarketoError("607")
        if in_window >= options.max_calls_per_window:
            rate, seconds = options.max_calls_per_window, options.call_window_seconds
            text = f"Max rate limit '{rate}' exceeded with in '{seconds:g}' secs"
            return MarketoError("606", text)
        if self.in_flight >= options.max_concurrent_calls:
            text = f"Concurrent access limit '{options.max_concurrent_calls}' reached"
            return MarketoError("615", text)
        return None

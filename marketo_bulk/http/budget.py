"""Budget: an own limit below Marketo's daily one, which begins anew when Marketo's does."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING

from marketo_bulk.errors import BudgetReachedError
from marketo_bulk.http.daily_quota import QUOTA_RESET_HOURS_UTC, QUOTA_RESET_MARGIN

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

DAY = timedelta(days=1)


class Budget:
    """How much of a day's amount may be used, and how much has been.

    Marketo says both 05:00 and 06:00 UTC for the end of its day. So a day of the budget is counted
    from the earlier one, and ends at the later one: what is used between them counts twice, and
    never too little. `now` is Marketo's clock.
    """

    def __init__(
        self, setting: str, amount: int, used: int, now: Callable[[], datetime], *, of_calls: bool
    ) -> None:
        self._lock = threading.Lock()
        self.counts_from = now()
        """What is older is in `used` already."""
        self._setting = setting
        self._now = now
        self._of_calls = of_calls
        self.amount = amount
        self._used = used
        self._ends_at = day_start(now()) + DAY + timedelta(hours=1) + QUOTA_RESET_MARGIN

    @property
    def used(self) -> int:
        """Return what has been used of the present day's amount."""
        with self._lock:
            if self._now() >= self._ends_at:
                self._used = 0
                self._ends_at += DAY
            return self._used

    def add(self, amount: int) -> None:
        """Count what has been used."""
        used = self.used
        with self._lock:
            self._used = used + amount

    def check(self) -> None:
        """Return if there is something left.

        Raises: BudgetReachedError if not.
        """
        used = self.used
        if used >= self.amount:
            raise BudgetReachedError(
                f"{self._setting}: {used:,} of {self.amount:,} are used today",
                remedy=(
                    f"Run again after {self._ends_at:%Y-%m-%dT%H:%MZ}, or raise the budget. "
                    "Nothing that was finished is lost"
                ),
                of_calls=self._of_calls,
            )


def day_start(now: datetime) -> datetime:
    """Return when the day that a moment is in began, by the earlier reading."""
    earlier, later = min(QUOTA_RESET_HOURS_UTC), max(QUOTA_RESET_HOURS_UTC)
    start = now.replace(hour=earlier, minute=0, second=0, microsecond=0)
    return start if now.hour >= later else start - DAY

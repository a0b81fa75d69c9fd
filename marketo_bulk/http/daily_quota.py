"""Daily quota: when Marketo resets it, and the wait until then."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from marketo_bulk.errors import one_line

if TYPE_CHECKING:
    from marketo_bulk.errors import DailyQuotaExceededError

logger = logging.getLogger(__name__)

QUOTA_RESET_HOURS_UTC = (5, 6)
"""Marketo says both "midnight Central" (05:00Z in summer) and "12:00AM CST" (06:00Z)."""

QUOTA_RESET_MARGIN = timedelta(minutes=2)


def announced_wait(error: DailyQuotaExceededError, now: datetime) -> float:
    """Return the seconds until the next reset, once they have been logged."""
    reset = next_quota_reset(now)
    # Without the error's advice, which is for a run that ends.
    answered = f"{error.answer.operation}: Marketo answered " if error.faults else ""
    said = one_line(f"{answered}{error.said}").removesuffix(".")
    logger.warning("%s. Waiting until %s.", said, f"{reset:%Y-%m-%dT%H:%M:%SZ}")
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

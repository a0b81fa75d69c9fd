"""The options."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfoNotFoundError

import pytest

from marketo_emulator import Options

JULY = datetime(2026, 7, 1, tzinfo=timezone.utc)


def test_options_do_not_change() -> None:
    """An emulator behaves the same all its life."""
    with pytest.raises(FrozenInstanceError):
        Options().daily_calls = 5  # type: ignore[misc]


@pytest.mark.parametrize(
    ("name", "hours"), [("America/Chicago", -5), ("fixed_cst", -6), ("UTC", 0)]
)
def test_business_day_ends_in_its_time_zone(name: str, hours: int) -> None:
    """Central time knows summer, the other reading does not."""
    zone = Options(reset_timezone=name).business_timezone()
    assert JULY.astimezone(zone).utcoffset() == timedelta(hours=hours)


def test_unknown_time_zone_is_an_error() -> None:
    """A misspelt name is not taken for another."""
    with pytest.raises(ZoneInfoNotFoundError):
        Options(reset_timezone="America/Chigaco").business_timezone()

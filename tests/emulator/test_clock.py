"""The clocks."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from marketo_emulator import SystemClock, VirtualClock
from marketo_emulator.clock import to_epoch


def test_system_clock_is_aware_and_utc() -> None:
    """The machine's time comes with its offset, which is none."""
    assert SystemClock().now().utcoffset() == timedelta(0)


def test_system_clock_goes_on_from_where_it_was_moved_to() -> None:
    """A day can be skipped on a running server."""
    clock = SystemClock()
    before = clock.now()
    clock.advance(86_400)
    assert timedelta(days=1) <= clock.now() - before < timedelta(days=1, minutes=1)


def test_virtual_clock_moves_only_when_told() -> None:
    """Days pass at once, and not otherwise."""
    start = datetime(2026, 1, 1, tzinfo=timezone.utc)
    clock = VirtualClock(start)
    assert clock.now() == start
    clock.advance(86_400 * 31)
    assert clock.now() == datetime(2026, 2, 1, tzinfo=timezone.utc)


def test_virtual_clock_refuses_to_go_back() -> None:
    """Time that ran backwards would break every queue."""
    with pytest.raises(ValueError, match="cannot go back 5 s"):
        VirtualClock().advance(-5)


def test_epoch_seconds_are_whole() -> None:
    """Fractions are cut, as on the wire."""
    moment = datetime(1970, 1, 1, 0, 1, 0, 999_000, tzinfo=timezone.utc)
    assert to_epoch(moment) == 60

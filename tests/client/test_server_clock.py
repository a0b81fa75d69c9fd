from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest

from marketo_bulk.http.server_clock import ServerClock

if TYPE_CHECKING:
    from tests.client.scripted import SleepClock


def test_server_clock_carries_the_last_date_on(clock: SleepClock) -> None:
    """J21: the server's time is its last word and the time since, whatever this machine says."""
    server_clock = ServerClock(clock)
    server_clock.observe("Tue, 20 Oct 2026 08:00:00 GMT")
    clock.sleep(90.5)
    expected = datetime(2026, 10, 20, 8, 1, 30, 500_000, tzinfo=timezone.utc)
    assert expected == server_clock.now()
    server_clock.observe("Tue, 20 Oct 2026 10:00:00 +0100")
    assert datetime(2026, 10, 20, 9, tzinfo=timezone.utc) == server_clock.now()


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "soon",
        "Tue, 20 Oct 2026 08:00:00 -0000",
        "Tue, 99 Oct 2026 08:00:00 GMT",
        "Tue, 20 Oct 2026 08:00:00 +99999999999999",
    ],
)
def test_server_clock_ignores_what_is_no_date(clock: SleepClock, header: str | None) -> None:
    """A header that cannot be read is no news, and no crash."""
    server_clock = ServerClock(clock)
    server_clock.observe(header)
    assert server_clock.now() is None

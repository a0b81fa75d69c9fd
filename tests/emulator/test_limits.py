"""The limits of calls."""

from __future__ import annotations

import time
from threading import Barrier, Thread
from typing import TYPE_CHECKING

import pytest

from marketo_emulator import Fault
from tests.emulator.harness import refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.emulator.harness import Marketo

CHEAP = "/rest/asset/v1/channels.json"


def codes(marketo: Marketo, calls: int) -> list[str]:
    """Return the error code of each of some calls, or ""."""
    replies = [marketo.get(CHEAP) for _ in range(calls)]
    return ["" if reply["success"] else refusal(reply)[0] for reply in replies]


def test_hundred_and_first_call_in_the_window_is_606(marketo: Marketo) -> None:
    """A hundred calls within twenty seconds are let in, with the text seen on the wire."""
    assert codes(marketo, 100) == [""] * 100
    assert refusal(marketo.get(CHEAP)) == (
        "606",
        "Max rate limit '100' exceeded with in '20' secs",
    )


def test_window_slides(make: Callable[..., Marketo]) -> None:
    """Each call makes room twenty seconds after it was made."""
    marketo = make(max_calls_per_window=2, refused_calls_count=False)
    codes(marketo, 1)
    marketo.clock.advance(15)
    assert codes(marketo, 2) == ["", "606"]
    marketo.clock.advance(5)
    assert codes(marketo, 2) == ["", "606"]


def test_refused_calls_extend_the_window_by_default(make: Callable[..., Marketo]) -> None:
    """Code 606 is not among those that do not count."""
    marketo = make(max_calls_per_window=2)
    codes(marketo, 2)
    marketo.clock.advance(15)
    assert codes(marketo, 2) == ["606", "606"]
    marketo.clock.advance(6)
    assert codes(marketo, 1) == ["606"]


def test_daily_calls_are_607_until_midnight_in_chicago(make: Callable[..., Marketo]) -> None:
    """The day ends at 05:00 UTC in summer."""
    marketo = make(daily_calls=3)
    assert codes(marketo, 4) == ["", "", "", "607"]
    marketo.clock.advance(11 * 3600 - 1)
    marketo.sign_in()
    assert codes(marketo, 1) == ["607"]
    marketo.clock.advance(1)
    assert codes(marketo, 1) == [""]


def test_daily_calls_end_an_hour_later_in_fixed_cst(make: Callable[..., Marketo]) -> None:
    """The other reading of the pages: 06:00 UTC all year."""
    marketo = make(daily_calls=3, reset_timezone="fixed_cst")
    codes(marketo, 3)
    marketo.clock.advance(11 * 3600)
    marketo.sign_in()
    assert codes(marketo, 1) == ["607"]
    marketo.clock.advance(3600)
    marketo.sign_in()
    assert codes(marketo, 1) == [""]


def test_eleventh_call_in_flight_is_615(make: Callable[..., Marketo]) -> None:
    """Ten at once are let in; the text is the one seen on the wire."""
    marketo = make()
    barrier = Barrier(11)
    marketo.emulator.application._sleep = lambda _: barrier.wait(60)  # noqa: SLF001 - holds calls
    marketo.emulator.faults.add(Fault(operation="channels.browse", delay_seconds=1, times=10))
    threads = [Thread(target=marketo.get, args=(CHEAP,)) for _ in range(10)]
    for thread in threads:
        thread.start()
    while marketo.emulator.application.world.limits.in_flight < 10:
        time.sleep(0.001)
    reply = marketo.get(CHEAP)
    barrier.wait(60)
    for thread in threads:
        thread.join()
    assert refusal(reply) == ("615", "Concurrent access limit '10' reached")
    assert marketo.get(CHEAP)["success"] is True
    assert max(entry.concurrency for entry in marketo.emulator.requests) == 10


@pytest.mark.parametrize("code", ["601", "602", "604", "605", "608", "611"])
def test_starred_codes_do_not_count(make: Callable[..., Marketo], code: str) -> None:
    """A call answered with one of them uses up neither rate nor day."""
    marketo = make(max_calls_per_window=1, daily_calls=2)
    marketo.emulator.faults.add(Fault(operation="channels.browse", code=code, times=5))
    assert codes(marketo, 6) == [code] * 5 + [""]


@pytest.mark.parametrize("code", ["603", "610", "713"])
def test_other_codes_count(make: Callable[..., Marketo], code: str) -> None:
    """Every other error is a call like any."""
    marketo = make(max_calls_per_window=2)
    marketo.emulator.faults.add(Fault(operation="channels.browse", code=code, times=2))
    assert codes(marketo, 3) == [code, code, "606"]


def test_place_is_free_before_the_answer_is_complete(make: Callable[..., Marketo]) -> None:
    """A client that has read its answer is no longer in flight."""
    marketo = make(max_concurrent_calls=1)
    export_id = marketo.create(["leadId"], programId=1001)
    marketo.enqueue(export_id)
    marketo.clock.advance(600)
    reply = marketo.wire.get(
        f"/bulk/v1/program/members/export/{export_id}/file.json",
        headers={"Authorization": f"Bearer {marketo.token}"},
    )
    assert next(iter(reply.response))
    assert marketo.get(CHEAP)["success"] is True
    reply.close()


def test_others_can_use_up_the_day(make: Callable[..., Marketo]) -> None:
    """The quota is that of the instance, not of one client."""
    marketo = make(daily_calls=10)
    marketo.emulator.others_use(calls=10)
    assert codes(marketo, 1) == ["607"]

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketo_bulk.clock import Clock
from marketo_bulk.errors import (
    Answer,
    LostReplyError,
    MarketoBulkError,
    MarketoFault,
    RejectedError,
    ServiceUnavailableError,
)
from marketo_bulk.http.error_codes import error_for_answer
from marketo_bulk.http.protocol import Repeat, Request
from marketo_bulk.http.retries import Retries
from tests.client.scripted import SleepClock

if TYPE_CHECKING:
    from collections.abc import Callable

READ = Request("GET", "/x.json", "list programs")
CREATE = Request("POST", "/x.json", "create export", repeat=Repeat.HARMLESS)
IMPORT = Request("POST", "/x.json", "import a file", repeat=Repeat.NEVER)


def fault(code: str) -> MarketoBulkError:
    """Return the error of a code."""
    return error_for_answer("", Answer("op", (MarketoFault(code, "why"),), "a#1", 200))


def waits(retries: Retries, clock: SleepClock, code: str, request: Request = READ) -> list[float]:
    """Wait until patience ends and return how long each wait was."""
    before = len(clock.slept)
    while True:
        try:
            retries.wait_or_raise(fault(code), request)
        except MarketoBulkError:  # noqa: PERF203 - retries are tries in a loop
            return clock.slept[before:]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("1003", []),
        ("1016", []),
        ("607", []),
        ("500", [1, 2, 4]),
        ("611", [1, 2, 4, 8, 16, 32, 60, 60, 60]),
        ("606", [20] * 15),
        ("4711", [2, 4]),
        ("1014", [2, 4]),
    ],
)
def test_waits_are_the_documented_ones(
    clock: SleepClock, paused: Clock, code: str, expected: list[float]
) -> None:
    """Each code is waited for in its own way, and none longer than the bound of 300 s."""
    assert expected == waits(Retries(300, paused), clock, code)


def test_concurrency_limit_is_waited_for_briefly(clock: SleepClock, paused: Clock) -> None:
    """A14: 615 passes within seconds, so its waits do not grow."""
    slept = waits(Retries(300, paused), clock, "615")
    assert (slept[:3], len(slept)) == ([1, 2, 2], 99)


@given(st.floats(0, 0.999), st.sampled_from(["611", "606", "615", "500", "4711"]))
def test_waits_are_stretched_by_chance_and_bounded(chance: float, code: str) -> None:
    """Dice only lengthen a wait, and no sum of waits passes the bound."""
    plain_clock, clock = SleepClock(), SleepClock()
    plain = waits(Retries(300, Clock(plain_clock, plain_clock.sleep, lambda: 0)), plain_clock, code)
    slept = waits(Retries(300, Clock(clock, clock.sleep, lambda: chance)), clock, code)
    assert all(short <= long <= 2.5 * short for short, long in zip(plain, slept, strict=False))
    assert sum(slept) <= 300


def test_no_patience_at_all(clock: SleepClock, paused: Clock) -> None:
    """With max_retry_seconds 0 nothing is tried twice."""
    assert waits(Retries(0, paused), clock, "611") == []


def test_attempts_end_even_if_the_clock_stands_still(clock: SleepClock) -> None:
    """Seconds are the bound that counts, attempts the one that always holds."""
    slept: list[float] = []
    retries = Retries(300, Clock(lambda: 0.0, slept.append, lambda: 0.0))
    for _ in range(99):
        retries.wait_or_raise(fault("611"), READ)
    with pytest.raises(ServiceUnavailableError):
        retries.wait_or_raise(fault("611"), READ)
    assert len(slept) == 99


def test_error_says_how_often_and_how_long(clock: SleepClock, paused: Clock) -> None:
    """Whoever reads the error knows that waiting was tried."""
    retries = Retries(300, paused)
    for _ in range(3):
        retries.wait_or_raise(fault("500"), READ)
    with pytest.raises(ServiceUnavailableError, match="after 4 attempts in 7 s"):
        retries.wait_or_raise(fault("500"), READ)


@pytest.mark.parametrize(
    ("error", "request_made", "expected"),
    [
        (lambda: fault("611"), IMPORT, LostReplyError),
        (lambda: fault("502"), IMPORT, LostReplyError),
        (lambda: ServiceUnavailableError("reset"), IMPORT, LostReplyError),
        (lambda: ServiceUnavailableError("refused", never_sent=True), IMPORT, None),
        (lambda: fault("606"), IMPORT, None),
        (lambda: fault("608"), IMPORT, None),
        (lambda: fault("4711"), IMPORT, RejectedError),
        (lambda: fault("4711"), CREATE, RejectedError),
        (lambda: fault("611"), CREATE, None),
        (lambda: ServiceUnavailableError("reset"), CREATE, None),
        (lambda: fault("4711"), READ, None),
    ],
)
def test_what_is_tried_again_depends_on_the_request(
    clock: SleepClock,
    paused: Clock,
    error: Callable[[], MarketoBulkError],
    request_made: Request,
    expected: type[MarketoBulkError] | None,
) -> None:
    """What must not be done twice is only repeated when it was surely not done once."""
    retries = Retries(300, paused)
    if expected is None:
        retries.wait_or_raise(error(), request_made)
        assert len(clock.slept) == 1
    else:
        with pytest.raises(expected):
            retries.wait_or_raise(error(), request_made)
        assert clock.slept == []


def test_reason_is_logged_once(
    caplog: pytest.LogCaptureFixture, clock: SleepClock, paused: Clock
) -> None:
    """A long wait is one line for each reason, and says how long."""
    retries = Retries(300, paused)
    with caplog.at_level(logging.INFO):
        for code in ("606", "606", "611", "606", "611"):
            retries.wait_or_raise(fault(code), READ)
    expected = [
        f"list programs: {reason} (requestId a#1), retried in {seconds} s, for at most 300 s"
        for reason, seconds in (
            ("RateLimitedError:606", 20.0),
            ("ServiceUnavailableError:611", 1.0),
        )
    ]
    assert expected == caplog.messages

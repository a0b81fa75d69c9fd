from __future__ import annotations

import threading
from collections import deque
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketo_bulk.clock import Clock
from marketo_bulk.http.rate_limiter import RateLimiter
from marketo_bulk.limits import CONCURRENCY_PENALTY_SECONDS, PACING_WINDOW_SECONDS
from tests.client.scripted import SleepClock

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE_SECONDS = 60
"""Longer than any healthy machine needs; only a test that fails waits so long."""


def call_times(rate_limiter: RateLimiter, clock: SleepClock, pauses: list[float]) -> list[float]:
    """Make a call after each pause and return when each went through."""
    times = []
    for pause in pauses:
        clock.sleep(pause)
        with rate_limiter.place():
            times.append(clock.now)
    return times


def test_calls_within_the_limit_are_not_delayed(clock: SleepClock, paused: Clock) -> None:
    """As many calls as allowed go through at once."""
    rate_limiter = RateLimiter(50, 5, paused)
    assert call_times(rate_limiter, clock, [0.0] * 50) == [1000.0] * 50


def test_call_beyond_the_limit_waits_for_the_window(clock: SleepClock, paused: Clock) -> None:
    """One call more waits until the first has left the window, and no longer."""
    rate_limiter = RateLimiter(3, 5, paused)
    times = call_times(rate_limiter, clock, [0, 4, 4, 4, 0])
    assert times == [1000.0, 1004.0, 1008.0, 1020.5, 1024.5]


@given(
    st.integers(1, 5),
    st.lists(st.floats(0, 30, allow_nan=False), min_size=1, max_size=40),
)
def test_no_window_ever_holds_more_than_the_limit(limit: int, pauses: list[float]) -> None:
    """Whatever the pauses, a call and the one `limit` before it are a window apart."""
    clock = SleepClock()
    rate_limiter = RateLimiter(limit, 5, Clock(clock, clock.sleep, lambda: 0.0))
    times = call_times(rate_limiter, clock, pauses)
    apart = [later - earlier for earlier, later in zip(times, times[limit:], strict=False)]
    assert all(seconds >= PACING_WINDOW_SECONDS - 2e-3 for seconds in apart)


def test_hold_delays_every_call(clock: SleepClock, paused: Clock) -> None:
    """After a 606 nothing is sent until the window has passed."""
    rate_limiter = RateLimiter(50, 5, paused)
    rate_limiter.hold(20)
    rate_limiter.hold(5)
    assert call_times(rate_limiter, clock, [0, 0]) == [1020.0, 1020.0]


class Crowd:
    """Threads that each take a place and keep it until told."""

    def __init__(self, rate_limiter: RateLimiter) -> None:
        self._rate_limiter = rate_limiter
        self._gates: deque[threading.Event] = deque()
        self._changed = threading.Condition()
        self._threads: list[threading.Thread] = []
        self.inside = 0
        self.most_inside = 0

    def join_in(self) -> None:
        """Send one more thread for a place."""
        thread = threading.Thread(target=self._take_place)
        self._threads.append(thread)
        thread.start()

    def _take_place(self) -> None:
        with self._rate_limiter.place():
            gate = threading.Event()
            with self._changed:
                self._gates.append(gate)
                self.inside += 1
                self.most_inside = max(self.most_inside, self.inside)
                self._changed.notify_all()
            assert gate.wait(PATIENCE_SECONDS)
            with self._changed:
                self.inside -= 1

    def wait_until(self, claim: Callable[[], bool]) -> bool:
        """Wait for a claim to become true, and tell whether it did."""
        with self._changed:
            return self._changed.wait_for(claim, timeout=PATIENCE_SECONDS)

    def let_one_go(self) -> None:
        """Have the first comer give its place back."""
        with self._changed:
            self._changed.wait_for(lambda: bool(self._gates), timeout=PATIENCE_SECONDS)
            self._gates.popleft().set()

    def empty(self) -> None:
        """Have all of them come and go."""
        for _ in self._threads:
            self.let_one_go()
        for thread in self._threads:
            thread.join(PATIENCE_SECONDS)
            assert not thread.is_alive()


def test_no_more_calls_at_once_than_places(paused: Clock) -> None:
    """Eight threads and three places: never more than three calls, and all get their turn."""
    crowd = Crowd(RateLimiter(50, 3, paused))
    for _ in range(8):
        crowd.join_in()
    assert crowd.wait_until(lambda: crowd.inside == 3)
    crowd.empty()
    assert crowd.most_inside == 3


def test_narrowing_takes_a_place_away_for_a_while(clock: SleepClock, paused: Clock) -> None:
    """A14: after a 615 there is one place less, never none, and in time all of them again."""
    rate_limiter = RateLimiter(50, 2, paused)
    for _ in range(4):
        rate_limiter.narrow()
    crowd = Crowd(rate_limiter)
    for _ in range(3):
        crowd.join_in()
    assert crowd.wait_until(lambda: crowd.inside == 1)
    crowd.empty()
    assert crowd.most_inside == 1

    clock.sleep(CONCURRENCY_PENALTY_SECONDS)
    crowd = Crowd(rate_limiter)
    for _ in range(3):
        crowd.join_in()
    assert crowd.wait_until(lambda: crowd.inside == 2)
    crowd.empty()


def test_place_is_given_back_after_an_error(paused: Clock) -> None:
    """A call that fails does not keep its place."""
    rate_limiter = RateLimiter(50, 1, paused)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), rate_limiter.place():
            raise ZeroDivisionError


def test_waiting_happens_outside_the_lock(clock: SleepClock) -> None:
    """While one thread sleeps others can begin to, and still only one goes through in a window."""
    slept: list[float] = []
    asleep = threading.Semaphore(0)
    go_on = threading.Event()

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        asleep.release()
        assert go_on.wait(PATIENCE_SECONDS)
        clock.sleep(seconds)

    rate_limiter = RateLimiter(1, 5, Clock(clock, sleep, lambda: 0.0))
    times: list[float] = []

    def call() -> None:
        with rate_limiter.place():
            times.append(clock.now)

    call()
    threads = [threading.Thread(target=call) for _ in range(2)]
    for thread in threads:
        thread.start()
        assert asleep.acquire(timeout=PATIENCE_SECONDS)
    go_on.set()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    assert slept[:2] == [20.5, 20.5]
    assert len(times) == 3
    assert all(later - earlier >= 20.5 for earlier, later in pairwise(times))


def test_calls_held_back_count_from_when_they_are_made(clock: SleepClock) -> None:
    """A 606 that comes while calls wait for their turn does not let them out twice as fast."""
    hold_once = iter([True])

    def sleep(seconds: float) -> None:
        if next(hold_once, False):
            rate_limiter.hold(60)
        clock.sleep(seconds)

    rate_limiter = RateLimiter(2, 5, Clock(clock, sleep, lambda: 0.0))
    assert call_times(rate_limiter, clock, [0] * 5) == [1000.0, 1000.0, 1060.0, 1060.0, 1080.5]


def test_coarse_clock_is_not_waited_for_for_ever() -> None:
    """A clock that shows whole microseconds never shows the moment that a float stands for."""
    now = [1 / 3]

    def sleep(seconds: float) -> None:
        now[0] = round(now[0] + seconds, 6)

    rate_limiter = RateLimiter(1, 5, Clock(lambda: now[0], sleep, lambda: 0.0))
    for _ in range(50):
        with rate_limiter.place():
            pass
    assert now[0] == pytest.approx(49 * 20.5, abs=0.5)

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from marketo_bulk.errors import MarketoBulkError, ServiceUnavailableError
from marketo_bulk.http.auth import AccessToken, TokenKeeper

if TYPE_CHECKING:
    from collections.abc import Callable

    from marketo_bulk.clock import Clock
    from tests.client.scripted import SleepClock


class Identity:
    """Hands out what it is told, and counts."""

    def __init__(self, clock: SleepClock, *tokens: tuple[str, float]) -> None:
        self._clock = clock
        self._tokens = list(tokens)
        self.asked = 0

    def __call__(self) -> AccessToken:
        """Return the next token."""
        self.asked += 1
        value, left = self._tokens.pop(0)
        return AccessToken(value, left, self._clock.now + max(left, 10))


def test_token_is_asked_for_once_while_it_lives(clock: SleepClock, paused: Clock) -> None:
    """One token serves all calls until its time is up."""
    identity = Identity(clock, ("a", 3599), ("b", 3600))
    keeper = TokenKeeper(identity, paused)
    first = [keeper.current().value for _ in range(5)]
    clock.sleep(3599)
    assert ([*"aaaaa", "b"], 2) == ([*first, keeper.current().value], identity.asked)


@pytest.mark.parametrize("left", [2.0, 0.0], ids=["A3", "A4"])
def test_dying_token_is_no_tight_loop(clock: SleepClock, paused: Clock, left: float) -> None:
    """A token with no life left is used for ten seconds before another is asked for."""
    identity = Identity(clock, ("a", left), ("a", left), ("b", 3600))
    keeper = TokenKeeper(identity, paused)
    for _ in range(20):
        keeper.current()
        clock.sleep(1)
    assert identity.asked == 2


def test_refused_token_is_replaced(clock: SleepClock, paused: Clock) -> None:
    """A10: whoever revoked it, the next token is asked for at once."""
    identity = Identity(clock, ("a", 3599), ("b", 3600))
    keeper = TokenKeeper(identity, paused)
    assert keeper.renew(keeper.current()).value == "b"
    assert (keeper.current().value, clock.slept) == ("b", [])


def test_token_refused_long_ago_is_not_replaced_again(clock: SleepClock, paused: Clock) -> None:
    """A thread that comes late takes what another thread has brought."""
    identity = Identity(clock, ("a", 3599), ("b", 3600))
    keeper = TokenKeeper(identity, paused)
    refused = keeper.current()
    keeper.renew(refused)
    assert (keeper.renew(refused).value, identity.asked) == ("b", 2)


def test_dying_token_handed_out_again_is_waited_for(clock: SleepClock, paused: Clock) -> None:
    """A3: asking early brings the same token back; its end is awaited once."""
    identity = Identity(clock, ("a", 3599), ("a", 2), ("b", 3600))
    keeper = TokenKeeper(identity, paused)
    assert keeper.renew(keeper.current()).value == "b"
    assert (identity.asked, clock.slept) == (3, [3])


def test_same_token_for_ever_is_not_waited_for_for_ever(clock: SleepClock, paused: Clock) -> None:
    """A5: after one wait the same token is given back, to fail where it is used."""
    identity = Identity(clock, ("a", 0), ("a", 0), ("a", 0))
    keeper = TokenKeeper(identity, paused)
    assert keeper.renew(keeper.current()).value == "a"
    assert (identity.asked, clock.slept) == (3, [1])


def test_living_token_handed_out_again_is_used(clock: SleepClock, paused: Clock) -> None:
    """A refusal of a token that lives is told to the caller by the next refusal, not by a wait."""
    identity = Identity(clock, ("a", 3599), ("a", 3590))
    keeper = TokenKeeper(identity, paused)
    assert keeper.renew(keeper.current()).value == "a"
    assert clock.slept == []


def together(count: int, act: Callable[[], object]) -> list[object]:
    """Run act in so many threads that all start at the same moment."""
    barrier = threading.Barrier(count)

    def started() -> object:
        barrier.wait(60)
        try:
            return act()
        except MarketoBulkError as error:
            return error

    with ThreadPoolExecutor(count) as pool:
        futures = [pool.submit(started) for _ in range(count)]
        return [future.result(60) for future in futures]


def test_eight_threads_renew_once(clock: SleepClock, paused: Clock) -> None:
    """A6: eight refusals at once lead to one call, even when it brings the same token."""
    identity = Identity(clock, ("a", 3599), ("a", 3590))
    keeper = TokenKeeper(identity, paused)
    refused = keeper.current()
    renewed = together(8, lambda: keeper.renew(refused))
    assert (identity.asked, len({id(token) for token in renewed})) == (2, 1)


def test_failure_is_shared_with_those_who_waited(clock: SleepClock, paused: Clock) -> None:
    """Threads waiting for a token do not each go through all the retries again."""
    asked = []
    others_wait = threading.Event()

    def ask() -> AccessToken:
        asked.append(1)
        others_wait.wait(0.05)
        raise ServiceUnavailableError("down")

    keeper = TokenKeeper(ask, paused)
    failures = together(6, keeper.current)
    assert len(asked) < 6
    assert {"ServiceUnavailableError"} == {type(failure).__name__ for failure in failures}
    with pytest.raises(ServiceUnavailableError):
        keeper.current()

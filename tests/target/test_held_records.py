"""Records held back for their sets of properties: when they are let go, and in which order."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_marketo_bulk.records.held_records import (
    CELLS_MAX,
    GROUP_RECORDS,
    HELD_MAX_SECONDS,
    HeldRecords,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

Record = dict[str, Any]


class Taker:
    """Takes groups, and knows the records of each lookup value in the order taken."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.records: list[Record] = []
        self.plans: defaultdict[str, list[int]] = defaultdict(list)

    def __call__(self, plan: Any, records: Sequence[Record]) -> None:
        """Take a group."""
        self.sizes.append(len(records))
        self.records += records
        for record in records:
            assert record["plan"] == plan
            self.plans[record["email"]].append(record["number"])


class Seconds:
    """A clock that is set."""

    now = 7.0

    def __call__(self) -> float:
        """Return the seconds."""
        return self.now


def held_of(records: Sequence[tuple[int, str]]) -> list[tuple[Any, str, Record]]:
    """Return records of plans, each with its lookup value."""
    return [
        (plan, email, {"plan": plan, "email": email, "number": number})
        for number, (plan, email) in enumerate(records)
    ]


@given(
    chunks=st.lists(
        st.lists(st.tuples(st.integers(0, 3), st.sampled_from("abcdef")), max_size=80), max_size=6
    )
)
def test_each_record_is_let_go_once_and_those_of_a_lookup_value_in_their_order(
    chunks: list[list[tuple[int, str]]],
) -> None:
    """Whatever sets of properties take turns."""
    taker, held = Taker(), HeldRecords(Seconds())
    numbered = held_of([each for chunk in chunks for each in chunk])
    start = 0
    for chunk in chunks:
        held.hold(numbered[start : start + len(chunk)], taker)
        start += len(chunk)
    held.release()
    assert sorted(record["number"] for record in taker.records) == list(range(len(numbered)))
    assert all(numbers == sorted(numbers) for numbers in taker.plans.values())


def test_sets_that_take_turns_become_groups() -> None:
    """As many in each as are worth being turned into rows together."""
    taker, held = Taker(), HeldRecords(Seconds())
    held.hold(held_of([(n % 3, f"{n}@example.com") for n in range(9 * GROUP_RECORDS)]), taker)
    assert taker.sizes == [GROUP_RECORDS] * 9


@pytest.mark.slow
def test_no_more_is_held_than_the_memory_allows() -> None:
    """However many sets of properties there are."""
    taker, held = Taker(), HeldRecords(Seconds())
    records = CELLS_MAX  # of three values each
    held.hold(held_of([(n, f"{n}@example.com") for n in range(records)]), taker)
    assert len(taker.records) >= records - CELLS_MAX / 3


@pytest.mark.parametrize(("seconds", "is_let_go"), [(HELD_MAX_SECONDS, True), (0.1, False)])
def test_a_tap_that_is_silent_leaves_nothing_held(seconds: float, *, is_let_go: bool) -> None:
    """The age of the first counts."""
    clock = Seconds()
    taker, held = Taker(), HeldRecords(clock)
    held.hold(held_of([(1, "a"), (2, "b")]), taker)
    clock.now += seconds
    held.release_old()
    assert bool(taker.records) is is_let_go


def test_records_of_another_sink_wait_for_those_held() -> None:
    """Files of two destinations are ordered by when they were begun."""
    first, second, held = Taker(), Taker(), HeldRecords(Seconds())
    held.hold(held_of([(1, "a"), (2, "b")]), first)
    held.hold(held_of([(3, "a")]), second)
    assert len(first.records) == 2
    assert not second.records

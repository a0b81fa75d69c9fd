"""Whole loads under random fault schedules; `target_soak.py` plays more of them, and replays one.

Every line of `tests/faults/mutations.py` that names this file breaks the target in a way these
schedules notice within the first hundred or so.
"""

from __future__ import annotations

import gc
import threading
from typing import TYPE_CHECKING

import pytest

from tests.simulation.schedule import Schedule
from tests.target_simulation.schedules import draw_schedule
from tests.target_simulation.target_shrinking import shrunk
from tests.target_simulation.target_soak import BLOCK, play_block

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEDULES = 2_000

# A process that dies closes nothing: here its files are closed when they are collected.
pytestmark = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning"
)


@pytest.fixture(autouse=True)
def _files_of_the_dead_are_closed() -> Iterator[None]:
    """Collect them before another test does, in which their warning would be a failure."""
    yield
    # One that was told to stop is held by its timer, which the real clock would end in seconds.
    for thread in threading.enumerate():
        if isinstance(thread, threading.Timer):
            thread.cancel()
            thread.join()
    gc.collect()


@pytest.mark.no_cover  # which would take longer than the schedules do
@pytest.mark.parametrize("first", range(0, SCHEDULES, BLOCK))
def test_every_row_is_accounted_for_after_every_schedule(first: int) -> None:
    """The leads are exact, every reject is told of, no STATE came early, no import is ownerless."""
    played = play_block(first, BLOCK)
    assert {seed: outcome.findings for seed, outcome in played if outcome.findings} == {}
    # Faults that never strike and kills that never come would prove nothing.
    assert sum(outcome.interrupted for _, outcome in played) > BLOCK // 2
    assert sum(outcome.disturbances for _, outcome in played) > BLOCK


def test_warnings_that_marketo_neither_counts_nor_has_a_file_of_are_nobodys_fault() -> None:
    """Its count cannot be read, and 404 says that there are none."""
    assert play_block(5_003_122, 1)[0][1].findings == []


def test_a_target_seed_is_the_same_schedule_for_ever_and_travels_as_json() -> None:
    """A failing seed can be replayed alone, anywhere."""
    schedule = draw_schedule(7)
    assert schedule == draw_schedule(7) != draw_schedule(8)
    assert schedule == Schedule.from_json(schedule.to_json())


def test_playing_a_target_schedule_twice_comes_to_the_same() -> None:
    """Nothing depends on the machine's time or on chance."""
    assert play_block(11, 3) == play_block(11, 3)


def test_shrinking_keeps_what_makes_a_target_schedule_fail() -> None:
    """Everything else goes, messages as well."""
    schedule = next(s for s in map(draw_schedule, range(99)) if s.runs[-1].kill and s.events)

    def fails(candidate: Schedule) -> bool:
        records = [m for m in candidate.world["messages"] if m["type"] == "RECORD"]
        return bool(records) and any(run.kill for run in candidate.runs)

    smallest = shrunk(schedule, fails)
    kinds = [message["type"] for message in smallest.world["messages"]]
    assert (len(smallest.runs), smallest.runs[0].faults, smallest.events) == (1, (), ())
    assert kinds == ["SCHEMA", "RECORD", "STATE"]

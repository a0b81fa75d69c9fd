"""Whole syncs under random fault schedules; `soak.py` plays more of them, and replays one."""

from __future__ import annotations

import pytest

from tests.simulation.schedule import Schedule, draw_schedule
from tests.simulation.shrinking import shrunk
from tests.simulation.simulation import Outcome
from tests.simulation.soak import BLOCK, play_block

SCHEDULES = 2_000

# What schedules are there for. A kind that is never met would prove nothing.
MET = (
    "add_program",
    "exhaust",
    "forget",
    "walk of the list of programs handed on",
    "look handed on by STATE",
    "programs skipped",
    "rename",
    "bookmark of another tap, ahead of the clock",
    "calls",
    "export_bytes",
    "job handed on by STATE",
    "left the window of a job processing",
    "left the window of a job queued",
    "queue",
    "remove_program",
    "restart from the STATE before the last",
    "run ended by DailyQuotaExceededError",
    "run ended by KilledError",
    "run ended by SystemExit",
    "told to read everything once more",
    "touch_late",
    # Of streams beside members:
    "act",
    "act_late",
    "delete_lead",
    "field selected later",
    "forbid",
    "merge_leads",
    "new_leads",
    "put_objects",
    "record of activities",
    "record of activity_types",
    "record of channels",
    "record of custom_object_car_c",
    "record of custom_object_purchaseHistory",
    "record of custom_object_trackSubscription_c",
    "record of deleted_leads",
    "record of leads",
    "record of programs",
    "remove_object",
    "write_custom_field",
    "write_leads",
    "write_leads_late",
)


@pytest.mark.no_cover  # which would take longer than the schedules do
@pytest.mark.parametrize("first", range(0, SCHEDULES, BLOCK))
def test_the_table_equals_marketo_after_every_schedule(first: int) -> None:
    """Nothing lost, nothing invented, no limit broken, no job forgotten, whatever goes wrong."""
    played = play_block(first, BLOCK)
    assert {seed: outcome.findings for seed, outcome in played if outcome.findings} == {}
    total = Outcome()
    for _, outcome in played:
        total.add(outcome)
    # Faults that never strike and kills that never come would prove nothing.
    assert total.interrupted > BLOCK // 2
    assert total.disturbances > 2 * BLOCK
    assert [what for what in MET if not total.seen[what]] == []


def test_a_seed_is_the_same_schedule_for_ever_and_travels_as_json() -> None:
    """A failing seed can be replayed alone, anywhere."""
    schedule = draw_schedule(7)
    assert schedule == draw_schedule(7) != draw_schedule(8)
    assert schedule == Schedule.from_json(schedule.to_json())


def test_playing_a_schedule_twice_comes_to_the_same() -> None:
    """Nothing depends on the machine's time or on chance."""
    assert play_block(11, 1) == play_block(11, 1)


def test_shrinking_keeps_what_makes_a_schedule_fail() -> None:
    """Everything else goes."""
    schedule = next(s for s in map(draw_schedule, range(99)) if s.runs[-1].kill and s.events)
    smallest = shrunk(schedule, lambda s: any(run.kill for run in s.runs))
    assert (len(smallest.runs), smallest.runs[0].faults, smallest.events) == (1, (), ())
    assert smallest.runs[0].kill is not None

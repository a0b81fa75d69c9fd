"""Scopes whose bookmarks lie about as far back share a job, and a busy one is not read for long."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from tap_marketo_bulk.streams.program_members import ProgramMembers
from tap_marketo_bulk.sync.alignment import FACTOR, SHORT, aligned
from tap_marketo_bulk.sync.plan import PlanRules, plan_units

NAMES = ProgramMembers.names
END = datetime(2026, 11, 20, 5, tzinfo=timezone.utc)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
RULES = PlanRules(NAMES, END, 31 * DAY)


def minutes_ago(*ages: int) -> dict[int, datetime | None]:
    """Return scopes with bookmarks of these ages."""
    return {number: END - age * MINUTE for number, age in enumerate(ages, 1001)}


def jobs(starts: dict[int, datetime | None], rules: PlanRules = RULES) -> list[tuple[int, ...]]:
    """Return the scopes of each job."""
    moved = aligned(starts, starts.keys(), rules)
    return sorted(unit.scope for unit in plan_units(moved, rules))


def test_ten_programs_with_bookmarks_of_their_own_cost_one_job() -> None:
    """As they do after ten runs that have chosen one each."""
    assert jobs(minutes_ago(*range(20, 120, 10))) == [tuple(range(1001, 1011))]


def test_150_programs_of_all_ages_cost_hardly_more_than_15_jobs() -> None:
    """From ten minutes to a week are three steps of the factor."""
    assert len(jobs(minutes_ago(*(10 + 67 * n for n in range(150))))) <= 15 + 3


def test_a_busy_program_is_not_exported_for_a_week_because_of_a_quiet_one() -> None:
    """Its week may be most of the day's megabytes."""
    assert jobs(minutes_ago(10, 10_000)) == [(1001,), (1002,)]


def test_a_program_without_a_bookmark_stays_as_it_is() -> None:
    """Its first windows are those of the grid."""
    starts = minutes_ago(10, 20)
    assert aligned(starts, {1001}, RULES) == starts
    assert aligned({1: None}, (), RULES) == {1: None}


def test_nothing_is_read_from_before_start_date_because_of_another_program() -> None:
    """Rows older than that are not asked for."""
    rules = PlanRules(NAMES, END, 31 * DAY, start_date=END - 15 * MINUTE)
    assert jobs(minutes_ago(10, 20), rules) == [(1001,), (1002,)]


@given(st.lists(st.integers(1, 45_000), max_size=60))
def test_none_is_read_from_later_on_and_none_from_much_earlier(ages: list[int]) -> None:
    """Nothing is lost, and what comes twice is bounded."""
    starts = minutes_ago(*ages)
    moved = aligned(starts, starts.keys(), RULES)
    assert starts.keys() == moved.keys()
    for scope_id, before in starts.items():
        after = moved[scope_id]
        assert before is not None
        assert after is not None
        assert after <= before
        assert END - after <= max(SHORT, FACTOR * (END - before))

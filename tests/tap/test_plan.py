"""The plan covers every program from where it stands to the end of the run."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_marketo_bulk.streams.program_members import ProgramMembers
from tap_marketo_bulk.sync.plan import (
    MARKETO_BEGAN,
    PlanRules,
    Scope,
    Unit,
    plan_units,
    plan_whole,
    starting_points,
)
from tap_marketo_bulk.sync.windows import Window

NAMES = ProgramMembers.names
END = datetime(2026, 11, 20, 5, tzinfo=timezone.utc)
DAY = timedelta(days=1)
MONTH = 31 * DAY
START = END - 365 * DAY
RULES = PlanRules(NAMES, END, MONTH, START)


def plan(programs: list[Scope], marks: dict[int, datetime], rules: PlanRules) -> list[Unit]:
    """Return the units of a run that adopts nothing."""
    return plan_units(starting_points(programs, marks, rules), rules)


def old_programs(count: int) -> list[Scope]:
    """Return programs older than any window."""
    return [Scope(1000 + n, START - 100 * DAY) for n in range(count)]


def test_25_programs_and_12_windows_cost_36_jobs() -> None:
    """Programs go ten to a job, windows one to a job."""
    units = plan(old_programs(25), {}, RULES)
    assert len(units) == 3 * 12
    assert {10, 5} == {len(u.scope) for u in units}


def test_units_come_oldest_window_first() -> None:
    """A run that is stopped has moved all bookmarks about as far."""
    units = plan(old_programs(25), {}, RULES)
    starts = [u.window.start for u in units if u.window]
    assert sorted(starts) == starts


def test_a_program_made_yesterday_costs_one_window() -> None:
    """No window ends before a program was created, less a day."""
    (unit,) = plan([Scope(7, END - DAY)], {}, RULES)
    assert unit.window is not None
    assert unit.window.end == END


def test_a_young_program_rides_along_in_a_batch_of_older_ones() -> None:
    """Ten programs of any age cost one job per window, never one per program."""
    programs = [Scope(n, START + n * 30 * DAY) for n in range(10)]
    units = plan(programs, {}, RULES)
    assert len(units) == 12
    assert list(range(10)) == list(units[-1].scope)


def test_without_start_date_new_programs_are_taken_whole() -> None:
    """One job per ten programs, without a window."""
    units = plan(old_programs(25), {}, PlanRules(NAMES, END, MONTH))
    assert [(len(u.scope), u.window) for u in units] == [(10, None), (10, None), (5, None)]


def test_snapshot_backfill_drops_rows_before_start_date_here() -> None:
    """The whole membership is extracted once, and older rows are dropped after download."""
    units = plan(old_programs(3), {}, PlanRules(NAMES, END, MONTH, START, snapshot=True))
    assert [(u.window, u.keep_from) for u in units] == [(None, START)]


def test_programs_of_one_bookmark_share_jobs() -> None:
    """After a complete run, an incremental one costs a job per ten programs."""
    programs = old_programs(25)
    marks = dict.fromkeys((p.scope_id for p in programs), END - DAY)
    assert len(plan(programs, marks, RULES)) == 3


def test_nothing_is_planned_when_bookmarks_have_reached_the_end() -> None:
    """Two runs within a minute do not ask Marketo twice."""
    programs = old_programs(3)
    assert plan(programs, dict.fromkeys((1000, 1001, 1002), END), RULES) == []


ANCIENT = (1, 999, 1900, 1969)


@pytest.mark.parametrize("year", ANCIENT)
@pytest.mark.parametrize("start", [START, None])
def test_a_bookmark_before_a_program_was_created_costs_no_window(
    year: int, start: datetime | None
) -> None:
    """Only windows since the creation are asked for, whatever year a state names."""
    rules = PlanRules(NAMES, END, MONTH, start)
    programs = [Scope(1, END - 100 * DAY), Scope(2, END - DAY)]
    units = plan(programs, dict.fromkeys((1, 2), datetime(year, 1, 1, tzinfo=timezone.utc)), rules)
    windows = [u.window for u in units if u.window]
    assert len(units) == len(windows) <= 5
    assert END - 132 * DAY < windows[0].start <= END - 101 * DAY
    assert windows[-1].end == END


@pytest.mark.parametrize("year", ANCIENT)
@pytest.mark.parametrize("form", ["bookmark", "start_date"])
@pytest.mark.parametrize("created_at", [None, datetime(1, 1, 1, tzinfo=timezone.utc), END + MONTH])
def test_no_window_lies_before_marketo_began(
    year: int, form: str, created_at: datetime | None
) -> None:
    """Leads have no creation to go by, nor have programs with an odd one."""
    early = datetime(year, 1, 1, tzinfo=timezone.utc)
    rules = PlanRules(NAMES, END, MONTH, START if form == "bookmark" else early)
    units = plan([Scope(1, created_at)], {1: early} if form == "bookmark" else {}, rules)
    windows = [u.window for u in units if u.window]
    assert MARKETO_BEGAN - MONTH < windows[0].start <= MARKETO_BEGAN
    assert windows[-1].end == END


@given(
    st.dictionaries(
        st.integers(1, 60),
        st.tuples(st.integers(-50, 364), st.none() | st.integers(-40, 365)),
        max_size=40,
    ),
    st.integers(1, 31),
)
def test_every_program_is_covered_without_gap(
    ages: dict[int, tuple[int, int | None]], days: int
) -> None:
    """The windows of each program join from its start to the end, in order, ten ids at most."""
    rules = PlanRules(NAMES, END, days * DAY, START)
    programs = [Scope(p, START + created * DAY) for p, (created, _) in ages.items()]
    marks = {p: START + mark * DAY for p, (_, mark) in ages.items() if mark is not None}
    starts = starting_points(programs, marks, rules)
    covered: dict[int, list[Window]] = defaultdict(list)
    for unit in plan_units(starts, rules):
        assert 1 <= len(unit.scope) <= 10
        assert unit.window is not None
        assert unit.window.end - unit.window.start <= days * DAY
        for program in unit.scope:
            covered[program].append(unit.window)
    for program, start in starts.items():
        assert start is not None
        if start < END:
            borders = [w.start for w in covered[program]] + [covered[program][-1].end]
            assert borders == [start, *(w.end for w in covered[program])]
            assert borders[-1] == END


def test_a_unit_follows_an_older_unit_of_a_shared_program() -> None:
    """Records of a program are written in the order of its windows, others in any order."""
    older, newer = Unit(NAMES, 0, (1, 2)), Unit(NAMES, 1, (2, 3))
    assert [older.follows(newer), newer.follows(older)] == [False, True]
    assert not Unit(NAMES, 2, (9,)).follows(older)


def test_memberships_of_unknown_age_come_first() -> None:
    """A batch drops rows only up to the oldest moment of its programs."""
    units = plan_whole({1: END, 2: None, 3: START}, NAMES)
    assert [(u.scope, u.keep_from) for u in units] == [((2, 3, 1), None)]


def test_units_say_what_they_are_in_log_lines() -> None:
    """A log line names programs and window."""
    window = Window(START, START + DAY)
    assert (
        str(Unit(NAMES, 0, (5,), window))
        == "program 5, 2025-11-20T05:00:00Z to 2025-11-21T05:00:00Z"
    )
    assert str(Unit(NAMES, 0, (5, 6))) == "2 programs, all members"

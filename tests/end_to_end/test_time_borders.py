"""Borders in time: nothing falls between two windows, and what comes twice is counted.

A row comes twice only where Marketo's contract forces it: windows include both of their ends, so
that the second they share is read with each of them; and a job without a window holds what
changed behind the bookmark it leaves.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from marketo_emulator import Fault, VirtualClock
from tap_marketo_bulk.sync.windows import format_timestamp
from tests.tap_runs import NO_RATE_LIMIT, TapRun, members_of, moment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from marketo_emulator import Emulator
    from tests.virtual_runs import VirtualRuns

NOON = datetime(2026, 6, 15, 12, tzinfo=timezone.utc)
SETTLING = timedelta(seconds=60)
SECOND = timedelta(seconds=1)
PROGRAM = 1001

Row = tuple[int, int, str]


@pytest.fixture
def runs(
    make_emulator: Callable[..., Emulator], virtual: Callable[[Emulator], VirtualRuns]
) -> Callable[..., VirtualRuns]:
    """Return a function that gives the runs against an instance of one program and no members."""

    def make(start: datetime = NOON, **options: Any) -> VirtualRuns:
        plain: dict[str, Any] = {"programs": 1, "members": 0, "clock": VirtualClock(start)}
        return virtual(make_emulator(**{**plain, **options}))

    return make


def put(drill: VirtualRuns, *moments: datetime) -> None:
    """Add a member last changed at each of these moments."""
    for each in moments:
        drill.emulator.store.add_member(PROGRAM, updatedAt=format_timestamp(each))


def rows(*done: TapRun) -> Counter[Row]:
    """Return how often each state of each member was written."""
    return Counter(
        (r["programId"], r["leadId"], r["updatedAt"]) for run in done for r in run.records()
    )


def twice(*done: TapRun) -> list[str]:
    """Return when the rows that came more than once had changed; none came three times."""
    counted = rows(*done)
    assert max(counted.values(), default=0) <= 2
    return sorted(row[2] for row, count in counted.items() if count == 2)


def assert_whole(drill: VirtualRuns, *done: TapRun) -> None:
    """Hold the table of all runs against Marketo's."""
    table: dict[tuple[int, int], dict[str, Any]] = {}
    for run in done:
        table.update(run.table())
    assert members_of(drill.emulator) == table


def windows(drill: VirtualRuns) -> list[tuple[datetime, datetime]]:
    """Return the windows asked for, in order."""
    filters = [entry.body["filter"] for entry in drill.emulator.requests.of("export.create")]
    spans = [each["updatedAt"] for each in filters if "updatedAt" in each]
    return [(moment(span["startAt"]), moment(span["endAt"])) for span in spans]


def stamps(moments: Iterable[datetime]) -> list[str]:
    """Return moments as the wire has them."""
    return [format_timestamp(each) for each in moments]


# --- borders and the resolution of a second ----------------------------------------------------


def test_second_two_runs_share_is_read_twice_and_its_neighbours_once(
    runs: Callable[..., VirtualRuns],
) -> None:
    """Of changes one second before, in and after the border, only the one in it comes twice."""
    drill = runs()
    border = NOON - SETTLING
    put(drill, border - SECOND, border, border + SECOND)
    config = {"start_date": format_timestamp(NOON - timedelta(days=3))}
    first = drill.run(config)
    drill.emulator.advance(3600)
    second = drill.run(config, state=first.last_state)
    assert_whole(drill, first, second)
    assert stamps([border]) == twice(first, second)
    assert len(first.records()) == len(second.records()) == 2


def test_second_two_windows_of_a_run_share_is_read_twice_and_its_neighbours_once(
    runs: Callable[..., VirtualRuns],
) -> None:
    """The same inside one run, and nothing is outside its first and last second."""
    drill = runs()
    drill.emulator.store.remove_program(PROGRAM)
    program = drill.emulator.store.add_program(age_days=90).program_id
    start = NOON - timedelta(days=40)
    border = start + timedelta(days=31)
    for each in (start, border - SECOND, border, border + SECOND, NOON - SETTLING):
        drill.emulator.store.add_member(program, updatedAt=format_timestamp(each))
    run = drill.run({"start_date": format_timestamp(start)})
    assert_whole(drill, run)
    assert stamps([border]) == twice(run)
    assert windows(drill) == [(start, border), (border, NOON - SETTLING)]


def test_start_date_is_the_first_second(runs: Callable[..., VirtualRuns]) -> None:
    """A member changed in that second is written, one changed a second before is not."""
    drill = runs()
    start = NOON - timedelta(days=3)
    put(drill, start - SECOND, start)
    for backfill in ("windows", "snapshot"):
        run = drill.run({"start_date": format_timestamp(start), "backfill": backfill})
        assert stamps([start]) == [row["updatedAt"] for row in run.records()]


def test_nothing_is_lost_where_the_end_is_not_included(runs: Callable[..., VirtualRuns]) -> None:
    """Should Marketo read `endAt` as a bound outside of the window, the next window has it."""
    drill = runs(options=replace(NO_RATE_LIMIT, window_end_included=False))
    border = NOON - SETTLING
    put(drill, border - SECOND, border, border + SECOND)
    config = {"start_date": format_timestamp(NOON - timedelta(days=3))}
    first = drill.run(config)
    drill.emulator.advance(3600)
    second = drill.run(config, state=first.last_state)
    assert_whole(drill, first, second)
    assert twice(first, second) == []


@pytest.mark.parametrize("fraction", [0.0, 0.001, 0.5, 0.999])
def test_changes_many_to_a_second_around_a_border(
    runs: Callable[..., VirtualRuns], fraction: float
) -> None:
    """Runs begin anywhere in a second; the second that is cut is over when it is first read."""
    drill = runs(NOON + timedelta(seconds=fraction))
    config = {"start_date": format_timestamp(NOON - timedelta(days=3))}
    done = [drill.run(config)]
    for _ in range(3):
        began = drill.time.now
        for _ in range(10):
            drill.emulator.store.add_member(PROGRAM)
            drill.emulator.advance(0.3)
        # So that the next window ends in the middle of what has just changed.
        drill.emulator.advance(61.5 - (drill.time.now - began).total_seconds())
        done.append(drill.run(config, state=done[-1].last_state))
    drill.emulator.advance(3600)
    done.append(drill.run(config, state=done[-1].last_state))
    assert_whole(drill, *done)
    borders = {format_timestamp(end) for _, end in windows(drill)}
    assert set(twice(*done)) <= borders


# --- clocks ------------------------------------------------------------------------------------


@pytest.mark.parametrize("skew_seconds", [-600, 600])
def test_windows_end_by_marketos_clock_and_not_by_ours(
    runs: Callable[..., VirtualRuns], skew_seconds: int
) -> None:
    """J21: with Marketo ten minutes behind or ahead of this machine, each change comes once."""
    here = datetime.now(timezone.utc).replace(microsecond=0)
    drill = runs(here + timedelta(seconds=skew_seconds))
    began = drill.time.now
    config = {"start_date": format_timestamp(began - timedelta(days=1))}
    put(drill, began - timedelta(seconds=90))
    first = drill.run(config)
    assert [end for _, end in windows(drill)] == [began - SETTLING]
    put(drill, began - timedelta(seconds=30))
    drill.emulator.advance(300)
    second = drill.run(config, state=first.last_state)
    assert_whole(drill, first, second)
    assert twice(first, second) == []


def test_date_header_behind_the_clock_of_changes_loses_nothing(
    runs: Callable[..., VirtualRuns],
) -> None:
    """What changed in the ten minutes the header does not know of yet comes with the next run."""
    drill = runs()
    drill.emulator.faults.add(Fault(date_skew_seconds=-600, times=None))
    config = {"start_date": format_timestamp(NOON - timedelta(days=1))}
    put(drill, NOON - timedelta(seconds=700), NOON - timedelta(seconds=300), NOON)
    first = drill.run(config)
    drill.emulator.advance(900)
    second = drill.run(config, state=first.last_state)
    assert_whole(drill, first, second)
    assert (len(first.records()), twice(first, second)) == (1, [])


def test_date_header_ahead_of_the_clock_of_changes_loses_nothing(
    runs: Callable[..., VirtualRuns],
) -> None:
    """A window that reaches ten minutes into the future is complete up to its job's creation."""
    drill = runs()
    drill.emulator.faults.add(Fault(date_skew_seconds=600, times=None))
    config = {"start_date": format_timestamp(NOON - timedelta(days=1))}
    put(drill, NOON - timedelta(seconds=700), NOON - SETTLING)
    first = drill.run(config)
    put(drill, *(drill.time.now + timedelta(seconds=each) for each in (1, 300, 599)))
    drill.emulator.advance(900)
    second = drill.run(config, state=first.last_state)
    assert_whole(drill, first, second)
    assert (len(first.records()), len(second.records())) == (2, 4)
    assert twice(first, second) == stamps([NOON - SETTLING])


@pytest.mark.parametrize(
    ("change", "start_date"),
    [
        pytest.param(
            datetime(2026, 3, 8, 8, tzinfo=timezone.utc), "2026-02-20T00:00:00-06:00", id="spring"
        ),
        pytest.param(
            datetime(2026, 11, 1, 7, tzinfo=timezone.utc), "2026-10-15T00:00:00-05:00", id="autumn"
        ),
    ],
)
@pytest.mark.parametrize("window_days", [1, 31])
def test_an_hour_that_central_time_skips_or_repeats_is_an_hour_like_any_other(
    runs: Callable[..., VirtualRuns], change: datetime, start_date: str, window_days: int
) -> None:
    """J22: changes every ten minutes around the switch come once each; windows count in UTC."""
    drill = runs(change + timedelta(days=10))
    drill.emulator.store.remove_program(PROGRAM)
    program = drill.emulator.store.add_program(age_days=60).program_id
    around = [change + timedelta(minutes=10 * step) for step in range(-18, 19)]
    for each in around:
        drill.emulator.store.add_member(program, updatedAt=format_timestamp(each))
    run = drill.run({"start_date": start_date, "window_days": window_days})
    assert_whole(drill, run)
    borders = {end for _, end in windows(drill)}
    assert twice(run) == stamps(each for each in around if each in borders)
    spans = [end - start for start, end in windows(drill)]
    assert set(spans[:-1]) <= {timedelta(days=window_days)}
    assert windows(drill)[0][0] == moment(start_date)


# --- changes while jobs run --------------------------------------------------------------------


@pytest.mark.parametrize("config", [{}, {"start_date": "2026-06-01"}], ids=["snapshot", "windows"])
@pytest.mark.parametrize("after_seconds", [30, 200, 410])
def test_members_that_change_while_a_job_runs_come_with_the_next_run(
    runs: Callable[..., VirtualRuns], config: dict[str, Any], after_seconds: int
) -> None:
    """Before, while or after the file is written: the next run has the change, and it comes once.

    Of a job without a window, changed before it was taken up, it comes with both runs.
    """
    drill = runs(programs=12, members=80, job_seconds=300.0)
    changed: list[tuple[int, int]] = []
    # The queue is full for two minutes, so that jobs wait before their files are written.
    drill.emulator.others_use(queued_exports=10, seconds=119)

    def touch() -> None:
        changed.extend(drill.emulator.store.touch_members(9, seed=after_seconds))

    drill.time.at.append((NOON + timedelta(seconds=after_seconds), touch))
    first = drill.run(config)
    assert len(changed) == 9
    drill.emulator.advance(3600)
    second = drill.run(config, state=first.last_state)
    young = {
        key: member
        for key, member in members_of(drill.emulator).items()
        if member["updatedAt"] >= config.get("start_date", "")
    }
    assert young == {**first.table(), **second.table()}
    assert {(lead, program) for program, lead in changed} == second.table().keys()
    early = after_seconds == 30 and not config
    assert len(twice(first, second)) == (len(changed) if early else 0)


# --- the settling margin -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("config", "repeated"),
    [({"start_date": "2026-06-01"}, 0), ({}, 1)],
    ids=["windows", "snapshot"],
)
def test_change_inside_the_settling_margin_comes_with_the_next_run(
    runs: Callable[..., VirtualRuns], config: dict[str, Any], repeated: int
) -> None:
    """Changed half a minute before the run: left to the next one, in which it may have settled.

    A job without a window brings it at once, as it cannot do otherwise, and the next run again.
    """
    drill = runs()
    put(drill, NOON - timedelta(seconds=30))
    first = drill.run(config)
    assert len(first.records()) == repeated
    drill.emulator.advance(600)
    second = drill.run(config, state=first.last_state)
    assert_whole(drill, first, second)
    assert (len(second.records()), len(twice(first, second))) == (1, repeated)


def test_change_that_shows_up_late_is_found_within_the_margin(
    runs: Callable[..., VirtualRuns],
) -> None:
    """A change dated before the run that exports show only after it is not lost."""
    drill = runs()
    config = {"start_date": "2026-06-01"}
    first = drill.run(config)
    put(drill, NOON - timedelta(seconds=59))  # dated before the run, visible after it
    drill.emulator.advance(600)
    second = drill.run(config, state=first.last_state)
    assert_whole(drill, first, second)
    assert len(second.records()) == 1

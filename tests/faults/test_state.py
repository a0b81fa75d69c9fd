"""What a state may hold that is not so, or may forget, each named by its id (docs/faults.md)."""

from __future__ import annotations

import sys
import time
from collections import Counter
from copy import deepcopy
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from marketo_bulk.errors import ConfigurationError, DailyQuotaExceededError
from marketo_emulator import Fault
from tap_marketo_bulk.streams.program_members import ProgramMembers
from tap_marketo_bulk.sync.plan import PlanRules, Scope, plan_units, starting_points
from tap_marketo_bulk.sync.state import Bookmarks, read_bookmarks
from tap_marketo_bulk.sync.windows import format_timestamp
from tests.tap_runs import DAY_SECONDS, NO_RATE_LIMIT, created_jobs, make_tap, members_of, moment

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from marketo_emulator import Emulator
    from tests.faults.drill import Drill

DAY = timedelta(days=1)
STREAM = "program_members"
NAMES = ProgramMembers.names
NOW = datetime(2026, 6, 15, 12, tzinfo=timezone.utc)


def state_of(**bookmark: Any) -> dict[str, Any]:
    """Return a state with this bookmark of the stream."""
    return {"bookmarks": {STREAM: {"replication_key": "updatedAt", **bookmark}}}


def plain(mark: datetime) -> dict[str, Any]:
    """Return the state of any tap of the SDK."""
    return state_of(replication_key_value=format_timestamp(mark))


def cohorts(mark: datetime) -> dict[str, Any]:
    """Return a state in which one of three programs has this bookmark, the others an older one."""
    older = format_timestamp(NOW - DAY)
    return state_of(
        replication_key_value=older,
        program_bookmarks=[
            {"updatedAt": older, "programIds": "1001,1003"},
            {"updatedAt": format_timestamp(mark), "programIds": "1002"},
        ],
        export_jobs=[],
    )


def window_of_a_job(mark: datetime) -> dict[str, Any]:
    """Return a state with a job whose window ends there."""
    start = format_timestamp(NOW - DAY)
    entry = {"exportId": "e1", "programIds": [1001], "fields": "d", "startAt": start}
    return state_of(
        program_bookmarks=[{"updatedAt": start, "programIds": "1001-1003"}],
        export_jobs=[{**entry, "endAt": format_timestamp(mark)}],
    )


FORMS = {
    "replication_key_value": plain,
    "program_bookmarks": cohorts,
    "export_jobs": window_of_a_job,
}


@pytest.mark.fault(
    "T3.1",
    "a bookmark, or the window of a job, lies after Marketo's clock",
    "up to 10 minutes ahead it is taken back to the run's end with a warning; "
    "more is refused in one line that names it",
)
@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("seconds", [601, 3600, 75 * 365 * DAY_SECONDS])
def test_t3_1_what_lies_in_the_future_is_refused(drill: Drill, name: str, seconds: int) -> None:
    """Believed, it would hide every change until then."""
    state = FORMS[name](NOW + timedelta(seconds=seconds))
    error, _ = drill.run_fails(ConfigurationError, state=state)
    assert name in str(error)
    assert "lies in the future: Marketo's clock says 2026-06-15T12:00:00Z" in str(error)
    assert "\n" not in str(error)
    assert created_jobs(drill.emulator) == []


@pytest.mark.parametrize("name", ["replication_key_value", "program_bookmarks"])
@pytest.mark.parametrize("seconds", [-59, 0, 1, 15, 600])
def test_t3_1_a_bookmark_a_little_ahead_is_taken_back(
    drill: Drill, caplog: pytest.LogCaptureFixture, name: str, seconds: int
) -> None:
    """What changes from now on comes with the next run, however far ahead the bookmark was."""
    table = members_of(drill.emulator)
    first = drill.run(state=FORMS[name](NOW + timedelta(seconds=seconds)))
    cohort = first.bookmark["program_bookmarks"][-1]
    assert cohort["updatedAt"] == format_timestamp(NOW - timedelta(seconds=60))
    warned = [r.message for r in caplog.records if "ahead of Marketo's clock" in r.message]
    assert len(warned) == (seconds > 0)
    assert all(name in line for line in warned)
    drill.emulator.advance(1)
    drill.emulator.store.touch_members(40)
    drill.emulator.advance(3600)
    second = drill.run(state=first.last_state)
    assert {**table, **first.table(), **second.table()} == members_of(drill.emulator)


def test_t3_1_a_bookmark_ahead_is_taken_back_where_there_is_no_program(drill: Drill) -> None:
    """The list is empty once, and the next run must not find the bookmark where it was."""
    drill.arm(Fault(operation="programs.browse", put={"result": []}))
    run = drill.run(state=plain(NOW + timedelta(seconds=300)))
    settled = format_timestamp(NOW - timedelta(seconds=60))
    assert run.bookmark["replication_key_value"] == settled


def test_t3_1_full_table_needs_no_bookmark(drill: Drill) -> None:
    """A run that ignores bookmarks is not refused for one."""
    catalog = make_tap(drill.emulator).catalog_dict
    for entry in catalog["streams"]:
        entry["replication_method"] = "FULL_TABLE"
    run = drill.run(state=plain(NOW + 9 * DAY), catalog=catalog)
    assert run.table() == members_of(drill.emulator)


def jobs_after(drill: Drill, before: int) -> list[list[int]]:
    """Return the programs of the jobs created since there were so many."""
    return [job["filter"]["programIds"] for job in created_jobs(drill.emulator)[before:]]


@pytest.mark.fault(
    "T3.2",
    "a run does not see some programs: `program_ids`, or a list that is short once",
    "STATE keeps their bookmarks, and forgets one that lies 90 days behind the newest",
)
@pytest.mark.parametrize("narrowed", ["program_ids", "short list", "no list"])
@pytest.mark.parametrize("begins", ["cohorts", "plain"])
def test_t3_2_programs_a_run_does_not_see_keep_their_bookmarks(
    make_drill: Callable[..., Drill], narrowed: str, begins: str
) -> None:
    """The run after that asks for what is new, and for nothing twice."""
    drill = make_drill(programs=43, members=200)
    config = {"start_date": "2024-01-01T00:00:00Z"}
    first = drill.run(config)
    table = first.table()
    state = first.last_state
    if begins == "plain":
        state = plain(moment(state["bookmarks"][STREAM]["replication_key_value"]))
    drill.emulator.advance(DAY_SECONDS)
    if narrowed == "short list":
        drop = tuple(f"result.{n}" for n in range(42, 22, -1))
        drill.arm(Fault(operation="programs.browse", drop=drop))
    elif narrowed == "no list":
        drill.arm(Fault(operation="programs.browse", put={"result": []}))
    subset = {"program_ids": [1001]} if narrowed == "program_ids" else {}
    second = drill.run({**config, **subset}, state=state)
    table |= second.table()
    drill.emulator.store.touch_members(50)
    drill.emulator.advance(DAY_SECONDS)
    before = len(created_jobs(drill.emulator))
    third = drill.run(config, state=second.last_state)
    table |= third.table()
    young = {k for k, m in members_of(drill.emulator).items() if m["updatedAt"] >= "2024"}
    assert {key: members_of(drill.emulator)[key] for key in young} == table
    if (narrowed, begins) != ("short list", "plain"):
        assert len(jobs_after(drill, before)) <= 6
        asked = [p for ids in jobs_after(drill, before) for p in ids]
        assert sorted(asked) == list(range(1001, 1044))
    (cohort,) = third.bookmark["program_bookmarks"]
    assert cohort["programIds"] == "1001-1043"


def test_t3_2_a_program_that_is_gone_is_forgotten_in_the_end(drill: Drill) -> None:
    """STATE does not grow for ever."""
    run = drill.run()
    drill.emulator.store.remove_program(1003)
    found = []
    for _ in range(5):
        drill.emulator.advance(30 * DAY_SECONDS)
        run = drill.run(state=run.last_state)
        found.append([c["programIds"] for c in run.bookmark["program_bookmarks"]])
    assert found == [["1003", "1001-1002"]] * 4 + [["1001-1002"]]


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what was said of changes since the last run, and forget it."""
    found = [r.message for r in caplog.records if "Since the last run" in r.message]
    caplog.clear()
    return found


NARROW = {"status_names": ["Attended"], "is_exhausted": False, "start_date": "2026-01-01"}


@pytest.mark.fault(
    "T3.3",
    "filters, fields or `start_date` have changed since the last run, so that rows never come",
    "says once what has changed and the command that reads everything once more",
)
@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ({"status_names": ["Attended"]}, {}, "status_names no longer leaves members out"),
        ({"status_names": ["Attended"]}, {"status_names": ["Invited"]}, "status_names has changed"),
        (
            {"status_names": ["Attended"]},
            {"status_names": ["Invited", "Attended"]},
            "status_names has changed",
        ),
        ({"is_exhausted": True}, {"is_exhausted": False}, "is_exhausted has changed"),
        ({"is_exhausted": False}, {}, "is_exhausted no longer"),
        ({"nurture_cadence": "paused"}, {}, "nurture_cadence no longer"),
        ({"start_date": "2026-01-01"}, {"start_date": "2025-12-31"}, "start_date is earlier"),
        ({"start_date": "2026-01-01"}, {}, "start_date is earlier"),
        (NARROW, {}, "status_names no longer"),
    ],
)
def test_t3_3_what_would_never_come_is_said_once(
    drill: Drill,
    caplog: pytest.LogCaptureFixture,
    before: dict[str, Any],
    after: dict[str, Any],
    said: str,
) -> None:
    """The run after the next one asks for the same and says nothing."""
    first = drill.run(before)
    assert warnings(caplog) == []
    second = drill.run(after, state=first.last_state)
    (line,) = warnings(caplog)
    assert said in line
    assert "meltano run --full-refresh" in line
    drill.run(after, state=second.last_state)
    assert warnings(caplog) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, {}),
        ({}, NARROW),
        ({"start_date": "2026-01-01"}, {"start_date": "2026-01-02"}),
        ({"status_names": ["A", "Attended"]}, {"status_names": ["Attended"]}),
        ({"status_names": ["Invited", "Attended"]}, {"status_names": ["Attended", "Invited"]}),
        ({"window_days": 7}, {"max_queued_jobs": 1}),
        ({"program_ids": [1001]}, {}),
    ],
)
def test_t3_3_nothing_is_said_where_nothing_is_missing(
    drill: Drill, caplog: pytest.LogCaptureFixture, before: dict[str, Any], after: dict[str, Any]
) -> None:
    """What was read before covers what is asked for now."""
    known = {k: v for k, v in before.items() if k != "status_names"}
    state = deepcopy(drill.run(known).last_state)
    if "status_names" in before:
        terms = [f"status_names={name}" for name in before["status_names"]]
        state["asked"][STREAM]["filters"] = sorted(terms)
    drill.run(after, state=state)
    assert warnings(caplog) == []


def test_t3_3_a_new_field_is_named(drill: Drill, caplog: pytest.LogCaptureFixture) -> None:
    """One that is deselected is not, until it comes back."""
    catalog = make_tap(drill.emulator).catalog_dict
    (stream,) = (s for s in catalog["streams"] if s["tap_stream_id"] == STREAM)

    def select(*, selected: bool) -> dict[str, Any]:
        for entry in stream["metadata"]:
            if entry["breadcrumb"] == ["properties", "dietaryNotes"]:
                entry["metadata"]["selected"] = selected
        return deepcopy(catalog)

    first = drill.run(catalog=select(selected=True))
    second = drill.run(catalog=select(selected=False), state=first.last_state)
    assert warnings(caplog) == []
    drill.run(catalog=select(selected=True), state=second.last_state)
    (line,) = warnings(caplog)
    assert "these fields are new: dietaryNotes;" in f"{line};" or "dietaryNotes. " in line


def test_t3_3_a_state_without_it_is_accepted(
    drill: Drill, caplog: pytest.LogCaptureFixture
) -> None:
    """That of an earlier version, or of another tap."""
    state = drill.run({"status_names": ["Attended"]}).last_state
    del state["asked"]
    run = drill.run(state=state)
    assert warnings(caplog) == []
    assert run.last_state["asked"][STREAM].keys() == {"fields", "filters", "start_date"}
    drill.run(NARROW, state=plain(NOW - DAY))
    assert warnings(caplog) == []


@pytest.mark.parametrize(
    "broken",
    [
        5,
        {STREAM: 5},
        {STREAM: {}},
        {STREAM: {"fields": 1, "filters": [], "start_date": None}},
        {STREAM: {"fields": "", "filters": [1], "start_date": None}},
        {STREAM: {"fields": "", "filters": [], "start_date": "soon"}},
    ],
)
def test_t3_3_what_was_asked_is_one_line_if_it_does_not_parse(drill: Drill, broken: object) -> None:
    """It is never taken for nothing."""
    state = {**plain(NOW - DAY), "asked": broken}
    error, _ = drill.run_fails(ConfigurationError, state=state)
    assert "'asked' in the state is not readable" in str(error)


@pytest.mark.fault(
    "T3.4",
    "export refuses a field, and the run is stopped",
    "the next run takes its jobs over, which come without that field",
)
@pytest.mark.parametrize("changed", [False, True])
def test_t3_4_jobs_without_a_refused_field_are_taken_over(
    make_drill: Callable[..., Drill], caplog: pytest.LogCaptureFixture, *, changed: bool
) -> None:
    """The job is not made again; one that asks for other things besides is."""
    options = NO_RATE_LIMIT.__class__(
        max_calls_per_window=10**6, max_concurrent_calls=10**6, refused_fields=("webinarUrl",)
    )
    drill = make_drill(options=options)
    state = interrupted(drill)
    (job,) = state["bookmarks"][STREAM]["export_jobs"]
    assert job["without"] == ["webinarUrl"]
    before = len(created_jobs(drill.emulator))
    config = {"is_exhausted": False} if changed else {}
    second = drill.run(config, state=state)
    assert (len(created_jobs(drill.emulator)) > before) == changed
    if not changed:
        (taken,) = [r.message for r in caplog.records if "comes without fields" in r.message]
        assert job["exportId"] in taken
        assert taken.endswith("webinarUrl")
        assert second.table().keys() == members_of(drill.emulator).keys()


def interrupted(drill: Drill) -> dict[str, Any]:
    """Return the state of a run that left its one job in Marketo."""
    drill.arm(Fault(operation="export.status", code="607"))
    _, run = drill.run_fails(DailyQuotaExceededError)
    drill.emulator.faults.clear()
    return deepcopy(run.last_state)


@pytest.mark.fault(
    "T3.5", "a job stands in STATE twice", "it is taken over once, and not cancelled by its twin"
)
@pytest.mark.parametrize("times", [2, 5])
def test_t3_5_a_job_listed_twice_is_taken_over_once(
    make_drill: Callable[..., Drill], times: int
) -> None:
    """No call cancels it, no other job is made."""
    drill = make_drill()
    state = interrupted(drill)
    bookmark = state["bookmarks"][STREAM]
    bookmark["export_jobs"] *= times
    run = drill.run(state=state)
    drill.assert_whole(run)
    assert len(created_jobs(drill.emulator)) == 1
    assert drill.emulator.requests.of("export.cancel") == []


@pytest.mark.fault(
    "T3.6",
    "`export_jobs` names a range of a billion programs, or is wrong in another way",
    "is refused in one line that names the entry, without unfolding the range",
)
@pytest.mark.parametrize("ids", ["1-3000000000", "5-1", [1, None], list(range(1001, 1012))])
def test_t3_6_a_job_no_run_can_have_made_is_one_line(drill: Drill, ids: object) -> None:
    """Memory is not asked for."""
    job = {"exportId": "e1", "programIds": ids, "fields": "d"}
    error, _ = drill.run_fails(ConfigurationError, state=state_of(export_jobs=[job]))
    assert "export_jobs in the state of program_members is not readable: entry 1" in str(error)


SCATTERED: dict[str, Sequence[int]] = {
    "gaps": range(1, 60_001, 2),
    "scattered": [n * n % 1_000_003 for n in range(1, 30_001)],
    "dense": range(1, 30_001),
}


def growth(prepare: Callable[[Sequence[int]], Callable[[], object]], ids: Sequence[int]) -> float:
    """Return how many times the processor time for a tenth of the ids all of them take.

    Ten is linear, a hundred quadratic, however slow the machine is; the least of three counts.
    """

    def least_seconds(some: Sequence[int]) -> float:
        seconds = []
        for _ in range(3):
            act = prepare(some)
            begun = time.process_time()
            act()
            seconds.append(time.process_time() - begun)
        return min(seconds)

    return least_seconds(ids) / least_seconds(ids[: len(ids) // 10])


@pytest.mark.fault(
    "T3.7",
    "a state holds 30,000 programs that are no neighbours, each a range of its own",
    "is read in a tenth of a second, not in eighteen",
)
@pytest.mark.parametrize("kind", SCATTERED)
@pytest.mark.parametrize("marks", [1, 30])
def test_t3_7_time_to_plan_grows_with_the_programs(kind: str, marks: int) -> None:
    """Not with their square: that took 18 s."""

    def prepare(ids: Sequence[int]) -> Callable[[], None]:
        board = Bookmarks(NAMES)
        for number, program_id in enumerate(ids):
            board.move([program_id], NOW - timedelta(seconds=number % marks))
        state = board.to_state([])

        def plan() -> None:
            found = Bookmarks(NAMES, read_bookmarks(state, NAMES), ids)
            rules = PlanRules(NAMES, NOW + DAY, 31 * DAY, NOW - 300 * DAY)
            programs = [Scope(i) for i in ids]
            units = plan_units(starting_points(programs, found.marks, rules), rules)
            assert len(found.marks) == len({p for unit in units for p in unit.scope}) == len(ids)
            assert found.to_state([]) == state

        return plan

    assert growth(prepare, SCATTERED[kind]) < 40


def test_t3_7_a_job_costs_the_same_however_many_programs_there_are() -> None:
    """Bookmarks of ten programs move, and the state is written twice: it is not rebuilt."""

    def calls_with(ids: Sequence[int]) -> int:
        board = Bookmarks(NAMES)
        board.move(ids, NOW)
        events: Counter[str] = Counter()
        sys.setprofile(lambda _frame, event, _argument: events.update((event,)))
        try:
            for job in range(200):
                board.move(ids[10 * job : 10 * job + 10], NOW + DAY)
                board.to_state([])
                board.to_state([])
        finally:
            sys.setprofile(None)
        return events["call"] + events["c_call"]

    assert calls_with(range(1, 60_001, 2)) < 1.1 * calls_with(range(1, 6_001, 2))


@pytest.mark.fault(
    "T3.8", "a date before the year 1000", "is written with four digits, and read by the next run"
)
@pytest.mark.parametrize("start", ["0001-01-01", "0999-12-31T23:59:59Z"])
def test_t3_8_early_years_are_read_back(
    emulator: Emulator, run_tap: Callable[..., Any], start: str
) -> None:
    """One whole extract, so that the start costs no window for each month since then."""
    config = {"start_date": start, "backfill": "snapshot"}
    first = run_tap(emulator, config)
    early = {"updatedAt": start[:10] + "T00:00:00Z", "programIds": "1001-1003"}
    state = deepcopy(first.last_state)
    assert state["asked"][STREAM]["start_date"].startswith(start[:10])
    state["bookmarks"][STREAM]["program_bookmarks"] = [early]
    bookmarks = Bookmarks(
        NAMES, read_bookmarks(state["bookmarks"][STREAM], NAMES), [1001, 1002, 1003]
    )
    assert bookmarks.to_state([])["program_bookmarks"] == [early]


def test_a_state_with_empty_bookmarks_is_handed_on_as_one(drill: Drill) -> None:
    """A run without a program leaves such a state; the next may fail before it knows any more."""
    asked: dict[str, Any] = {STREAM: {"fields": "", "filters": [], "start_date": None}}
    state = {"bookmarks": {STREAM: {}}, "asked": asked}
    _, run = drill.run_fails(ConfigurationError, {"program_ids": [999]}, state=state)
    assert drill.run(state=run.last_state).table() == members_of(drill.emulator)


@pytest.mark.fault(
    "T3.8",
    "a bookmark lies before its program was created",
    "no window is asked for before the creation, less a day",
)
@pytest.mark.parametrize("year", ["0001", "0999", "1970"])
@pytest.mark.parametrize("form", ["plain", "cohorts"])
def test_t3_8_an_early_bookmark_makes_no_jobs_before_creation(
    emulator: Emulator, run_tap: Callable[..., Any], year: str, form: str
) -> None:
    """A bookmark of the year 999 costs what the same start_date costs."""
    early = f"{year}-01-01T00:00:00Z"
    marks = {"replication_key_value": early}
    if form == "cohorts":
        marks["program_bookmarks"] = [{"updatedAt": early, "programIds": "1001-1003"}]  # type: ignore[assignment]
    run = run_tap(emulator, {"start_date": early}, state=state_of(**marks))
    made = len(created_jobs(emulator))
    assert len(run.records(STREAM)) == len(members_of(emulator))
    run_tap(emulator, {"start_date": early})
    assert made <= len(created_jobs(emulator)) - made + 1

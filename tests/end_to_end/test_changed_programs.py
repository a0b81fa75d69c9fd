"""With `changed_programs: activities` a run reads what has changed, and nothing is lost by it."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from marketo_emulator.faults.fault import Fault
from tap_marketo_bulk.streams import program_activities
from tests.tap_runs import DAY_SECONDS, NO_RATE_LIMIT, created_jobs, make_tap, members_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from marketo_emulator import Emulator
    from tests.tap_runs import TapRun

    RunTap = Callable[..., TapRun]

ACTIVITIES = {"changed_programs": "activities"}
TEN_MINUTES = 600


class Table:
    """A table that a loader keeps up to date, run after run, and the jobs of the last run."""

    def __init__(self, emulator: Emulator, run_tap: RunTap) -> None:
        self.emulator = emulator
        self._run_tap = run_tap
        self.rows: dict[tuple[int, int], dict[str, Any]] = {}
        self.state: dict[str, Any] = {}

    def run(self, config: dict[str, Any] | None = None, **options: Any) -> list[dict[str, Any]]:
        """Run the tap, and return the filters of its jobs."""
        before = len(created_jobs(self.emulator))
        run = self._run_tap(
            self.emulator,
            ACTIVITIES if config is None else {**ACTIVITIES, **config},
            state=self.state,
            **options,
        )
        self.rows |= run.table()
        self.state = run.last_state or self.state
        return [job["filter"] for job in created_jobs(self.emulator)[before:]]

    @property
    def look(self) -> dict[str, str] | None:
        """Return the look in STATE."""
        found: dict[str, str] | None
        found = self.state["bookmarks"]["program_members"].get("changes")
        return found

    @property
    def is_right(self) -> bool:
        """Whether the table is Marketo's."""
        return self.rows == members_of(self.emulator)


@pytest.fixture
def table(make_emulator: Callable[..., Emulator], run_tap: RunTap) -> Table:
    """Return the table of 40 programs, loaded once, ten minutes ago."""
    found = Table(make_emulator(programs=40, members=400), run_tap)
    found.run()
    found.emulator.advance(TEN_MINUTES)
    return found


def first_lead(emulator: Emulator, program_id: int) -> int:
    """Return a member of a program."""
    return min(emulator.store.member_rows[program_id])


def touch(emulator: Emulator, program_id: int) -> None:
    """Change a member of a program, now, and let two minutes pass."""
    lead_id = first_lead(emulator, program_id)
    code = f"changed {emulator.clock.now()}"
    emulator.store.change_member(program_id, lead_id, registrationCode=code)
    emulator.advance(120)


def test_a_quiet_run_makes_no_job(table: Table) -> None:
    """It moves the look, and no bookmark."""
    before = table.look
    assert table.run() == []
    assert (table.look != before, table.is_right) == (True, True)


def test_only_a_changed_program_is_read(table: Table) -> None:
    """From its bookmark on."""
    touch(table.emulator, 1017)
    (found,) = table.run()
    assert (found["programIds"], "updatedAt" in found) == ([1017], True)
    assert table.is_right


@pytest.mark.fault(
    "X8", "a program is passed by for runs, then changes", "is read from its own bookmark on"
)
def test_a_skipped_program_is_read_from_its_own_bookmark(table: Table) -> None:
    """However many runs have passed it by."""
    first = table.state["bookmarks"]["program_members"]["replication_key_value"]
    for _ in range(3):
        table.run()
        table.emulator.advance(TEN_MINUTES)
    touch(table.emulator, 1003)
    (found,) = table.run()
    assert found["updatedAt"]["startAt"] == first
    assert table.is_right


def test_what_was_read_is_not_read_again_for_the_overlap(table: Table) -> None:
    """The look goes back an hour; the bookmark tells what is known."""
    touch(table.emulator, 1017)
    table.run()
    table.emulator.advance(TEN_MINUTES)
    assert table.run() == []


@pytest.mark.fault(
    "X5", "an activity comes late, within the overlap of an hour", "is found by the next run"
)
@pytest.mark.parametrize("delay", [600, 3000])
def test_an_activity_that_comes_late_names_its_program(
    make_emulator: Callable[..., Emulator], run_tap: RunTap, delay: int
) -> None:
    """It is older than the last look."""
    options = replace(NO_RATE_LIMIT, activity_commit_delays=((0, delay, delay),))
    table = Table(make_emulator(programs=40, members=400, options=options), run_tap)
    table.run()
    table.emulator.advance(TEN_MINUTES)
    touch(table.emulator, 1017)
    assert table.run() == []
    table.emulator.advance(delay)
    assert [found["programIds"] for found in table.run()] == [[1017]]
    assert table.is_right


@pytest.mark.fault("X4", "a member changes without an activity", "is found within full_check_days")
def test_a_change_without_activity_is_found_within_the_full_check(table: Table) -> None:
    """`isExhausted` is told by nothing; a few programs are due in each run."""
    emulator = table.emulator
    for program_id, members in emulator.store.member_rows.items():
        if members:
            emulator.store.change_member(program_id, min(members), isExhausted=True)
    jobs = []
    for _ in range(8):
        emulator.advance(DAY_SECONDS)
        jobs.append(len(table.run()))
    assert max(jobs) <= 1
    assert table.is_right


@pytest.mark.fault("X6", "… after it", "is found within full_check_days")
def test_an_activity_later_than_the_overlap_is_made_up_for(
    make_emulator: Callable[..., Emulator], run_tap: RunTap
) -> None:
    """X6: no look sees it, and the program is due all the same."""
    late = 2 * DAY_SECONDS
    options = replace(NO_RATE_LIMIT, activity_commit_delays=((0, late, late),))
    table = Table(make_emulator(programs=40, members=400, options=options), run_tap)
    table.run()
    table.emulator.advance(TEN_MINUTES)
    touch(table.emulator, 1017)
    assert (table.run(), table.is_right) == ([], False)
    for _ in range(8):
        table.emulator.advance(DAY_SECONDS)
        table.run()
    assert table.is_right


@pytest.mark.fault("X7", "a merge moves members, and no activity says so", "is found as X4 is")
def test_members_that_a_merge_moves_are_found(table: Table) -> None:
    """X7: under the lead that is left; of the other one no export tells."""
    emulator = table.emulator
    loser = first_lead(emulator, 1017)
    winner = min(lead for lead in emulator.store.lead_rows if lead != loser)
    emulator.store.merge_leads(winner, loser)
    for _ in range(8):
        emulator.advance(DAY_SECONDS)
        table.run()
    left = {key: row for key, row in table.rows.items() if key[0] != loser}
    assert left == members_of(emulator)


@pytest.mark.fault("X9", "the last run is longer ago than an export may span", "misses nothing")
@pytest.mark.parametrize("days", [32, 100])
def test_a_long_pause_misses_nothing(table: Table, days: int) -> None:
    """X9: whatever changed in it, at its beginning, too."""
    touch(table.emulator, 1017)
    table.emulator.advance(days * DAY_SECONDS)
    touch(table.emulator, 1003)
    table.run()
    assert table.is_right


@pytest.mark.fault("X11", "an activity changes nothing", "its program is read; that is harmless")
def test_an_activity_that_changes_nothing_is_harmless(table: Table) -> None:
    """X11: Marketo writes a cadence that was so before."""
    same = {"New Nurture Cadence": "Norm", "Previous Nurture Cadence": "Norm"}
    lead_id = first_lead(table.emulator, 1003)
    table.emulator.store.add_activity(lead_id, 115, primary_id=1003, attributes=same)
    table.emulator.advance(120)
    assert [found["programIds"] for found in table.run()] == [[1003]]
    assert table.is_right


@pytest.mark.fault(
    "X12", "a member changes between the look and its export", "is found by the next run"
)
def test_the_look_and_the_members_end_at_one_moment(table: Table) -> None:
    """X12: what comes after it is in neither, and so in the next of both."""
    touch(table.emulator, 1017)
    (found,) = table.run()
    assert table.look
    assert found["updatedAt"]["endAt"] == table.look["until"]


def test_what_changes_after_the_end_of_a_run_is_read_once(table: Table) -> None:
    """By the next run: this one would make a job that does not find it."""
    store = table.emulator.store
    touch(table.emulator, 1017)
    store.change_member(1017, first_lead(table.emulator, 1017), registrationCode="late")
    store.change_member(1018, first_lead(table.emulator, 1018), registrationCode="late")
    (found,) = table.run()
    assert found["programIds"] == [1017]
    table.emulator.advance(TEN_MINUTES)
    assert sorted(i for job in table.run() for i in job["programIds"]) == [1017, 1018]
    assert table.is_right


@pytest.mark.fault("X2", "the file of the look lacks a column", "is refused; reads every program")
def test_a_look_without_its_columns_is_refused(
    table: Table, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """X2: whose activity it is cannot be guessed."""
    busy(table.emulator, monkeypatch)
    touch(table.emulator, 1017)
    table.emulator.faults.add(Fault(operation="export.job", rewrites=("column_missing",)))
    jobs = table.run()
    assert len({i for job in jobs for i in job.get("programIds", ())}) == 40
    assert "every program is read" in caplog.text
    assert table.is_right


def test_full_check_days_says_how_late(table: Table) -> None:
    """One day, and everything is due."""
    table.emulator.advance(DAY_SECONDS)
    jobs = table.run({"full_check_days": 1})
    assert sum(len(job["programIds"]) for job in jobs) == 40


@pytest.mark.fault("X10", "a program is new", "is read whole, and nothing else is")
def test_a_new_program_is_read_from_the_start(table: Table) -> None:
    """Nothing else is."""
    program = table.emulator.store.add_program(members=5)
    table.emulator.advance(120)
    (found,) = table.run()
    assert found == {"programIds": [program.program_id]}
    assert table.is_right


def test_a_renamed_program_is_read_in_full(table: Table) -> None:
    """Its name stands in every record, and `updatedAt` does not tell."""
    table.emulator.store.change_program(1005, name="Another name")
    table.emulator.advance(120)
    (found,) = table.run()
    assert found == {"programIds": [1005]}
    assert table.is_right


@pytest.mark.fault(
    "X1",
    "an activity names a program that is gone, or is not wanted",
    "reads the others, and keeps the name of that one",
)
def test_a_deleted_program_stops_nothing(table: Table) -> None:
    """Its last activities may still name it."""
    touch(table.emulator, 1009)
    table.emulator.store.remove_program(1009)
    touch(table.emulator, 1010)
    assert [found["programIds"] for found in table.run()] == [[1010]]
    assert table.look
    assert table.look["unread"] == "1009"


def test_programs_changed_at_different_times_share_a_job(table: Table) -> None:
    """Their bookmarks differ by hours; a job for each would cost more than the rows."""
    for program_id in (1001, 1002, 1003):
        touch(table.emulator, program_id)
        table.run()
        table.emulator.advance(3600)
    for program_id in (1001, 1002, 1003):
        touch(table.emulator, program_id)
    (found,) = table.run()
    assert found["programIds"] == [1001, 1002, 1003]
    assert table.is_right


def test_a_narrowed_run_does_not_make_the_others_forget(table: Table) -> None:
    """What it saw of programs it is not about is kept for the next one."""
    touch(table.emulator, 1017)
    assert table.run({"program_ids": [1001]}) == []
    # Long past the overlap.
    table.emulator.advance(3 * 3600)
    table.run({"program_ids": [1001]})
    assert [found["programIds"] for found in table.run()] == [[1017]]
    assert table.is_right


def test_a_run_that_fails_leaves_the_look_where_it_was(table: Table) -> None:
    """The next one finds the same programs."""
    emulator, before = table.emulator, table.look
    touch(emulator, 1017)
    emulator.faults.add(Fault.from_json({"operation": "export.create", "code": "1003"}))
    with pytest.raises(Exception, match="1003") as caught:
        table.run()
    state = caught.value.run.last_state  # type: ignore[attr-defined]
    assert state["bookmarks"]["program_members"]["changes"] == before
    emulator.faults.clear()
    table.state = state
    # Longer than the overlap.
    emulator.advance(2 * 3600)
    assert [found["programIds"] for found in table.run()] == [[1017]]
    assert table.is_right


@pytest.mark.fault("X3", "activities may not be read", "reads every program, and says so once")
@pytest.mark.parametrize(
    "fault",
    [
        {"operation": "activities.types", "code": "603"},
        {"operation": "activities.token", "code": "603"},
        {"operation": "activities.list", "code": "603"},
        {"operation": "activities.types", "put": {"result": []}},
        {"operation": "activities.types", "drop": ["result"]},
    ],
)
def test_without_activities_everything_is_read_and_that_is_said_once(
    table: Table, fault: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """No permission, or a list of types that is empty."""
    touch(table.emulator, 1017)
    table.emulator.faults.add(Fault.from_json({**fault, "times": None}))
    jobs = table.run()
    assert sum(len(job["programIds"]) for job in jobs) == 40
    said = [r for r in caplog.records if "changed_programs" in r.message]
    assert [r.levelno for r in said] == [logging.WARNING]
    assert (table.is_right, table.look) == (True, None)


def busy(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let one program have more activities within ten minutes than a few pages hold."""
    monkeypatch.setattr(program_activities, "MEASURED_PAGES", 1)
    monkeypatch.setattr(program_activities, "MORE_PAGES_MAX", 1)
    lead_id = first_lead(emulator, 1012)
    for number in range(1_200):
        emulator.store.change_member(1012, lead_id, registrationCode=f"code {number}")
        emulator.advance(0.5)


def activity_jobs(emulator: Emulator) -> list[dict[str, Any]]:
    """Return the bodies of jobs about activities."""
    return [
        r.body or {}
        for r in emulator.requests
        if r.operation == "export.create" and "activityTypeIds" in (r.body or {})["filter"]
    ]


def test_many_activities_are_read_by_one_job(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first pages tell that there are many; a job costs five calls, however many."""
    busy(table.emulator, monkeypatch)
    touch(table.emulator, 1017)
    before = len(table.emulator.requests)
    jobs = table.run()
    calls = [entry.operation for entry in list(table.emulator.requests)[before:]]
    assert calls.count("activities.list") == 1
    (job,) = activity_jobs(table.emulator)
    assert job["fields"] == ["activityDate", "activityTypeId", "primaryAttributeValueId"]
    assert job["filter"]["activityTypeIds"] == [104, 113, 114, 115, 123]
    assert [found["programIds"] for found in jobs if "programIds" in found] == [[1012, 1017]]
    assert table.is_right


@pytest.mark.fault("X3", "… or their job fails", "reads every program")
@pytest.mark.parametrize(
    "fault",
    [
        {"operation": "export.create", "code": "1003", "message": "Invalid types"},
        {"operation": "export.job", "outcome": "Failed", "times": 3},
    ],
)
def test_a_job_about_activities_that_fails_leaves_everything_to_be_read(
    table: Table,
    fault: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As where activities are refused."""
    busy(table.emulator, monkeypatch)
    touch(table.emulator, 1017)
    table.emulator.faults.add(Fault.from_json(fault))
    jobs = table.run()
    assert len({i for job in jobs for i in job.get("programIds", ())}) == 40
    assert "every program is read" in caplog.text
    assert table.is_right


def test_all_reads_everything_and_keeps_no_look(table: Table) -> None:
    """The state is that of a version that does not know of it, and what it left can be used."""
    touch(table.emulator, 1017)
    jobs = table.run({"changed_programs": "all"})
    assert sum(len(job["programIds"]) for job in jobs) == 40
    assert (table.is_right, table.look) == (True, None)
    touch(table.emulator, 1018)
    assert [found["programIds"] for found in table.run()] == [[1018]]
    assert table.look
    assert table.is_right


def test_without_the_updated_at_filter_named_programs_are_exported_whole(
    make_emulator: Callable[..., Emulator], run_tap: RunTap
) -> None:
    """And no others: there the gain is greatest."""
    options = replace(NO_RATE_LIMIT, updated_at_filter_supported=False)
    table = Table(make_emulator(programs=40, members=400, options=options), run_tap)
    table.run()
    table.emulator.advance(TEN_MINUTES)
    touch(table.emulator, 1017)
    refused, found = table.run()
    assert refused["programIds"] == [1017]
    assert found == {"programIds": [1017]}
    assert table.is_right


def catalog_of(emulator: Emulator, *, method: str, fields: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the catalog with a method for members, and more of their fields selected."""
    tap = make_tap(emulator)
    with tap.client:
        catalog: dict[str, Any] = tap.catalog_dict
    for entry in catalog["streams"]:
        if entry["tap_stream_id"] != "program_members":
            continue
        entry["replication_method"] = method
        for each in entry["metadata"]:
            if not each["breadcrumb"]:
                each["metadata"]["forced-replication-method"] = method
            elif each["breadcrumb"][-1] in fields:
                each["metadata"]["selected"] = True
    return catalog


def test_lead_fields_are_said_to_grow_old(
    emulator: Emulator, run_tap: RunTap, caplog: pytest.LogCaptureFixture
) -> None:
    """Changes of leads name no program."""
    catalog = catalog_of(emulator, method="INCREMENTAL", fields=("email",))
    run_tap(emulator, ACTIVITIES, catalog=catalog)
    said = [r.message for r in caplog.records if "changed_programs" in r.message]
    assert len(said) == 1
    assert "up to 7 days old: email." in said[0]
    assert "stream leads" in said[0]


def test_full_table_reads_everything(table: Table) -> None:
    """That is what it is for."""
    jobs = table.run(catalog=catalog_of(table.emulator, method="FULL_TABLE"))
    assert sum(len(job["programIds"]) for job in jobs) == 40


def test_the_closing_line_says_what_was_read(
    table: Table, caplog: pytest.LogCaptureFixture
) -> None:
    """Programs in all, named, due, skipped; and how long the oldest has not been read."""
    caplog.set_level(logging.INFO)
    touch(table.emulator, 1017)
    table.emulator.advance(2 * DAY_SECONDS)
    table.run()
    (line,) = [r.message for r in caplog.records if "API calls" in r.message]
    assert "40 programs: 1 named, 10 due, 29 skipped, oldest unread for 2.0 days" in line


def test_an_interrupted_run_hands_its_jobs_on(table: Table) -> None:
    """A program under way is chosen, although nothing names it any more."""
    emulator = table.emulator
    touch(emulator, 1017)
    emulator.faults.add(
        Fault.from_json({"operation": "export.enqueue", "code": "603", "times": None})
    )
    with pytest.raises(Exception, match="603") as caught:
        table.run()
    table.state = caught.value.run.last_state  # type: ignore[attr-defined]
    (job,) = table.state["bookmarks"]["program_members"]["export_jobs"]
    assert job["programIds"] == [1017]
    emulator.faults.clear()
    emulator.advance(3 * 3600)
    # Nothing names it any more.
    look = table.state["bookmarks"]["program_members"]["changes"]
    look["until"] = (emulator.clock.now() - timedelta(minutes=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
    before = {each.export_id for each in emulator.jobs}
    table.run()
    assert job["exportId"] in before
    assert table.is_right

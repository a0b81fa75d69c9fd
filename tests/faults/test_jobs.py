"""What goes wrong with export jobs, each named by its id (docs/faults.md)."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Literal

import pytest

from marketo_bulk.errors import (
    DailyQuotaExceededError,
    DecodeError,
    JobCancelledError,
    JobFailedError,
    JobTimeoutError,
    MarketoBulkError,
)
from marketo_emulator import Fault, VirtualClock
from tests.faults.drill import jobs_in, program_bookmarks
from tests.tap_runs import DAY_SECONDS, NO_RATE_LIMIT, created_jobs, members_of, moment

if TYPE_CHECKING:
    from collections.abc import Callable

    from marketo_emulator import Emulator
    from tests.faults.drill import Drill
    from tests.virtual_runs import VirtualRuns

QUOTA_TEXT = "Export daily quota 500MB exceeded."
CANCELLED = Fault(operation="export.job", outcome="Cancelled")
PAUSED = Fault(operation="export.status", put={"result.0.status": "Paused"}, times=3)


def left_by_a_used_up_quota(drill: Drill) -> Any:
    """Return a run that ends with a created job it could not enqueue."""
    drill.arm(Fault(operation="export.enqueue", code="1029", message=QUOTA_TEXT, times=None))
    _, run = drill.run_fails(DailyQuotaExceededError)
    return run


@pytest.mark.fault(
    "J1",
    "enqueue answers `1029 Too many jobs in queue`, again and again",
    "keeps the created job, creates no others meanwhile, and asks until there is a place",
)
def test_j1_full_queue_is_waited_for_with_one_job(make_drill: Callable[..., Drill]) -> None:
    """One created job knocks until the queue has a place; the second is created only then."""
    drill = make_drill(programs=11)
    drill.arm(
        Fault(operation="export.enqueue", code="1029", message="Too many jobs in queue", times=6)
    )
    drill.assert_whole(drill.run())
    assert drill.operations()[:8] == ["create", *["enqueue"] * 7]
    assert drill.count("export.create") == 2


@pytest.mark.fault(
    "J2",
    "create answers `1029 Export daily quota 500MB exceeded.`",
    "stops with exit code 75 and the bookmark where it was; the next day's run catches up",
)
def test_j2_quota_used_up_at_create_leaves_the_state_alone(drill: Drill) -> None:
    """The bookmark stays that of the first run; after the reset one run brings what changed."""
    first = drill.run()
    drill.emulator.advance(DAY_SECONDS)
    drill.emulator.store.touch_members(5)
    drill.emulator.advance(DAY_SECONDS)
    drill.arm(Fault(operation="export.create", code="1029", message=QUOTA_TEXT, times=None))
    error, second = drill.run_fails(DailyQuotaExceededError, state=first.last_state)
    assert "run again after 06:00 UTC" in str(error)
    assert jobs_in(second) == []
    drill.assert_next_run_completes(second, state=first.last_state, earlier=(first,))


@pytest.mark.fault(
    "J2",
    "… while another job runs",
    "reads that job to its end and moves its programs' bookmarks before it stops",
)
def test_j2_job_that_runs_is_read_before_the_stop(make_drill: Callable[..., Drill]) -> None:
    """The first ten programs are complete, the eleventh waits for the next day."""
    drill = make_drill(programs=11, members=110)
    drill.arm(Fault(operation="export.create", nth=2, code="1029", message=QUOTA_TEXT, times=None))
    with pytest.raises(DailyQuotaExceededError) as caught:
        drill.run()
    run = caught.value.run  # type: ignore[attr-defined]
    assert run.table() == {k: m for k, m in members_of(drill.emulator).items() if k[1] <= 1010}
    assert [cohort["programIds"] for cohort in program_bookmarks(run.last_state)] == ["1001-1010"]
    drill.emulator.advance(DAY_SECONDS)
    drill.assert_next_run_completes(run)


@pytest.mark.fault(
    "J3",
    "the export quota is used up between create and enqueue",
    "keeps the job's id in STATE; the run after the reset enqueues that job, and makes no other",
)
def test_j3_quota_used_up_between_create_and_enqueue(drill: Drill) -> None:
    """The first run creates a job, the second enqueues it and asks only for the day after it."""
    failed = left_by_a_used_up_quota(drill)
    assert jobs_in(failed) == [job.export_id for job in drill.emulator.jobs]
    drill.emulator.advance(DAY_SECONDS)
    drill.assert_next_run_completes(failed)
    jobs = created_jobs(drill.emulator)
    assert ["updatedAt" in job["filter"] for job in jobs] == [False, True]


@pytest.mark.fault(
    "J4", "enqueue answers `1029 Job already queued`", "takes it for success and goes on polling"
)
def test_j4_job_already_queued_is_success(drill: Drill) -> None:
    """One create, one enqueue, then the status."""
    drill.arm(
        Fault(
            operation="export.enqueue", code="1029", message="Job already queued", takes_effect=True
        )
    )
    drill.assert_whole(drill.run())
    assert drill.operations()[:3] == ["create", "enqueue", "status"]
    assert (drill.count("export.create"), drill.count("export.enqueue")) == (1, 1)


@pytest.mark.parametrize("message", ["disk on fire", ""])
@pytest.mark.fault(
    "J5",
    "a job fails, with a reason or without",
    "creates it again; fails after three, with the reason and the bookmark where it was",
)
def test_j5_failed_job_is_created_again_three_times_at_most(drill: Drill, message: str) -> None:
    """Twice failed is made up for; three times is an error that gives the reason."""
    drill.arm(Fault(operation="export.job", outcome="Failed", message=message, times=2))
    drill.assert_whole(drill.run())
    assert drill.count("export.create") == 3
    drill.arm(Fault(operation="export.job", outcome="Failed", message=message, times=None))
    error, failed = drill.run_fails(JobFailedError)
    assert (message or "Marketo gives no reason") in str(error)
    assert drill.count("export.create") == 6
    drill.assert_next_run_completes(failed)


@pytest.mark.parametrize("outcome", ["Failed", "Cancelled"])
@pytest.mark.fault(
    "J5",
    "… and the quota is used up when it is to be created again",
    "stops as for the quota, with exit code 75; the next day's run creates it",
)
def test_j5_quota_used_up_when_a_job_is_created_again(
    drill: Drill, outcome: Literal["Failed", "Cancelled"]
) -> None:
    """What stops the run is the quota, and the error says when to come back."""
    drill.arm(
        Fault(operation="export.job", outcome=outcome),
        Fault(operation="export.create", nth=2, code="1029", message=QUOTA_TEXT, times=None),
    )
    _, failed = drill.run_fails(DailyQuotaExceededError)
    drill.emulator.advance(DAY_SECONDS)
    drill.assert_next_run_completes(failed)


@pytest.mark.parametrize(
    "spelling",
    [
        pytest.param(
            "Cancelled",
            id="J6",
            marks=pytest.mark.fault(
                "J6", "somebody cancels a job", "creates it again, three times at most"
            ),
        ),
        pytest.param(
            "Canceled",
            id="J7",
            marks=pytest.mark.fault(
                "J7", "the status of a cancelled job is spelt `Canceled`", "does the same"
            ),
        ),
    ],
)
def test_j6_j7_cancelled_job_is_created_again(
    make_drill: Callable[..., Drill], spelling: str
) -> None:
    """In either spelling a cancelled job is made up for; for ever cancelled is an error."""
    drill = make_drill(options=replace(NO_RATE_LIMIT, cancelled_spelling=spelling))
    drill.arm(CANCELLED)
    drill.assert_whole(drill.run())
    assert drill.count("export.create") == 2
    drill.arm(replace(CANCELLED, times=None))
    _, failed = drill.run_fails(JobCancelledError)
    drill.assert_next_run_completes(failed)


@pytest.mark.fault(
    "J8",
    "a job has a status nobody knows (`Paused`)",
    "says so once and polls on, until `job_timeout_seconds` are over",
)
def test_j8_unknown_status_is_polled_on(drill: Drill, caplog: pytest.LogCaptureFixture) -> None:
    """Said once however often it is seen; without end it is a time-out."""
    drill.arm(PAUSED)
    drill.assert_whole(drill.run())
    assert drill.count("export.status") == 4
    assert sum("'Paused'" in record.message for record in caplog.records) == 1
    drill.arm(replace(PAUSED, times=None))
    error, failed = drill.run_fails(JobTimeoutError, {"job_timeout_seconds": 0.03})
    assert "Paused" in str(error)
    drill.assert_next_run_completes(failed)


@pytest.mark.fault(
    "J9",
    "a job stays `Processing` for ever",
    "cancels it after `job_timeout_seconds`, which frees its place; the next run makes a new one",
)
def test_j9_job_that_never_ends_is_cancelled(drill: Drill) -> None:
    """The error names job, status and setting; the job is cancelled in Marketo."""
    drill.arm(Fault(operation="export.job", outcome="Stuck"))
    error, failed = drill.run_fails(JobTimeoutError, {"job_timeout_seconds": 0.03})
    (job,) = drill.emulator.jobs
    assert job.status.value == "Cancelled"
    assert f"export {job.export_id}" in str(error)
    assert "was still Processing after 0.03 s" in str(error)
    assert "job_timeout_seconds" in str(error)
    drill.assert_next_run_completes(failed)


@pytest.mark.fault(
    "J10",
    "the status goes from `Completed` back to `Processing`",
    "downloads only once a checksum is announced",
)
def test_j10_status_that_goes_back_is_looked_at_again(drill: Drill) -> None:
    """The file is asked for after the first status that is complete, and once."""
    fields = ("result.0.fileChecksum", "result.0.fileSize")
    drill.arm(
        Fault(operation="export.status", drop=fields),
        Fault(operation="export.status", nth=2, put={"result.0.status": "Processing"}, drop=fields),
    )
    drill.assert_whole(drill.run())
    assert drill.operations() == ["create", "enqueue", *["status"] * 3, "file"]


@pytest.mark.fault(
    "J10",
    "… of the job made in place of one that had no checksum either",
    "looks once more at that one, too",
)
def test_j10_each_job_is_looked_at_once_more(drill: Drill) -> None:
    """The first job's file is gone; the second announces its checksum at the second look."""
    fields = ("result.0.fileChecksum", "result.0.fileSize")
    drill.arm(
        Fault(operation="export.status", drop=fields, times=7),
        Fault(operation="export.file", status=404, times=4),
    )
    drill.assert_whole(drill.run())
    first = ["create", "enqueue", "status", "status", *["file", "status"] * 4]
    assert drill.operations() == [*first, "create", "enqueue", "status", "status", "file"]


@pytest.mark.fault(
    "J11",
    "`Completed` without checksum and size, for good",
    "looks once more, then downloads, compares the number of records, and warns",
)
def test_j11_file_without_a_checksum_is_counted(
    drill: Drill, caplog: pytest.LogCaptureFixture
) -> None:
    """All rows are there, and it is said that nothing but their number could be checked."""
    drill.arm(Fault(operation="export.job", drop=("fileSize", "fileChecksum")))
    drill.assert_whole(drill.run())
    assert any("gave no checksum" in record.message for record in caplog.records)


@pytest.mark.fault(
    "J11",
    "… and the file has fewer rows than announced",
    "fails with the bookmark where it was; the next run makes a new job",
)
def test_j11_wrong_count_without_a_checksum_is_an_error(drill: Drill) -> None:
    """A file that nothing vouches for must at least have as many rows as announced."""
    drill.arm(
        Fault(operation="export.job", drop=("fileSize", "fileChecksum"), rewrites=("row_missing",))
    )
    error, failed = drill.run_fails(DecodeError)
    assert "announced 60 records, the file has 59" in str(error)
    drill.assert_next_run_completes(failed)


@pytest.mark.fault(
    "J12",
    "`Completed`, but the file is 404 for a while",
    "asks again after 5, 15 and 45 s",
)
def test_j12_missing_file_is_asked_for_again(drill: Drill) -> None:
    """A file that turns up late is read, and no job is made again."""
    drill.arm(Fault(operation="export.file", status=404, body="not found", times=3))
    drill.assert_whole(drill.run())
    assert drill.clock.slept == [5, 15, 45]
    assert drill.count("export.create") == 1


@pytest.mark.fault("J12", "… and stays 404", "creates the job again, three times at most")
def test_j12_file_that_stays_missing_is_exported_again(drill: Drill) -> None:
    """After four refusals a new job brings the rows."""
    drill.arm(Fault(operation="export.file", status=404, body="not found", times=4))
    drill.assert_whole(drill.run())
    assert drill.count("export.create") == 2


@pytest.mark.parametrize(
    ("fault", "days"),
    [
        (None, 8),
        (None, 40),
        (Fault(operation="export.status", status=404, body="not found"), 1),
        (Fault(operation="export.status", code="610"), 1),
        (Fault(operation="export.status", code="1013"), 1),
    ],
    ids=["eight days old", "forgotten", "404", "610", "1013"],
)
@pytest.mark.fault(
    "J13",
    "the job in STATE is older than seven days, or unknown (404, 610, 1013)",
    "makes a new one",
)
def test_j13_job_of_an_old_state_is_created_again(
    drill: Drill, fault: Fault | None, days: int
) -> None:
    """However Marketo says that a job is gone, its programs are exported again."""
    failed = left_by_a_used_up_quota(drill)
    drill.emulator.faults.clear()
    drill.emulator.advance(days * DAY_SECONDS)
    if fault:
        drill.arm(fault)
    drill.assert_whole(failed, drill.run(state=failed.last_state))
    assert drill.count("export.create") == 2


@pytest.mark.fault("J14", "the job in STATE belongs to another API user", "makes one of its own")
def test_j14_job_of_another_user_is_created_again(make_drill: Callable[..., Drill]) -> None:
    """A state that moved to other credentials costs one more job and no rows."""
    others = (("other", "secret"),)
    drill = make_drill(options=replace(NO_RATE_LIMIT, other_clients=others))
    failed = left_by_a_used_up_quota(drill)
    other = {"client_id": "other", "client_secret": "secret"}
    drill.assert_next_run_completes(failed, config=other)
    assert [job.owner for job in drill.emulator.jobs] == ["emulator", "other"]


@pytest.mark.fault(
    "J19", "create answers with a status other than `Created`", "creates again after a moment"
)
def test_j19_job_that_is_not_created_is_created_again(drill: Drill) -> None:
    """The job that came out wrong is left alone."""
    drill.arm(Fault(operation="export.create", put={"result.0.status": "failed"}))
    drill.assert_whole(drill.run())
    assert drill.operations()[:3] == ["create", "create", "enqueue"]
    assert drill.clock.slept == [1]


@pytest.mark.parametrize("announced", [True, False])
@pytest.mark.fault(
    "J20",
    "a job finds no rows, and says so or says nothing",
    "writes no record, moves the bookmark; where it is announced, there is no download either",
)
def test_j20_no_rows_move_the_bookmark(
    make_drill: Callable[..., Drill], *, announced: bool
) -> None:
    """Zero rows are an answer, with `numberOfRecords` 0 or without it."""
    drill = make_drill(members=0)
    if not announced:
        drill.arm(Fault(operation="export.job", drop=("numberOfRecords",)))
    drill.assert_whole(drill.run())
    assert drill.count("export.file") == (0 if announced else 1)


@pytest.mark.fault("J20", "… or there are rows, and no number", "reads the file all the same")
def test_j20_rows_without_a_number_are_read(drill: Drill) -> None:
    """A number that is missing is no zero."""
    drill.arm(Fault(operation="export.job", drop=("numberOfRecords",)))
    drill.assert_whole(drill.run())


@pytest.mark.parametrize("minutes", [-10, 10])
@pytest.mark.fault(
    "J21",
    "this machine's clock is ten minutes before or behind Marketo's",
    "ends the last window by Marketo's `Date`",
)
def test_j21_window_ends_by_marketos_clock(make_drill: Callable[..., Drill], minutes: int) -> None:
    """The bookmark is a minute behind Marketo's clock, to the second; nothing is lost after it."""
    now = (datetime.now(timezone.utc) + timedelta(minutes=minutes)).replace(microsecond=0)
    drill = make_drill(clock=VirtualClock(now))
    drill.emulator.store.touch_members(5)
    first = drill.run()
    assert moment(first.bookmark["replication_key_value"]) == now - timedelta(seconds=60)
    drill.emulator.advance(300)
    drill.emulator.store.touch_members(9, seed=1)
    drill.emulator.advance(300)
    drill.assert_whole(first, drill.run(state=first.last_state))


@pytest.mark.parametrize("month", [3, 11])
@pytest.mark.fault(
    "J22",
    "clocks are put forward or back within a window",
    "windows are in UTC and meet without a gap, whatever the machine's zone",
)
def test_j22_windows_ignore_daylight_saving(
    make_drill: Callable[..., Drill], monkeypatch: pytest.MonkeyPatch, month: int
) -> None:
    """A member changed in every hour of the night of the change is found."""
    monkeypatch.setenv("TZ", "America/Chicago")
    time.tzset()
    changes = {
        3: datetime(2026, 3, 8, tzinfo=timezone.utc),
        11: datetime(2026, 11, 1, tzinfo=timezone.utc),
    }
    night = changes[month]
    drill = make_drill(members=24, clock=VirtualClock(night + timedelta(days=20)))
    for hour, key in enumerate(drill.emulator.store.members()):
        drill.emulator.store.change_member(
            int(str(key["programId"])),
            int(str(key["leadId"])),
            updatedAt=(night + timedelta(hours=hour)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        )
    try:
        start = night - timedelta(days=5)
        run = drill.run({"start_date": start.isoformat(), "window_days": 6})
    finally:
        monkeypatch.undo()
        time.tzset()
    drill.assert_whole(run)
    windows = sorted(
        {tuple(job["filter"]["updatedAt"].values()) for job in created_jobs(drill.emulator)}
    )
    assert [end for _, end in windows[:-1]] == [begin for begin, _ in windows[1:]]


def delete_while_waiting(drill: Drill) -> None:
    """Have program 1002 deleted between the creation of its job and the news of its failure."""

    def delete() -> None:
        if 1002 in drill.emulator.store.programs:
            drill.emulator.store.remove_program(1002)

    drill.clock.on_sleep = delete
    drill.arm(
        Fault(operation="export.job", outcome="Failed"),
        Fault(operation="export.status", status=502),
    )


@pytest.mark.fault(
    "J23",
    "… or while its job fails, so that creating it again is refused",
    "skips it alone; the other programs of the job are exported",
)
def test_j23_program_deleted_before_a_job_is_created_again(drill: Drill) -> None:
    """The refusal of a second creation is taken as that of a first."""
    delete_while_waiting(drill)
    drill.assert_whole(drill.run())


@pytest.mark.fault(
    "J23",
    "… and the run ends before the rest of that job is exported",
    "moves no bookmark past the window that is missing, though later windows are complete",
)
def test_j23_no_bookmark_passes_a_window_that_is_planned_anew(
    make_drill: Callable[..., Drill],
) -> None:
    """All that changed in the first of two windows is brought by the next run."""
    drill = make_drill()
    now = drill.emulator.clock.now()
    for index, (lead_id, program_id) in enumerate(members_of(drill.emulator)):
        changed = now - timedelta(days=35 if index % 2 else 5)
        drill.emulator.store.change_member(
            program_id, lead_id, updatedAt=changed.strftime("%Y-%m-%dT%H:%M:%SZ")
        )
    config = {"start_date": (now - timedelta(days=40)).isoformat()}
    delete_while_waiting(drill)
    drill.arm(Fault(operation="export.create", nth=4, code="1029", message=QUOTA_TEXT, times=None))
    with pytest.raises(MarketoBulkError) as caught:
        drill.run(config)
    failed = caught.value.run  # type: ignore[attr-defined]
    drill.emulator.faults.clear()
    drill.emulator.advance(DAY_SECONDS)
    table = failed.table() | drill.run(config, state=failed.last_state).table()
    # What was written of program 1002 before it went is no matter here.
    assert {k: m for k, m in table.items() if k[1] != 1002} == members_of(drill.emulator)


@pytest.mark.fault("J24", "eleven programs", "ten to a job, as Marketo allows")
def test_j24_eleven_programs_are_two_jobs(make_drill: Callable[..., Drill]) -> None:
    """No job asks for more than ten programs."""
    drill = make_drill(programs=11)
    drill.assert_whole(drill.run({"program_ids": [*range(1001, 1012)]}))
    assert [len(job["filter"]["programIds"]) for job in created_jobs(drill.emulator)] == [10, 1]


@pytest.mark.fault(
    "T7.5",
    "the list of jobs answers 500, 611, 606 or 601 for ever, or nonsense",
    "asks for each job alone, says so once, and ends as if nothing were wrong",
)
@pytest.mark.parametrize(
    "fault",
    [
        {"code": "500"},
        {"code": "611"},
        {"code": "606"},
        {"code": "601"},
        {"code": "9999"},
        {"code": "603"},
        {"status": 502, "body": "<html>"},
        {"status": 404, "body": ""},
        {"reset": "before"},
        {"rewrites": ("half",)},
        {"drop": ("result.0.exportId",)},
        {"put": {"result.0.status": 7}},
    ],
    ids=str,
)
def test_list_that_fails_ends_no_run(
    make_emulator: Callable[..., Emulator],
    virtual: Callable[[Emulator], VirtualRuns],
    caplog: pytest.LogCaptureFixture,
    fault: dict[str, Any],
) -> None:
    """All members come, in the time they take when the list works."""
    emulator = make_emulator(programs=60, members=60, job_seconds=600)
    emulator.faults.add(Fault(operation="export.list", times=None, **fault))
    caplog.set_level("INFO")
    began = emulator.clock.now()
    run = virtual(emulator).run()
    assert members_of(emulator) == run.table()
    assert emulator.clock.now() - began < timedelta(hours=1)
    lists = len(emulator.requests.of("export.list"))
    assert 1 <= lists <= 6
    said = [r.message for r in caplog.records if "asked for one by one" in r.message]
    assert len(said) == 1


@pytest.mark.fault(
    "T7.6",
    "optional parts of a job's status have odd forms: `n/a`, text, negative, huge, lists",
    "reads what can mean one thing only, takes the rest for left out, and warns once for each",
)
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("finishedAt", "n/a"),
        ("startedAt", 1_760_000_000),
        ("queuedAt", []),
        ("createdAt", "n/a"),
        ("numberOfRecords", "60"),
        ("numberOfRecords", -1),
        ("numberOfRecords", 10**30),
        ("fileSize", "n/a"),
        ("fileSize", 1.5),
        ("fileChecksum", 7),
        ("format", {}),
        ("errorMsg", ["none"]),
    ],
)
def test_odd_members_of_a_job_end_no_run(
    drill: Drill, caplog: pytest.LogCaptureFixture, name: str, value: Any
) -> None:
    """All rows come, from one job."""
    for call in ("create", "enqueue", "status"):
        put = {f"result.0.{name}": value}
        drill.arm(Fault(operation=f"export.{call}", put=put, times=None))
    run = drill.run()
    assert run.table() == members_of(drill.emulator)
    # Without a moment of its creation a job of all members moves no bookmark.
    assert bool(run.bookmark["program_bookmarks"]) == (name != "createdAt")
    assert drill.count("export.create") == 1
    said = [r.message for r in caplog.records if "odd form" in r.message]
    assert len(said) == 1
    assert name in said[0]


@pytest.mark.fault(
    "T7.7",
    "`numberOfRecords` is 0 though the file has rows",
    "believes size and checksum, downloads the file, warns",
)
@pytest.mark.parametrize("drop", [(), ("fileSize",)])
def test_count_of_zero_is_not_believed_over_a_checksum(
    make_drill: Callable[..., Drill], caplog: pytest.LogCaptureFixture, drop: tuple[str, ...]
) -> None:
    """A program with one member, counted one too low."""
    drill = make_drill(programs=1, members=1)
    drill.arm(Fault(operation="export.job", put={"numberOfRecords": 0}, drop=drop, times=None))
    drill.assert_whole(drill.run())
    assert any("announced 0 records, the file has 1" in r.message for r in caplog.records)


@pytest.mark.fault(
    "T7.7",
    "… and there is no checksum to say so",
    "fails with the bookmark where it was; the next run makes a new job",
)
def test_count_of_zero_under_a_size_alone_is_an_error(make_drill: Callable[..., Drill]) -> None:
    """Nothing tells whether the count or the file is right."""
    drill = make_drill(programs=1, members=1)
    drill.arm(
        Fault(operation="export.job", put={"numberOfRecords": 0}, drop=("fileChecksum",), times=9)
    )
    error, failed = drill.run_fails(DecodeError)
    assert "announced 0 records, the file has 1" in str(error)
    drill.assert_next_run_completes(failed)


@pytest.mark.fault(
    "T7.7",
    "… and it is true: the checksum is that of a header alone",
    "makes no call for a file without rows",
)
def test_empty_export_is_known_by_its_digest(make_drill: Callable[..., Drill]) -> None:
    """The header is known, and so is its digest."""
    drill = make_drill(programs=2, members=0)
    drill.assert_whole(drill.run())
    assert drill.operations() == ["create", "enqueue", "status"]

"""Quotas, full queues and stuck jobs: what is waited for, until when, and what is kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from marketo_bulk.errors import DailyQuotaExceededError, JobTimeoutError
from marketo_emulator import Fault, VirtualClock
from tests.tap_runs import NO_RATE_LIMIT, TapRun, members_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from marketo_emulator import Emulator
    from marketo_emulator.wire.request_log import LoggedRequest
    from tests.virtual_runs import VirtualRuns

SUMMER = datetime(2026, 7, 1, 20, 0, 30, tzinfo=timezone.utc)
WINTER = datetime(2026, 12, 1, 20, 0, 30, tzinfo=timezone.utc)
MARGIN = timedelta(minutes=2)
WAIT = {"on_daily_quota": "wait"}
QUOTA_TEXT = "Export daily quota 500MB exceeded."
DAY_BYTES = 500_000_000


@pytest.fixture
def runs(
    make_emulator: Callable[..., Emulator], virtual: Callable[[Emulator], VirtualRuns]
) -> Callable[..., VirtualRuns]:
    """Return a function that gives the runs against an emulator that starts at a moment."""

    def make(start: datetime = SUMMER, **options: Any) -> VirtualRuns:
        return virtual(make_emulator(clock=VirtualClock(start), **options))

    return make


@pytest.fixture(autouse=True)
def _info(caplog: pytest.LogCaptureFixture) -> None:
    """Capture what a user sees by default."""
    caplog.set_level("INFO")


def lines(caplog: pytest.LogCaptureFixture, *words: str) -> list[str]:
    """Return the messages at INFO or above that hold all of these words."""
    return [
        record.getMessage()
        for record in caplog.records
        if record.levelname != "DEBUG" and all(word in record.getMessage() for word in words)
    ]


def at(start: datetime, hour: int) -> datetime:
    """Return the hour of the next day, with the margin."""
    return start.replace(hour=hour, minute=0, second=0) + timedelta(days=1) + MARGIN


def assert_whole(runs: VirtualRuns, *done: TapRun) -> None:
    """Hold the table of all runs against Marketo's."""
    table: dict[Any, Any] = {}
    for run in done:
        table.update(run.table())
    assert members_of(runs.emulator) == table
    assert done[-1].bookmark["export_jobs"] == []


def failed(caught: pytest.ExceptionInfo[BaseException]) -> TapRun:
    """Return what a run wrote before it failed."""
    run: TapRun = caught.value.run  # type: ignore[attr-defined]
    return run


# --- both readings of midnight ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "timezone_name", "tries"),
    [
        (SUMMER, "America/Chicago", [5]),
        (SUMMER, "fixed_cst", [5, 6]),
        (WINTER, "America/Chicago", [5, 6]),
    ],
    ids=["summer-central", "summer-cst", "winter"],
)
def test_wait_tries_both_readings_of_midnight(
    runs: Callable[..., VirtualRuns],
    caplog: pytest.LogCaptureFixture,
    start: datetime,
    timezone_name: str,
    tries: list[int],
) -> None:
    """Asked again at 05:02Z and, if refused, at 06:02Z: never between, and one line for each."""
    drill = runs(start, options=replace(NO_RATE_LIMIT, reset_timezone=timezone_name))
    drill.emulator.others_use(exported_bytes=DAY_BYTES)
    run = drill.run(WAIT)
    assert_whole(drill, run)
    created = drill.emulator.requests.of("export.create")
    moments = [entry.started_at.replace(microsecond=0) for entry in created]
    assert [start, *(at(start, hour) for hour in tries)] == moments
    waits = lines(caplog, "Waiting until")
    assert [f"{at(start, hour):%Y-%m-%dT%H:%M:%SZ}" for hour in tries] == [
        line.rpartition("Waiting until ")[2].rstrip(".") for line in waits
    ]
    assert all(QUOTA_TEXT in line for line in waits)


def test_stop_says_when_to_come_back_and_asks_once(runs: Callable[..., VirtualRuns]) -> None:
    """The default: no wait at all, and one refused call."""
    drill = runs()
    drill.emulator.others_use(exported_bytes=DAY_BYTES)
    with pytest.raises(DailyQuotaExceededError, match="06:00 UTC") as caught:
        drill.run()
    assert (drill.calls(), drill.time.slept) == (["create"], [])
    assert failed(caught).records() == []


# --- the daily calls ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "operation", ["export.create", "export.enqueue", "export.status", "export.file"]
)
def test_607_waits_without_a_single_call(
    runs: Callable[..., VirtualRuns], caplog: pytest.LogCaptureFixture, operation: str
) -> None:
    """Where the day's calls end, none is made before the reset; the run then goes on and ends."""
    drill = runs(job_seconds=90.0)
    drill.emulator.faults.add(Fault(operation=operation, code="607"))
    run = drill.run(WAIT)
    assert_whole(drill, run)
    entries = [entry for entry in drill.emulator.requests if entry.operation != "identity.token"]
    refused = next(index for index, entry in enumerate(entries) if entry.error_code == "607")
    assert entries[refused + 1].started_at >= at(SUMMER, 5)
    assert len(lines(caplog, "607", "Waiting until")) == 1
    assert drill.calls().count("create") == (2 if operation == "export.create" else 1)


@pytest.mark.parametrize(
    "operation", ["export.create", "export.enqueue", "export.status", "export.file"]
)
def test_607_stops_with_the_job_in_state(runs: Callable[..., VirtualRuns], operation: str) -> None:
    """Stopped wherever it is, the next day's run takes the job over and creates no other."""
    drill = runs(job_seconds=90.0)
    drill.emulator.faults.add(Fault(operation=operation, code="607", times=None))
    with pytest.raises(DailyQuotaExceededError) as caught:
        drill.run()
    first = failed(caught)
    kept = first.bookmark.get("export_jobs", [])
    assert len(kept) == (0 if operation == "export.create" else 1)
    assert sum(entry.error_code == "607" for entry in drill.emulator.requests) == 1
    drill.emulator.faults.clear()
    drill.emulator.advance(43_200)
    second = drill.run(state=first.last_state)
    assert_whole(drill, first, second)
    # Besides the first job there is one for the window since then.
    assert len(drill.emulator.jobs) == 1 + len(kept)


def pairs_after_607(drill: VirtualRuns) -> list[tuple[LoggedRequest, LoggedRequest]]:
    """Return each refused call with the one made after it."""
    entries = [entry for entry in drill.emulator.requests if entry.operation != "identity.token"]
    return [pair for pair in pairwise(entries) if pair[0].error_code == "607"]


EARLY_CALLS = ["identity.token", "describe.members", "describe.leads", "programs.browse"]


@pytest.mark.parametrize("operation", EARLY_CALLS)
@pytest.mark.fault(
    "A15",
    "… at any call, with `on_daily_quota: wait`",
    "waits for the reset, makes no call meanwhile, and goes on; no program is lost",
)
def test_607_is_waited_for_before_there_is_a_job(
    runs: Callable[..., VirtualRuns], caplog: pytest.LogCaptureFixture, operation: str
) -> None:
    """Discovery and the list of programs are asked for again after the reset, and not before."""
    drill = runs()
    drill.emulator.faults.add(Fault(operation=operation, code="607"))
    run = drill.run(WAIT)
    assert_whole(drill, run)
    asked = drill.emulator.requests.of(operation)
    assert [entry.error_code for entry in asked[:2]] == ["607", ""]
    assert asked[1].started_at >= at(SUMMER, 5)
    assert len(lines(caplog, "607", "Waiting until 2026-07-02T05:02:00Z")) == 1


@pytest.mark.parametrize("operation", EARLY_CALLS)
def test_607_before_there_is_a_job_stops_a_run_that_is_not_to_wait(
    runs: Callable[..., VirtualRuns], operation: str
) -> None:
    """One refused call, no sleep, and the time to come back."""
    drill = runs()
    drill.emulator.faults.add(Fault(operation=operation, code="607", times=None))
    with pytest.raises(DailyQuotaExceededError, match="06:00 UTC"):
        drill.run()
    assert drill.time.slept == []
    assert len(drill.emulator.requests.of(operation)) == 1


@pytest.mark.parametrize("operation", ["export.status", "export.cancel"])
def test_607_is_waited_for_while_jobs_are_taken_over(
    runs: Callable[..., VirtualRuns], caplog: pytest.LogCaptureFixture, operation: str
) -> None:
    """A job of an earlier run is looked at, or cancelled, after the reset; none is forgotten."""
    drill = runs(job_seconds=90.0)
    drill.emulator.faults.add(Fault(operation="export.status", code="607"))
    with pytest.raises(DailyQuotaExceededError) as caught:
        drill.run()
    state = failed(caught).last_state
    (job,) = state["bookmarks"]["program_members"]["export_jobs"]
    drill.emulator.faults.add(Fault(operation=operation, code="607"))
    if operation == "export.cancel":
        job["fields"] = "of another catalog"
    run = drill.run(WAIT, state=state)
    assert_whole(drill, run)
    *_, (refused, again) = pairs_after_607(drill)
    assert refused.operation == again.operation == operation
    assert again.started_at >= at(SUMMER, 5)
    assert len(lines(caplog, "Waiting until")) == 1
    assert len(drill.emulator.requests.of("export.create")) == 2


@pytest.mark.parametrize("jobs_before", [0, 1], ids=["first", "again"])
def test_607_to_the_look_at_a_refused_program_costs_no_program(
    runs: Callable[..., VirtualRuns], jobs_before: int
) -> None:
    """A job is refused, and the calls end where it is asked whether its program is still there."""
    drill = runs(programs=1)
    drill.emulator.faults.add(
        Fault(operation="export.job", outcome="Failed", times=jobs_before),
        Fault(operation="export.create", nth=1 + jobs_before, code="610"),
        Fault(operation="programs.get", code="607"),
    )
    assert_whole(drill, drill.run(WAIT))
    (looked,) = drill.emulator.requests.of("programs.get")
    assert looked.error_code == "607"


# --- between create and enqueue ------------------------------------------------------------------


def test_quota_between_create_and_enqueue_keeps_the_job(runs: Callable[..., VirtualRuns]) -> None:
    """J3: the created job stands in STATE, and the next run enqueues it in place of a new one."""
    drill = runs()
    drill.emulator.faults.add(
        Fault(operation="export.enqueue", code="1029", message=QUOTA_TEXT, times=None)
    )
    with pytest.raises(DailyQuotaExceededError) as caught:
        drill.run()
    first = failed(caught)
    (job,) = drill.emulator.jobs
    assert [job.export_id] == [entry["exportId"] for entry in first.bookmark["export_jobs"]]
    assert drill.calls() == ["create", "enqueue"]
    drill.emulator.faults.clear()
    drill.emulator.advance(43_200)
    second = drill.run(state=first.last_state)
    assert_whole(drill, first, second)
    created = [r.body["filter"] for r in drill.emulator.requests.of("export.create")]
    assert ["updatedAt" in wanted for wanted in created] == [False, True]


def test_quota_between_create_and_enqueue_asks_no_more_while_a_job_runs(
    runs: Callable[..., VirtualRuns],
) -> None:
    """The job that runs is polled once a minute and read; the refused one costs one call."""
    drill = runs(programs=12, members=120, job_seconds=1800.0)
    drill.emulator.faults.add(
        Fault(operation="export.enqueue", nth=2, code="1029", message=QUOTA_TEXT, times=None)
    )
    with pytest.raises(DailyQuotaExceededError) as caught:
        drill.run()
    first = failed(caught)
    assert drill.calls().count("enqueue") == 2
    assert drill.calls().count("status") <= 32
    read = {key: member for key, member in members_of(drill.emulator).items() if key[1] <= 1010}
    assert read == first.table()
    assert len(first.bookmark["export_jobs"]) == 1
    drill.emulator.faults.clear()
    drill.emulator.advance(43_200)
    assert_whole(drill, first, drill.run(state=first.last_state))


def test_wait_enqueues_the_created_job_after_the_reset(
    runs: Callable[..., VirtualRuns], caplog: pytest.LogCaptureFixture
) -> None:
    """J3 with `wait`: hours later the same job goes into the queue, its time-out not counted."""
    drill = runs()
    drill.emulator.faults.add(Fault(operation="export.enqueue", code="1029", message=QUOTA_TEXT))
    run = drill.run({**WAIT, "job_timeout_seconds": 600})
    assert_whole(drill, run)
    assert drill.calls()[:3] == ["create", "enqueue", "enqueue"]
    assert drill.emulator.requests.of("export.enqueue")[1].started_at >= at(SUMMER, 5)
    assert len(lines(caplog, "Waiting until")) == 1


def test_jobs_that_run_are_read_while_the_quota_is_waited_for(
    runs: Callable[..., VirtualRuns],
) -> None:
    """The byte quota stops new jobs only: what runs is polled and written before the reset."""
    drill = runs(programs=12, members=120, job_seconds=1800.0)
    drill.emulator.faults.add(
        Fault(operation="export.create", nth=2, code="1029", message=QUOTA_TEXT)
    )
    run = drill.run(WAIT)
    assert_whole(drill, run)
    files = [entry.started_at for entry in drill.emulator.requests.of("export.file")]
    assert files[0] < at(SUMMER, 5) <= files[1]


# --- the queue -----------------------------------------------------------------------------------


def test_queue_held_by_others_is_waited_for_and_said_once(
    runs: Callable[..., VirtualRuns], caplog: pytest.LogCaptureFixture
) -> None:
    """J1: three hours without a place cost one created job, a call a minute and one line."""
    drill = runs(programs=12, members=120)
    drill.emulator.others_use(queued_exports=10, seconds=3 * 3600)
    run = drill.run()
    assert_whole(drill, run)
    refused = [e for e in drill.emulator.requests.of("export.enqueue") if e.error_code == "1029"]
    assert len(refused) == 180
    assert drill.calls()[:182] == ["create"] + ["enqueue"] * 181
    (line,) = lines(caplog, "queue full")
    assert line.endswith("every 60 s until 2026-07-02T02:00:30Z")


def test_queue_full_again_is_said_again(
    runs: Callable[..., VirtualRuns], caplog: pytest.LogCaptureFixture
) -> None:
    """A second wait is a second line."""
    drill = runs(programs=12, members=120)
    full: dict[str, Any] = {
        "operation": "export.enqueue",
        "code": "1029",
        "message": "Too many jobs in queue",
    }
    drill.emulator.faults.add(Fault(**full, times=3), Fault(**full, nth=5, times=2))
    assert_whole(drill, drill.run())
    assert len(lines(caplog, "queue full")) == 2


def test_queue_that_stays_full_ends_the_run_after_the_job_timeout(
    runs: Callable[..., VirtualRuns],
) -> None:
    """The wait for a place is bounded; the job is cancelled and the error says what to raise."""
    drill = runs()
    drill.emulator.others_use(queued_exports=10, seconds=86_400)
    with pytest.raises(JobTimeoutError, match="job_timeout_seconds") as caught:
        drill.run({"job_timeout_seconds": 3600})
    assert timedelta(seconds=3600) <= drill.time.now - SUMMER <= timedelta(seconds=3720)
    assert [job.status.value for job in drill.emulator.jobs] == ["Cancelled"]
    assert failed(caught).bookmark.get("program_bookmarks", []) == []


# --- a job that never ends -----------------------------------------------------------------------


def test_job_stuck_for_hours_is_cancelled_and_leaves_the_bookmark(
    runs: Callable[..., VirtualRuns], caplog: pytest.LogCaptureFixture
) -> None:
    """J9: polled once a minute, logged once per status, cancelled after `job_timeout_seconds`."""
    drill = runs()
    drill.emulator.faults.add(Fault(operation="export.job", outcome="Stuck"))
    with pytest.raises(JobTimeoutError, match="Processing after 7200 s") as caught:
        drill.run({"job_timeout_seconds": 7200})
    first = failed(caught)
    (job,) = drill.emulator.jobs
    assert job.cancelled_by_call
    assert 119 <= drill.calls().count("status") <= 121
    (line,) = lines(caplog, job.export_id, "Processing:")
    assert line.endswith("waited for until 2026-07-01T22:00:30Z")
    assert first.bookmark.get("program_bookmarks", []) == []
    assert_whole(drill, first, drill.run(state=first.last_state))


def test_job_behind_a_stuck_one_is_kept_for_the_next_run(
    runs: Callable[..., VirtualRuns],
) -> None:
    """One stuck job costs itself: the other job's records are written or its file is taken over."""
    drill = runs(programs=12, members=120, job_seconds=60.0)
    drill.emulator.faults.add(Fault(operation="export.job", outcome="Stuck"))
    with pytest.raises(JobTimeoutError) as caught:
        drill.run({"job_timeout_seconds": 7200})
    first = failed(caught)
    second = drill.run(state=first.last_state)
    assert_whole(drill, first, second)
    wanted = [entry.body["filter"] for entry in drill.emulator.requests.of("export.create")]
    whole = [len(each["programIds"]) for each in wanted if "updatedAt" not in each]
    assert whole == [10, 2, 10]

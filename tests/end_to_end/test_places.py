"""Places in the queue: `max_queued_jobs` counts every job of a run, whoever in it asked for one."""

from __future__ import annotations

from datetime import timedelta
from math import inf
from typing import TYPE_CHECKING, Any, Literal

import pytest

from marketo_bulk import LEADS, ExportJob, ExportStatus, MarketoBulk, RunnerOptions
from marketo_bulk.errors import MarketoBulkError
from marketo_bulk.scheduling.places import Places
from marketo_emulator import Emulator, Fault
from tap_marketo_bulk.streams import program_activities
from tap_marketo_bulk.streams.still_members import still_members
from tap_marketo_bulk.sync.names import StreamNames
from tap_marketo_bulk.tap import TapMarketoBulk
from tests.end_to_end.test_made_up_object import Cars
from tests.tap_runs import (
    DAY_SECONDS,
    NO_RATE_LIMIT,
    TapRun,
    capture,
    catalog_with,
    make_tap,
    settings_for,
    unpaced,
)
from tests.virtual_runs import VirtualRuns

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LONG = 1_000.0
BULK = ("leads", "program_members")
REMOVED = "removed_program_members"
PATHS = {"leads": "/bulk/v1/leads/*", "program_members": "/bulk/v1/program/members/*"}
QUEUED = {"Queued", "Processing"}
CONFIG = {
    "start_date": "2026-06-01T00:00:00Z",
    "window_days": 1,
    "full_check_days": 30,
    "track_removed_members": True,
}


class Queue:
    """Runs of the tap on a virtual clock, and the most places they have taken at once."""

    def __init__(self, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
        self.emulator = emulator
        self.runs = VirtualRuns(emulator, monkeypatch)
        self.state: dict[str, Any] = {}
        self.most = 0

    def _look(self) -> None:
        self.most = max(self.most, self.length)
        self.runs.time.at.append((self.runs.time.now, self._look))

    @property
    def length(self) -> int:
        """Return how many places are taken now."""
        return sum(job.status.value in QUEUED for job in self.emulator.jobs)

    def run(self, *streams: str, **config: Any) -> TapRun:
        """Return what a run of some streams from the last state writes, however it ends."""
        self.most = 0
        self._look()
        wanted = {**CONFIG, **config}
        catalog = catalog_with(self.emulator, *streams, config=wanted)
        try:
            made = self.runs.run(wanted, state=self.state, catalog=catalog)
        except (MarketoBulkError, SystemExit) as error:
            made = error.run  # type: ignore[union-attr]
        self.state = made.last_state or self.state
        return made

    def stop_after(self, seconds: float) -> None:
        """Let the next run be told to stop."""

        def stop() -> None:
            raise SystemExit(143)

        self.runs.time.at.append((self.runs.time.now + timedelta(seconds=seconds), stop))

    def change_member(self, code: str) -> None:
        """Change a member."""
        rows = self.emulator.store.member_rows
        program_id = max(rows)
        self.emulator.store.change_member(program_id, min(rows[program_id]), registrationCode=code)

    def remove_member(self) -> dict[str, int]:
        """End a membership, and return its key."""
        rows = self.emulator.store.member_rows
        program_id = min(rows)
        lead_id = min(rows[program_id])
        self.emulator.store.remove_member(program_id, lead_id)
        self.emulator.advance(120)
        return {"leadId": lead_id, "programId": program_id}


@pytest.fixture
def queue(make_emulator: Callable[..., Emulator], monkeypatch: pytest.MonkeyPatch) -> Queue:
    """Return the queue of an instance that was read twelve days ago; jobs take long since."""
    emulator = make_emulator(programs=25, members=100, job_seconds=1.0, options=NO_RATE_LIMIT)
    found = Queue(emulator, monkeypatch)
    found.run(*BULK, REMOVED, window_days=31)
    for day in range(12):
        # No window is empty, so that each job has a file.
        emulator.store.change_lead(5, city=f"City {day}")
        found.change_member(f"day {day}")
        emulator.advance(DAY_SECONDS)
    found.emulator.faults.add(Fault(operation="export.job", job_seconds=LONG, times=None))
    return found


@pytest.mark.parametrize("most", [1, 2, 5])
@pytest.mark.parametrize("failing", [BULK[:1], BULK[1:], BULK])
def test_ids_of_members_wait_for_the_jobs_of_streams_that_have_failed(
    queue: Queue, failing: tuple[str, ...], most: int
) -> None:
    """These go on when the streams of bulk export are over, and nobody reads them."""
    key = queue.remove_member()
    for stream in failing:
        queue.emulator.faults.add(Fault(operation="export.file", path=PATHS[stream], code="603"))
    made = queue.run(*failing, REMOVED, max_queued_jobs=most)
    told = [{name: row[name] for name in key} for row in made.records(REMOVED)]
    assert (told, queue.most) == ([key], most)


@pytest.mark.parametrize("outcome", ["Stuck", "Failed"])
def test_ids_of_members_wait_no_longer_than_a_job_may_take(
    queue: Queue, outcome: Literal["Stuck", "Failed"]
) -> None:
    """Every place is that of a job which never ends, or ends without a file."""
    key = queue.remove_member()
    queue.emulator.faults.clear()
    queue.emulator.faults.add(
        Fault(operation="export.file", path=PATHS["leads"], code="603"),
        Fault(operation="export.job", nth=2, times=3, outcome=outcome, job_seconds=LONG),
    )
    made = queue.run("leads", REMOVED, max_queued_jobs=3, job_timeout_seconds=3600)
    told = [{name: row[name] for name in key} for row in made.records(REMOVED)]
    assert (told, queue.most) == ([key], 3)


@pytest.mark.parametrize("most", [1, 2, 5])
@pytest.mark.parametrize(
    ("stream", "left"),
    [
        *(("leads", left) for left in (0, 1, 2, 5, 8)),
        ("program_members", 1),
        ("program_members", 2),
    ],
)
def test_a_look_waits_for_the_jobs_taken_over(
    queue: Queue, monkeypatch: pytest.MonkeyPatch, stream: str, left: int, most: int
) -> None:
    """Whichever stream they are of. Of members' jobs more would leave nothing to look for."""
    if left:
        queue.stop_after(90)
        queue.run(stream, changed_programs="all", max_queued_jobs=left)
    assert queue.length == left
    monkeypatch.setattr(program_activities, "MEASURED_PAGES", 1)
    monkeypatch.setattr(program_activities, "MORE_PAGES_MAX", -1)
    for number in range(400):
        queue.change_member(f"code {number}")
        queue.emulator.advance(0.5)
    queue.emulator.advance(120)
    before = len(queue.emulator.jobs)
    made = queue.run(*BULK, changed_programs="activities", max_queued_jobs=most)
    assert queue.emulator.jobs[before].kind == "activities"
    assert queue.most == max(left, most)
    assert [row["registrationCode"] for row in made.records()][-1] == "code 399"


@pytest.mark.parametrize("status", ExportStatus)
def test_a_job_that_nobody_reads_costs_nothing_but_time(
    queue: Queue, tmp_path: Path, status: ExportStatus
) -> None:
    """It is unknown to Marketo, and the first failure of a stream is to end the run."""
    key = queue.remove_member()
    places = Places()
    gone = ExportJob("00000000-0000-0000-0000-000000000000", status, status.value)
    places.hold(LEADS, gone, next_poll_at=queue.runs.time() + 60, deadline_at=inf)
    options = RunnerOptions(tmp_path, max_queued_jobs=1, stops_at_first_failure=True, places=places)
    clock = queue.runs.time.for_client()
    with MarketoBulk.connect(unpaced(settings_for(queue.emulator)), clock=clock) as client:
        found, unknown = still_members(client, {(key["leadId"], key["programId"])}, options, clock)
    assert (found, unknown, places.take()) == (set(), set(), [])


class Visits(Cars):
    """A newcomer whose name comes behind all others."""

    names = StreamNames(stream="visits", bookmark="updatedAt", record="visit")


class TapWithVisits(TapMarketoBulk):
    """The tap with one stream of bulk export more."""

    exports_listed = (*TapMarketoBulk.exports_listed, Visits)


def test_ids_of_members_come_after_all_streams_of_bulk_export(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two schedulers at a time would each wait for places of the other."""
    tap = make_tap(emulator, CONFIG, kind=TapWithVisits)
    tap.streams[REMOVED].metadata.root.selected = True
    with tap.client:
        made = capture(tap.sync_all, monkeypatch)
    order = [message["stream"] for message in made.of_type("SCHEMA")]
    assert order[-2:] == ["visits", REMOVED]

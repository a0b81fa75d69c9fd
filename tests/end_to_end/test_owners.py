"""One scheduler for several owners: one queue, files handed out owner by owner."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from marketo_bulk import (
    LEADS,
    PROGRAM_MEMBERS,
    ExportJob,
    ExportRequest,
    ExportScheduler,
    FinishedExport,
    MarketoBulk,
    RejectedError,
    RunnerOptions,
)
from marketo_bulk.errors import DailyQuotaExceededError, JobFailedError
from marketo_bulk.scheduling import submitter
from marketo_emulator import Emulator, Fault
from tests.tap_runs import settings_for, unpaced
from tests.virtual_runs import VirtualTime

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

MEMBERS, PEOPLE, CHANGED = "members", "people", "changed"
POLL_SECONDS = 60.0
QUOTA_TEXT = "Export daily quota 500MB exceeded."
WINDOW = {"startAt": "2025-04-20T00:00:00Z", "endAt": "2025-05-20T00:00:00Z"}
REQUESTS = {
    MEMBERS: ExportRequest(PROGRAM_MEMBERS, ("leadId",), {"programIds": [1001]}),
    PEOPLE: ExportRequest(LEADS, ("id",), {"createdAt": WINDOW}),
    CHANGED: ExportRequest(LEADS, ("id",), {"updatedAt": WINDOW}),
}


@dataclass(frozen=True)
class Part:
    """A piece of an owner's work."""

    owner: str
    number: int

    def follows(self, other: Part) -> bool:
        """Return whether it comes later."""
        assert other.owner == self.owner, "no order between owners"
        return other.number < self.number


@dataclass
class Parts:
    """So many pieces of work of an owner; what is refused comes again."""

    owner: str
    count: int
    refused_parts: list[Part] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.left = deque(Part(self.owner, number) for number in range(self.count))

    def next_work(self) -> Part | None:
        """Return the next one."""
        return self.left.popleft() if self.left else None

    def is_next_queued(self) -> bool:
        """Return no: there was no run before."""
        return False

    def put_back(self, work: Part) -> None:
        """Take one back."""
        self.left.appendleft(work)

    def adopted_job(self, _: Part) -> ExportJob | None:
        """Return none: there was no run before."""
        return None

    def request_for(self, work: Part) -> ExportRequest:
        """Return the same for each of an owner."""
        return REQUESTS[work.owner]

    def refused(self, work: Part, error: RejectedError) -> None:
        """Try it once more."""
        if work in self.refused_parts:
            raise error
        self.refused_parts.append(work)
        self.put_back(work)


class Sync:
    """A scheduler over an emulator, both on one clock that only waiting moves."""

    def __init__(
        self, emulator: Emulator, directory: Path, *sources: Parts, **options: Any
    ) -> None:
        self.emulator = emulator
        self.time = VirtualTime(emulator)
        self.client = MarketoBulk.connect(
            unpaced(settings_for(emulator)), clock=self.time.for_client()
        )
        self.scheduler: ExportScheduler[Part] = ExportScheduler(
            self.client,
            {source.owner: source for source in sources},
            RunnerOptions(directory, poll_interval_seconds=POLL_SECONDS, **options),
            self.time.for_client(),
        )
        self.changes = 0

    def read(self, owner: str) -> Iterator[Part]:
        """Yield the work of an owner whose files are there; each is released afterwards."""
        for finished in self.scheduler.files_of(owner):
            if isinstance(finished, FinishedExport):
                yield finished.work
                self.scheduler.release(finished)
            else:
                self.changes += 1

    def read_all(self, owner: str) -> list[Part]:
        """Return all work of an owner in the order in which it was handed out."""
        return list(self.read(owner))

    def operations(self, name: str) -> list[str]:
        """Return the paths of the calls of an operation."""
        return [entry.path for entry in self.emulator.requests if entry.operation == name]


@pytest.fixture
def sync(make_emulator: Callable[..., Emulator], tmp_path: Path) -> Iterator[Callable[..., Sync]]:
    """Return a function that makes a scheduler for sources, and starts it."""
    begun: list[Sync] = []

    def begin(*sources: Parts, job_seconds: float = 90.0, **options: Any) -> Sync:
        begun.append(Sync(make_emulator(job_seconds=job_seconds), tmp_path, *sources, **options))
        begun[-1].scheduler.__enter__()
        return begun[-1]

    yield begin
    for each in begun:
        each.scheduler.close()
        each.client.close()


def parts(owner: str, count: int) -> list[Part]:
    """Return the work of an owner in its order."""
    return [Part(owner, number) for number in range(count)]


def test_files_are_handed_out_by_owner_and_the_queue_is_shared(
    sync: Callable[..., Sync],
) -> None:
    """When the first owner is at its end, jobs of the next stand in the queue already."""
    run = sync(Parts(MEMBERS, 4), Parts(PEOPLE, 3), Parts(CHANGED, 3))
    assert run.read_all(MEMBERS) == parts(MEMBERS, 4)
    assert run.scheduler.in_flight(MEMBERS) == []
    assert [work for work, _, _ in run.scheduler.in_flight(PEOPLE)] == parts(PEOPLE, 3)
    assert run.read_all(PEOPLE) == parts(PEOPLE, 3)
    assert run.read_all(CHANGED) == parts(CHANGED, 3)
    assert [run.scheduler.jobs_taken(owner) for owner in REQUESTS] == [4, 3, 3]
    # Two at a time, and a look after each end.
    assert run.time() <= 10 * 90 / 2 + 4 * POLL_SECONDS


def test_an_order_of_reading_that_is_not_that_of_the_sources_ends_too(
    sync: Callable[..., Sync], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is read comes first when jobs are created, whatever waits on disk for others."""
    monkeypatch.setattr(submitter, "FILES_WAITING_MAX", 1)
    run = sync(Parts(MEMBERS, 6), Parts(PEOPLE, 6))
    assert run.read_all(PEOPLE) == parts(PEOPLE, 6)
    assert run.read_all(MEMBERS) == parts(MEMBERS, 6)


def test_jobs_of_a_later_owner_are_told_of_while_another_is_read(
    sync: Callable[..., Sync],
) -> None:
    """STATE has to name them, too."""
    run = sync(Parts(MEMBERS, 1), Parts(PEOPLE, 4), job_seconds=3600.0)
    first = next(run.scheduler.files_of(MEMBERS))
    assert first is None
    assert run.read_all(MEMBERS) == parts(MEMBERS, 1)
    assert len(run.scheduler.in_flight(PEOPLE)) == 4


def test_only_jobs_of_one_object_are_listed_in_one_call(sync: Callable[..., Sync]) -> None:
    """A list call answers for one object: heads of two are asked for one by one."""
    run = sync(Parts(MEMBERS, 1), Parts(PEOPLE, 3), job_seconds=1000.0)
    assert run.read_all(MEMBERS) == parts(MEMBERS, 1)
    assert run.operations("export.list") == []
    assert run.read_all(PEOPLE) == parts(PEOPLE, 3)
    assert set(run.operations("export.list")) == {"/bulk/v1/leads/export.json"}


def test_every_call_about_a_job_names_its_object(sync: Callable[..., Sync]) -> None:
    """Enqueue, status, file and cancel go to the object's address."""
    run = sync(Parts(MEMBERS, 1), Parts(PEOPLE, 1))
    run.read_all(MEMBERS)
    run.read_all(PEOPLE)
    for operation in ("export.enqueue", "export.status", "export.file"):
        objects = {path.split("/export/")[0] for path in run.operations(operation)}
        assert objects == {"/bulk/v1/program/members", "/bulk/v1/leads"}, operation


@pytest.mark.parametrize(
    "bound", [{"FILES_WAITING_MAX": 2}, {"FILES_WAITING_MAX_BYTES": 1}], ids=["files", "bytes"]
)
def test_files_of_later_owners_never_keep_the_one_being_read_from_its_jobs(
    sync: Callable[..., Sync], monkeypatch: pytest.MonkeyPatch, bound: dict[str, int]
) -> None:
    """Its job fails when the disk is full of others' files, and is planned anew."""
    for name, most in bound.items():
        monkeypatch.setattr(submitter, name, most)
    members, people = Parts(MEMBERS, 1), Parts(PEOPLE, 9)
    run = sync(members, people)
    faults = run.emulator.faults
    faults.add(Fault(operation="export.job", outcome="Failed", job_seconds=7200.0))
    refusal = Fault(operation="export.create", code="1003", message="Invalid value")
    # When others' files have filled the disk, and before its job has failed.
    run.time.at.append((run.time.now + timedelta(hours=1), lambda: faults.add(refusal)))
    assert run.read_all(MEMBERS) == parts(MEMBERS, 1)
    assert members.refused_parts == parts(MEMBERS, 1)
    assert len(run.scheduler.in_flight(PEOPLE)) < 9, "the disk was never full"
    assert run.read_all(PEOPLE) == parts(PEOPLE, 9)


def test_a_used_up_quota_ends_each_owner_when_nothing_of_its_own_is_under_way(
    sync: Callable[..., Sync],
) -> None:
    """The first one is read to its end; the next one raises; what it has in Marketo stays."""
    run = sync(Parts(MEMBERS, 2), Parts(PEOPLE, 4), job_seconds=1000.0)
    run.emulator.faults.add(
        Fault(operation="export.create", nth=4, times=None, code="1029", message=QUOTA_TEXT)
    )
    assert run.read_all(MEMBERS) == parts(MEMBERS, 2)
    read: list[Part] = []
    with pytest.raises(DailyQuotaExceededError):
        read.extend(run.read(PEOPLE))
    assert read == parts(PEOPLE, 1)
    assert run.scheduler.in_flight(PEOPLE) == []


def test_a_used_up_quota_does_not_wait_for_jobs_of_later_owners(
    sync: Callable[..., Sync],
) -> None:
    """They stay in Marketo, for the next run to take over."""
    run = sync(Parts(MEMBERS, 1), Parts(PEOPLE, 2))
    run.emulator.faults.add(
        Fault(operation="export.job", outcome="Failed", job_seconds=60.0),
        Fault(operation="export.job", nth=2, job_seconds=7200.0),
        Fault(operation="export.job", nth=3, job_seconds=7200.0),
        Fault(operation="export.create", nth=4, times=None, code="1029", message=QUOTA_TEXT),
    )
    with pytest.raises(DailyQuotaExceededError):
        run.read_all(MEMBERS)
    assert run.time() < 600
    assert len(run.scheduler.in_flight(PEOPLE)) == 2


def test_only_the_jobs_of_some_owners_are_cancelled(sync: Callable[..., Sync]) -> None:
    """Those of others stay for the next run; asking again for the same does nothing more."""
    run = sync(Parts(MEMBERS, 2), Parts(PEOPLE, 2), job_seconds=3600.0)
    next(run.scheduler.files_of(MEMBERS))
    run.scheduler.cancel([PEOPLE])
    run.scheduler.cancel([PEOPLE])
    cancelled = run.operations("export.cancel")
    assert len(cancelled) == 2
    assert all(path.startswith("/bulk/v1/leads/") for path in cancelled)
    run.scheduler.cancel([MEMBERS, PEOPLE])
    assert len(run.operations("export.cancel")) == 4


def test_a_job_that_fails_for_good_ends_the_run(sync: Callable[..., Sync]) -> None:
    """After three attempts; what is ready has been read."""
    run = sync(Parts(MEMBERS, 1))
    run.emulator.faults.add(Fault(operation="export.job", outcome="Failed", times=None))
    with pytest.raises(JobFailedError):
        run.read_all(MEMBERS)

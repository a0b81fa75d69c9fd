"""When jobs are looked at, and by which call."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from marketo_bulk import ExportJob, ExportRequest, ExportStatus, RunnerOptions
from marketo_bulk.errors import (
    ConfigurationError,
    CredentialsError,
    DailyQuotaExceededError,
    DecodeError,
    MarketoBulkError,
    RateLimitedError,
    RejectedError,
    ServiceUnavailableError,
    TokenExpiredError,
)
from marketo_bulk.exports.objects import PROGRAM_MEMBERS
from marketo_bulk.scheduling.board import JobBoard
from marketo_bulk.scheduling.failures import OwnerFailures
from marketo_bulk.scheduling.poller import StatusPoller
from marketo_bulk.scheduling.run import ExportRun
from marketo_bulk.scheduling.sources import Sources
from marketo_bulk.scheduling.work import Phase, Slot

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

AT_WORK = ExportStatus.PROCESSING
MINUTE = 60.0
WANTED = ExportRequest(PROGRAM_MEMBERS, ("leadId",), {"programIds": [1]})


@dataclass
class Desk:
    """A client that writes down what it is asked; its calls take `latency` seconds."""

    jobs: dict[str, ExportJob]
    now: float = 0.0
    latency: float = 0.0
    calls: list[str] = field(default_factory=list)
    list_error: MarketoBulkError | None = None

    def clock(self) -> float:
        """Return the present moment."""
        return self.now

    def get_export_status(self, _: object, export_id: str) -> ExportJob:
        """Return what Marketo says of a job."""
        self.now += self.latency
        self.calls.append(export_id)
        return self.jobs[export_id]

    def list_exports(
        self, _: object, statuses: Sequence[ExportStatus], *, max_retry_seconds: float
    ) -> Iterator[ExportJob]:
        """Return the jobs of some statuses, without a wait."""
        assert max_retry_seconds == 0
        self.calls.append("list")
        if self.list_error is not None:
            raise self.list_error
        return (job for job in self.jobs.values() if job.status in statuses)


class Mine:
    """Work that follows no other."""

    owner = "me"

    def follows(self, _: Mine) -> bool:
        """Follow none."""
        return False


class Queue:
    """Jobs "0", "1", ... queued at these seconds, and who looks at them."""

    def __init__(self, *queued_at: float, status: ExportStatus = AT_WORK, **desk: Any) -> None:
        jobs = {str(n): ExportJob(str(n), status) for n in range(len(queued_at))}
        self.desk = Desk(jobs, **desk)
        self.board: JobBoard[Any] = JobBoard()
        self.slots = [
            Slot(Mine(), WANTED, jobs[str(n)], Phase.ENQUEUED, 1e9, at + MINUTE, at)
            for n, at in enumerate(queued_at)
        ]
        for slot in self.slots:
            self.board.add(slot)
        options = RunnerOptions(Path(), poll_interval_seconds=MINUTE)
        run: ExportRun[Any] = ExportRun(self.desk, self.board, options, self.desk.clock)  # type: ignore[arg-type]
        self.poller: StatusPoller[Any] = StatusPoller(run, OwnerFailures(run, Sources({})))

    def end(self, *numbers: int) -> None:
        """Let jobs end in Marketo."""
        for n in numbers:
            job = self.desk.jobs[str(n)]
            self.desk.jobs[str(n)] = replace(job, status=ExportStatus.COMPLETED)

    def calls_at(self, now: float) -> list[str]:
        """Return the calls a look at this moment takes, each answer noted as the runner does."""
        self.desk.now, self.desk.calls = now, []
        for slot, job in self.poller.looks():
            slot.job = job
            if job.status is ExportStatus.COMPLETED:
                slot.phase = Phase.READY
        return self.desk.calls


def test_two_jobs_at_work_are_asked_for_by_one_call_a_minute() -> None:
    """One list call does for both, whose moments lie close together."""
    queue = Queue(0, 2, 3)
    assert queue.poller.due_at() == 62
    assert queue.calls_at(62) == ["list"]
    assert queue.calls_at(100) == []
    assert queue.calls_at(122) == ["list"]


def test_a_job_that_is_no_longer_listed_is_asked_for() -> None:
    """The list tells who is still at work; how the others ended, and their files, it does not."""
    queue = Queue(0, 2, 90)
    queue.end(0)
    assert queue.calls_at(62) == ["list", "0"]
    assert [slot.job.status for slot in queue.slots] == [ExportStatus.COMPLETED, AT_WORK, AT_WORK]


def test_jobs_whose_moments_lie_apart_are_asked_for_one_by_one() -> None:
    """Neither is looked at sooner than a minute after the last time, nor much later."""
    queue = Queue(0, 30)
    assert [queue.calls_at(at) for at in (60, 90, 120)] == [["0"], ["1"], ["0"]]


def test_jobs_not_known_to_be_at_work_are_asked_for_one_by_one() -> None:
    """Short jobs have all ended by the first look: a list call would be one too many."""
    queue = Queue(0, 0, 0, status=ExportStatus.QUEUED)
    queue.slots[0].job = replace(queue.slots[0].job, status=AT_WORK)
    queue.end(0, 1, 2)
    assert queue.calls_at(60) == ["0", "1", "2"]


def test_nothing_is_asked_of_jobs_behind_one_that_is_still_queued() -> None:
    """Marketo takes them in the order of the queue."""
    queue = Queue(0, 0, 0, status=ExportStatus.QUEUED)
    assert queue.calls_at(60) == ["0"]


def test_a_job_behind_the_two_at_work_keeps_its_own_minute() -> None:
    """The list came a second too early to tell of it: it is asked for when there may be news."""
    queue = Queue(0, 0, 1)
    queue.end(0)
    assert queue.calls_at(60) == ["list", "0"]
    queue.end(2)
    assert queue.calls_at(61) == ["2"]


def test_a_job_the_list_has_just_told_of_is_not_asked_for() -> None:
    """The place it has come to does not make it news."""
    queue = Queue(0, 0, 0)
    queue.end(0)
    assert queue.calls_at(60) == ["list", "0"]
    assert queue.calls_at(119) == []


def test_a_minute_is_counted_from_the_answer() -> None:
    """A call that had to wait for its turn is no reason to make the next one sooner after it."""
    queue = Queue(0, latency=25)
    assert queue.calls_at(60) == ["0"]
    assert queue.poller.due_at() == 60 + 25 + 60


@pytest.mark.parametrize("error", [RejectedError("no"), DecodeError("what?")])
def test_a_marketo_that_does_not_list_is_not_asked_to_again(
    caplog: pytest.LogCaptureFixture, error: MarketoBulkError
) -> None:
    """The jobs are asked for one by one, and the log says why."""
    with caplog.at_level("INFO"):
        queue = Queue(0, 0, list_error=error)
        assert queue.calls_at(60) == ["list", "0", "1"]
        assert queue.calls_at(120) == ["0", "1"]
    assert len(caplog.records) == 1


@pytest.mark.parametrize(
    "error", [ServiceUnavailableError("611"), RateLimitedError("606"), TokenExpiredError("601")]
)
def test_a_list_that_fails_is_tried_a_few_more_times(
    caplog: pytest.LogCaptureFixture, error: MarketoBulkError
) -> None:
    """Each time the jobs are asked for one by one, and after the third for good; said once."""
    with caplog.at_level("INFO"):
        queue = Queue(0, 0, list_error=error)
        calls = [queue.calls_at(60 * n) for n in range(1, 6)]
    assert calls == [["list", "0", "1"]] * 3 + [["0", "1"]] * 2
    assert len(caplog.records) == 1


def test_a_list_that_works_again_is_trusted_again() -> None:
    """Only failures in a row count."""
    queue = Queue(0, 0)
    for n in range(1, 9):
        queue.desk.list_error = None if n % 3 == 0 else ServiceUnavailableError("611")
        assert queue.calls_at(60 * n)[0] == "list"


@pytest.mark.parametrize(
    "error", [DailyQuotaExceededError("607"), CredentialsError("no"), ConfigurationError("no")]
)
def test_what_is_not_about_the_list_is_raised(error: MarketoBulkError) -> None:
    """A used-up quota is waited for by those who know how."""
    with pytest.raises(type(error)):
        Queue(0, 0, list_error=error).calls_at(60)


def test_nobody_is_due_when_nobody_is_queued() -> None:
    """There is nothing to wait for."""
    assert Queue().poller.due_at() is None

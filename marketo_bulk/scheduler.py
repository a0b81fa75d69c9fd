"""Scheduler: keeps export jobs queued ahead, and finished files coming.

Marketo works on two exports at a time. So that it never waits for us, jobs are created and
enqueued a few ahead, polled, and downloaded as soon as they finish, whatever the reader of the
files is doing.
`advance()` does all that is due and says when something else will be; a thread of its own calls
it in a sync, a loop on a virtual clock calls it in a simulation.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic

from typing_extensions import Self

from marketo_bulk.errors import (
    DailyQuotaExceededError,
    DownloadError,
    JobCancelledError,
    JobFailedError,
    JobTimeoutError,
    MarketoBulkError,
    QueueFullError,
    RejectedError,
)
from marketo_bulk.jobs import ExportJob, ExportStatus
from marketo_bulk.quota import QuotaGate
from marketo_bulk.slots import Phase, Slot, WorkSource, WorkT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from marketo_bulk.client import MarketoBulk
    from marketo_bulk.exports import ExportObject, ExportRequest
    from marketo_bulk.partial_file import ExportFile

logger = logging.getLogger(__name__)

JOB_ATTEMPTS_MAX = 3
"""How often the job of one piece of work is created before the run fails."""

READY_FILES_MAX = 50
"""Verified files waiting on disk for a slow reader; no new job is created above this."""

DOWNLOADS_MAX = 2
"""Files downloaded at once: Marketo finishes at most two jobs at a time."""


@dataclass(frozen=True, slots=True)
class SchedulerOptions:
    """How a scheduler behaves; the settings of the same names say what each means."""

    directory: Path
    poll_interval_seconds: float = 60.0
    job_timeout_seconds: float = 21_600.0
    max_queued_jobs: int = 5
    wait_for_daily_quota: bool = False


@dataclass(frozen=True, slots=True)
class FinishedExport(Generic[WorkT]):
    """A piece of work whose file is on disk and verified.

    Shape: `file` is None if the job found no rows, so that there is nothing to read.
    """

    work: WorkT
    request: ExportRequest
    job: ExportJob
    file: ExportFile | None


class ExportScheduler(Generic[WorkT]):
    """Runs the export jobs of a `WorkSource` and hands out their files.

    Iterate over it: it yields each `FinishedExport` in an order that `Work.follows` allows, and
    None whenever the set of jobs in flight has changed while nothing was ready. Call
    `release()` when the records of a file have been written.
    """

    def __init__(
        self,
        client: MarketoBulk,
        export_object: ExportObject,
        source: WorkSource[WorkT],
        options: SchedulerOptions,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] | None = None,
    ) -> None:
        """Prepare a scheduler.

        With `sleep`, everything runs in the caller's thread and waiting calls it; without, in
        threads of its own.
        """
        self._client = client
        self._object = export_object
        self._source = source
        self._options = options
        self._clock = clock
        self._sleep = sleep
        self._slots: list[Slot[WorkT]] = []
        self._changed = threading.Condition()
        self._jobs_changed = False
        self._source_dry = False
        self._failure: BaseException | None = None
        self._quota = QuotaGate(
            wait=options.wait_for_daily_quota, clock=clock, server_now=client.server_now
        )
        self._queue_full_until = 0.0
        self._closed = False
        self._thread: threading.Thread | None = None
        self._warned_statuses: set[str] = set()

    # The reader's side ------------------------------------------------------------------

    def __enter__(self) -> Self:
        if self._sleep is None:
            self._thread = threading.Thread(target=self._run, name="exports", daemon=True)
            self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[FinishedExport[WorkT] | None]:
        while True:
            finished, changed, over = self._next_or_wait()
            if finished is not None:
                yield finished
            elif changed:
                yield None
            elif over:
                return

    def in_flight(self) -> list[tuple[WorkT, ExportRequest, ExportJob]]:
        """Return work, request and job of everything not released yet, oldest first."""
        with self._changed:
            return [(slot.work, slot.request, slot.job) for slot in self._slots]

    def release(self, finished: FinishedExport[WorkT]) -> None:
        """Forget a piece of work whose records have been written, and delete its file."""
        if finished.file is not None:
            finished.file.path.unlink(missing_ok=True)
        with self._changed:
            self._slots = [slot for slot in self._slots if slot.work is not finished.work]
            self._changed.notify_all()

    def stop(self, timeout_seconds: float) -> None:
        """Close, and wait a moment for a call under way, so that `in_flight` is the whole truth."""
        self.close()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout_seconds)

    def close(self) -> None:
        """Stop creating jobs and delete the files on disk; the jobs in Marketo go on."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            for slot in self._slots:
                if slot.file is not None:
                    slot.file.path.unlink(missing_ok=True)

    def cancel_all(self) -> None:
        """Cancel the jobs nobody will come back for, as far as Marketo lets us."""
        self.close()
        for slot in list(self._slots):
            if slot.in_marketo:
                self._cancel(slot.job)

    def _next_or_wait(self) -> tuple[FinishedExport[WorkT] | None, bool, bool]:
        """Return (finished, jobs have changed, nothing is left), waiting until one is true."""
        while True:
            with self._changed:
                slot = self._deliverable()
                if slot is not None:
                    return self._finished(slot), False, False
                if self._jobs_changed:
                    self._jobs_changed = False
                    return None, True, False
                if self._failure is not None:
                    raise self._failure
                if self._source_dry and not self._slots:
                    return None, False, True
                if self._sleep is None:
                    self._changed.wait(1.0)
                    continue
            self._step()

    def _deliverable(self) -> Slot[WorkT] | None:
        for slot in self._slots:
            if slot.phase is Phase.READY and not any(
                slot.work.follows(other.work) for other in self._slots if other is not slot
            ):
                return slot
        return None

    @staticmethod
    def _finished(slot: Slot[WorkT]) -> FinishedExport[WorkT]:
        return FinishedExport(slot.work, slot.request, slot.job, slot.file)

    # The scheduler's side ---------------------------------------------------------------

    def _run(self) -> None:
        while not self._closed and self._failure is None:
            delay = self._advance_or_fail()
            with self._changed:
                if delay and not self._closed:
                    self._changed.wait(delay)
                if self._source_dry and not self._slots:
                    return

    def _step(self) -> None:
        """Do what is due in the caller's thread, and sleep until something else is."""
        assert self._sleep is not None  # noqa: S101  # only called in this mode
        delay = self._advance_or_fail()
        if delay and self._deliverable() is None and self._failure is None:
            self._sleep(delay)

    def _advance_or_fail(self) -> float:
        try:
            return self.advance()
        except BaseException as error:  # noqa: BLE001  # handed to the reader, in its thread
            with self._changed:
                self._failure = error
                self._changed.notify_all()
            return 0.0

    def advance(self) -> float:
        """Do everything that is due; return the seconds until something else is.

        Raises: MarketoBulkError if the run cannot go on; what is ready can still be read.
        """
        try:
            self._collect_downloads()
            if self._clock() >= self._quota.calls_from:
                self._poll_jobs()
            if self._clock() >= self._quota.exports_from:
                self._enqueue_jobs()
                self._create_jobs()
        except DailyQuotaExceededError as error:
            self._on_daily_quota(error)
        self._stop_if_drained()
        return self._seconds_until_due()

    def _collect_downloads(self) -> None:
        for slot in self._in_phase(Phase.DOWNLOADING):
            error = slot.download_error
            if error is None:
                continue
            slot.download_error = None
            if not isinstance(error, DownloadError):
                raise error
            self._recreate(slot, error)

    def _poll_jobs(self) -> None:
        for slot in self._in_phase(Phase.ENQUEUED):
            if self._clock() >= slot.next_poll_at:
                slot.next_poll_at = self._clock() + self._options.poll_interval_seconds
                self._update(slot, self._client.get_export_status(self._object, slot.job.export_id))

    def _update(self, slot: Slot[WorkT], job: ExportJob) -> None:
        self._note(slot, job)
        match job.status:
            case ExportStatus.COMPLETED:
                self._on_completed(slot)
            case ExportStatus.FAILED:
                why = job.error_message or "Marketo gives no reason"
                self._recreate(slot, slot.error(JobFailedError, f"failed: {why}"))
            case ExportStatus.CANCELLED:
                self._recreate(slot, slot.error(JobCancelledError, "was cancelled in Marketo"))
            case ExportStatus.UNKNOWN:
                self._warn_once(job)
                self._check_deadline(slot)
            case ExportStatus.CREATED:
                slot.phase = Phase.CREATED
            case ExportStatus.QUEUED | ExportStatus.PROCESSING:
                self._check_deadline(slot)

    def _on_completed(self, slot: Slot[WorkT]) -> None:
        if slot.job.number_of_records == 0:
            self._ready(slot, None)
        elif slot.job.file_checksum is None and not slot.polled_without_checksum:
            # A status that flaps back, or whose last fields are still being written: look again.
            slot.polled_without_checksum = True
        elif len(self._in_phase(Phase.DOWNLOADING)) < DOWNLOADS_MAX:
            slot.phase = Phase.DOWNLOADING
            if self._sleep is None:
                threading.Thread(
                    target=self._download, args=(slot,), name="download", daemon=True
                ).start()
            else:
                self._download(slot)
        else:
            slot.next_poll_at = self._clock()

    def _download(self, slot: Slot[WorkT]) -> None:
        try:
            file = self._client.download_export(self._object, slot.job, self._options.directory)
        except Exception as error:  # noqa: BLE001  # raised again in the scheduler's own thread
            with self._changed:
                slot.download_error = error
                self._changed.notify_all()
        else:
            self._ready(slot, file)

    def _ready(self, slot: Slot[WorkT], file: ExportFile | None) -> None:
        with self._changed:
            if self._closed and file is not None:
                file.path.unlink(missing_ok=True)
            slot.file = file
            slot.phase = Phase.READY
            self._changed.notify_all()

    def _enqueue_jobs(self) -> None:
        for slot in self._in_phase(Phase.CREATED):
            self._check_deadline(slot)
            if self._clock() < self._queue_full_until:
                return
            if not self._enqueue(slot):
                return

    def _enqueue(self, slot: Slot[WorkT]) -> bool:
        """Put a created job into Marketo's queue; return False if the queue is full."""
        try:
            job = self._client.enqueue_export(self._object, slot.job.export_id)
        except QueueFullError:
            if not self._queue_full_until:
                logger.info(
                    "export queue full: others hold its 10 places; asking again every %g s",
                    self._options.poll_interval_seconds,
                )
            self._queue_full_until = self._clock() + self._options.poll_interval_seconds
            return False
        except RejectedError as error:
            # A job that cannot be enqueued any more (expired, cancelled by hand) is made again.
            self._recreate(slot, error)
            return True
        self._queue_full_until = 0.0
        slot.phase = Phase.ENQUEUED
        slot.deadline_at = self._clock() + self._options.job_timeout_seconds
        slot.next_poll_at = self._clock() + self._options.poll_interval_seconds
        self._note(slot, job)
        return True

    def _create_jobs(self) -> None:
        while self._may_create():
            work = self._source.next_work()
            if work is None:
                with self._changed:
                    self._source_dry = True
                    self._changed.notify_all()
                return
            request = self._source.request_for(work)
            job = self._source.adopted_job(work)
            if job is None:
                try:
                    job = self._client.create_export(request)
                except RejectedError as error:
                    self._source.refused(work, error)
                    continue
                except DailyQuotaExceededError:
                    self._source.put_back(work)
                    raise
            self._add(work, request, job)

    def _may_create(self) -> bool:
        waiting = sum(slot.in_marketo for slot in self._slots)
        return (
            not self._source_dry
            and not self._closed
            and self._quota.stopped_by is None
            and not self._in_phase(Phase.CREATED)
            and waiting < self._options.max_queued_jobs
            and len(self._slots) - waiting < READY_FILES_MAX
        )

    def _add(self, work: WorkT, request: ExportRequest, job: ExportJob) -> None:
        now = self._clock()
        created = job.status is ExportStatus.CREATED
        slot = Slot(
            work,
            request,
            job,
            Phase.CREATED if created else Phase.ENQUEUED,
            deadline_at=now + self._options.job_timeout_seconds,
            next_poll_at=now,
        )
        with self._changed:
            self._slots.append(slot)
            self._jobs_changed = True
            self._changed.notify_all()
        logger.info("export %s %s: %s", job.export_id, job.status_text, work)
        if created:
            self._enqueue(slot)
        else:
            self._update(slot, job)

    def _recreate(self, slot: Slot[WorkT], error: MarketoBulkError) -> None:
        """Create the job of a slot again, or fail with `error` when that has been tried enough."""
        if slot.attempt >= JOB_ATTEMPTS_MAX or self._quota.stopped_by is not None:
            raise error
        logger.warning("export %s will be created again: %s", slot.job.export_id, error)
        job = self._client.create_export(slot.request)
        slot.attempt += 1
        slot.polled_without_checksum = False
        slot.deadline_at = self._clock() + self._options.job_timeout_seconds
        slot.phase = Phase.CREATED
        self._note(slot, job)

    def _note(self, slot: Slot[WorkT], job: ExportJob) -> None:
        """Keep what Marketo said of a job; log one line when its status changes."""
        moved = job.export_id != slot.job.export_id
        if moved or job.status_text != slot.job.status_text:
            logger.info("export %s %s: %s", job.export_id, job.status_text, slot.work)
        with self._changed:
            slot.job = job
            self._jobs_changed = self._jobs_changed or moved
            self._changed.notify_all()

    def _check_deadline(self, slot: Slot[WorkT]) -> None:
        if self._clock() < slot.deadline_at:
            return
        self._cancel(slot.job)
        seconds = self._options.job_timeout_seconds
        raise slot.error(
            JobTimeoutError,
            f"was still {slot.job.status_text} after {seconds:g} s and has been cancelled",
            remedy="Run again, or raise job_timeout_seconds",
        )

    def _cancel(self, job: ExportJob) -> None:
        # A job that has finished meanwhile cannot be cancelled, and nothing depends on it.
        with contextlib.suppress(MarketoBulkError):
            self._client.cancel_export(self._object, job.export_id)

    def _warn_once(self, job: ExportJob) -> None:
        if job.status_text not in self._warned_statuses:
            self._warned_statuses.add(job.status_text)
            logger.warning(
                "export %s has a status this version does not know, %r: polled until %g s are over",
                job.export_id,
                job.status_text,
                self._options.job_timeout_seconds,
            )

    def _on_daily_quota(self, error: DailyQuotaExceededError) -> None:
        """Wait for the reset, or fail once everything that is still running has been read."""
        reopens_at = self._quota.refused(error)
        for slot in self._in_phase(Phase.CREATED, Phase.ENQUEUED):
            slot.deadline_at = max(slot.deadline_at, reopens_at + self._options.job_timeout_seconds)

    def _stop_if_drained(self) -> None:
        if self._quota.stopped_by and not self._in_phase(Phase.ENQUEUED, Phase.DOWNLOADING):
            raise self._quota.stopped_by

    def _seconds_until_due(self) -> float:
        now = self._clock()
        due = [slot.next_poll_at for slot in self._in_phase(Phase.ENQUEUED)]
        if self._in_phase(Phase.CREATED):
            due.append(max(self._queue_full_until, self._quota.exports_from))
        elif self._may_create():
            due.append(self._quota.exports_from)
        due = [max(moment, self._quota.calls_from) for moment in due]
        if not due:
            return self._options.poll_interval_seconds
        return max(0.0, min(due) - now)

    def _in_phase(self, *phases: Phase) -> Sequence[Slot[WorkT]]:
        return [slot for slot in self._slots if slot.phase in phases]

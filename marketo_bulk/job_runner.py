"""Job runner: creates, enqueues, polls and downloads export jobs, whenever one of these is due."""

from __future__ import annotations

import contextlib
import logging
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Generic

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
from marketo_bulk.lookout import Lookout
from marketo_bulk.quota import QuotaGate
from marketo_bulk.slots import Phase, Slot, WorkT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from marketo_bulk.client import MarketoBulk
    from marketo_bulk.exports import ExportObject, ExportRequest
    from marketo_bulk.slot_board import SlotBoard
    from marketo_bulk.work_source import WorkSource

logger = logging.getLogger(__name__)

JOB_ATTEMPTS_MAX = 3
"""How often the job of one piece of work is created before the run fails."""

FILES_WAITING_MAX = 300
"""Files on disk for a slow reader; no new job is created above this: STATE names every one."""

FILES_WAITING_MAX_BYTES = 1_000_000_000
"""Nor above this: two days' quota as Marketo sells it, and a disk that may be small."""

DOWNLOADS_MAX = 2
"""Files downloaded at once: Marketo finishes at most two jobs at a time."""


@dataclass(frozen=True, slots=True)
class RunnerOptions:
    """How jobs are run; the settings of the same names say what each means."""

    directory: Path
    poll_interval_seconds: float = 60.0
    job_timeout_seconds: float = 21_600.0
    max_queued_jobs: int = 5
    wait_for_daily_quota: bool = False


class JobRunner(Generic[WorkT]):
    """Moves the slots of a board along. `advance()` does what is due and never waits.

    `start` runs a download: in a thread, or at once.
    """

    def __init__(  # the collaborators of the whole life of a job
        self,
        client: MarketoBulk,
        export_object: ExportObject,
        source: WorkSource[WorkT],
        board: SlotBoard[WorkT],
        options: RunnerOptions,
        *,
        clock: Callable[[], float],
        start: Callable[[Callable[[], None]], None],
    ) -> None:
        self._client = client
        self._object = export_object
        self._source = source
        self._board = board
        self._options = options
        self._clock = clock
        self._start = start
        self._quota = QuotaGate(
            wait=options.wait_for_daily_quota, clock=clock, server_now=client.server_now
        )
        self._lookout = Lookout(client, export_object, board, options.poll_interval_seconds, clock)
        self._queue_is_full = False
        self._queue_full_until = 0.0
        self._source_dry = False
        self._warned_statuses: set[str] = set()
        self.jobs_taken = 0
        """How many jobs were created or taken over."""

    @property
    def finished(self) -> bool:
        """Whether there is no more work and everything has been read."""
        return self._source_dry and not len(self._board)

    def advance(self) -> float:
        """Do everything that is due; return the seconds until something else is.

        Raises: MarketoBulkError if the run cannot go on; what is ready can still be read.
        """
        try:
            self._collect_downloads()
            if self._clock() >= self._quota.calls_from:
                self._poll_jobs()
            if self._clock() >= self._quota.exports_from:
                self._create_again()
                self._enqueue_jobs()
                self._create_jobs()
            if self._clock() >= self._quota.calls_from:
                self._start_downloads()
        except DailyQuotaExceededError as error:
            self._on_daily_quota(error)
        if self._quota.stopped_by and not self._board.in_phase(*Phase.under_way()):
            raise self._quota.stopped_by
        return self._seconds_until_due()

    def cancel(self, job: ExportJob) -> None:
        """Cancel a job as far as Marketo lets us: one that has ended cannot be."""
        with contextlib.suppress(MarketoBulkError):
            self._client.cancel_export(self._object, job.export_id)

    # Polling and downloading ------------------------------------------------------------

    def _poll_jobs(self) -> None:
        for slot, job in self._lookout.looks():
            self._update(slot, job)

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
        self._queue_full_until = 0.0  # there is a place now
        for other in self._board.in_phase(Phase.ENQUEUED):
            if other.job.status is ExportStatus.QUEUED:
                # It stood behind this one, which says nothing of how long it takes itself.
                renewed = self._clock() + self._options.job_timeout_seconds
                other.deadline_at = max(other.deadline_at, renewed)
        if slot.job.number_of_records == 0:
            self._board.put_file(slot, None)
        elif slot.job.file_checksum is None and not slot.polled_without_checksum:
            # A status that flaps back, or whose last fields are still being written: look again.
            slot.polled_without_checksum = True
        else:
            slot.phase = Phase.FINISHED

    def _start_downloads(self) -> None:
        for slot in self._board.in_phase(Phase.FINISHED):
            if len(self._board.in_phase(Phase.DOWNLOADING)) >= DOWNLOADS_MAX:
                return
            slot.phase = Phase.DOWNLOADING
            self._start(partial(self._download, slot))

    def _download(self, slot: Slot[WorkT]) -> None:
        try:
            file = self._client.download_export(self._object, slot.job, self._options.directory)
        except Exception as error:  # noqa: BLE001  # raised again by `advance`
            self._board.put_download_error(slot, error)
        else:
            self._board.put_file(slot, file)

    def _collect_downloads(self) -> None:
        for slot in self._board.in_phase(Phase.DOWNLOADING):
            error, slot.download_error = slot.download_error, None
            if isinstance(error, DownloadError):
                self._recreate(slot, error)
            elif error is not None:
                slot.phase = Phase.ENQUEUED
                raise error

    # Creating and enqueuing -------------------------------------------------------------

    def _create_jobs(self) -> None:
        while self._may_create():
            work = self._source.next_work()
            if work is None:
                self._source_dry = True
                return
            request = self._source.request_for(work)
            job = self._source.adopted_job(work) or self._create(work, request)
            if job is not None:
                self._add(work, request, job)

    def _create(self, work: WorkT, request: ExportRequest) -> ExportJob | None:
        """Create a job; None if Marketo refused it and the source has planned anew."""
        try:
            return self._client.create_export(request)
        except RejectedError as error:
            self._plan_anew(work, error)
            return None
        except BaseException:
            self._source.put_back(work)
            raise

    def _plan_anew(self, work: WorkT, error: RejectedError) -> None:
        try:
            self._source.refused(work, error)
        except DailyQuotaExceededError:
            # Planning may ask Marketo, too; after the reset the same refusal leads here again.
            self._source.put_back(work)
            raise

    def _may_create(self) -> bool:
        waiting = sum(slot.in_marketo for slot in self._board)
        return (
            not self._source_dry
            and not self._board.closed
            and self._quota.stopped_by is None
            and not self._board.in_phase(Phase.CREATED)
            and waiting < self._options.max_queued_jobs
            and len(self._board) - waiting < FILES_WAITING_MAX
            and sum(slot.size_bytes for slot in self._board) < FILES_WAITING_MAX_BYTES
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
            next_poll_at=now + self._options.poll_interval_seconds,
        )
        self._board.add(slot)
        self.jobs_taken += 1
        self._log_status(slot)
        if created:
            self._enqueue(slot)
        else:
            self._update(slot, job)

    def _enqueue_jobs(self) -> None:
        for slot in self._board.in_phase(Phase.CREATED):
            self._check_deadline(slot)
            if self._clock() < self._queue_full_until or not self._has_place():
                return
            if not self._enqueue(slot):
                return

    def _has_place(self) -> bool:
        """Return whether one more job may be queued: made again, it may find its place taken."""
        return len(self._board.in_phase(Phase.ENQUEUED)) < self._options.max_queued_jobs

    def _enqueue(self, slot: Slot[WorkT]) -> bool:
        """Put a created job into Marketo's queue; return False if the queue is full."""
        try:
            job = self._client.enqueue_export(self._object, slot.job.export_id)
        except QueueFullError:
            if not self._queue_is_full:
                logger.info(
                    "export queue full: others hold its 10 places; asking again every %g s "
                    "until %s",
                    self._options.poll_interval_seconds,
                    self._deadline(slot),
                )
            self._queue_is_full = True
            self._queue_full_until = self._clock() + self._options.poll_interval_seconds
            return False
        except RejectedError as error:
            # A job that cannot be enqueued any more (expired, cancelled by hand) is made again.
            self._recreate(slot, error)
            return True
        self._queue_is_full = False
        self._queue_full_until = 0.0
        slot.phase = Phase.ENQUEUED
        slot.enqueued_at = self._clock()
        slot.deadline_at = self._clock() + self._options.job_timeout_seconds
        slot.next_poll_at = self._clock() + self._options.poll_interval_seconds
        self._note(slot, job)
        return True

    def _recreate(self, slot: Slot[WorkT], error: MarketoBulkError) -> None:
        """Create the job of a slot again, or fail with `error` when that has been tried enough."""
        if slot.attempt >= JOB_ATTEMPTS_MAX:
            raise error
        logger.warning("export %s will be created again: %s", slot.job.export_id, error)
        slot.phase = Phase.STRANDED
        self._create_again()

    def _create_again(self) -> None:
        """Create the jobs of stranded slots again, unless that has to wait for the quota."""
        for slot in self._board.in_phase(Phase.STRANDED):
            if self._clock() < self._quota.exports_from:
                return
            try:
                job = self._client.create_export(slot.request)
            except RejectedError as refusal:
                self._give_back(slot, refusal)
                continue
            slot.attempt += 1
            self.jobs_taken += 1
            slot.polled_without_checksum = False
            slot.deadline_at = self._clock() + self._options.job_timeout_seconds
            slot.phase = Phase.CREATED
            self._note(slot, job)

    def _give_back(self, slot: Slot[WorkT], refusal: RejectedError) -> None:
        """Give work back whose request was right once and is not now: a program may be gone.

        Raises: `refusal` if other work follows this one.
        """
        if any(other.work.follows(slot.work) for other in self._board):
            raise refusal  # read now, later windows would hide that this one is missing
        self._board.remove(slot.work)
        self._source_dry = False
        self._plan_anew(slot.work, refusal)

    # What can get in the way ------------------------------------------------------------

    def _note(self, slot: Slot[WorkT], job: ExportJob) -> None:
        """Keep what Marketo said of a job; log one line when its status changes."""
        before = slot.job
        if job.created_at is None and job.export_id == before.export_id:
            # An answer that leaves it out takes nothing back: bookmarks depend on it.
            job = replace(job, created_at=before.created_at)
        self._board.put_job(slot, job)
        if (job.export_id, job.status_text) != (before.export_id, before.status_text):
            self._log_status(slot)

    def _log_status(self, slot: Slot[WorkT]) -> None:
        until = ""
        if slot.phase is Phase.ENQUEUED and not slot.job.status.is_terminal:
            until = f"; waited for until {self._deadline(slot)}"
        logger.info(
            "export %s %s: %s%s", slot.job.export_id, slot.job.status_text, slot.work, until
        )

    def _deadline(self, slot: Slot[WorkT]) -> str:
        left = timedelta(seconds=slot.deadline_at - self._clock())
        return f"{self._client.server_now() + left:%Y-%m-%dT%H:%M:%SZ}"

    def _check_deadline(self, slot: Slot[WorkT]) -> None:
        if self._clock() < slot.deadline_at:
            return
        self.cancel(slot.job)
        seconds = self._options.job_timeout_seconds
        raise slot.error(
            JobTimeoutError,
            f"was still {slot.job.status_text} after {seconds:g} s and has been cancelled",
            remedy="Run again, or raise job_timeout_seconds",
        )

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
        for slot in self._board.in_phase(Phase.CREATED, Phase.ENQUEUED):
            slot.deadline_at = max(slot.deadline_at, reopens_at + self._options.job_timeout_seconds)

    def _seconds_until_due(self) -> float:
        look_at = self._lookout.due_at()
        due = [] if look_at is None else [look_at]
        if self._board.in_phase(Phase.STRANDED):
            due.append(self._quota.exports_from)
        if self._board.in_phase(Phase.CREATED) and self._has_place():
            due.append(max(self._queue_full_until, self._quota.exports_from))
        elif self._may_create():
            due.append(self._quota.exports_from)
        if not due:
            return self._options.poll_interval_seconds
        return max(0.0, max(min(due), self._quota.calls_from) - self._clock())

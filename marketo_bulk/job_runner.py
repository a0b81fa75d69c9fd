"""Job runner: takes export jobs from work to a file on disk, each step whenever it is due."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Generic

from marketo_bulk.deadlines import Deadlines
from marketo_bulk.errors import (
    DailyQuotaExceededError,
    DownloadError,
    JobCancelledError,
    JobFailedError,
)
from marketo_bulk.job_intake import JobIntake
from marketo_bulk.jobs import ExportJob, ExportStatus
from marketo_bulk.logbook import Logbook
from marketo_bulk.lookout import Lookout
from marketo_bulk.quota import QuotaGate
from marketo_bulk.slots import Phase, Slot, WorkT

if TYPE_CHECKING:
    from collections.abc import Callable

    from marketo_bulk.export_run import ExportRun
    from marketo_bulk.work_source import WorkSource

DOWNLOADS_MAX = 2
"""Files downloaded at once: Marketo finishes at most two jobs at a time."""


class JobRunner(Generic[WorkT]):
    """Moves the slots of a board along. `advance()` does what is due and never waits.

    `start` runs a download: in a thread, or at once.
    """

    def __init__(
        self,
        run: ExportRun[WorkT],
        source: WorkSource[WorkT],
        *,
        start: Callable[[Callable[[], None]], None],
    ) -> None:
        self._run = run
        self._board = run.board
        self._clock = run.clock
        self._start = start
        self._quota = QuotaGate(
            wait=run.options.wait_for_daily_quota,
            clock=run.clock,
            server_now=run.client.server_now,
        )
        self._deadlines = Deadlines(run)
        self._logbook = Logbook(run, self._deadlines)
        self._lookout = Lookout(run)
        self._intake = JobIntake(run, source, self._quota, self._deadlines, self._logbook)

    @property
    def finished(self) -> bool:
        """Whether there is no more work and everything has been read."""
        return self._intake.source_dry and not len(self._board)

    @property
    def jobs_taken(self) -> int:
        """How many jobs were created or taken over."""
        return self._intake.jobs_taken

    def advance(self) -> float:
        """Do everything that is due; return the seconds until something else is.

        Raises: MarketoBulkError if the run cannot go on; what is ready can still be read.
        """
        try:
            self._collect_downloads()
            if self._clock() >= self._quota.calls_from:
                self._poll_jobs()
            self._take_in_jobs()
            if self._clock() >= self._quota.calls_from:
                self._start_downloads()
        except DailyQuotaExceededError as error:
            self._on_daily_quota(error)
        if self._quota.stopped_by and not self._board.in_phase(*Phase.under_way()):
            raise self._quota.stopped_by
        return self._seconds_until_due()

    # What Marketo says ------------------------------------------------------------------

    def _poll_jobs(self) -> None:
        for slot, job in self._lookout.looks():
            self._update(slot, job)

    def _take_in_jobs(self) -> None:
        for slot in self._intake.take_in():
            self._update(slot, slot.job)

    def _update(self, slot: Slot[WorkT], job: ExportJob) -> None:
        self._logbook.note(slot, job)
        match job.status:
            case ExportStatus.COMPLETED:
                self._on_completed(slot)
            case ExportStatus.FAILED:
                why = job.error_message or "Marketo gives no reason"
                self._intake.recreate(slot, slot.error(JobFailedError, f"failed: {why}"))
            case ExportStatus.CANCELLED:
                error = slot.error(JobCancelledError, "was cancelled in Marketo")
                self._intake.recreate(slot, error)
            case ExportStatus.UNKNOWN:
                self._logbook.warn_of_status(job)
                self._deadlines.check(slot)
            case ExportStatus.CREATED:
                slot.phase = Phase.CREATED
            case ExportStatus.QUEUED | ExportStatus.PROCESSING:
                self._deadlines.check(slot)

    def _on_completed(self, slot: Slot[WorkT]) -> None:
        self._intake.expect_place()
        for other in self._board.in_phase(Phase.ENQUEUED):
            if other.job.status is ExportStatus.QUEUED:
                # It stood behind this one, which says nothing of how long it takes itself.
                self._deadlines.extend(other, self._clock())
        if slot.job.number_of_records == 0:
            self._board.put_file(slot, None)
        elif slot.job.file_checksum is None and not slot.polled_without_checksum:
            # A status that flaps back, or whose last fields are still being written: look again.
            slot.polled_without_checksum = True
        else:
            slot.phase = Phase.FINISHED

    # Downloading ------------------------------------------------------------------------

    def _start_downloads(self) -> None:
        for slot in self._board.in_phase(Phase.FINISHED):
            if len(self._board.in_phase(Phase.DOWNLOADING)) >= DOWNLOADS_MAX:
                return
            slot.phase = Phase.DOWNLOADING
            self._start(partial(self._download, slot))

    def _download(self, slot: Slot[WorkT]) -> None:
        run = self._run
        try:
            file = run.client.download_export(run.export_object, slot.job, run.options.directory)
        except Exception as error:  # noqa: BLE001  # raised again by `advance`
            self._board.put_download_error(slot, error)
        else:
            self._board.put_file(slot, file)

    def _collect_downloads(self) -> None:
        for slot in self._board.in_phase(Phase.DOWNLOADING):
            error, slot.download_error = slot.download_error, None
            if isinstance(error, DownloadError):
                self._intake.recreate(slot, error)
            elif error is not None:
                slot.phase = Phase.ENQUEUED
                raise error

    # Waiting ----------------------------------------------------------------------------

    def _on_daily_quota(self, error: DailyQuotaExceededError) -> None:
        """Wait for the reset, or fail once everything that is still running has been read."""
        reopens_at = self._quota.refused(error)
        for slot in self._board.in_phase(Phase.CREATED, Phase.ENQUEUED):
            self._deadlines.extend(slot, reopens_at)

    def _seconds_until_due(self) -> float:
        moments = (self._lookout.due_at(), self._intake.due_at())
        due = [moment for moment in moments if moment is not None]
        if not due:
            return self._run.options.poll_interval_seconds
        return max(0.0, max(min(due), self._quota.calls_from) - self._clock())

"""Job runner: takes export jobs from work to a file on disk, each step whenever it is due."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Generic

from marketo_bulk.errors import (
    DailyQuotaExceededError,
    DownloadError,
    JobCancelledError,
    JobFailedError,
)
from marketo_bulk.errors.disclosure import shown_words
from marketo_bulk.exports.empty import is_certainly_empty
from marketo_bulk.jobs import ExportJob, ExportStatus
from marketo_bulk.scheduling.daily_quota import QuotaGate
from marketo_bulk.scheduling.failures import OwnerFailures
from marketo_bulk.scheduling.poller import StatusPoller
from marketo_bulk.scheduling.run import Deadlines, Logbook
from marketo_bulk.scheduling.submitter import JobSubmitter
from marketo_bulk.scheduling.work import Phase, Slot, WorkT

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from marketo_bulk.scheduling.run import ExportRun
    from marketo_bulk.scheduling.sources import Sources

DOWNLOADS_MAX = 2
"""Files downloaded at once: Marketo finishes at most two jobs at a time."""


class JobRunner(Generic[WorkT]):
    """Moves the slots of a board along. `advance()` does what is due and never waits.

    `start` runs a download: in a thread, or at once.
    """

    def __init__(
        self,
        run: ExportRun[WorkT],
        sources: Sources[WorkT],
        *,
        wait_for_daily_quota: bool,
        start: Callable[[Callable[[], None]], None],
    ) -> None:
        self._run = run
        self._board = run.board
        self._sources = sources
        self._clock = run.clock
        self._start = start
        self._quota = QuotaGate(
            wait=wait_for_daily_quota,
            clock=run.clock,
            server_now=run.client.server_now,
        )
        self._deadlines = Deadlines(run)
        self._logbook = Logbook(run, self._deadlines)
        self.failures = OwnerFailures(run, sources)
        self._poller = StatusPoller(run, self.failures)
        self._submitter = JobSubmitter(
            run, sources, self._quota, self._deadlines, self._logbook, self.failures
        )

    @property
    def finished(self) -> bool:
        """Whether there is no more work of anybody's and everything has been read."""
        return self._sources.dry and self._board.is_idle

    def finished_for(self, owner: Hashable) -> bool:
        """Return whether an owner has no more work and all of its files have been read."""
        return self._sources.is_dry(owner) and not self._board.has(owner)

    def stopped_for(self, owner: Hashable) -> DailyQuotaExceededError | None:
        """Return why an owner's files end before its work does; None while more may come."""
        stopped_by = self._quota.stopped_by
        if stopped_by is None:
            return None
        slots = self._board.in_phase(*Phase.under_way())
        return None if any(slot.work.owner == owner for slot in slots) else stopped_by

    def jobs_taken(self, owner: Hashable) -> int:
        """Return how many jobs were created or taken over for an owner's work."""
        return self._submitter.jobs_taken[owner]

    def advance(self) -> float:
        """Do everything that is due; return the seconds until something else is.

        Raises: MarketoBulkError if the run cannot go on; what is ready can still be read.
        """
        try:
            self.failures.settle()
            self._collect_downloads()
            if self._clock() >= self._quota.calls_from:
                self._poll_jobs()
            self._take_in_jobs()
            if self._clock() >= self._quota.calls_from:
                self._start_downloads()
        except DailyQuotaExceededError as error:
            self._on_daily_quota(error)
        return self._seconds_until_due()

    # What Marketo says ------------------------------------------------------------------

    def _poll_jobs(self) -> None:
        for slot, job in self._poller.looks():
            with self.failures.confined_to(slot.work.owner):
                self._update(slot, job)

    def _take_in_jobs(self) -> None:
        for slot in self._submitter.take_in():
            with self.failures.confined_to(slot.work.owner):
                self._update(slot, slot.job)

    def _update(self, slot: Slot[WorkT], job: ExportJob) -> None:
        self._logbook.note(slot, job)
        if slot.work.owner in self.failures:
            self._update_of_failed(slot)
            return
        match job.status:
            case ExportStatus.COMPLETED:
                self._on_completed(slot)
            case ExportStatus.FAILED:
                why = shown_words(job.error_message or "") or "Marketo gives no reason"
                self._submitter.recreate(slot, slot.error(JobFailedError, f"failed: {why}"))
            case ExportStatus.CANCELLED:
                error = slot.error(JobCancelledError, "was cancelled in Marketo")
                self._submitter.recreate(slot, error)
            case ExportStatus.UNKNOWN:
                self._logbook.warn_of_status(job)
                self._deadlines.check(slot)
            case ExportStatus.CREATED:
                slot.phase = Phase.CREATED
            case ExportStatus.QUEUED | ExportStatus.PROCESSING:
                self._deadlines.check(slot)

    def _update_of_failed(self, slot: Slot[WorkT]) -> None:
        """Wait for no more than that the job leaves Marketo's queue.

        One that has missed its deadline is cancelled, as it would be if its owner had not failed:
        its place goes to others.
        """
        if not slot.job.status.is_terminal:
            if self._clock() < slot.deadline_at:
                return
            self._run.cancel(slot)
        self._board.leave(slot)
        self._submitter.expect_place()

    def _on_completed(self, slot: Slot[WorkT]) -> None:
        self._count_bytes(slot)
        self._submitter.expect_place()
        for other in self._board.in_phase(Phase.ENQUEUED):
            if other.job.status is ExportStatus.QUEUED:
                # It stood behind this one, which says nothing of how long it takes itself.
                self._deadlines.extend(other, self._clock())
        if is_certainly_empty(slot.request, slot.job):
            self._board.put_file(slot, None)
        elif slot.job.file_checksum is None and not slot.polled_without_checksum:
            # A status that flaps back, or whose last fields are still being written: look again.
            slot.polled_without_checksum = True
        else:
            slot.phase = Phase.FINISHED

    def _count_bytes(self, slot: Slot[WorkT]) -> None:
        """Count the bytes of a job that has ended in this run; earlier ones have been counted."""
        budget = self._run.options.bytes_budget
        if budget is None or slot.is_counted:
            return
        slot.is_counted = True
        finished_at = slot.job.finished_at
        if finished_at is None or finished_at >= budget.counts_from:
            budget.add(slot.job.file_size_bytes or 0)

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
            file = run.client.download_export(slot.request.object, slot.job, run.options.directory)
        except Exception as error:  # noqa: BLE001  # raised again by `advance`
            self._board.put_download_error(slot, error)
        else:
            self._board.put_file(slot, file)

    def _collect_downloads(self) -> None:
        for slot in self._board.in_phase(Phase.DOWNLOADING):
            error, slot.download_error = slot.download_error, None
            if error is None:
                continue
            # The job goes on to be there, for the next run.
            slot.phase = Phase.FINISHED
            with self.failures.confined_to(slot.work.owner):
                if not isinstance(error, DownloadError) or not error.job_at_fault:
                    raise error
                if slot.work.owner not in self.failures:
                    self._submitter.recreate(slot, error)

    # Waiting ----------------------------------------------------------------------------

    def _on_daily_quota(self, error: DailyQuotaExceededError) -> None:
        """Wait for the reset, or fail once everything that is still running has been read."""
        reopens_at = self._quota.refused(error)
        for slot in self._board.in_phase(Phase.CREATED, Phase.ENQUEUED):
            self._deadlines.pause(slot, reopens_at)

    def _seconds_until_due(self) -> float:
        moments = (self._poller.due_at(), self._submitter.due_at())
        due = [moment for moment in moments if moment is not None]
        if not due:
            return self._run.options.poll_interval_seconds
        return max(0.0, max(min(due), self._quota.calls_from) - self._clock())

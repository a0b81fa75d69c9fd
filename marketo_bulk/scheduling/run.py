"""Export run: what all that move its jobs along share: deadlines, and what is logged."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Generic

from marketo_bulk.errors import JobTimeoutError, MarketoBulkError
from marketo_bulk.scheduling.places import Places
from marketo_bulk.scheduling.work import Phase, Slot, WorkT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from marketo_bulk.client import MarketoBulk
    from marketo_bulk.exports.requests import ExportRequest
    from marketo_bulk.http.budget import Budget
    from marketo_bulk.jobs import ExportJob
    from marketo_bulk.scheduling.board import JobBoard

    JobNote = Callable[[WorkT, ExportRequest, ExportJob], None]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RunnerOptions:
    """How jobs are run; the settings of the same names say what each means."""

    directory: Path
    poll_interval_seconds: float = 60.0
    job_timeout_seconds: float = 21_600.0
    max_queued_jobs: int = 5
    bytes_budget: Budget | None = None
    """How many bytes of files there may be on a day before no more jobs are created."""
    stops_at_first_failure: bool = False
    """Whether an error about the work of one owner ends that of all."""
    places: Places = field(default_factory=Places)
    """What `max_queued_jobs` counts besides, shared by the schedulers that follow one another."""


@dataclass(frozen=True, slots=True)
class ExportRun(Generic[WorkT]):
    """Whom to ask about jobs, where they stand, how they are run, and the time.

    Units: `clock` counts seconds and never goes back.
    """

    client: MarketoBulk
    board: JobBoard[WorkT]
    options: RunnerOptions
    clock: Callable[[], float]
    note_job: JobNote[WorkT] = lambda *_: None
    """What is done about a job between its creation and its way into Marketo's queue."""

    def cancel(self, slot: Slot[WorkT]) -> bool:
        """Cancel a job as far as Marketo lets us; return whether it goes on no more."""
        try:
            self.client.cancel_export(slot.request.object, slot.job.export_id)
        except MarketoBulkError:
            return False
        return True


class Deadlines(Generic[WorkT]):
    """Sets the deadlines of jobs, and cancels what has missed its own.

    Units: moments are seconds of the run's clock.
    """

    def __init__(self, run: ExportRun[WorkT]) -> None:
        self._run = run
        self._seconds = run.options.job_timeout_seconds

    def from_now(self) -> float:
        """Return the deadline of a job that is waited for from now on."""
        return self._run.clock() + self._seconds

    def extend(self, slot: Slot[WorkT], moment: float) -> None:
        """Let a job have its full time from a moment on; no deadline becomes an earlier one."""
        slot.deadline_at = max(slot.deadline_at, moment + self._seconds)

    def pause(self, slot: Slot[WorkT], until: float) -> None:
        """Leave the time until a moment out of a job's own, and none of it twice.

        A fresh start after each pause would let a job that never ends be waited for for ever.
        """
        begins = max(slot.paused_until, self._run.clock())
        slot.deadline_at += max(until - begins, 0.0)
        slot.paused_until = max(until, begins)

    def check(self, slot: Slot[WorkT]) -> None:
        """Cancel a job that has missed its deadline.

        Raises: JobTimeoutError if it has.
        """
        if self._run.clock() < slot.deadline_at:
            return
        self._run.cancel(slot)
        raise slot.error(
            JobTimeoutError,
            f"was still {slot.job.shown_status} after {self._seconds:g} s and has been cancelled",
            remedy="Run again, or raise job_timeout_seconds",
        )

    def text(self, slot: Slot[WorkT]) -> str:
        """Return the deadline of a job by Marketo's clock."""
        left = timedelta(seconds=slot.deadline_at - self._run.clock())
        return f"{self._run.client.server_now() + left:%Y-%m-%dT%H:%M:%SZ}"


class Logbook(Generic[WorkT]):
    """Keeps what Marketo says of jobs on the board, and logs what is new in it."""

    def __init__(self, run: ExportRun[WorkT], deadlines: Deadlines[WorkT]) -> None:
        self._board = run.board
        self._job_timeout_seconds = run.options.job_timeout_seconds
        self._deadlines = deadlines
        self._warned_statuses: set[str] = set()
        self._warned_members: set[str] = set()

    def note(self, slot: Slot[WorkT], job: ExportJob) -> None:
        """Keep what Marketo said of a job; log one line when its status changes."""
        before = slot.job
        if job.created_at is None and job.export_id == before.export_id:
            # An answer that leaves it out takes nothing back: bookmarks depend on it.
            job = replace(job, created_at=before.created_at)
        self._board.put_job(slot, job)
        self._warn_of_members(job)
        if (job.export_id, job.status_text) != (before.export_id, before.status_text):
            self.log_status(slot)

    def log_status(self, slot: Slot[WorkT]) -> None:
        """Log where a job stands, and until when it is waited for."""
        self._warn_of_members(slot.job)
        until = ""
        if slot.phase is Phase.ENQUEUED and not slot.job.status.is_terminal:
            until = f"; waited for until {self._deadlines.text(slot)}"
        logger.info(
            "export %s %s: %s%s", slot.job.export_id, slot.job.shown_status, slot.work, until
        )

    def _warn_of_members(self, job: ExportJob) -> None:
        """Warn, once for each, of a member in an odd form."""
        for name in job.odd_members:
            if name not in self._warned_members:
                self._warned_members.add(name)
                logger.warning(
                    "export %s: Marketo's answer has %s in an odd form; what cannot be read is "
                    "taken for left out (said once)",
                    job.export_id,
                    name,
                )

    def warn_of_status(self, job: ExportJob) -> None:
        """Warn, once for each, of a status nobody knows."""
        if job.status_text not in self._warned_statuses:
            self._warned_statuses.add(job.status_text)
            logger.warning(
                "export %s has a status this version does not know, %r: polled until %g s are over",
                job.export_id,
                job.shown_status,
                self._job_timeout_seconds,
            )

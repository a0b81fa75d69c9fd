"""Logbook: what Marketo says of the jobs of a run."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Generic

from marketo_bulk.slots import Phase, Slot, WorkT

if TYPE_CHECKING:
    from marketo_bulk.deadlines import Deadlines
    from marketo_bulk.export_run import ExportRun
    from marketo_bulk.jobs import ExportJob

logger = logging.getLogger(__name__)


class Logbook(Generic[WorkT]):
    """Keeps what Marketo says of jobs on the board, and logs what is new in it."""

    def __init__(self, run: ExportRun[WorkT], deadlines: Deadlines[WorkT]) -> None:
        self._board = run.board
        self._job_timeout_seconds = run.options.job_timeout_seconds
        self._deadlines = deadlines
        self._warned_statuses: set[str] = set()

    def note(self, slot: Slot[WorkT], job: ExportJob) -> None:
        """Keep what Marketo said of a job; log one line when its status changes."""
        before = slot.job
        if job.created_at is None and job.export_id == before.export_id:
            # An answer that leaves it out takes nothing back: bookmarks depend on it.
            job = replace(job, created_at=before.created_at)
        self._board.put_job(slot, job)
        if (job.export_id, job.status_text) != (before.export_id, before.status_text):
            self.log_status(slot)

    def log_status(self, slot: Slot[WorkT]) -> None:
        """Log where a job stands, and until when it is waited for."""
        until = ""
        if slot.phase is Phase.ENQUEUED and not slot.job.status.is_terminal:
            until = f"; waited for until {self._deadlines.text(slot)}"
        logger.info(
            "export %s %s: %s%s", slot.job.export_id, slot.job.status_text, slot.work, until
        )

    def warn_of_status(self, job: ExportJob) -> None:
        """Warn, once for each, of a status nobody knows."""
        if job.status_text not in self._warned_statuses:
            self._warned_statuses.add(job.status_text)
            logger.warning(
                "export %s has a status this version does not know, %r: polled until %g s are over",
                job.export_id,
                job.status_text,
                self._job_timeout_seconds,
            )

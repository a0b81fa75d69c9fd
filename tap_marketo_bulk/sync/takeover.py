"""Takeover: looks at the export jobs that an earlier run left, and cancels what is of no use."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from marketo_bulk import ExportJob, ExportStatus, RejectedError
from marketo_bulk.errors import AlreadyQueuedError, QueueFullError
from marketo_bulk.limits import EXPORT_FILE_RETENTION_DAYS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from marketo_bulk import ExportObject, MarketoBulk
    from tap_marketo_bulk.sync.jobs_in_flight import JobInFlight


logger = logging.getLogger(__name__)

OVER = frozenset({ExportStatus.FAILED, ExportStatus.CANCELLED})


@dataclass(frozen=True, slots=True)
class FoundJob:
    """A job of an earlier run that Marketo still knows and that has not come to nothing."""

    left: JobInFlight
    job: ExportJob
    is_outdated: bool = False
    """Whether a scope was altered after the job was made, so that its records do not show it."""

    def has_file(self, now: datetime) -> bool:
        """Return whether it is so young that Marketo still has, or may yet make, its file."""
        oldest = now - timedelta(days=EXPORT_FILE_RETENTION_DAYS)
        return self.job.created_at is not None and self.job.created_at >= oldest


def find_jobs(
    client: MarketoBulk, export_object: ExportObject, jobs: Iterable[JobInFlight]
) -> list[FoundJob]:
    """Return the jobs that are still there, in the same order."""
    found = []
    for left in jobs:
        try:
            job = client.get_export_status(export_object, left.export_id)
        except RejectedError as error:
            logger.warning("export %s of the last run is unknown now: %s", left.export_id, error)
            continue
        if job.status not in OVER:
            found.append(FoundJob(left, job))
    return found


def cancel_unfit(
    client: MarketoBulk, export_object: ExportObject, jobs: Iterable[JobInFlight]
) -> list[str]:
    """Cancel jobs of an earlier run that nobody will read; return the ids of those that are."""
    cancelled = []
    for left in jobs:
        logger.info("export %s of the last run does not fit this one: cancelled", left.export_id)
        try:
            client.cancel_export(export_object, left.export_id)
        except (RejectedError, QueueFullError, AlreadyQueuedError) as error:
            # Mostly because it has finished already, though its status may not show it yet; 1029
            # has been seen to say so. Its file expires by itself.
            logger.info("export %s was not cancelled: %s", left.export_id, error)
        else:
            cancelled.append(left.export_id)
    return cancelled

"""Adoption: the export jobs of an earlier run that this one takes over."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from marketo_bulk import (
    PROGRAM_MEMBERS,
    ExportJob,
    ExportStatus,
    RejectedError,
)
from marketo_bulk.errors import AlreadyQueuedError, QueueFullError
from marketo_bulk.limits import EXPORT_FILE_RETENTION_DAYS

from tap_marketo_bulk.plan import Unit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from marketo_bulk import MarketoBulk

    from tap_marketo_bulk.bookmarks import JobInFlight
    from tap_marketo_bulk.patient_client import PatientClient
    from tap_marketo_bulk.windows import Window

logger = logging.getLogger(__name__)

OVER = frozenset({ExportStatus.FAILED, ExportStatus.CANCELLED})


@dataclass(frozen=True, slots=True)
class Adoption:
    """Units whose jobs exist already, and from when on records are needed after those."""

    units: tuple[Unit, ...]
    starts: Mapping[int, datetime | None]


def adopt_jobs(
    client: PatientClient | MarketoBulk,
    jobs: Iterable[JobInFlight],
    starts: Mapping[int, datetime | None],
    digest: str,
    reach: Reach,
) -> Adoption:
    """Return what of an earlier run's jobs can be taken over; cancel what cannot.

    A job is taken over if it asks for the same fields, for programs this run wants, for a window
    that begins where they stand or before, so that there is no gap, and if Marketo still has it.
    `starts` are those of `starting_points()`.
    """
    reached = dict(starts)
    units: list[Unit] = []
    for job in jobs:
        found = _find(client, job)
        if found is None:
            continue
        end = None
        wanted = job.fields == digest and reached.keys() >= set(job.program_ids)
        if wanted and _has_file(client, found):
            end = _reaches(job, found, reached, reach)
        if end is None:
            _cancel(client, job)
            continue
        logger.info("export %s %s: taken over from the last run", job.export_id, found.status_text)
        reached.update(dict.fromkeys(job.program_ids, end))
        units.append(Unit(len(units), job.program_ids, job.window, job=found))
    return Adoption(tuple(units), reached)


@dataclass(frozen=True, slots=True)
class Reach:
    """How far the records of a job reach: never beyond its creation less the settling margin.

    Windows end by the `Date` of Marketo's answers. Should that clock be ahead of the one changes
    are dated by, which also says when a job was created, a window reaches into the future, and
    what changes there after the job has started is not in its file.
    """

    run_end: datetime
    settling: timedelta

    def of(self, job: ExportJob, window: Window | None) -> datetime | None:
        """Return up to when the programs of a job are complete; None if nothing says so.

        Without a window the run's end comes first for a job of this run, so that a run ends with
        one bookmark.
        """
        settled = self._settled(job)
        if window is None:
            return None if settled is None else min(self.run_end, settled)
        return window.end if settled is None else max(window.start, min(window.end, settled))

    def out_of_date_from(self, job: ExportJob, window: Window | None) -> datetime | None:
        """Return from when on changes may be missing in the file of a job; None if unknown."""
        settled = self._settled(job)
        return settled if settled is None or window is None else max(window.start, settled)

    def _settled(self, job: ExportJob) -> datetime | None:
        return None if job.created_at is None else job.created_at - self.settling


def _reaches(
    job: JobInFlight,
    found: ExportJob,
    reached: Mapping[int, datetime | None],
    reach: Reach,
) -> datetime | None:
    """Return up to when its programs are complete with this job; None if it is of no use."""
    standing = [reached[program_id] for program_id in job.program_ids]
    if job.window is None:
        return reach.of(found, None) if set(standing) == {None} else None
    end = reach.of(found, job.window)
    if end is not None and all(s is not None and job.window.start <= s < end for s in standing):
        return end
    return None


def _find(client: PatientClient | MarketoBulk, job: JobInFlight) -> ExportJob | None:
    try:
        found = client.get_export_status(PROGRAM_MEMBERS, job.export_id)
    except RejectedError as error:
        logger.warning("export %s of the last run is unknown now: %s", job.export_id, error)
        return None
    return None if found.status in OVER else found


def _has_file(client: PatientClient | MarketoBulk, found: ExportJob) -> bool:
    """Return whether a job is so young that Marketo still has, or may yet make, its file."""
    age_limit = client.server_now() - timedelta(days=EXPORT_FILE_RETENTION_DAYS)
    return found.created_at is not None and found.created_at >= age_limit


def _cancel(client: PatientClient | MarketoBulk, job: JobInFlight) -> None:
    logger.info("export %s of the last run does not fit this one: cancelled", job.export_id)
    try:
        client.cancel_export(PROGRAM_MEMBERS, job.export_id)
    except (RejectedError, QueueFullError, AlreadyQueuedError) as error:
        # Mostly because it has finished already, though its status may not show it yet; 1029 has
        # been seen to say so. Its file expires by itself.
        logger.info("export %s was not cancelled: %s", job.export_id, error)

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
    MarketoBulk,
    RejectedError,
)
from marketo_bulk.limits import EXPORT_FILE_RETENTION_DAYS

from tap_marketo_bulk.plan import Unit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tap_marketo_bulk.bookmarks import JobInFlight

logger = logging.getLogger(__name__)

OVER = frozenset({ExportStatus.FAILED, ExportStatus.CANCELLED})


@dataclass(frozen=True, slots=True)
class Adoption:
    """Units whose jobs exist already, and from when on records are needed after those."""

    units: tuple[Unit, ...]
    starts: Mapping[int, datetime | None]


def adopt_jobs(
    client: MarketoBulk,
    jobs: Iterable[JobInFlight],
    starts: Mapping[int, datetime | None],
    digest: str,
    snapshot_bookmark: SnapshotBookmark,
) -> Adoption:
    """Return what of an earlier run's jobs can be taken over; cancel what cannot.

    A job is taken over if it asks for the same fields, for programs this run wants, for a window
    that begins where they stand or before, so that there is no gap, and if Marketo still has it.
    `starts` are those of `starting_points()`.
    """
    reached = dict(starts)
    units: list[Unit] = []
    for job in jobs:
        end = None
        found = _find(client, job)
        if found is not None and job.fields == digest and reached.keys() >= set(job.program_ids):
            end = _reaches(job, found, reached, snapshot_bookmark)
        if found is None:
            continue
        if end is None:
            _cancel(client, job)
            continue
        logger.info("export %s %s: taken over from the last run", job.export_id, found.status_text)
        reached.update(dict.fromkeys(job.program_ids, end))
        units.append(Unit(len(units), job.program_ids, job.window, job=found))
    return Adoption(tuple(units), reached)


@dataclass(frozen=True, slots=True)
class SnapshotBookmark:
    """How far the records of a job without a window reach."""

    run_end: datetime
    settling: timedelta

    def of(self, job: ExportJob) -> datetime | None:
        """Return the moment the job was created, less the settling margin, or the run's end.

        The run's end comes first for a job of this run, so that a run ends with one bookmark.
        """
        if job.created_at is None:
            return None
        return min(self.run_end, job.created_at - self.settling)


def _reaches(
    job: JobInFlight,
    found: ExportJob,
    reached: Mapping[int, datetime | None],
    snapshot_bookmark: SnapshotBookmark,
) -> datetime | None:
    """Return up to when its programs are complete with this job; None if it is of no use."""
    standing = [reached[program_id] for program_id in job.program_ids]
    if job.window is None:
        return snapshot_bookmark.of(found) if set(standing) == {None} else None
    if all(s is not None and job.window.start <= s < job.window.end for s in standing):
        return job.window.end
    return None


def _find(client: MarketoBulk, job: JobInFlight) -> ExportJob | None:
    try:
        found = client.get_export_status(PROGRAM_MEMBERS, job.export_id)
    except RejectedError as error:
        logger.warning("export %s of the last run is unknown now: %s", job.export_id, error)
        return None
    if found.status in OVER:
        return None
    age_limit = client.server_now() - timedelta(days=EXPORT_FILE_RETENTION_DAYS)
    if found.created_at is None or found.created_at < age_limit:
        return None
    return found


def _cancel(client: MarketoBulk, job: JobInFlight) -> None:
    logger.info("export %s of the last run does not fit this one: cancelled", job.export_id)
    try:
        client.cancel_export(PROGRAM_MEMBERS, job.export_id)
    except RejectedError:
        # A finished job cannot be cancelled; its file expires by itself.
        logger.debug("export %s had finished already", job.export_id)

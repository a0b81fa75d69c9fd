"""Noted jobs: those of the journal that a run may take over, or has to cancel."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from marketo_bulk.errors import ConfigurationError
from tap_marketo_bulk.sync.jobs_in_flight import JobInFlight, in_order, read_jobs

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from datetime import datetime

    from tap_marketo_bulk.sync.clock_check import ClockCheck
    from tap_marketo_bulk.sync.cohorts import Segment
    from tap_marketo_bulk.sync.job_journal import JobJournal

logger = logging.getLogger(__name__)


def with_noted_jobs(
    jobs: Sequence[JobInFlight],
    journal: JobJournal,
    check: ClockCheck,
    segments: Sequence[Segment],
    digest_of: Callable[[Collection[str]], str],
) -> list[JobInFlight]:
    """Return the jobs of STATE and, beside them, those of the stream the journal alone knows of.

    A job whose records are written is left out where the bookmarks show that the STATE after it was
    kept, or where it asks for something else than this run does. `segments` are those bookmarks.
    """
    stream = check.names.stream
    written = journal.written(stream)
    known = {job.export_id for job in jobs}
    noted = [
        job
        for job in _noted_jobs(journal, check)
        if job.export_id not in known
        and (
            job.export_id not in written
            or (job.fields == digest_of(job.without) and _is_needed(job, segments, check.run_end))
        )
    ]
    if noted:
        logger.info(
            "%s: %d export jobs of a stopped run are in the job journal", stream, len(noted)
        )
    journal.forget(stream, written)
    return in_order([*jobs, *noted])


def taken_out(journal: JobJournal, check: ClockCheck) -> list[JobInFlight]:
    """Return the jobs of a stream that are still under way, and forget those that are written."""
    stream = check.names.stream
    written = journal.written(stream)
    journal.forget(stream, written)
    return _noted_jobs(journal, check)


def _noted_jobs(journal: JobJournal, check: ClockCheck) -> list[JobInFlight]:
    """Return the jobs of the journal; none, with a warning, if they do not parse."""
    names = check.names
    try:
        return check.jobs(read_jobs({"export_jobs": journal.jobs(names.stream)}, names))
    except ConfigurationError as error:
        logger.warning("the job journal is taken for empty: %s", error.message)
        return []


def _is_needed(job: JobInFlight, segments: Sequence[Segment], run_end: datetime) -> bool:
    """Return whether one of the scopes stands before the end of what the job brings."""
    needed = set(job.scope)
    for first, last, bookmark in segments:
        if job.window is None or min(bookmark, run_end) >= job.window.end:
            needed = {scope_id for scope_id in needed if not first <= scope_id <= last}
    return bool(needed)

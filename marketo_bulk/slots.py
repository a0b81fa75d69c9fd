"""Slot: one piece of work on its way through an export job, from creation to a file on disk."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from typing_extensions import Self

if TYPE_CHECKING:
    from marketo_bulk.errors import JobError, RejectedError
    from marketo_bulk.exports import ExportRequest
    from marketo_bulk.jobs import ExportJob
    from marketo_bulk.partial_file import ExportFile


class Work(Protocol):
    """What one export job is for; `str()` of it goes into log lines."""

    def follows(self, other: Self, /) -> bool:
        """Return whether the records of `other` must be written before these."""


WorkT = TypeVar("WorkT", bound=Work)


class Phase(enum.Enum):
    """Where a slot stands."""

    CREATED = "created"
    """The job exists but is not in Marketo's queue."""
    ENQUEUED = "enqueued"
    DOWNLOADING = "downloading"
    READY = "ready"
    """The verified file is on disk, or there is nothing to download."""


@dataclass(slots=True)
class Slot(Generic[WorkT]):
    """The mutable side of one job; only the scheduler's own thread changes it.

    Units: `next_poll_at` and `deadline_at` are seconds of the scheduler's monotonic clock.
    """

    work: WorkT
    request: ExportRequest
    job: ExportJob
    phase: Phase
    deadline_at: float
    next_poll_at: float
    attempt: int = 1
    file: ExportFile | None = None
    polled_without_checksum: bool = False
    download_error: Exception | None = None

    def error(self, kind: type[JobError], what: str, *, remedy: str = "") -> JobError:
        """Return an error about this job that says what it was for."""
        return kind(
            f"export {self.job.export_id} ({self.work}) {what}",
            job_id=self.job.export_id,
            status=self.job.status_text,
            remedy=remedy or "Run again to create a new job",
        )

    @property
    def in_marketo(self) -> bool:
        """Whether the job takes one of the places that `max_queued_jobs` counts."""
        return self.phase in {Phase.CREATED, Phase.ENQUEUED}


class WorkSource(Protocol[WorkT]):
    """Where a scheduler gets its work from; called from the scheduler's thread only."""

    def next_work(self) -> WorkT | None:
        """Return the next piece of work, or None if there is no more."""

    def put_back(self, work: WorkT) -> None:
        """Take back a piece of work that could not be started now."""

    def adopted_job(self, work: WorkT) -> ExportJob | None:
        """Return the job of an earlier run that already does this work."""

    def request_for(self, work: WorkT) -> ExportRequest:
        """Return what to ask of Marketo for this work."""

    def refused(self, work: WorkT, error: RejectedError) -> None:
        """Plan anew what Marketo refused, or raise `error` if there is no other way."""

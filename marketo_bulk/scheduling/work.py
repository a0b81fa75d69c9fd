"""Work: what jobs are for, where a job stands, and who says what to do next."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from typing_extensions import Self

if TYPE_CHECKING:
    from collections.abc import Hashable

    from marketo_bulk.errors import JobError, RejectedError
    from marketo_bulk.exports.file import ExportFile
    from marketo_bulk.exports.requests import ExportRequest
    from marketo_bulk.jobs import ExportJob


class Work(Protocol):
    """What one export job is for; `str()` of it goes into log lines."""

    @property
    def owner(self) -> Hashable:
        """Whose work it is: files are handed out by owner."""

    def follows(self, other: Self, /) -> bool:
        """Return whether the records of `other`, of the same owner, must be written before."""


WorkT = TypeVar("WorkT", bound=Work)


class Phase(enum.Enum):
    """Where a slot stands."""

    CREATED = "created"
    """The job exists but is not in Marketo's queue."""
    ENQUEUED = "enqueued"
    FINISHED = "finished"
    """Marketo is done with the job; its file waits to be downloaded."""
    DOWNLOADING = "downloading"
    READY = "ready"
    """The verified file is on disk, or there is nothing to download."""
    STRANDED = "stranded"
    """The job has ended without a file and is to be made again, once the quota allows it."""
    LEFT = "left"
    """Its owner has failed: nobody here comes for it any more. The next run may."""

    @classmethod
    def under_way(cls) -> tuple[Phase, ...]:
        """Return the phases that lead to a file without anything new being created."""
        return cls.ENQUEUED, cls.FINISHED, cls.DOWNLOADING


@dataclass(slots=True)
class Slot(Generic[WorkT]):
    """The mutable side of one job; the board it stands on guards it.

    Units: `next_poll_at`, `deadline_at`, `paused_until` and `enqueued_at` are seconds of the
        monotonic clock.
    """

    work: WorkT
    request: ExportRequest
    job: ExportJob
    phase: Phase
    deadline_at: float
    next_poll_at: float
    enqueued_at: float = 0.0
    """Zero for a job of an earlier run, which stands before all of this one."""
    paused_until: float = 0.0
    """Up to when a used-up quota has been taken into account."""
    attempt: int = 1
    file: ExportFile | None = None
    polled_without_checksum: bool = False
    is_counted: bool = False
    """Whether its bytes are in the budget of the day."""
    download_error: Exception | None = None

    def error(self, kind: type[JobError], what: str, *, remedy: str = "") -> JobError:
        """Return an error about this job that says what it was for."""
        return kind(
            f"export {self.job.export_id} ({self.work}) {what}",
            job_id=self.job.export_id,
            status=self.job.status_text,
            remedy=remedy or "Run again to create a new job",
        )

    def close_file(self) -> None:
        """Close the file, if there is one: it is gone then."""
        if self.file is not None:
            self.file.close()

    @property
    def size_bytes(self) -> int:
        """Return what the file takes on disk, or will as soon as it is downloaded."""
        if self.file is not None:
            return self.file.size_bytes
        return self.job.file_size_bytes or 0

    @property
    def in_marketo(self) -> bool:
        """Whether the job takes one of the places that `max_queued_jobs` counts."""
        return self.phase is Phase.CREATED or self.phase is Phase.ENQUEUED


class NewWork:
    """Work of which no earlier run has left a job."""

    def is_next_queued(self) -> bool:
        """Return whether the next job is one of an earlier run, of which there is none."""
        return False

    def adopted_job(self, work: object) -> ExportJob | None:  # noqa: ARG002  # the same for all
        """Return the job of an earlier run, of which there is none."""
        return None


class WorkSource(Protocol[WorkT]):
    """Where a scheduler gets the work of one owner from; called from one thread only."""

    def next_work(self) -> WorkT | None:
        """Return the next piece of work, or None if there is no more."""

    def is_next_queued(self) -> bool:
        """Return whether the next piece of work has a job in Marketo's queue, or through it."""

    def put_back(self, work: WorkT) -> None:
        """Take back a piece of work that could not be started now."""

    def adopted_job(self, work: WorkT) -> ExportJob | None:
        """Return the job of an earlier run that already does this work."""

    def request_for(self, work: WorkT) -> ExportRequest:
        """Return what to ask of Marketo for this work."""

    def refused(self, work: WorkT, error: RejectedError) -> None:
        """Plan anew what Marketo refused, or raise `error` if there is no other way."""

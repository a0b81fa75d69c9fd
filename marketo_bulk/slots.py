"""Slot: one piece of work on its way through an export job, from creation to a file on disk."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from typing_extensions import Self

if TYPE_CHECKING:
    from marketo_bulk.errors import JobError
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
    FINISHED = "finished"
    """Marketo is done with the job; its file waits to be downloaded."""
    DOWNLOADING = "downloading"
    READY = "ready"
    """The verified file is on disk, or there is nothing to download."""
    STRANDED = "stranded"
    """The job has ended without a file and is to be made again, once the quota allows it."""

    @classmethod
    def under_way(cls) -> tuple[Phase, ...]:
        """Return the phases that lead to a file without anything new being created."""
        return cls.ENQUEUED, cls.FINISHED, cls.DOWNLOADING


@dataclass(slots=True)
class Slot(Generic[WorkT]):
    """The mutable side of one job; the board it stands on guards it.

    Units: `next_poll_at`, `deadline_at` and `enqueued_at` are seconds of the monotonic clock.
    """

    work: WorkT
    request: ExportRequest
    job: ExportJob
    phase: Phase
    deadline_at: float
    next_poll_at: float
    enqueued_at: float = 0.0
    """Zero for a job of an earlier run, which stands before all of this one."""
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
        return self.phase in {Phase.CREATED, Phase.ENQUEUED}

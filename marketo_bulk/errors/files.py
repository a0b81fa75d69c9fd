"""Jobs and files: jobs that end badly, files that do not come whole, rows that cannot be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from marketo_bulk.errors.root import MarketoBulkError

if TYPE_CHECKING:
    from marketo_bulk.errors.answers import Answer


class JobError(MarketoBulkError):
    """A job did not end as it should.

    Remedy: Run again.
    """

    def __init__(self, message: str, *, job_id: str, status: str, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.job_id, self.status = job_id, status


class JobFailedError(JobError):
    """Marketo gave the job up.

    Remedy: Run again to create a new job.
    """


class JobCancelledError(JobError):
    """Somebody cancelled the job.

    Remedy: Run again to create a new job.
    """


class JobTimeoutError(JobError):
    """The job did not end within the time allowed.

    Remedy: Run again, or allow more time (job_timeout_seconds, import_timeout_seconds).
    """


class DownloadError(MarketoBulkError):
    """A file could not be brought here whole.

    Remedy: Run again.

    `job_at_fault`: another job may do better; it meets the same faults of this machine, or of
    what lies between here and Marketo, and costs quota.
    """

    job_at_fault: ClassVar[bool] = False


class DiskError(DownloadError):
    """The disk of this machine refuses."""

    concerns_all = True
    remedy = "Check download_dir, its permissions, and the space and file size it allows"


class IncompleteDownloadError(DownloadError):
    """The file ended early, again and again."""

    remedy = "Run again: the export can be downloaded for seven days"


class SizeMismatchError(IncompleteDownloadError):
    """The file has another size than Marketo announced, and no digest tells which is right."""

    job_at_fault = True
    remedy = "Create the export again"


class ChecksumMismatchError(DownloadError):
    """The bytes are not those whose digest Marketo announced, twice."""

    job_at_fault = True
    remedy = "Create the export again"


class ExportFileGoneError(DownloadError):
    """The file is not there (any more)."""

    job_at_fault = True
    remedy = "Create the export again"


class DecodeError(MarketoBulkError):
    """An answer, or a row of a file, that cannot be read.

    Remedy: Run again; if it comes back, report it with the request id or the id of the job.

    `line`, `column` and `value` are set when a row is at fault. The value may be personal: it is
    an attribute, and in no message about a row.
    """

    def __init__(
        self,
        message: str,
        *,
        line: int | None = None,
        column: str | None = None,
        value: str | None = None,
        answer: Answer | None = None,
    ) -> None:
        super().__init__(message, answer=answer)
        self.line = line
        self.column = column
        self.value = value

    def locate(self, answer: Answer) -> None:
        """Say which answer could not be read, where that is not known yet."""
        if not self.answer.operation:
            self.answer = answer

"""Jobs: the exports and imports Marketo runs, as values.

Everything but the id and the status is optional: what an answer leaves out is None here, and so is
what cannot be read; `odd_members` names what has not the form Marketo documents.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from marketo_bulk.errors import DecodeError, one_line
from marketo_bulk.errors.disclosure import shown_words
from marketo_bulk.jobs.members import JobMembers

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

logger = logging.getLogger(__name__)

# An id becomes part of an address and of a file name, so it may hold nothing that means
# something in either; the leading letter or digit excludes "..".
_JOB_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_ALGORITHMS = ("md5", "sha-1", "sha1", "sha-256", "sha256", "sha-512", "sha512", "crc32", "crc32c")
_SHA256_CHECKSUM = re.compile(r"(?:sha-?256:)?([0-9a-f]{64})", re.IGNORECASE)


class ExportStatus(Enum):
    """Where an export job stands; UNKNOWN keeps its wire text in `ExportJob.status_text`."""

    CREATED = "created"
    QUEUED = "queued"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"

    @property
    def is_terminal(self) -> bool:
        """The job will not move again."""
        return self in {ExportStatus.COMPLETED, ExportStatus.FAILED, ExportStatus.CANCELLED}

    @classmethod
    def parse(cls, text: str) -> ExportStatus:
        """Return the status a wire text names, in any case and both spellings of cancelled."""
        # Adobe's prose says "Canceled", its samples and recorded answers say "Cancelled".
        name = {"canceled": "cancelled"}.get(text.lower(), text.lower())
        return next((status for status in cls if status.value == name), cls.UNKNOWN)


class ImportStatus(Enum):
    """Where an import job stands; UNKNOWN keeps its wire text in `ImportJob.status_text`."""

    QUEUED = "queued"
    IMPORTING = "importing"
    # Adobe's word for imports; exports are "Completed".
    COMPLETE = "complete"
    FAILED = "failed"
    UNKNOWN = "unknown"

    @property
    def is_terminal(self) -> bool:
        """The job will not move again."""
        return self in {ImportStatus.COMPLETE, ImportStatus.FAILED}

    @classmethod
    def parse(cls, text: str) -> ImportStatus:
        """Return the status a wire text names, in any case."""
        name = text.lower()
        return next((status for status in cls if status.value == name), cls.UNKNOWN)


@dataclass(frozen=True, slots=True)
class ExportJob:
    """One export job as Marketo last described it.

    `file_checksum` is the lower-case hex of a SHA-256; None if none was announced.
    """

    export_id: str
    status: ExportStatus
    status_text: str = ""
    file_format: str | None = None
    created_at: datetime | None = None
    queued_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    number_of_records: int | None = None
    file_size_bytes: int | None = None
    file_checksum: str | None = None
    error_message: str | None = None
    odd_members: tuple[str, ...] = ()

    @classmethod
    def parse(cls, answer: Mapping[str, object]) -> ExportJob:
        """Return the job one object of a `result` list describes.

        Raises: DecodeError if it has no usable id or status.
        """
        export_id = checked_job_id(answer.get("exportId"))
        status_text = _status_text(answer, f"export {export_id}")
        members = JobMembers(answer)
        return cls(
            export_id=export_id,
            status=ExportStatus.parse(status_text),
            status_text=status_text,
            file_format=members.text("format"),
            created_at=members.moment("createdAt"),
            queued_at=members.moment("queuedAt"),
            started_at=members.moment("startedAt"),
            finished_at=members.moment("finishedAt"),
            number_of_records=members.count("numberOfRecords"),
            file_size_bytes=members.count("fileSize"),
            file_checksum=_sha256(members.text("fileChecksum"), export_id),
            error_message=members.text("errorMsg"),
            odd_members=tuple(members.odd),
        )

    @property
    def shown_status(self) -> str:
        """Return the wire text of its status, fit for a log."""
        return one_line(shown_words(self.status_text))


@dataclass(frozen=True, slots=True)
class ImportJob:
    """One import job as Marketo last described it."""

    batch_id: str
    status: ImportStatus
    status_text: str = ""
    rows_processed: int | None = None
    rows_failed: int | None = None
    rows_with_warning: int | None = None
    message: str | None = None
    odd_members: tuple[str, ...] = ()

    @classmethod
    def parse(cls, answer: Mapping[str, object]) -> ImportJob:
        """Return the job one object of a `result` list describes.

        Raises: DecodeError if it has no usable id or status.
        """
        # The same number comes as batchId (a number) and importId (a string).
        batch_id = answer.get("batchId")
        batch_id = checked_job_id(answer.get("importId") if batch_id is None else batch_id)
        status_text = _status_text(answer, f"import {batch_id}")
        members = JobMembers(answer)
        return cls(
            batch_id=batch_id,
            status=ImportStatus.parse(status_text),
            status_text=status_text,
            rows_processed=members.count("numOfLeadsProcessed"),
            rows_failed=members.count("numOfRowsFailed"),
            rows_with_warning=members.count("numOfRowsWithWarning"),
            message=members.text("message"),
            odd_members=tuple(members.odd),
        )

    @property
    def shown_status(self) -> str:
        """Return the wire text of its status, fit for a log."""
        return one_line(shown_words(self.status_text))


def checked_job_id(value: object) -> str:
    """Return value as the id of a job.

    Raises: DecodeError if it is none, so that no id from a peer or a state file can lead an
    address or a file name elsewhere.
    """
    is_number = isinstance(value, int) and not isinstance(value, bool)
    text = str(value) if is_number or isinstance(value, str) else ""
    if not _JOB_ID.fullmatch(text):
        raise DecodeError(f"not the id of a job: {one_line(shown_words(repr(value)))[:100]}")
    return text


def _status_text(answer: Mapping[str, object], job: str) -> str:
    status = answer.get("status")
    if not isinstance(status, str) or not status:
        raise DecodeError(f"{job} has no status in Marketo's answer")
    return status


def _sha256(checksum: str | None, export_id: str) -> str | None:
    matched = _SHA256_CHECKSUM.fullmatch(checksum or "")
    if matched:
        return matched.group(1).lower()
    if checksum:
        logger.warning(
            "export %s: the checksum cannot be used, its algorithm is %s",
            export_id,
            one_line(shown_words(checksum.partition(":")[0], _ALGORITHMS))[:40],
        )
    return None

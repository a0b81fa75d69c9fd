"""Jobs: the exports and imports Marketo runs, as values.

Everything but the id and the status is optional: what an answer leaves out is None here.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from marketo_bulk.errors import DecodeError, one_line
from marketo_bulk.timestamps import parse_timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

logger = logging.getLogger(__name__)

# An id becomes part of an address and of a file name, so it may hold nothing that means
# something in either; the leading letter or digit excludes "..".
_JOB_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
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

    @classmethod
    def parse(cls, answer: Mapping[str, object]) -> ExportJob:
        """Return the job one object of a `result` list describes.

        Raises: DecodeError if it has no usable id or status, or a member of the wrong type.
        """
        export_id = checked_job_id(answer.get("exportId"))
        status_text = _text(answer, "status")
        if not status_text:
            raise DecodeError(f"export {export_id} has no status in Marketo's answer")
        return cls(
            export_id=export_id,
            status=ExportStatus.parse(status_text),
            status_text=status_text,
            file_format=_text(answer, "format"),
            created_at=_moment(answer, "createdAt"),
            queued_at=_moment(answer, "queuedAt"),
            started_at=_moment(answer, "startedAt"),
            finished_at=_moment(answer, "finishedAt"),
            number_of_records=_count(answer, "numberOfRecords"),
            file_size_bytes=_count(answer, "fileSize"),
            file_checksum=_sha256(_text(answer, "fileChecksum"), export_id),
            error_message=_text(answer, "errorMsg"),
        )


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

    @classmethod
    def parse(cls, answer: Mapping[str, object]) -> ImportJob:
        """Return the job one object of a `result` list describes.

        Raises: DecodeError if it has no usable id or status, or a member of the wrong type.
        """
        # The same number comes as batchId (a number) and importId (a string).
        batch_id = answer.get("batchId")
        batch_id = checked_job_id(answer.get("importId") if batch_id is None else batch_id)
        status_text = _text(answer, "status")
        if not status_text:
            raise DecodeError(f"import {batch_id} has no status in Marketo's answer")
        return cls(
            batch_id=batch_id,
            status=ImportStatus.parse(status_text),
            status_text=status_text,
            rows_processed=_count(answer, "numOfLeadsProcessed"),
            rows_failed=_count(answer, "numOfRowsFailed"),
            rows_with_warning=_count(answer, "numOfRowsWithWarning"),
            message=_text(answer, "message"),
        )


def checked_job_id(value: object) -> str:
    """Return value as the id of a job.

    Raises: DecodeError if it is none, so that no id from a peer or a state file can lead an
    address or a file name elsewhere.
    """
    is_number = isinstance(value, int) and not isinstance(value, bool)
    text = str(value) if is_number or isinstance(value, str) else ""
    if not _JOB_ID.fullmatch(text):
        raise DecodeError(f"not the id of a job: {one_line(repr(value))[:100]}")
    return text


def _text(answer: Mapping[str, object], key: str) -> str | None:
    value = answer.get(key)
    if value is None or isinstance(value, str):
        return value
    raise DecodeError(f"{key} is {type(value).__name__}, not text, in Marketo's answer")


def _count(answer: Mapping[str, object], key: str) -> int | None:
    value = answer.get(key)
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 0):
        return value
    raise DecodeError(f"{key} is no count in Marketo's answer")


def _moment(answer: Mapping[str, object], key: str) -> datetime | None:
    text = _text(answer, key)
    return parse_timestamp(text) if text else None


def _sha256(checksum: str | None, export_id: str) -> str | None:
    matched = _SHA256_CHECKSUM.fullmatch(checksum or "")
    if matched:
        return matched.group(1).lower()
    if checksum:
        logger.warning(
            "checksum_unreadable export_id=%s algorithm=%s",
            export_id,
            one_line(checksum.partition(":")[0])[:40],
        )
    return None

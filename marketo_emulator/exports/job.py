"""The export job: its status over time, and how much of that a poller sees (C§5.3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING

from marketo_emulator.clock import to_epoch
from marketo_emulator.data.values import moment_text
from marketo_emulator.faults.fault import NOTHING_AMENDED, Amendments

if TYPE_CHECKING:
    from marketo_emulator.exports.file import ExportFile
    from marketo_emulator.exports.request import ExportRequest
    from marketo_emulator.options import Options


class ExportStatus(Enum):
    """The statuses of an export, spelt as on the wire."""

    CREATED = "Created"
    QUEUED = "Queued"
    PROCESSING = "Processing"
    COMPLETED = "Completed"
    FAILED = "Failed"
    CANCELLED = "Cancelled"

    @property
    def ended(self) -> bool:
        """Whether nothing follows."""
        return self in {ExportStatus.COMPLETED, ExportStatus.FAILED, ExportStatus.CANCELLED}


@dataclass(slots=True, eq=False)
class ExportJob:
    """One export; only its owner sees it."""

    export_id: str
    owner: str
    request: ExportRequest
    created_at: datetime
    status: ExportStatus = ExportStatus.CREATED
    queued_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    file: ExportFile | None = None
    error_message: str = ""
    outcome: str = ""
    """How a fault has it end."""
    cancelled_by_call: bool = False
    amendments: Amendments = NOTHING_AMENDED

    @property
    def kind(self) -> str:
        """Which kind of object it exports: the part of the path that says so."""
        return self.request.kind

    def seen_status(self, now: datetime, refresh_seconds: float) -> ExportStatus:
        """Return the status as it was when it was last brought up to date for pollers.

        What a call does (create, enqueue, cancel) shows at once; what a worker does, at the next
        refresh.
        """
        if self.queued_at is None or self.cancelled_by_call or refresh_seconds <= 0:
            return self.status
        refreshes = (now - self.queued_at) // timedelta(seconds=refresh_seconds)
        refreshed_at = self.queued_at + refreshes * timedelta(seconds=refresh_seconds)
        if self.finished_at is not None and self.finished_at <= refreshed_at and refreshes:
            return self.status
        if self.started_at is not None and self.started_at <= refreshed_at and refreshes:
            return ExportStatus.PROCESSING
        return ExportStatus.QUEUED

    def shown(self, now: datetime, refresh_seconds: float, options: Options) -> dict[str, object]:
        """Return the job as every call shows it; what has not happened yet is left out."""
        status = self.seen_status(now, refresh_seconds)
        cancelled = status is ExportStatus.CANCELLED
        shown: dict[str, object] = {
            "exportId": self.export_id,
            "format": self.request.file_format,
            "status": options.cancelled_spelling if cancelled else status.value,
            "createdAt": _text(self.created_at),
        }
        if self.queued_at is not None:
            shown["queuedAt"] = _text(self.queued_at)
        elif options.queued_at_in_created:
            shown["queuedAt"] = _text(self.created_at)
        if self.started_at is not None and status is not ExportStatus.QUEUED:
            shown["startedAt"] = _text(self.started_at)
        if status.ended and self.finished_at is not None and not self.cancelled_by_call:
            shown["finishedAt"] = _text(self.finished_at)
        if status is ExportStatus.COMPLETED and self.file is not None:
            shown["numberOfRecords"] = self.file.rows + options.number_of_records_offset
            shown["fileSize"] = self.file.size_bytes
            shown["fileChecksum"] = f"sha256:{self.file.sha256}"
        if status is ExportStatus.FAILED and self.error_message:
            shown["errorMsg"] = self.error_message
        return self.amendments.applied(shown) if status.ended else shown


def _text(moment: datetime) -> str:
    return moment_text(to_epoch(moment))

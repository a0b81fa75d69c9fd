"""The export service: creates, queues, runs, lists and ends exports (C§5)."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from marketo_emulator.clock import to_epoch
from marketo_emulator.exports.file import ExportFile, rewrite_export_file, write_export_file
from marketo_emulator.exports.job import ExportJob, ExportStatus
from marketo_emulator.exports.kinds import parse_export_request
from marketo_emulator.job_queue import JobQueue
from marketo_emulator.wire import errors
from marketo_emulator.wire.errors import InvalidDataError, MarketoError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from marketo_emulator.workplace import JobSeconds, Workplace


_REFRESH_SECONDS = 60.0
_MAX_BATCH_SIZE = 300
_TOKEN_DIGITS = 24
_FAILURE_TEXT = "Export failed. Please try again."  # guess: no source quotes an errorMsg


class Exports:
    """All exports of the instance; callers hold the world's lock and have advanced it."""

    def __init__(self, workplace: Workplace, job_seconds: JobSeconds) -> None:
        self._workplace = workplace
        self._options = workplace.options
        self._job_seconds = job_seconds
        self.jobs: dict[str, ExportJob] = {}
        self.queue: JobQueue[ExportJob] = JobQueue(
            workplace.options.max_running_exports, self._start, self._finish
        )
        self.exported_bytes: Counter[str] = Counter()

    @property
    def refresh_seconds(self) -> float:
        """How far apart pollers see a status change."""
        if self._options.status_refresh_seconds is not None:
            return self._options.status_refresh_seconds
        if callable(self._job_seconds):
            return _REFRESH_SECONDS
        return min(_REFRESH_SECONDS, self._job_seconds)

    def shown(self, job: ExportJob, now: datetime) -> dict[str, object]:
        """Return a job as its owner sees it now."""
        return job.shown(now, self.refresh_seconds, self._options)

    def create(self, kind: str, body: Mapping[str, Any], owner: str, now: datetime) -> ExportJob:
        """Create a job that waits to be enqueued."""
        self._check_quota(now)
        request = parse_export_request(kind, body, self._workplace.store, self._options)
        export_id = str(UUID(int=self._workplace.random.getrandbits(128), version=4))
        self.jobs[export_id] = job = ExportJob(export_id, owner, request, now)
        return job

    def enqueue(self, job: ExportJob, now: datetime) -> None:
        """Put a created job into the queue.

        Raises: MarketoError 1029 if it is in already, the queue is full or the quota used up;
        1003 if it has ended.
        """
        if job.status in {ExportStatus.QUEUED, ExportStatus.PROCESSING}:
            raise MarketoError("1029", errors.ALREADY_QUEUED)
        if job.status.ended:
            raise InvalidDataError(f"Export job is {job.status.value}")
        self._check_quota(now)
        if self.queue.length(now) >= self._options.max_queued_exports:
            raise MarketoError("1029", errors.QUEUE_FULL)
        job.status, job.queued_at = ExportStatus.QUEUED, now
        self.queue.add(job)

    def cancel(self, job: ExportJob, now: datetime) -> None:
        """End a job that has not ended."""
        if job.status.ended:
            text = f"Export job is already {job.status.value}"
            raise MarketoError(self._options.finished_cancel_code, text)
        if job.status is not ExportStatus.CREATED:
            self.queue.remove(job, now)
        job.status, job.finished_at, job.cancelled_by_call = ExportStatus.CANCELLED, now, True

    def find(self, kind: str, export_id: str, owner: str, now: datetime) -> ExportJob:
        """Return a job of this kind and owner.

        Raises: MarketoError as for an unknown id, also for one too old to be remembered.
        """
        job = self.jobs.get(export_id)
        if job is not None and job.kind == kind and job.owner == owner:
            kept = timedelta(days=self._options.status_retention_days)
            if job.finished_at is None or now <= job.finished_at + kept:
                return job
        raise MarketoError(self._options.unknown_job_code, f"Export job '{export_id}' not found")

    def file(self, job: ExportJob, now: datetime) -> ExportFile | None:
        """Return the file of a job that completed not too long ago."""
        if job.file is None or job.status is not ExportStatus.COMPLETED or not job.finished_at:
            return None
        kept = timedelta(days=self._options.file_retention_days)
        return job.file if now <= job.finished_at + kept else None

    def list(
        self,
        kind: str,
        owner: str,
        now: datetime,
        *,
        statuses: set[str],
        batch_size: int,
        page_token: str,
    ) -> tuple[list[dict[str, object]], str]:
        """Return a page of the owner's recent jobs, and the token of the next page or ""."""
        if not 1 <= batch_size <= _MAX_BATCH_SIZE:
            raise InvalidDataError(f"'batchSize' must be between 1 and {_MAX_BATCH_SIZE}")
        created_after = now - timedelta(days=self._options.list_retention_days)
        listed = (
            self.shown(job, now)
            for job in self.jobs.values()
            if job.kind == kind and job.owner == owner and job.created_at >= created_after
        )
        chosen = [job for job in listed if not statuses or _key(job["status"]) in statuses]
        start = _page_start(page_token)
        page = chosen[start : start + batch_size]
        more = start + batch_size < len(chosen)
        return page, f"{start + batch_size:0{_TOKEN_DIGITS}x}" if more else ""

    def _check_quota(self, now: datetime) -> None:
        limit = self._options.daily_export_bytes
        if self.exported_bytes[self._workplace.day(now)] >= limit:
            raise MarketoError("1029", f"Export daily quota {limit // 10**6}MB exceeded.")

    def _start(self, job: ExportJob, now: datetime) -> float | None:
        """Write the file as the rows are now: a membership counts when processing starts."""
        seconds = self._job_seconds(job) if callable(self._job_seconds) else self._job_seconds
        job.status, job.started_at = ExportStatus.PROCESSING, now
        rewrites: tuple[str, ...] = ()
        for fault in self._workplace.faults.strike("export.job", path=job.kind, now=now):
            job.outcome = fault.outcome or job.outcome
            job.error_message = fault.message
            rewrites += fault.rewrites
            job.amendments = job.amendments.with_fault(fault)
            seconds = seconds if fault.job_seconds is None else fault.job_seconds
        if job.outcome == "Stuck":
            return None
        if not job.outcome:
            job.file = self._write(job, rewrites, now)
        return seconds

    def _write(self, job: ExportJob, rewrites: tuple[str, ...], now: datetime) -> ExportFile:
        delimiters = {"CSV": ",", "TSV": "\t", "SSV": self._options.ssv_delimiter}
        file = write_export_file(
            self._workplace.directory() / job.export_id,
            job.request.columns,
            job.request.rows(self._workplace.store, to_epoch(now)),
            delimiter=delimiters[job.request.file_format],
            header_if_empty=self._options.empty_file == "header",
        )
        return rewrite_export_file(file, rewrites) if rewrites else file

    def _finish(self, job: ExportJob, now: datetime) -> None:
        job.finished_at = now
        job.status = ExportStatus(job.outcome or "Completed")
        if job.file is not None:
            self.exported_bytes[self._workplace.day(now)] += job.file.size_bytes


def status_keys(texts: list[str]) -> set[str]:
    """Return the statuses of a list filter: separate or joined by commas, in any spelling."""
    return {_key(part) for text in texts for part in text.split(",") if part}


def _key(status: object) -> str:
    return str(status).strip().lower().replace("ll", "l")


def _page_start(token: str) -> int:
    try:
        return int(token or "0", 16)
    except ValueError:
        raise InvalidDataError("Invalid value specified for attribute 'nextPageToken'") from None

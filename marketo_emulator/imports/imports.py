"""The import service: takes files, queues them, and changes leads when they are done (C§8)."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Protocol

from marketo_emulator.clock import to_epoch
from marketo_emulator.exports.request import CUSTOM_OBJECTS
from marketo_emulator.faults.fault import NOTHING_AMENDED, Amendments
from marketo_emulator.imports.rows import read_lines, reason_file
from marketo_emulator.job_queue import JobQueue
from marketo_emulator.wire import errors
from marketo_emulator.wire.errors import InvalidDataError, MarketoError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from marketo_emulator.data.store import Store
    from marketo_emulator.imports.rows import ImportRow
    from marketo_emulator.options import Options
    from marketo_emulator.workplace import JobSeconds, Workplace


_FIRST_BATCH_ID = 3401
_FAILURE_TEXT = "Import failed"  # guess: no source quotes the message of a failed import


class ImportStatus(Enum):
    """The statuses of an import, spelt as on the wire."""

    QUEUED = "Queued"
    IMPORTING = "Importing"
    COMPLETE = "Complete"
    FAILED = "Failed"

    @property
    def ended(self) -> bool:
        """Whether nothing follows."""
        return self in {ImportStatus.COMPLETE, ImportStatus.FAILED}


class Reader(Protocol):
    """What understands the lines under one header."""

    def unknown_columns(self) -> list[str]:
        """Return the columns that are no field."""

    def read(self, cells: Sequence[str]) -> ImportRow:
        """Return the row, with the first reason found against it."""


class Rows(Protocol):
    """Rows on their way into the store."""

    ids: set[object]
    """What was made or changed."""

    def apply(self, row: ImportRow, now: int) -> tuple[str, str]:
        """Take a row; returns why it failed and a warning, both "" if it is well."""

    def finish(self, now: int) -> None:
        """Do what is to be done after the last row."""


class Target(Protocol):
    """What a file is imported to."""

    @property
    def kind(self) -> str:
        """The part of the path that says what."""

    @property
    def list_id(self) -> int | None:
        """The static list the leads are put on."""

    def reader(self, header: Sequence[str], store: Store, options: Options) -> Reader:
        """Return what understands the lines under this header."""

    def begin(self, store: Store, options: Options) -> Rows:
        """Return what takes the rows; ValueError if the whole job fails."""


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """What was uploaded, and with which parameters."""

    content: bytes
    delimiter: str
    target: Target


@dataclass(slots=True, eq=False)
class ImportJob:
    """One import."""

    batch_id: int
    request: ImportRequest
    queued_at: datetime | None
    status: ImportStatus = ImportStatus.QUEUED
    started_at: datetime | None = None
    finished_at: datetime | None = None
    rows_imported: int = 0
    ids: set[object] = field(default_factory=set)
    """Leads or records that were made or changed."""
    failures: list[tuple[Sequence[str], str]] = field(default_factory=list)
    warnings: list[tuple[Sequence[str], str]] = field(default_factory=list)
    header: Sequence[str] = ()
    message: str = ""
    outcome: str = ""
    """How a fault has it end."""
    amendments: Amendments = NOTHING_AMENDED

    @property
    def kind(self) -> str:
        """What it imports: `leads`, `program/members` or `customobjects/<API name>`."""
        return self.request.target.kind

    def shown(self, *, counters: bool) -> dict[str, object]:
        """Return the status as it is polled; custom objects have words of their own (C§10)."""
        shown: dict[str, object] = {"batchId": self.batch_id}
        of_objects = self.kind.startswith(CUSTOM_OBJECTS)
        if of_objects:
            shown["status"] = self.status.value
            shown["objectApiName"] = self.kind.removeprefix(CUSTOM_OBJECTS)
        else:
            shown["importId"] = str(self.batch_id)
            shown["status"] = self.status.value
        if of_objects and self.status is not ImportStatus.QUEUED:
            shown["operation"] = "import"
        if of_objects and self.started_at is not None and self.finished_at is not None:
            seconds = int((self.finished_at - self.started_at).total_seconds())
            shown["importTime"] = f"{seconds} second(s)"
        if self.status.ended or counters:
            what = "Objects" if of_objects else "Leads"
            shown[f"numOf{what}Processed"] = self.rows_imported
            shown["numOfRowsFailed"] = len(self.failures)
            shown["numOfRowsWithWarning"] = len(self.warnings)
        if self.status.ended:
            shown["message"] = self.message
        return self.amendments.applied(shown) if self.status.ended else shown

    def failures_file(self) -> bytes | None:
        """Return the rows that were not imported, or None if all were."""
        return self._reasons(self.failures, "Import Failure Reason")

    def warnings_file(self) -> bytes | None:
        """Return the rows imported with a warning, or None if there are none."""
        return self._reasons(self.warnings, "Import Warning Reason")

    def _reasons(self, rows: Sequence[tuple[Sequence[str], str]], title: str) -> bytes | None:
        if not self.status.ended or not rows:
            return None
        return reason_file(self.header, rows, title, self.request.delimiter)


class Imports:
    """All imports of the instance; callers hold the world's lock and have advanced it."""

    def __init__(self, workplace: Workplace, import_seconds: JobSeconds) -> None:
        self._workplace = workplace
        self._options = workplace.options
        self._seconds = import_seconds
        self.jobs: dict[int, ImportJob] = {}
        self.queue: JobQueue[ImportJob] = JobQueue(
            workplace.options.max_running_imports, self._start, self._finish
        )

    def create(self, request: ImportRequest, now: datetime) -> ImportJob:
        """Queue an import.

        Raises: MarketoError 1016 when the queue is full, 1019 when the list is being imported to.
        """
        length = self.queue.length(now)
        if length >= self._options.max_queued_imports:
            raise MarketoError("1016", errors.IMPORTS_FULL.format(length))
        list_id = request.target.list_id
        if list_id is not None and self._options.same_list_refused:
            for job in self.jobs.values():
                if job.request.target.list_id == list_id and not job.status.ended:
                    raise MarketoError("1019")
        self._check_content(request)
        batch_id = _FIRST_BATCH_ID + len(self.jobs)
        self.jobs[batch_id] = job = ImportJob(batch_id, request, now)
        self.queue.add(job)
        return job

    def find(self, kind: str, batch_id: int, now: datetime) -> ImportJob:
        """Return a job of this kind that is not too old.

        Raises: MarketoError as for an unknown id.
        """
        job = self.jobs.get(batch_id)
        kept = timedelta(days=self._options.import_retention_days)
        if (
            job is None
            or job.kind != kind
            or (job.queued_at is not None and now > job.queued_at + kept)
        ):
            raise MarketoError("1013", f"Batch '{batch_id}' not found")
        return job

    def _check_content(self, request: ImportRequest) -> None:
        try:
            lines = read_lines(request.content, request.delimiter)
            header = next(lines, None)
            if header is None or next(lines, None) is None:
                raise InvalidDataError("Empty file")
        except (ValueError, csv.Error):
            return  # found out, and told, when the file is imported
        if self._options.unknown_import_column == "refuse":
            store = self._workplace.store
            unknown = request.target.reader(header, store, self._options).unknown_columns()
            if unknown:
                raise MarketoError("1006", f"Field '{unknown[0]}' not found")

    def _start(self, job: ImportJob, now: datetime) -> float | None:
        job.status, job.started_at = ImportStatus.IMPORTING, now
        seconds = self._seconds(job) if callable(self._seconds) else self._seconds
        for fault in self._workplace.faults.strike("import.job", path=job.kind, now=now):
            job.outcome = fault.outcome or job.outcome
            job.message = fault.message
            job.amendments = job.amendments.with_fault(fault)
            seconds = seconds if fault.job_seconds is None else fault.job_seconds
        return None if job.outcome == "Stuck" else seconds

    def _finish(self, job: ImportJob, now: datetime) -> None:
        job.finished_at = now
        if job.outcome:
            job.status, job.message = ImportStatus.FAILED, job.message or _FAILURE_TEXT
            return
        try:
            self._import(job, now)
        except (ValueError, csv.Error) as error:
            job.status, job.message = ImportStatus.FAILED, f"{_FAILURE_TEXT}: {error}"

    def _import(self, job: ImportJob, now: datetime) -> None:
        request, store = job.request, self._workplace.store
        header, *lines = read_lines(request.content, request.delimiter)
        reader = request.target.reader(header, store, self._options)
        unknown = reader.unknown_columns()
        if unknown and self._options.unknown_import_column == "fail_job":
            message = f"Field '{unknown[0]}' not found"
            raise ValueError(message)
        job.header = header
        rows, at = request.target.begin(store, self._options), to_epoch(now)
        for cells in lines:
            row = reader.read(cells)
            failure, warning = (row.failure, "") if row.failure else rows.apply(row, at)
            if failure:
                job.failures.append((cells, failure))
                continue
            job.rows_imported += 1
            if warning or row.warning:
                job.warnings.append((cells, warning or row.warning))
        rows.finish(at)
        job.ids = rows.ids
        job.status, job.message = ImportStatus.COMPLETE, _message(job)


def _message(job: ImportJob) -> str:
    """Return the text of a finished import (C§8.2)."""
    records = f"{job.rows_imported} records imported ({len(job.ids)} members)"
    warned = f", {len(job.warnings)} warning." if job.warnings else ""
    if job.failures:
        return f"Import completed with errors, {records}, {len(job.failures)} failed{warned}"
    return f"Import succeeded, {records}{warned}"

"""The import service: takes files, queues them, and changes leads when they are done (C§8)."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING

from marketo_emulator import errors
from marketo_emulator.amendments import NOTHING_AMENDED, Amendments
from marketo_emulator.clock import to_epoch
from marketo_emulator.errors import InvalidDataError, MarketoError
from marketo_emulator.fields import LEAD_FIELDS
from marketo_emulator.import_rows import RowReader, lookup_field, read_lines, reason_file
from marketo_emulator.job_queue import JobQueue

if TYPE_CHECKING:
    from collections.abc import Sequence

    from marketo_emulator.exports import JobSeconds, Workplace
    from marketo_emulator.fields import Field
    from marketo_emulator.import_rows import ImportRow
    from marketo_emulator.values import Value


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


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """What was uploaded, and with which parameters."""

    content: bytes
    delimiter: str
    lookup: Field
    list_id: int | None
    partition: int
    """Place of the partition among all of them, counted from 1."""


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
    lead_ids: set[int] = field(default_factory=set)
    failures: list[tuple[Sequence[str], str]] = field(default_factory=list)
    warnings: list[tuple[Sequence[str], str]] = field(default_factory=list)
    header: Sequence[str] = ()
    message: str = ""
    outcome: str = ""
    """How a fault has it end."""
    amendments: Amendments = NOTHING_AMENDED

    def shown(self, *, counters: bool) -> dict[str, object]:
        """Return the status as it is polled."""
        shown: dict[str, object] = {
            "batchId": self.batch_id,
            "importId": str(self.batch_id),
            "status": self.status.value,
        }
        if self.status.ended or counters:
            shown["numOfLeadsProcessed"] = self.rows_imported
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

    def check_parameters(
        self, lookup: str, list_id: str, partition: str
    ) -> tuple[Field, int | None, int]:
        """Return lookup field, list id and place of the partition.

        Raises: MarketoError 1006, 1001, 1013, 1008.
        """
        found = lookup_field(lookup or "email")
        if found is None:
            raise MarketoError("1006", f"Lookup field '{lookup}' not found")
        if list_id and not list_id.isdecimal():
            raise MarketoError("1001", f"Invalid value '{list_id}'. Required of type 'Integer'")
        if list_id and int(list_id) not in self._workplace.store.static_lists:
            raise MarketoError("1013", "Static list not found")
        partitions = self._workplace.store.partitions
        if partition and partition not in partitions:
            raise MarketoError("1008", f"Access denied to partition '{partition}'")
        place = partitions.index(partition) + 1 if partition else 1
        return found, int(list_id) if list_id else None, place

    def create(self, request: ImportRequest, now: datetime) -> ImportJob:
        """Queue an import.

        Raises: MarketoError 1016 when the queue is full, 1019 when the list is being imported to.
        """
        length = self.queue.length(now)
        if length >= self._options.max_queued_imports:
            raise MarketoError("1016", errors.IMPORTS_FULL.format(length))
        if request.list_id is not None and self._options.same_list_refused:
            for job in self.jobs.values():
                if job.request.list_id == request.list_id and not job.status.ended:
                    raise MarketoError("1019")
        self._check_content(request)
        batch_id = _FIRST_BATCH_ID + len(self.jobs)
        self.jobs[batch_id] = job = ImportJob(batch_id, request, now)
        self.queue.add(job)
        return job

    def find(self, batch_id: int, now: datetime) -> ImportJob:
        """Return a job that is not too old.

        Raises: MarketoError as for an unknown id.
        """
        job = self.jobs.get(batch_id)
        kept = timedelta(days=self._options.import_retention_days)
        if job is None or (job.queued_at is not None and now > job.queued_at + kept):
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
            unknown = RowReader(header, request.lookup, self._options).unknown_columns()
            if unknown:
                raise MarketoError("1006", f"Field '{unknown[0]}' not found")

    def _start(self, job: ImportJob, now: datetime) -> float | None:
        job.status, job.started_at = ImportStatus.IMPORTING, now
        seconds = self._seconds(job) if callable(self._seconds) else self._seconds
        for fault in self._workplace.faults.strike("import.job", now=now):
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
        request = job.request
        header, *lines = read_lines(request.content, request.delimiter)
        reader = RowReader(header, request.lookup, self._options)
        unknown = reader.unknown_columns()
        if unknown and self._options.unknown_import_column == "fail_job":
            message = f"Field '{unknown[0]}' not found"
            raise ValueError(message)
        job.header = header
        found = self._leads_by(request.lookup)
        for cells in lines:
            row = reader.read(cells)
            failure = row.failure or self._apply(job, row, found, to_epoch(now))
            if failure:
                job.failures.append((cells, failure))
            elif row.warning:
                job.warnings.append((cells, row.warning))
        if request.list_id is not None:
            self._workplace.store.static_lists[request.list_id].lead_ids |= job.lead_ids
        job.status, job.message = ImportStatus.COMPLETE, _message(job)

    def _apply(
        self, job: ImportJob, row: ImportRow, found: dict[Value, list[int]], now: int
    ) -> str:
        """Change or make the lead; a later line of the same key sees what an earlier one did."""
        lookup, key = job.request.lookup, _folded(row.key)
        ids = found.get(key, [])
        if len(ids) > 1:
            return "Multiple leads match lookup criteria"
        if not ids and lookup.name == "id":
            return f"Value for lookup field '{lookup.name}' not found"
        values = dict(row.values)
        if not ids:
            values.setdefault("leadPartitionId", str(job.request.partition))
        lead_id = self._workplace.store.import_lead(ids[0] if ids else None, values, now)
        found[key] = [lead_id]
        job.lead_ids.add(lead_id)
        job.rows_imported += 1
        return ""

    def _leads_by(self, lookup: Field) -> dict[Value, list[int]]:
        position = LEAD_FIELDS.position[lookup.name]
        found: dict[Value, list[int]] = {}
        for lead_id, row in self._workplace.store.lead_rows.items():
            if row[position] is not None:
                found.setdefault(_folded(row[position]), []).append(lead_id)
        return found


def _folded(value: Value) -> Value:
    return value.casefold() if isinstance(value, str) else value


def _message(job: ImportJob) -> str:
    """Return the text of a finished import (C§8.2)."""
    records = f"{job.rows_imported} records imported ({len(job.lead_ids)} members)"
    warned = f", {len(job.warnings)} warning." if job.warnings else ""
    if job.failures:
        return f"Import completed with errors, {records}, {len(job.failures)} failed{warned}"
    return f"Import succeeded, {records}{warned}"

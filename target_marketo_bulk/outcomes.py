"""Outcomes: what a finished import did to each of its rows."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from marketo_bulk.errors import DecodeError, JobError, RejectedError

from target_marketo_bulk.failures import match_report

if TYPE_CHECKING:
    from collections.abc import Callable

    from marketo_bulk.client import MarketoBulk
    from marketo_bulk.jobs import ImportJob

    from target_marketo_bulk.import_file import ImportFile
    from target_marketo_bulk.rejects import RejectLog
    from target_marketo_bulk.tally import Tally

REPORT_ATTEMPTS_MAX = 3
"""Times a report is asked for which the status says must be there."""

NOT_NAMED = "Marketo counted failed rows, but its failures file does not name them"
WARNING_NOT_NAMED = "Marketo counted warnings, but its warnings file does not name the rows"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came when a report was asked for; `body` is None where there is none."""

    body: bytes | None = None
    error: str = ""
    """What came in its place."""


class Outcomes:
    """Fetches Marketo's reports on imports, and puts every row on one side or the other."""

    def __init__(self, client: MarketoBulk, log: RejectLog, tally: Tally) -> None:
        self._client = client
        self._log = log
        self.tally = tally
        self._attempts: Counter[str] = Counter()

    def complete(self, file: ImportFile, job: ImportJob) -> bool:
        """Report on a complete import; return False if its reports must be asked for again.

        Shape: nothing is reported before both reports are here.
        Raises: JobError if Marketo neither counts the failed rows nor gives the file that does.
        """
        self._attempts[job.batch_id] += 1
        failures = self._fetch(self._client.get_import_failures, job, job.rows_failed)
        warnings = self._fetch(self._client.get_import_warnings, job, job.rows_with_warning)
        is_last = self._attempts[job.batch_id] >= REPORT_ATTEMPTS_MAX
        if not is_last and (
            _is_missing(failures, job.rows_failed) or _is_missing(warnings, job.rows_with_warning)
        ):
            return False
        del self._attempts[job.batch_id]
        if failures.error and job.rows_failed is None:
            raise _unknown_failures(file, job, failures.error)
        rejected = self._report_failures(file, job, failures.body)
        self._report_warnings(file, job, warnings.body)
        self._compare(file, job)
        self.tally.files += 1
        self.tally.bytes += file.size_bytes
        self.tally.imported += max(0, file.rows - rejected)
        logger.info(
            "import_complete batch_id=%s rows=%d rejected=%d", job.batch_id, file.rows, rejected
        )
        return True

    def reject_all(self, file: ImportFile, reason: str, *, batch_id: str | None = None) -> None:
        """Report every row of a file as rejected."""
        columns = file.layout.columns
        for row in file.read_rows():
            self._log.reject(dict(zip(columns, row, strict=True)), reason, batch_id=batch_id)

    def _fetch(
        self, fetch: Callable[[str], bytes | None], job: ImportJob, counted: int | None
    ) -> Fetched:
        if counted == 0:
            return Fetched()
        try:
            return Fetched(fetch(job.batch_id))
        except (RejectedError, DecodeError) as error:
            logger.warning(
                "import_report_unreadable batch_id=%s answer=%r", job.batch_id, str(error)
            )
            return Fetched(error=str(error))

    def _report_failures(self, file: ImportFile, job: ImportJob, body: bytes | None) -> int:
        rows = 0
        for finding in match_report(body, file) if body is not None else ():
            rows += 1
            if finding.record is not None:
                self._log.reject(finding.record, finding.reason, batch_id=job.batch_id)
                continue
            self._log.reject_unmatched(
                finding.reported_row or {}, finding.reason, batch_id=job.batch_id
            )
        missing = (job.rows_failed or 0) - rows
        if missing > 0:
            logger.warning("import_failures_not_named batch_id=%s rows=%d", job.batch_id, missing)
            self._log.reject_uncounted(missing, NOT_NAMED, batch_id=job.batch_id)
        return rows + max(0, missing)

    def _report_warnings(self, file: ImportFile, job: ImportJob, body: bytes | None) -> None:
        rows = 0
        for finding in match_report(body, file) if body is not None else ():
            rows += 1
            self._log.warn(
                finding.record,
                finding.reason,
                batch_id=job.batch_id,
                reported_row=finding.reported_row,
            )
        missing = (job.rows_with_warning or 0) - rows
        if missing > 0:
            self._log.warn_uncounted(missing, WARNING_NOT_NAMED, batch_id=job.batch_id)

    def _compare(self, file: ImportFile, job: ImportJob) -> None:
        if job.rows_processed is None or job.rows_failed is None:
            return
        if job.rows_processed + job.rows_failed != file.rows:
            logger.warning(
                "import_counts_differ batch_id=%s sent=%d processed=%d failed=%d",
                job.batch_id,
                file.rows,
                job.rows_processed,
                job.rows_failed,
            )


def _is_missing(report: Fetched, counted: int | None) -> bool:
    """Whether a report that must be there did not come; 404 alone says that there is none."""
    return report.body is None and bool(counted or report.error)


def _unknown_failures(file: ImportFile, job: ImportJob, answer: str) -> JobError:
    return JobError(
        f"Marketo does not say which of the {file.rows} rows of import {job.batch_id} failed, nor "
        f"how many ({answer})",
        job_id=job.batch_id,
        status=job.status_text,
        remedy="Run again: its rows are sent again, since no STATE after them was passed on",
    )

"""Outcomes: what a finished import did to each of its rows."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from marketo_bulk.errors import DecodeError, JobError, RejectedError
from target_marketo_bulk.outcomes.reports import match_report

if TYPE_CHECKING:
    from collections.abc import Callable

    from marketo_bulk.client import MarketoBulk
    from marketo_bulk.jobs import ImportJob
    from target_marketo_bulk.files.import_file import ImportFile
    from target_marketo_bulk.outcomes.rejects import RejectLog
    from target_marketo_bulk.outcomes.summary import Tally

REPORT_ATTEMPTS_MAX = 3
"""Times a report is asked for which the status says must be there."""

NOT_NAMED = "Marketo counted failed rows, but its failures file does not name them"
WARNING_NOT_NAMED = "Marketo counted warnings, but its warnings file does not name the rows"
WARNINGS_UNKNOWN = "Marketo neither counts warnings nor gives a warnings file that can be read"

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
        self._odd_members: set[str] = set()

    def complete(self, file: ImportFile, job: ImportJob) -> bool:
        """Report on a complete import; return False if its reports must be asked for again.

        Shape: nothing is reported before both reports are here.
        Raises: JobError if Marketo neither counts the failed rows nor gives the file that does.
        """
        self._attempts[job.batch_id] += 1
        self._warn_of_odd_members(job)
        import_object = file.layout.destination.object
        get_failures = partial(self._client.get_import_failures, import_object)
        get_warnings = partial(self._client.get_import_warnings, import_object)
        failed = _failed_rows(file, job)
        failures = self._fetch(get_failures, job, failed)
        warnings = self._fetch(get_warnings, job, job.rows_with_warning)
        is_last = self._attempts[job.batch_id] >= REPORT_ATTEMPTS_MAX
        if not is_last and (
            _is_missing(failures, failed) or _is_missing(warnings, job.rows_with_warning)
        ):
            return False
        del self._attempts[job.batch_id]
        if failures.error and job.rows_failed is None:
            raise _unknown_failures(file, job, failures.error)
        rejected = self._report_failures(file, job.batch_id, failures.body, failed or 0)
        self._report_warnings(file, job, warnings.body)
        if warnings.error and job.rows_with_warning is None:
            self._log.warn_unknown(WARNINGS_UNKNOWN, batch_id=job.batch_id)
        self._compare(file, job)
        self.tally.files += 1
        self.tally.bytes += file.size_bytes
        self.tally.imported += max(0, file.rows - rejected)
        logger.info("import %s complete: %d rows, %d rejected", job.batch_id, file.rows, rejected)
        return True

    def reject_all(
        self, file: ImportFile, reason: str, *, shown: str, batch_id: str | None = None
    ) -> None:
        """Report every row of a file as rejected; `shown` stands for the reason in the log."""
        columns = file.layout.columns
        for row in file.read_rows():
            record = dict(zip(columns, row, strict=True))
            self._log.reject(record, reason, batch_id=batch_id, shown=shown)

    def _warn_of_odd_members(self, job: ImportJob) -> None:
        for name in set(job.odd_members) - self._odd_members:
            self._odd_members.add(name)
            logger.warning(
                "import %s: Marketo's answer has %s in an odd form; what cannot be read "
                "is taken for left out (said once)",
                job.batch_id,
                name,
            )

    def _fetch(
        self, fetch: Callable[[str], bytes | None], job: ImportJob, counted: int | None
    ) -> Fetched:
        if counted == 0:
            return Fetched()
        try:
            return Fetched(fetch(job.batch_id))
        except (RejectedError, DecodeError) as error:
            logger.warning(
                "import %s: the report of its rows cannot be read: %s", job.batch_id, error
            )
            return Fetched(error=str(error))

    def _report_failures(
        self, file: ImportFile, batch_id: str, body: bytes | None, failed: int
    ) -> int:
        rows = repeats = 0
        for finding in match_report(body, file) if body is not None else ():
            rows += not finding.is_repeat
            repeats += finding.is_repeat
            if finding.record is not None:
                self._log.reject(finding.record, finding.reason, batch_id=batch_id)
                continue
            self._log.reject_unmatched(
                finding.reported_row or {},
                finding.reason,
                batch_id=batch_id,
                is_counted=not finding.is_repeat,
            )
        if repeats:
            logger.warning(
                "import %s: %d failed rows are reported once more, with another "
                "reason; not counted again",
                batch_id,
                repeats,
            )
        missing = failed - rows
        if missing > 0:
            logger.warning(
                "import %s: Marketo does not name %d of the failed rows", batch_id, missing
            )
            self._log.reject_uncounted(missing, NOT_NAMED, batch_id=batch_id)
        return rows + max(0, missing)

    def _report_warnings(self, file: ImportFile, job: ImportJob, body: bytes | None) -> None:
        rows = 0
        for finding in match_report(body, file) if body is not None else ():
            rows += not finding.is_repeat
            self._log.warn(
                finding.record,
                finding.reason,
                batch_id=job.batch_id,
                reported_row=finding.reported_row,
                is_counted=not finding.is_repeat,
            )
        missing = (job.rows_with_warning or 0) - rows
        if missing > 0:
            self._log.warn_uncounted(missing, WARNING_NOT_NAMED, batch_id=job.batch_id)

    def _compare(self, file: ImportFile, job: ImportJob) -> None:
        if job.rows_processed is None or job.rows_failed is None:
            return
        if job.rows_processed + job.rows_failed != file.rows:
            logger.warning(
                "import %s: %d rows were sent, Marketo counts %d processed and %d failed",
                job.batch_id,
                file.rows,
                job.rows_processed,
                job.rows_failed,
            )


def _failed_rows(file: ImportFile, job: ImportJob) -> int | None:
    """Return how many rows failed by Marketo's own counts; None if they do not tell.

    Where the failed ones are not counted, those that were not processed have failed. That all
    were processed tells nothing: by one of two descriptions failed rows are processed, too.
    """
    if job.rows_failed is not None or job.rows_processed is None:
        return job.rows_failed
    return max(0, file.rows - job.rows_processed) or None


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

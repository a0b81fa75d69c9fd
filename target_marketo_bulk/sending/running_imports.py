"""Running imports: those Marketo has accepted, and what is done when one ends."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from marketo_bulk.errors import JobError, JobTimeoutError, NotFoundError, one_line
from marketo_bulk.errors.disclosure import reason_class
from marketo_bulk.imports.objects import import_object
from marketo_bulk.jobs import ImportJob, ImportStatus
from target_marketo_bulk.sending.uploads import Running

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_marketo_bulk.files.import_file import ImportFile
    from target_marketo_bulk.sending.means import Means
    from target_marketo_bulk.sending.uploads import Upload

FAILED_MAX = 2
"""Times one file may fail as a whole before its rows are rejects."""

logger = logging.getLogger(__name__)


class RunningImports:
    """Polls imports, and passes on the files of those that have ended.

    `on_settled` is called whenever an import has ended, `on_end` for each file of which every row
    is imported or rejected, and `send_again` for an upload whose import failed.
    """

    def __init__(
        self,
        means: Means,
        *,
        on_settled: Callable[[], None],
        on_end: Callable[[ImportFile], None],
        send_again: Callable[[Upload], None],
    ) -> None:
        self._client = means.client
        self._settings = means.settings
        self._journal = means.journal
        self._outcomes = means.outcomes
        self._clock = means.clock
        self._on_settled = on_settled
        self._on_end = on_end
        self._send_again = send_again
        self._running: list[Running] = []

    def __len__(self) -> int:
        return len(self._running)

    @property
    def files(self) -> list[ImportFile]:
        """The files under way; an earlier run's imports have none."""
        return [each.upload.file for each in self._running if each.upload is not None]

    def add(self, batch_id: str, upload: Upload) -> None:
        """Take over an import that was just accepted."""
        now = self._clock()
        next_poll_at = now + self._settings.poll_interval_seconds
        sent_to = upload.file.layout.destination.object
        self._running.append(Running(batch_id, sent_to, upload, now, next_poll_at))

    def add_earlier(self, batch_id: str) -> None:
        """Wait for an import of an earlier run, which is the journal's by now."""
        sent_to = import_object(self._journal.object_of(batch_id))
        if sent_to is None:
            logger.warning(
                "import %s of an earlier run is of an object this version does not know", batch_id
            )
            self._journal.settled(batch_id, "unknown")
            return
        logger.info("import %s of an earlier run is under way: waited for", batch_id)
        now = self._clock()
        self._running.append(Running(batch_id, sent_to, None, now, now))

    def leave_room_for(self, file: ImportFile) -> bool:
        """Whether a file can be sent: it waits for all that may be about an object it has, too."""
        if any(each.upload is None or each.upload.file.may_meet(file) for each in self._running):
            return False
        destination = file.layout.destination
        alike = [each for each in self.files if each.layout.destination.is_queued_with(destination)]
        return len(alike) < destination.most_running

    def poll_times(self) -> list[float]:
        """Return when each import is to be polled, by the clock."""
        return [each.next_poll_at for each in self._running]

    def poll_due(self, now: float) -> bool:
        """Poll one import for which it is time; return False if there is none."""
        due = next((each for each in self._running if each.next_poll_at <= now), None)
        if due is not None:
            self._poll(due)
        return due is not None

    def poll_all(self) -> None:
        """Poll every import once."""
        for running in list(self._running):
            self._poll(running)

    def _poll(self, running: Running) -> None:
        running.next_poll_at = self._clock() + self._settings.poll_interval_seconds
        try:
            job = self._client.get_import_status(running.object, running.batch_id)
        except NotFoundError as error:
            self._lose(running, error)
            return
        if job.status is ImportStatus.UNKNOWN and job.status_text not in running.unknown_statuses:
            running.unknown_statuses.add(job.status_text)
            logger.warning(
                "import %s has a status this version does not know: %s",
                job.batch_id,
                job.shown_status,
            )
        if job.status.is_terminal:
            self._end(running, job)
        else:
            self._check_time(running, job)

    def _check_time(self, running: Running, job: ImportJob) -> None:
        waited = self._clock() - running.accepted_at
        if waited >= self._settings.import_timeout_seconds:
            raise JobTimeoutError(
                f"import {running.batch_id} is still {job.shown_status} after {waited:.0f} s",
                job_id=running.batch_id,
                status=job.status_text,
                remedy="The next run waits for it before it sends anything, unless "
                f"{self._journal.path} is removed",
            )

    def _end(self, running: Running, job: ImportJob) -> None:
        upload = running.upload
        if upload is None:
            self._settle(running, job.status.value)
        elif job.status is ImportStatus.COMPLETE:
            if self._outcomes.complete(upload.file, job):
                self._settle(running, job.status.value)
                self._on_end(upload.file)
        else:
            self._fail(running, upload, job)

    def _fail(self, running: Running, upload: Upload, job: ImportJob) -> None:
        upload.failures += 1
        message = one_line(job.message or "no reason given")
        why = reason_class(message)
        logger.warning("import %s failed: %s", job.batch_id, why)
        self._settle(running, job.status.value)
        if upload.failures < FAILED_MAX:
            self._send_again(upload)
            return
        self._outcomes.reject_all(
            upload.file,
            f"the import failed: {message}",
            batch_id=job.batch_id,
            shown=f"the import failed: {why}",
        )
        self._on_end(upload.file)

    def _lose(self, running: Running, error: NotFoundError) -> None:
        self._settle(running, "unknown")
        if running.upload is None:
            logger.warning(
                "import %s of an earlier run is unknown to Marketo now", running.batch_id
            )
            return
        rows = running.upload.file.rows
        self._outcomes.tally.unknown += rows
        running.upload.file.close()
        raise JobError(
            f"Marketo no longer knows import {running.batch_id}: whether its {rows} rows were "
            f"imported is unknown ({error.said})",
            job_id=running.batch_id,
            status="unknown",
            remedy="Run again: its rows are sent again, since no STATE after them was passed on",
        )

    def _settle(self, running: Running, outcome: str) -> None:
        self._running.remove(running)
        self._on_settled()
        self._journal.settled(running.batch_id, outcome)

"""Imports: files on their way through Marketo, one step at a time."""

from __future__ import annotations

import logging
from collections import Counter, deque
from typing import TYPE_CHECKING

from marketo_bulk.errors import (
    JobError,
    JobTimeoutError,
    LostReplyError,
    NotFoundError,
    PayloadTooLargeError,
    QueueFullError,
    one_line,
)
from marketo_bulk.jobs import ImportJob, ImportStatus

from target_marketo_bulk.uploads import Running, Upload

if TYPE_CHECKING:
    from collections.abc import Callable

    from marketo_bulk.client import MarketoBulk

    from target_marketo_bulk.import_file import ImportFile
    from target_marketo_bulk.journal import Journal
    from target_marketo_bulk.outcomes import Outcomes
    from target_marketo_bulk.settings import ImportSettings

LOST_REPLIES_MAX = 5
"""Times one file is sent again because its reply was lost."""

FAILED_MAX = 2
"""Times one file may fail as a whole before its rows are rejects."""

QUEUE_FULL_WAIT_MIN_SECONDS = 30
QUEUE_FULL_WAIT_MAX_SECONDS = 300

logger = logging.getLogger(__name__)


class ImportQueue:
    """The order in which files are sent, and what is waited for.

    It does nothing by itself: `step` does one thing that is due, and says when the next one is.
    Files are sent in the order they came; one that shares a lookup value with a running import
    waits for it, and all behind it wait, too.
    """

    def __init__(
        self,
        client: MarketoBulk,
        settings: ImportSettings,
        journal: Journal,
        outcomes: Outcomes,
        *,
        clock: Callable[[], float],
        on_settled: Callable[[int], None],
    ) -> None:
        self._client = client
        self._settings = settings
        self._journal = journal
        self._outcomes = outcomes
        self._clock = clock
        # A second import into the same list would be uploaded only to be refused (1019).
        self._most_running = 1 if settings.list_id else settings.max_queued_imports
        self._on_settled = on_settled
        self._pending: deque[Upload] = deque()
        self._parts: Counter[int] = Counter()
        self._running: list[Running] = []
        self._not_before = 0.0
        self._queue_full_since: float | None = None
        self._queue_full_waits = 0
        for batch_id in journal.take_over():
            logger.info("waiting_for_earlier_import batch_id=%s", batch_id)
            self._running.append(Running(batch_id, None, clock(), clock()))

    @property
    def is_idle(self) -> bool:
        """Whether every file is settled; an earlier run's imports are not waited for alone."""
        return not self._pending and all(each.upload is None for each in self._running)

    @property
    def wants_more(self) -> bool:
        """Whether the next file may be added: one is kept ready beyond those under way."""
        return not self._pending

    def add(self, file: ImportFile) -> None:
        """Queue a file."""
        self._parts[file.unit] += 1
        self._pending.append(Upload(file))

    def delay(self) -> float | None:
        """Return the seconds until `step` has something to do; None if it has nothing."""
        now = self._clock()
        due = [each.next_poll_at for each in self._running]
        if self._may_send():
            due.append(self._not_before)
        return max(0.0, min(due) - now) if due else None

    def step(self) -> None:
        """Do one thing that is due.

        Raises: MarketoBulkError when the run cannot go on.
        """
        now = self._clock()
        due = [each for each in self._running if each.next_poll_at <= now]
        if due:
            self._poll(due[0])
        elif self._may_send() and self._not_before <= now:
            self._send(self._pending.popleft())

    def look_once(self) -> None:
        """Poll every running import a last time, before the run is broken off."""
        for running in list(self._running):
            self._poll(running)

    def discard(self) -> None:
        """Close all files; the journal keeps the ids of what is running."""
        for running in self._running:
            if running.upload is not None:
                running.upload.file.close()
        for upload in self._pending:
            upload.file.close()
        self._pending.clear()

    def _may_send(self) -> bool:
        if not self._pending or len(self._running) >= self._most_running:
            return False
        keys = self._pending[0].file.keys
        return all(
            each.upload is not None and each.upload.file.keys.isdisjoint(keys)
            for each in self._running
        )

    def _send(self, upload: Upload) -> None:
        settings, file = self._settings, upload.file
        try:
            job = self._client.create_import(
                file.handle,
                file_format=settings.format,
                lookup_field=settings.lookup_field,
                list_id=settings.list_id,
                partition_name=settings.partition_name,
            )
        except QueueFullError as error:
            self._pending.appendleft(upload)
            self._wait_for_place(error)
        except PayloadTooLargeError as error:
            self._halve(upload, error)
        except LostReplyError as error:
            self._pending.appendleft(upload)
            self._send_again(upload, error)
        except BaseException:
            # Back to where `discard` finds it.
            self._pending.appendleft(upload)
            raise
        else:
            self._accept(upload, job)

    def _accept(self, upload: Upload, job: ImportJob) -> None:
        self._journal.accepted(job.batch_id, rows=upload.file.rows)
        now = self._clock()
        self._running.append(
            Running(job.batch_id, upload, now, now + self._settings.poll_interval_seconds)
        )
        self._queue_full_since, self._queue_full_waits = None, 0
        logger.info(
            "import_accepted batch_id=%s rows=%d bytes=%d",
            job.batch_id,
            upload.file.rows,
            upload.file.size_bytes,
        )

    def _wait_for_place(self, error: QueueFullError) -> None:
        now = self._clock()
        if self._queue_full_since is None:
            self._queue_full_since = now
        waited = now - self._queue_full_since
        left = self._settings.import_timeout_seconds - waited
        if left <= 0:
            raise error
        first = min(QUEUE_FULL_WAIT_MIN_SECONDS, self._settings.poll_interval_seconds)
        wait = min(first * 2**self._queue_full_waits, QUEUE_FULL_WAIT_MAX_SECONDS, left)
        self._queue_full_waits += 1
        self._not_before = now + wait
        logger.warning("import_queue_full waiting_seconds=%.0f answer=%r", wait, str(error))

    def _halve(self, upload: Upload, error: PayloadTooLargeError) -> None:
        file = upload.file
        if file.rows == 1:
            self._outcomes.reject_all(file, f"the row is too large for Marketo: {error.message}")
            self._end_part(file)
            return
        logger.warning(
            "import_too_large bytes=%d: sent as two files; lower max_file_size_bytes",
            file.size_bytes,
        )
        halves = file.halves()
        self._outcomes.tally.halved += 1
        self._parts[file.unit] += 1
        self._pending.extendleft(Upload(half) for half in reversed(halves))
        file.close()

    def _send_again(self, upload: Upload, error: LostReplyError) -> None:
        upload.lost_replies += 1
        if upload.lost_replies > LOST_REPLIES_MAX:
            raise error
        self._outcomes.tally.sent_again += 1
        logger.warning(
            "import_reply_lost rows=%d: sent again, so Marketo may import the file twice",
            upload.file.rows,
        )

    def _poll(self, running: Running) -> None:
        running.next_poll_at = self._clock() + self._settings.poll_interval_seconds
        try:
            job = self._client.get_import_status(running.batch_id)
        except NotFoundError as error:
            self._lose(running, error)
            return
        if job.status is ImportStatus.UNKNOWN and job.status_text not in running.unknown_statuses:
            running.unknown_statuses.add(job.status_text)
            logger.warning(
                "import_status_unknown batch_id=%s status=%r", job.batch_id, job.status_text
            )
        if job.status.is_terminal:
            self._end(running, job)
        else:
            self._check_time(running, job)

    def _check_time(self, running: Running, job: ImportJob) -> None:
        waited = self._clock() - running.accepted_at
        if waited >= self._settings.import_timeout_seconds:
            raise JobTimeoutError(
                f"import {running.batch_id} is still {job.status_text} after {waited:.0f} s",
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
                self._end_part(upload.file)
        else:
            self._fail(running, upload, job)

    def _fail(self, running: Running, upload: Upload, job: ImportJob) -> None:
        upload.failures += 1
        message = one_line(job.message or "no reason given")
        logger.warning("import_failed batch_id=%s message=%r", job.batch_id, message)
        self._settle(running, job.status.value)
        if upload.failures < FAILED_MAX:
            self._pending.appendleft(upload)
            return
        self._outcomes.reject_all(
            upload.file, f"the import failed: {message}", batch_id=job.batch_id
        )
        self._end_part(upload.file)

    def _lose(self, running: Running, error: NotFoundError) -> None:
        self._settle(running, "unknown")
        if running.upload is None:
            logger.warning("earlier_import_unknown batch_id=%s", running.batch_id)
            return
        rows = running.upload.file.rows
        self._outcomes.tally.unknown += rows
        running.upload.file.close()
        raise JobError(
            f"Marketo no longer knows import {running.batch_id}: whether its {rows} rows were "
            f"imported is unknown ({error.message})",
            job_id=running.batch_id,
            status="unknown",
            remedy="Run again: its rows are sent again, since no STATE after them was passed on",
        )

    def _settle(self, running: Running, outcome: str) -> None:
        self._running.remove(running)
        # Whatever was full may now have a place.
        self._not_before = 0.0
        self._journal.settled(running.batch_id, outcome)

    def _end_part(self, file: ImportFile) -> None:
        file.close()
        self._parts[file.unit] -= 1
        if not self._parts[file.unit]:
            del self._parts[file.unit]
            self._on_settled(file.unit)

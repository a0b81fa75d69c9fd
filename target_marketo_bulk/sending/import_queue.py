"""Imports: files on their way through Marketo, one step at a time."""

from __future__ import annotations

import logging
from collections import deque
from typing import TYPE_CHECKING

from marketo_bulk.errors import (
    AbandonedError,
    DecodeError,
    LostReplyError,
    MarketoBulkError,
    PayloadTooLargeError,
    QueueFullError,
    one_line,
)
from target_marketo_bulk.sending.place_wait import PlaceWait
from target_marketo_bulk.sending.running_imports import RunningImports
from target_marketo_bulk.sending.thread import StoppedError
from target_marketo_bulk.sending.unconfirmed import UnconfirmedUploads
from target_marketo_bulk.sending.uploads import UnsettledUnits, Upload, create_import

if TYPE_CHECKING:
    from collections.abc import Callable

    from marketo_bulk.jobs import ImportJob
    from target_marketo_bulk.files.import_file import ImportFile
    from target_marketo_bulk.sending.means import Means

LOST_REPLIES_MAX = 5
"""Times one file is sent again because its reply was lost."""

TOO_LARGE = "the row is too large for Marketo"

logger = logging.getLogger(__name__)


class ImportQueue:
    """The order in which files are sent, and what is waited for.

    It does nothing by itself: `step` does one thing that is due, and says when the next one is.
    Files are sent in the order they came; one that shares a lookup value with a running import
    waits for it, and all behind it wait, too.
    """

    def __init__(self, means: Means, *, on_settled: Callable[[int], None]) -> None:
        self._client = means.client
        self._settings = means.settings
        self._journal = means.journal
        self._outcomes = means.outcomes
        self._clock = means.clock
        self._on_settled = on_settled
        self._pending: deque[Upload] = deque()
        self._units = UnsettledUnits()
        self._place = PlaceWait(means.settings)
        self._running = RunningImports(
            means,
            on_settled=self._place.cut_short,
            on_end=self._end_part,
            send_again=self._pending.appendleft,
        )
        batch_ids, intents = means.journal.take_over()
        self._unconfirmed = UnconfirmedUploads(
            means.journal, intents, means.settings, now=means.clock()
        )
        for batch_id in batch_ids:
            self._running.add_earlier(batch_id)

    @property
    def is_idle(self) -> bool:
        """Whether every file is settled; an earlier run's imports are not waited for alone."""
        return not self._pending and not self._running.files

    @property
    def wants_more(self) -> bool:
        """Whether the next file may be added: one is kept ready beyond those under way."""
        return not self._pending

    def add(self, file: ImportFile) -> None:
        """Queue a file."""
        self._units.add(file)
        self._pending.append(Upload(file))

    def delay(self) -> float | None:
        """Return the seconds until `step` has something to do; None if it has nothing."""
        now = self._clock()
        due = self._running.poll_times()
        if self._may_send():
            due.append(self._not_before)
        return max(0.0, min(due) - now) if due else None

    def step(self) -> None:
        """Do one thing that is due.

        Raises: MarketoBulkError when the run cannot go on.
        """
        now = self._clock()
        if not self._running.poll_due(now) and self._may_send() and self._not_before <= now:
            self._send(self._pending.popleft())

    def look_once(self) -> None:
        """Poll every running import a last time, before the run is broken off."""
        self._running.poll_all()

    def discard(self) -> None:
        """Close all files; the journal keeps the ids of what is running."""
        for file in self._running.files:
            file.close()
        for upload in self._pending:
            upload.file.close()
        self._pending.clear()

    @property
    def _not_before(self) -> float:
        return max(self._place.until, self._unconfirmed.until)

    def _may_send(self) -> bool:
        return (
            bool(self._pending)
            and len(self._running) < self._settings.max_queued_imports
            and self._running.leave_room_for(self._pending[0].file)
        )

    def _send(self, upload: Upload) -> None:
        file = upload.file
        self._unconfirmed.forget()
        number = upload.number = self._journal.sending(file.rows, upload=upload.number)
        try:
            job = create_import(self._client, file)
        except (LostReplyError, DecodeError, AbandonedError) as error:
            # Marketo may have it: the journal keeps the intent.
            self._pending.appendleft(upload)
            if not isinstance(error, LostReplyError):
                raise
            self._send_again(upload, error)
        except MarketoBulkError as error:
            self._refused(upload, number, error)
        except StoppedError:
            # A wait ends so, for a place or after a refusal, and never a call.
            self._forget_intent(upload, number)
            self._pending.appendleft(upload)
            raise
        except BaseException:
            # Back to where `discard` finds it.
            self._pending.appendleft(upload)
            raise
        else:
            self._accept(upload, job)

    def _forget_intent(self, upload: Upload, number: int) -> None:
        # After a lost reply a refusal says nothing of what was sent before it: that may have been
        # the whole file of which this is a part.
        if not upload.lost_replies:
            self._journal.not_taken(number)
            upload.number = None

    def _refused(self, upload: Upload, number: int, error: MarketoBulkError) -> None:
        self._forget_intent(upload, number)
        if isinstance(error, PayloadTooLargeError):
            self._halve(upload, error)
            return
        self._pending.appendleft(upload)
        if not isinstance(error, QueueFullError):
            raise error
        self._place.begin(error, self._clock())

    def _accept(self, upload: Upload, job: ImportJob) -> None:
        self._journal.accepted(
            job.batch_id,
            rows=upload.file.rows,
            upload=upload.number,
            object_name=upload.file.layout.destination.object.name,
        )
        upload.number = None
        self._running.add(job.batch_id, upload)
        self._place.end()
        logger.info(
            "import %s accepted: %d rows, %d bytes",
            job.batch_id,
            upload.file.rows,
            upload.file.size_bytes,
        )

    def _halve(self, upload: Upload, error: PayloadTooLargeError) -> None:
        file = upload.file
        if file.rows == 1:
            self._outcomes.reject_all(
                file, f"{TOO_LARGE}: {one_line(error.message)}", shown=TOO_LARGE
            )
            self._end_part(file)
            return
        logger.warning(
            "Marketo takes no file of %d bytes: sent as two files; lower max_file_size_bytes",
            file.size_bytes,
        )
        halves = file.halves()
        self._outcomes.tally.halved += 1
        self._units.halve(file)
        first, second = map(Upload, halves)
        first.lost_replies, first.number = upload.lost_replies, upload.number
        self._pending.extendleft((second, first))
        file.close()

    def _send_again(self, upload: Upload, error: LostReplyError) -> None:
        upload.lost_replies += 1
        if upload.lost_replies > LOST_REPLIES_MAX:
            raise error
        self._outcomes.tally.sent_again += 1
        logger.warning(
            "the answer to a file of %d rows was lost: sent again, so Marketo may import it twice",
            upload.file.rows,
        )

    def _end_part(self, file: ImportFile) -> None:
        file.close()
        if self._units.end(file):
            self._on_settled(file.unit)

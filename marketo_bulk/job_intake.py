"""Job intake: the way of a piece of work into Marketo's queue."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Generic

from marketo_bulk.errors import (
    DailyQuotaExceededError,
    MarketoBulkError,
    QueueFullError,
    RejectedError,
)
from marketo_bulk.jobs import ExportJob, ExportStatus
from marketo_bulk.slots import Phase, Slot, WorkT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from marketo_bulk.deadlines import Deadlines
    from marketo_bulk.export_run import ExportRun
    from marketo_bulk.exports import ExportRequest
    from marketo_bulk.logbook import Logbook
    from marketo_bulk.quota import QuotaGate
    from marketo_bulk.work_source import WorkSource

logger = logging.getLogger(__name__)

JOB_ATTEMPTS_MAX = 3
"""How often the job of one piece of work is created before the run fails."""

FILES_WAITING_MAX = 300
"""Files on disk for a slow reader; no new job is created above this: STATE names every one."""

FILES_WAITING_MAX_BYTES = 1_000_000_000
"""Nor above this: two days' quota as Marketo sells it, and a disk that may be small."""


class JobIntake(Generic[WorkT]):
    """Creates jobs and enqueues them, as far as quota, queue and disk allow it."""

    def __init__(
        self,
        run: ExportRun[WorkT],
        source: WorkSource[WorkT],
        quota: QuotaGate,
        deadlines: Deadlines[WorkT],
        logbook: Logbook[WorkT],
    ) -> None:
        self._client = run.client
        self._object = run.export_object
        self._board = run.board
        self._options = run.options
        self._clock = run.clock
        self._source = source
        self._quota = quota
        self._deadlines = deadlines
        self._logbook = logbook
        self._queue_is_full = False
        self._queue_full_until = 0.0
        self.source_dry = False
        """Whether there is no more work, unless some is given back."""
        self.jobs_taken = 0
        """How many jobs were created or taken over."""

    def take_in(self) -> Iterator[Slot[WorkT]]:
        """Create and enqueue what may be; yield the jobs taken over that were enqueued before.

        Shape: what Marketo said of one has to be acted on before the next, which may depend on it.
        """
        if self._clock() >= self._quota.exports_from:
            self._create_again()
            self._enqueue_jobs()
            yield from self._create_jobs()

    def due_at(self) -> float | None:
        """Return when there is something to create or enqueue; None if nothing may be now."""
        due = []
        if self._board.in_phase(Phase.STRANDED):
            due.append(self._quota.exports_from)
        if self._board.in_phase(Phase.CREATED) and self._has_place():
            due.append(max(self._queue_full_until, self._quota.exports_from))
        elif self._may_create():
            due.append(self._quota.exports_from)
        return min(due, default=None)

    def expect_place(self) -> None:
        """Ask a full queue again at once: a job has left it."""
        self._queue_full_until = 0.0

    def recreate(self, slot: Slot[WorkT], error: MarketoBulkError) -> None:
        """Create the job of a slot again, or fail with `error` when that has been tried enough."""
        if slot.attempt >= JOB_ATTEMPTS_MAX:
            raise error
        logger.warning("export %s will be created again: %s", slot.job.export_id, error)
        slot.phase = Phase.STRANDED
        self._create_again()

    # Creating ---------------------------------------------------------------------------

    def _create_jobs(self) -> Iterator[Slot[WorkT]]:
        while self._may_create():
            work = self._source.next_work()
            if work is None:
                self.source_dry = True
                return
            request = self._source.request_for(work)
            job = self._source.adopted_job(work) or self._create(work, request)
            if job is None:
                continue
            slot = self._add(work, request, job)
            if slot.phase is Phase.CREATED:
                self._enqueue(slot)
            else:
                yield slot

    def _may_create(self) -> bool:
        waiting = sum(slot.in_marketo for slot in self._board)
        return (
            not self.source_dry
            and not self._board.closed
            and self._quota.stopped_by is None
            and not self._board.in_phase(Phase.CREATED)
            and waiting < self._options.max_queued_jobs
            and len(self._board) - waiting < FILES_WAITING_MAX
            and sum(slot.size_bytes for slot in self._board) < FILES_WAITING_MAX_BYTES
        )

    def _create(self, work: WorkT, request: ExportRequest) -> ExportJob | None:
        """Create a job; None if Marketo refused it and the source has planned anew."""
        try:
            return self._client.create_export(request)
        except RejectedError as error:
            self._plan_anew(work, error)
            return None
        except BaseException:
            self._source.put_back(work)
            raise

    def _plan_anew(self, work: WorkT, error: RejectedError) -> None:
        try:
            self._source.refused(work, error)
        except DailyQuotaExceededError:
            # Planning may ask Marketo, too; after the reset the same refusal leads here again.
            self._source.put_back(work)
            raise

    def _add(self, work: WorkT, request: ExportRequest, job: ExportJob) -> Slot[WorkT]:
        created = job.status is ExportStatus.CREATED
        slot = Slot(
            work,
            request,
            job,
            Phase.CREATED if created else Phase.ENQUEUED,
            deadline_at=self._deadlines.from_now(),
            next_poll_at=self._clock() + self._options.poll_interval_seconds,
        )
        self._board.add(slot)
        self.jobs_taken += 1
        self._logbook.log_status(slot)
        return slot

    # Enqueuing --------------------------------------------------------------------------

    def _enqueue_jobs(self) -> None:
        for slot in self._board.in_phase(Phase.CREATED):
            self._deadlines.check(slot)
            if self._clock() < self._queue_full_until or not self._has_place():
                return
            if not self._enqueue(slot):
                return

    def _has_place(self) -> bool:
        """Return whether one more job may be queued: made again, it may find its place taken."""
        return len(self._board.in_phase(Phase.ENQUEUED)) < self._options.max_queued_jobs

    def _enqueue(self, slot: Slot[WorkT]) -> bool:
        """Put a created job into Marketo's queue; return False if the queue is full."""
        try:
            job = self._client.enqueue_export(self._object, slot.job.export_id)
        except QueueFullError:
            self._on_full_queue(slot)
            return False
        except RejectedError as error:
            # A job that cannot be enqueued any more (expired, cancelled by hand) is made again.
            self.recreate(slot, error)
            return True
        self._queue_is_full = False
        self._queue_full_until = 0.0
        slot.phase = Phase.ENQUEUED
        slot.enqueued_at = self._clock()
        slot.deadline_at = self._deadlines.from_now()
        slot.next_poll_at = self._clock() + self._options.poll_interval_seconds
        self._logbook.note(slot, job)
        return True

    def _on_full_queue(self, slot: Slot[WorkT]) -> None:
        if not self._queue_is_full:
            logger.info(
                "export queue full: others hold its 10 places; asking again every %g s until %s",
                self._options.poll_interval_seconds,
                self._deadlines.text(slot),
            )
        self._queue_is_full = True
        self._queue_full_until = self._clock() + self._options.poll_interval_seconds

    # Creating again ---------------------------------------------------------------------

    def _create_again(self) -> None:
        """Create the jobs of stranded slots again, unless that has to wait for the quota."""
        for slot in self._board.in_phase(Phase.STRANDED):
            if self._clock() < self._quota.exports_from:
                return
            try:
                job = self._client.create_export(slot.request)
            except RejectedError as refusal:
                self._give_back(slot, refusal)
                continue
            slot.attempt += 1
            self.jobs_taken += 1
            slot.polled_without_checksum = False
            slot.deadline_at = self._deadlines.from_now()
            slot.phase = Phase.CREATED
            self._logbook.note(slot, job)

    def _give_back(self, slot: Slot[WorkT], refusal: RejectedError) -> None:
        """Give work back whose request was right once and is not now: a program may be gone.

        Raises: `refusal` if other work follows this one.
        """
        if any(other.work.follows(slot.work) for other in self._board):
            raise refusal  # read now, later windows would hide that this one is missing
        self._board.remove(slot.work)
        self.source_dry = False
        self._plan_anew(slot.work, refusal)

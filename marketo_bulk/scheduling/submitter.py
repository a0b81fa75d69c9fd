"""Job submitter: the way of a piece of work into Marketo's queue."""

from __future__ import annotations

import logging
import re
from collections import Counter
from typing import TYPE_CHECKING, Generic

from marketo_bulk.errors import (
    DailyQuotaExceededError,
    MarketoBulkError,
    NotFoundError,
    QueueFullError,
    RejectedError,
)
from marketo_bulk.jobs import ExportJob, ExportStatus
from marketo_bulk.scheduling.work import Phase, Slot, WorkT

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from marketo_bulk.exports.requests import ExportRequest
    from marketo_bulk.scheduling.daily_quota import QuotaGate
    from marketo_bulk.scheduling.failures import OwnerFailures
    from marketo_bulk.scheduling.run import Deadlines, ExportRun, Logbook
    from marketo_bulk.scheduling.sources import Sources

logger = logging.getLogger(__name__)

# Codes of 6xx are about the call; what has no code is a page, or a redirect.
_CODE_OF_JOB = re.compile(r"7\d\d|1\d\d\d")
_NO_SUCH_FEATURE = "703"

JOB_ATTEMPTS_MAX = 3
"""How often the job of one piece of work is created before the run fails."""

FILES_WAITING_MAX = 300
"""Files on disk for a slow reader; no new job is created above this: STATE names every one.

What is being read now counts its own files alone: those of others wait for it to end.
"""

FILES_WAITING_MAX_BYTES = 1_000_000_000
"""Nor above this: two days' quota as Marketo sells it, and a disk that may be small."""


class JobSubmitter(Generic[WorkT]):
    """Creates jobs and enqueues them, as far as quota, queue and disk allow it."""

    def __init__(
        self,
        run: ExportRun[WorkT],
        sources: Sources[WorkT],
        quota: QuotaGate,
        deadlines: Deadlines[WorkT],
        logbook: Logbook[WorkT],
        failures: OwnerFailures[WorkT],
    ) -> None:
        self._run = run
        self._client = run.client
        self._board = run.board
        self._options = run.options
        self._clock = run.clock
        self._sources = sources
        self._quota = quota
        self._deadlines = deadlines
        self._logbook = logbook
        self._failures = failures
        self._queue_is_full = False
        self._queue_full_until = 0.0
        self.jobs_taken: Counter[Hashable] = Counter()
        """How many jobs were created or taken over, by owner."""

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
        elif self._next_owner() is not None:
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
        while (owner := self._next_owner()) is not None:
            with self._failures.confined_to(owner):
                slot = self._next_slot(owner)
                if slot is None:
                    continue
                if slot.phase is not Phase.CREATED:
                    yield slot
                elif not self._board.closed:
                    self._enqueue(slot)

    def _next_slot(self, owner: Hashable) -> Slot[WorkT] | None:
        """Return a new slot for an owner's next work; None if there is none, or it was refused."""
        work = self._sources.next_work(owner)
        if work is None:
            return None
        request = self._sources.request_for(work)
        job = self._sources.adopted_job(work) or self._create(work, request)
        return None if job is None else self._add(work, request, job)

    def _next_owner(self) -> Hashable | None:
        """Return whose work a job may be created for now; None if for nobody's."""
        board = self._board
        if (
            self._sources.dry
            or board.closed
            or self._quota.stopped_by is not None
            or board.in_phase(Phase.CREATED)
            or sum(s.in_marketo for s in board.under_way()) >= self._options.max_queued_jobs
        ):
            return None
        owners = self._sources.owners_with_work(board.reading)
        return next((owner for owner in owners if self._has_room(owner)), None)

    def _has_room(self, owner: Hashable) -> bool:
        """Return whether one more file may come to wait on disk.

        Files of others wait for the one being read to end, so they may not keep it from its end.
        """
        waiting = self._board.files_waiting(owner if owner == self._board.reading else None)
        return waiting.files < FILES_WAITING_MAX and waiting.size_bytes < FILES_WAITING_MAX_BYTES

    def _create(self, work: WorkT, request: ExportRequest) -> ExportJob | None:
        """Create a job; None if Marketo refused it and the source has planned anew."""
        try:
            return self._create_within_budget(request)
        except RejectedError as error:
            self._plan_anew(work, error)
            return None
        except BaseException:
            self._sources.put_back(work)
            raise

    def _create_within_budget(self, request: ExportRequest) -> ExportJob:
        """Create a job, unless the files of the day have used the budget up.

        Nothing tells how large its file will be.
        """
        if self._options.bytes_budget is not None:
            self._options.bytes_budget.check()
        return self._client.create_export(request)

    def _plan_anew(self, work: WorkT, error: RejectedError) -> None:
        try:
            self._sources.refused(work, error)
        except DailyQuotaExceededError:
            # Planning may ask Marketo, too; after the reset the same refusal leads here again.
            self._sources.put_back(work)
            raise

    def _add(self, work: WorkT, request: ExportRequest, job: ExportJob) -> Slot[WorkT]:
        self._run.note_job(work, request, job)
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
        self.jobs_taken[work.owner] += 1
        self._logbook.log_status(slot)
        return slot

    # Enqueuing --------------------------------------------------------------------------

    def _enqueue_jobs(self) -> None:
        for slot in self._board.in_phase(Phase.CREATED):
            if slot.phase is not Phase.CREATED:
                continue  # its owner has failed at the one before
            is_queued = True
            with self._failures.confined_to(slot.work.owner):
                self._deadlines.check(slot)
                if self._clock() < self._queue_full_until or not self._has_place():
                    return
                is_queued = self._enqueue(slot)
            if not is_queued:
                return

    def _has_place(self) -> bool:
        """Return whether one more job may be queued: made again, it may find its place taken."""
        return len(self._board.in_phase(Phase.ENQUEUED)) < self._options.max_queued_jobs

    def _enqueue(self, slot: Slot[WorkT]) -> bool:
        """Put a created job into Marketo's queue; return False if the queue is full."""
        try:
            job = self._client.enqueue_export(slot.request.object, slot.job.export_id)
        except QueueFullError:
            self._on_full_queue(slot)
            return False
        except RejectedError as error:
            # A job that cannot be enqueued any more (expired, cancelled by hand) is made again;
            # whoever is not allowed to enqueue would only make more of them.
            if not _is_about_job(error):
                raise
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
            if slot.phase is not Phase.STRANDED:
                continue  # its owner has failed at the one before
            with self._failures.confined_to(slot.work.owner):
                try:
                    job = self._create_within_budget(slot.request)
                except RejectedError as refusal:
                    self._give_back(slot, refusal)
                    continue
                self._run.note_job(slot.work, slot.request, job)
                slot.attempt += 1
                self.jobs_taken[slot.work.owner] += 1
                slot.polled_without_checksum = slot.is_counted = False
                slot.deadline_at = self._deadlines.from_now()
                slot.phase = Phase.CREATED
                self._logbook.note(slot, job)

    def _give_back(self, slot: Slot[WorkT], refusal: RejectedError) -> None:
        """Give work back whose request was right once and is not now: a program may be gone.

        Raises: `refusal` if other work follows this one.
        """
        owner = slot.work.owner
        if any(other.work.follows(slot.work) for other in self._board.of(owner)):
            raise refusal  # read now, later windows would hide that this one is missing
        # In this order: with neither, its reader would take it for the end.
        self._sources.expect_more(owner)
        self._board.remove(slot.work)
        self._plan_anew(slot.work, refusal)


def _is_about_job(error: RejectedError) -> bool:
    """Return whether Marketo refuses this one job, and not the call, its sender or all jobs."""
    if isinstance(error, NotFoundError):
        return True
    return error.code != _NO_SUCH_FEATURE and _CODE_OF_JOB.fullmatch(error.code or "") is not None

"""Lookout: which queued jobs may have moved, when to look at them, and by which call."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Generic

from marketo_bulk.errors import DecodeError, RejectedError
from marketo_bulk.jobs import ExportJob, ExportStatus
from marketo_bulk.limits import EXPORT_RUNNING_MAX_JOBS
from marketo_bulk.slots import Phase, Slot, WorkT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from marketo_bulk.export_run import ExportRun

logger = logging.getLogger(__name__)

SLACK_SHARE = 0.1
"""How much of a poll interval a look may be moved by, so that one call serves two jobs."""

NOT_ENDED = (ExportStatus.QUEUED, ExportStatus.PROCESSING)


class Lookout(Generic[WorkT]):
    """Looks at the jobs that may have moved, each at most once per interval.

    Marketo takes jobs in the order of its queue and renews what it says of one once a minute. So
    nothing has moved behind two jobs at work, or one still queued, and a job is looked at a whole
    number of intervals after it was queued, where it can be: just when there may be news.
    """

    def __init__(self, run: ExportRun[WorkT]) -> None:
        self._client = run.client
        self._object = run.export_object
        self._board = run.board
        self._interval_seconds = run.options.poll_interval_seconds
        self._clock = run.clock
        self._may_list = True

    def due_at(self) -> float | None:
        """Return when a job is to be looked at next; None if there is none."""
        return min((moment for moment, _ in self._moments()), default=None)

    def looks(self) -> Iterator[tuple[Slot[WorkT], ExportJob]]:
        """Look at the jobs that are due; yield each with what Marketo says of it.

        Shape: what is yielded has to be noted before the next, which may depend on it.
        """
        if len(self._due()) > 1 and self._both_at_work() and self._may_list:
            yield from self._listed()
        while due := self._due():
            job = self._client.get_export_status(self._object, due[0].job.export_id)
            # From the answer on: the call may have had to wait for its turn.
            due[0].next_poll_at = self._clock() + self._interval_seconds
            yield due[0], job

    def _listed(self) -> Iterator[tuple[Slot[WorkT], ExportJob]]:
        """Ask for all jobs that have not ended, ten at most; those missing may have.

        Two jobs at work seldom end in the same interval, so this saves a call in most.
        """
        try:
            jobs = {
                job.export_id: job for job in self._client.list_exports(self._object, NOT_ENDED)
            }
        except (RejectedError, DecodeError) as error:
            self._may_list = False
            logger.info("jobs are asked for one by one, as Marketo does not list them: %s", error)
            return
        for slot in self._queue():
            if slot.job.export_id in jobs:
                # The next moment at which there may be news; for some jobs it has not come yet.
                missed = (self._clock() - slot.next_poll_at) // self._interval_seconds + 1
                slot.next_poll_at += missed * self._interval_seconds
                yield slot, jobs[slot.job.export_id]

    def _queue(self) -> list[Slot[WorkT]]:
        return sorted(self._board.in_phase(Phase.ENQUEUED), key=lambda slot: slot.enqueued_at)

    def _heads(self) -> list[Slot[WorkT]]:
        """Return the jobs that may have moved."""
        queue = self._queue()
        first_is_queued = bool(queue) and queue[0].job.status is ExportStatus.QUEUED
        return queue[: 1 if first_is_queued else EXPORT_RUNNING_MAX_JOBS]

    def _moments(self) -> list[tuple[float, Slot[WorkT]]]:
        """Return when the jobs that may have moved are to be looked at."""
        heads = self._heads()
        moments = [slot.next_poll_at for slot in heads]
        if (
            len(heads) > 1
            and self._may_list
            and self._both_at_work()
            and max(moments) - min(moments) <= self._slack_seconds
        ):
            moments = [max(moments)] * len(heads)
        return list(zip(moments, heads, strict=True))

    def _due(self) -> list[Slot[WorkT]]:
        now = self._clock()
        return [slot for moment, slot in self._moments() if moment <= now]

    def _both_at_work(self) -> bool:
        return all(slot.job.status is ExportStatus.PROCESSING for slot in self._heads())

    @property
    def _slack_seconds(self) -> float:
        return SLACK_SHARE * self._interval_seconds

"""StatusPoller: which queued jobs may have moved, when to look at them, and by which call."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Generic

from marketo_bulk.errors import (
    ConfigurationError,
    CredentialsError,
    DailyQuotaExceededError,
    MarketoBulkError,
    TokenExpiredError,
    TransientError,
)
from marketo_bulk.jobs import ExportJob, ExportStatus
from marketo_bulk.limits import EXPORT_RUNNING_MAX_JOBS
from marketo_bulk.scheduling.work import Phase, Slot, WorkT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from marketo_bulk.exports.objects import ExportObject
    from marketo_bulk.scheduling.failures import OwnerFailures
    from marketo_bulk.scheduling.run import ExportRun

logger = logging.getLogger(__name__)

SLACK_SHARE = 0.1
"""How much of a poll interval a look may be moved by, so that one call serves two jobs."""

FAILED_LISTS_MAX = 3
"""How many list calls in a row may fail before no more are made."""

# What no status call would tell any better.
_NOT_OF_THE_LIST = (ConfigurationError, CredentialsError, DailyQuotaExceededError)

NOT_ENDED = (ExportStatus.QUEUED, ExportStatus.PROCESSING)


class StatusPoller(Generic[WorkT]):
    """Looks at the jobs that may have moved, each at most once per interval.

    Marketo takes jobs in the order of its queue and renews what it says of one once a minute. So
    nothing has moved behind two jobs at work, or one still queued, and a job is looked at a whole
    number of intervals after it was queued, where it can be: just when there may be news.
    """

    def __init__(self, run: ExportRun[WorkT], failures: OwnerFailures[WorkT]) -> None:
        self._failures = failures
        self._client = run.client
        self._board = run.board
        self._interval_seconds = run.options.poll_interval_seconds
        self._clock = run.clock
        # A list call is about one object, and what keeps it from working may be, too.
        self._failed_lists: dict[ExportObject, int] = {}
        self._not_listed: set[ExportObject] = set()
        self._said_of: set[ExportObject] = set()

    def due_at(self) -> float | None:
        """Return when a job is to be looked at next; None if there is none."""
        return min((moment for moment, _ in self._moments()), default=None)

    def looks(self) -> Iterator[tuple[Slot[WorkT], ExportJob]]:
        """Look at the jobs that are due; yield each with what Marketo says of it.

        Shape: what is yielded has to be noted before the next, which may depend on it.
        """
        due = self._due()
        if len(due) > 1 and self._one_list_does(due):
            yield from self._listed(due[0].request.object)
        while due := self._due():
            slot, job = due[0], None
            with self._failures.confined_to(slot.work.owner):
                job = self._client.get_export_status(slot.request.object, slot.job.export_id)
            if job is None:
                self._board.leave(slot)
                continue
            # From the answer on: the call may have had to wait for its turn.
            slot.next_poll_at = self._clock() + self._interval_seconds
            yield slot, job

    def _listed(self, export_object: ExportObject) -> Iterator[tuple[Slot[WorkT], ExportJob]]:
        """Ask for all jobs of an object that have not ended, ten at most; those missing may have.

        Two jobs at work seldom end in the same interval, so this saves a call in most.
        """
        try:
            # Status calls tell the same: what fails is not tried again before the next interval.
            listed = self._client.list_exports(export_object, NOT_ENDED, max_retry_seconds=0)
            jobs = {job.export_id: job for job in listed}
        except _NOT_OF_THE_LIST:
            raise
        except MarketoBulkError as error:
            self._on_failed_list(export_object, error)
            return
        self._failed_lists[export_object] = 0
        for slot in self._queue():
            if slot.job.export_id in jobs:
                # The next moment at which there may be news; for some jobs it has not come yet.
                missed = (self._clock() - slot.next_poll_at) // self._interval_seconds + 1
                slot.next_poll_at += missed * self._interval_seconds
                yield slot, jobs[slot.job.export_id]

    def _on_failed_list(self, export_object: ExportObject, error: MarketoBulkError) -> None:
        """Give the list up: for this time if it may work later, and for good after a few."""
        if export_object not in self._said_of:
            logger.info("jobs are asked for one by one, as Marketo does not list them: %s", error)
        self._said_of.add(export_object)
        failed = self._failed_lists.get(export_object, 0) + 1
        self._failed_lists[export_object] = failed
        passing = isinstance(error, (TransientError, TokenExpiredError))
        if not passing or failed >= FAILED_LISTS_MAX:
            self._not_listed.add(export_object)

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
            and self._one_list_does(heads)
            and max(moments) - min(moments) <= self._slack_seconds
        ):
            moments = [max(moments)] * len(heads)
        return list(zip(moments, heads, strict=True))

    def _due(self) -> list[Slot[WorkT]]:
        now = self._clock()
        return [slot for moment, slot in self._moments() if moment <= now]

    def _one_list_does(self, heads: Sequence[Slot[WorkT]]) -> bool:
        """Return whether both are known to be at work, on one object, and it can be listed."""
        export_object = heads[0].request.object
        return export_object not in self._not_listed and all(
            slot.job.status is ExportStatus.PROCESSING and slot.request.object == export_object
            for slot in heads
        )

    @property
    def _slack_seconds(self) -> float:
        return SLACK_SHARE * self._interval_seconds

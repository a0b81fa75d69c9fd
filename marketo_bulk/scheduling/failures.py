"""Owner failures: whose work cannot go on, and why, while the work of others does."""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING, Generic

from marketo_bulk.errors import MarketoBulkError
from marketo_bulk.scheduling.work import Phase, Slot, WorkT

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from marketo_bulk.scheduling.run import ExportRun
    from marketo_bulk.scheduling.sources import Sources

logger = logging.getLogger(__name__)


class OwnerFailures(Generic[WorkT]):
    """Keeps an error to the owner whose work it is about.

    Nothing more is begun for an owner that has failed. What is on disk for it can still be read.
    Its jobs in Marketo's queue go on to be looked at, because they take places there, until they
    end; all others are left behind. `given_up` are those nobody reads any more.

    One thread works on jobs and calls all but `give_up`, which whoever reads calls.
    """

    def __init__(self, run: ExportRun[WorkT], sources: Sources[WorkT]) -> None:
        self._run = run
        self._board = run.board
        self._sources = sources
        self._errors: dict[Hashable, MarketoBulkError] = {}
        self._given_up: dict[Hashable, bool] = {}
        """Whether the jobs of each are to be cancelled."""

    def __contains__(self, owner: Hashable) -> bool:
        return owner in self._errors or owner in self._given_up

    def of(self, owner: Hashable) -> MarketoBulkError | None:
        """Return what an owner has failed with; None if its work goes on."""
        return self._errors.get(owner)

    @contextlib.contextmanager
    def confined_to(self, owner: Hashable) -> Iterator[None]:
        """Keep an error to an owner, unless it is about everybody's work or ends all."""
        try:
            yield
        except MarketoBulkError as error:
            error.owner = owner
            if error.concerns_all or self._stops_at_failure_of(owner):
                raise
            self._errors.setdefault(owner, error)
            self.settle()

    def _stops_at_failure_of(self, owner: Hashable) -> bool:
        return self._run.options.stops_at_first_failure and owner not in self._given_up

    def give_up(self, owner: Hashable, *, cancels: bool) -> None:
        """Take note that nobody reads an owner's files any more, and nobody else will."""
        self._given_up[owner] = cancels
        self._board.tell()

    def settle(self) -> None:
        """Leave behind what is not gone on with, jobs begun in the meantime included."""
        for owner in {**self._errors, **self._given_up}:
            self._sources.drop(owner)
            for slot in self._board.of(owner):
                if slot.in_marketo and self._given_up.get(owner):
                    self._cancel(slot)
                elif self._is_over(slot):
                    self._board.leave(slot)

    def _is_over(self, slot: Slot[WorkT]) -> bool:
        """Return whether nothing more is to be seen of a job here."""
        if slot.phase is Phase.ENQUEUED:
            return slot.job.status.is_terminal
        if slot.phase is Phase.READY:
            return slot.work.owner in self._given_up
        return slot.phase not in {Phase.DOWNLOADING, Phase.LEFT}

    def _cancel(self, slot: Slot[WorkT]) -> None:
        if not self._run.cancel(slot):
            logger.warning(
                "export %s could not be cancelled: it goes on in Marketo, where it takes a place "
                "in the queue until it ends",
                slot.job.export_id,
            )
        self._board.remove(slot.work)

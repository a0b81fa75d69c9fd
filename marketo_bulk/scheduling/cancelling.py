"""Cancelling: the end of jobs nobody will come back for, within a time."""

from __future__ import annotations

import logging
import threading
from functools import partial
from typing import TYPE_CHECKING, Generic

from marketo_bulk.scheduling.work import Phase, Slot, WorkT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from marketo_bulk.scheduling.run import ExportRun

logger = logging.getLogger(__name__)

CANCEL_SECONDS = 4.5
"""How long cancelling may take: with the seconds before it, less than supervisors wait."""


class Cancelling(Generic[WorkT]):
    """Cancels jobs, each once; if `at_once`, in threads, as many as calls may be under way.

    What is running takes a place in the queue, so it comes before what was only created.
    """

    def __init__(self, run: ExportRun[WorkT], *, at_once: bool) -> None:
        self._run = run
        self._at_once = at_once
        self._lock = threading.Lock()
        self._tried: set[str] = set()
        self._cancelled: set[str] = set()

    def cancel(self, slots: Sequence[Slot[WorkT]]) -> frozenset[str]:
        """Cancel the jobs of some slots, and return the ids of those that go on.

        Whoever comes second waits for the first.
        """
        with self._lock:
            jobs = sorted(
                (slot for slot in slots if slot.job.export_id not in self._tried),
                key=lambda slot: slot.phase is Phase.CREATED,
            )
            if jobs:
                self._cancel_all(jobs)
            return frozenset(slot.job.export_id for slot in slots) - self._cancelled

    def _cancel_all(self, jobs: Sequence[Slot[WorkT]]) -> None:
        self._tried.update(slot.job.export_id for slot in jobs)
        give_up_at = self._run.clock() + CANCEL_SECONDS
        if self._at_once:
            self._run.client.abandon_calls()
            self._start(jobs, give_up_at)
        else:
            for slot in jobs:
                if self._run.clock() < give_up_at:
                    self._cancel(slot)
        self._report(jobs)

    def _start(self, slots: Sequence[Slot[WorkT]], give_up_at: float) -> None:
        threads = [
            threading.Thread(target=partial(self._cancel, slot), name="cancel", daemon=True)
            for slot in slots
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(max(0.0, give_up_at - self._run.clock()))

    def _cancel(self, slot: Slot[WorkT]) -> None:
        if self._run.cancel(slot):
            self._cancelled.add(slot.job.export_id)

    def _report(self, slots: Sequence[Slot[WorkT]]) -> None:
        done = set(self._cancelled)
        left = [slot.job.export_id for slot in slots if slot.job.export_id not in done]
        if left:
            logger.warning(
                "%d of %d export jobs cancelled; these go on in Marketo, where each takes a place "
                "in the queue until it ends: %s",
                len(slots) - len(left),
                len(slots),
                ", ".join(left),
            )
        else:
            logger.info("%d export jobs cancelled", len(slots))

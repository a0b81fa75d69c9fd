"""Scheduler: keeps export jobs queued ahead, and hands out their files.

Marketo works on two exports at a time. So that it never waits for us, jobs are created and
enqueued a few ahead, polled, and downloaded as soon as they finish, whatever the reader of the
files is doing. In a sync a thread of its own does that; in a simulation on a virtual clock the
reader's thread takes the same steps.
"""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Any, Generic

from typing_extensions import Self

from marketo_bulk.exports.file import check_directory
from marketo_bulk.scheduling.board import JobBoard
from marketo_bulk.scheduling.cancelling import Cancelling
from marketo_bulk.scheduling.places import OTHERS
from marketo_bulk.scheduling.run import ExportRun, RunnerOptions
from marketo_bulk.scheduling.runner import JobRunner
from marketo_bulk.scheduling.sources import Sources
from marketo_bulk.scheduling.work import Phase, Slot, WorkT

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable, Iterator, Mapping

    from marketo_bulk.client import MarketoBulk
    from marketo_bulk.clock import Clock
    from marketo_bulk.errors import MarketoBulkError
    from marketo_bulk.exports.file import ExportFile
    from marketo_bulk.exports.requests import ExportRequest
    from marketo_bulk.jobs import ExportJob
    from marketo_bulk.scheduling.run import JobNote
    from marketo_bulk.scheduling.work import WorkSource


READER_PATIENCE_SECONDS = 1.0
"""The longest a reader waits before it looks again; it is woken earlier when there is news."""


@dataclass(frozen=True, slots=True)
class FinishedExport(Generic[WorkT]):
    """A piece of work whose file is on disk and verified.

    Shape: `file` is None if the job found no rows, so that there is nothing to read.
    """

    work: WorkT
    request: ExportRequest
    job: ExportJob
    file: ExportFile | None


class ExportScheduler(Generic[WorkT]):
    """Runs the export jobs of several owners, in their order, and hands out their files.

    Marketo has one queue for all objects, so jobs of the next owners are queued while the files of
    one are read. Read the owners one after another by `files_of()`; call `release()` when the
    records of a file have been written. `note_job` is told of each job before it is enqueued, so
    that whoever keeps it has noted every job that takes a place or costs quota. The jobs in
    `options.places` are polled, and keep their places, until they leave the queue.
    Raises: DiskError, before there is a job, if no file can be written.
    """

    def __init__(
        self,
        client: MarketoBulk,
        sources: Mapping[Hashable, WorkSource[WorkT]],
        options: RunnerOptions,
        clock: Clock,
        *,
        note_job: JobNote[WorkT] = lambda *_: None,
    ) -> None:
        self._clock = clock
        self._directory = options.directory
        self._places = options.places
        self._board: JobBoard[WorkT] = JobBoard()
        self._export_run = ExportRun(
            client.without_quota_wait(), self._board, options, clock.now, note_job
        )
        self._cancelling = Cancelling(self._export_run, at_once=not clock.moves_by_sleep)
        self._runner = JobRunner(
            self._export_run,
            Sources(sources),
            wait_for_daily_quota=client.waits_for_daily_quota,
            start=_at_once if clock.moves_by_sleep else _in_thread,
        )
        self._failure: BaseException | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        check_directory(self._directory)
        self._take_places()
        if not self._clock.moves_by_sleep:
            self._thread = threading.Thread(target=self._run, name="exports", daemon=True)
            self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def files_of(
        self, owner: Hashable, meanwhile: Callable[[], float] = lambda: inf
    ) -> Iterator[FinishedExport[WorkT] | None]:
        """Yield the files of an owner until it has no more work, then end.

        `meanwhile` is called before each wait, and says after how many seconds to call it again.
        Shape: each `FinishedExport` in an order that `Work.follows` allows, and None whenever the
            set of jobs in flight, of any owner, has changed while nothing was ready. Owners are
            read one after another.
        Raises: what ended the run, or what this owner has failed with, once there is nothing more
            to be read: after a used-up quota, once nothing of this owner is under way.
        """
        self._board.read(owner)
        while True:
            # Asked before what is readable: the last file may become so in between.
            failure = self._runner.failures.of(owner)
            error = self._failure or self._runner.stopped_for(owner)
            slot = self._board.next_readable()
            if slot is not None:
                yield FinishedExport(slot.work, slot.request, slot.job, slot.file)
            elif self._board.take_jobs_changed():
                yield None
            elif failure is not None:
                raise failure
            elif self._runner.finished_for(owner):
                return
            elif error is not None:
                raise error
            else:
                self._wait(owner, meanwhile())

    def in_flight(self, owner: Hashable) -> list[tuple[WorkT, ExportRequest, ExportJob]]:
        """Return work, request and job of what an owner has not released yet, oldest first."""
        return [(slot.work, slot.request, slot.job) for slot in self._board.of(owner)]

    def take_jobs_changed(self) -> bool:
        """Return, once, whether jobs of any owner have come or been replaced."""
        return self._board.take_jobs_changed()

    def jobs_taken(self, owner: Hashable) -> int:
        """Return how many jobs an owner had, taken over and created again ones included."""
        return self._runner.jobs_taken(owner)

    def phases(self, owner: Hashable) -> dict[Phase, int]:
        """Return how many jobs of an owner stand where."""
        return Counter(slot.phase for slot in self._board.of(owner))

    def release(self, finished: FinishedExport[WorkT]) -> None:
        """Forget a piece of work whose records have been written, and its file."""
        if finished.file is not None:
            finished.file.close()
        self._board.remove(finished.work)

    def failure_of(self, owner: Hashable) -> MarketoBulkError | None:
        """Return what an owner has failed with; None if its work goes on, or is done."""
        return self._runner.failures.of(owner)

    def give_up(self, owner: Hashable, *, cancels: bool) -> None:
        """Begin nothing more for an owner, and keep none of its files; the others go on.

        Its jobs go on in Marketo and stay in `in_flight`, for the next run, or are cancelled.
        """
        self._runner.failures.give_up(owner, cancels=cancels)

    def close(self) -> None:
        """Create no more jobs and close the files on disk; the jobs in Marketo go on."""
        self._board.close()
        self._leave_places()

    def stop(self, timeout_seconds: float) -> None:
        """Close, and wait a moment for a call under way, so that `in_flight` is the whole truth."""
        self.close()
        if self._thread is not None:
            self._thread.join(timeout_seconds)
            self._leave_places()

    def cancel(self, owners: Collection[Hashable]) -> frozenset[str]:
        """Close, cancel the jobs of owners nobody will come back for, and return what is left.

        It takes CANCEL_SECONDS at most. If there are any, other calls under way are broken off:
        they would hold the places these need.
        """
        self.close()
        slots = [s for owner in owners for s in self._board.of(owner) if _goes_on(s)]
        left = self._cancelling.cancel(slots)
        self._places.free({slot.job.export_id for slot in slots} - left)
        return left

    def _take_places(self) -> None:
        """Look after the jobs that no other scheduler of the run looks after any more."""
        for slot in self._places.take():
            self._board.add(slot)
        self._runner.failures.give_up(OTHERS, cancels=False)

    def _leave_places(self) -> None:
        self._places.keep(self._board.under_way())

    def _wait(self, owner: Hashable, seconds: float) -> None:
        """Wait for the thread to have news; without one, do what is due and sleep until more is.

        It takes `seconds` at most, and a little more.
        """
        if self._clock.moves_by_sleep:
            delay = self._advance()
            over = self._failure or self.failure_of(owner) or self._runner.stopped_for(owner)
            if delay and over is None and self._board.next_readable() is None:
                self._clock.sleep(min(delay, seconds))
            return
        self._board.wait_for_news(min(seconds, READER_PATIENCE_SECONDS))

    def _run(self) -> None:
        while self._failure is None and not self._board.closed and not self._runner.finished:
            self._board.wait_for_work(self._advance())

    def _advance(self) -> float:
        try:
            return self._runner.advance()
        except BaseException as error:  # noqa: BLE001  # raised again in the reader's thread
            self._failure = error
            self._board.tell()
            return 0.0


def _in_thread(work: Callable[[], None]) -> None:
    threading.Thread(target=work, name="download", daemon=True).start()


def _at_once(work: Callable[[], None]) -> None:
    work()


def _goes_on(slot: Slot[Any]) -> bool:
    """Return whether Marketo still has to do with a job, as far as is known."""
    is_left = slot.phase is Phase.LEFT and not slot.job.status.is_terminal
    return slot.in_marketo or is_left

"""Scheduler: keeps export jobs queued ahead, and hands out their files.

Marketo works on two exports at a time. So that it never waits for us, jobs are created and
enqueued a few ahead, polled, and downloaded as soon as they finish, whatever the reader of the
files is doing. In a sync a thread of its own does that; in a simulation on a virtual clock the
reader's thread takes the same steps.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic

from typing_extensions import Self

from marketo_bulk.export_run import ExportRun, RunnerOptions
from marketo_bulk.job_runner import JobRunner
from marketo_bulk.slot_board import SlotBoard
from marketo_bulk.slots import WorkT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from marketo_bulk.client import MarketoBulk
    from marketo_bulk.exports import ExportObject, ExportRequest
    from marketo_bulk.jobs import ExportJob
    from marketo_bulk.partial_file import ExportFile
    from marketo_bulk.work_source import WorkSource

READER_PATIENCE_SECONDS = 1.0
"""The longest a reader waits before it looks again; it is woken earlier when there is news."""


@dataclass(frozen=True, slots=True)
class Timing:
    """How a scheduler knows the time, and how it waits.

    With `sleep`, everything runs in the reader's thread and waiting calls it; without, in threads
    of its own.
    """

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], object] | None = None


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
    """Runs the export jobs of a `WorkSource` and hands out their files.

    Iterate over it: it yields each `FinishedExport` in an order that `Work.follows` allows, and
    None whenever the set of jobs in flight has changed while nothing was ready. Call
    `release()` when the records of a file have been written.
    """

    def __init__(  # options and time are optional
        self,
        client: MarketoBulk,
        export_object: ExportObject,
        source: WorkSource[WorkT],
        options: RunnerOptions,
        timing: Timing,
    ) -> None:
        self._sleep = timing.sleep
        self._board: SlotBoard[WorkT] = SlotBoard()
        self._export_run = ExportRun(client, export_object, self._board, options, timing.clock)
        self._runner = JobRunner(
            self._export_run, source, start=_in_thread if timing.sleep is None else _at_once
        )
        self._failure: BaseException | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        if self._sleep is None:
            self._thread = threading.Thread(target=self._run, name="exports", daemon=True)
            self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[FinishedExport[WorkT] | None]:
        while True:
            slot = self._board.next_readable()
            if slot is not None:
                yield FinishedExport(slot.work, slot.request, slot.job, slot.file)
            elif self._board.take_jobs_changed():
                yield None
            elif self._failure is not None:
                raise self._failure
            elif self._runner.finished:
                return
            else:
                self._wait()

    def in_flight(self) -> list[tuple[WorkT, ExportRequest, ExportJob]]:
        """Return work, request and job of everything not released yet, oldest first."""
        return [(slot.work, slot.request, slot.job) for slot in self._board]

    @property
    def jobs_taken(self) -> int:
        """How many jobs were created or taken over, jobs created again included."""
        return self._runner.jobs_taken

    def release(self, finished: FinishedExport[WorkT]) -> None:
        """Forget a piece of work whose records have been written, and its file."""
        if finished.file is not None:
            finished.file.close()
        self._board.remove(finished.work)

    def close(self) -> None:
        """Create no more jobs and close the files on disk; the jobs in Marketo go on."""
        self._board.close()

    def stop(self, timeout_seconds: float) -> None:
        """Close, and wait a moment for a call under way, so that `in_flight` is the whole truth."""
        self.close()
        if self._thread is not None:
            self._thread.join(timeout_seconds)

    def cancel_all(self) -> None:
        """Cancel the jobs nobody will come back for, as far as Marketo lets us."""
        self.close()
        for slot in self._board:
            if slot.in_marketo:
                self._export_run.cancel(slot.job)

    def _wait(self) -> None:
        """Wait for the thread to have news; without one, do what is due and sleep until more is."""
        if self._sleep is not None:
            delay = self._advance()
            if delay and self._failure is None and self._board.next_readable() is None:
                self._sleep(delay)
            return
        self._board.wait_for_news(READER_PATIENCE_SECONDS)

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

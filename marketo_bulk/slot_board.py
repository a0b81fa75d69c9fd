"""Slot board: all jobs of a run, shared by the thread that works and the one that reads."""

from __future__ import annotations

import contextlib
import queue
import threading
from typing import TYPE_CHECKING, Generic

from marketo_bulk.slots import Phase, Slot, WorkT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from marketo_bulk.jobs import ExportJob
    from marketo_bulk.partial_file import ExportFile


class SlotBoard(Generic[WorkT]):
    """All slots of a run, oldest first.

    One thread works and one reads, and each can wait until something has moved. The reader is the
    main thread, where a signal may raise at any moment: it takes the bare lock and waits on a
    queue, both of which are one step in C. A `Condition` is several, and left in between them it
    is neither locked nor free.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._for_worker = threading.Condition(self._lock)
        self._for_reader: queue.SimpleQueue[None] = queue.SimpleQueue()
        self.closed = False
        self._has_moved = False
        self._slots: list[Slot[WorkT]] = []
        self._jobs_changed = False

    def wait_for_work(self, timeout_seconds: float) -> None:
        """Let the thread that works wait until something has moved since it last waited."""
        # The reader may be waiting for nothing more than the end.
        self._for_reader.put(None)
        with self._lock:
            if timeout_seconds and not self._has_moved and not self.closed:
                self._for_worker.wait(timeout_seconds)
            self._has_moved = False

    def wait_for_news(self, timeout_seconds: float) -> None:
        """Let the reader wait until something has moved since it last waited."""
        with contextlib.suppress(queue.Empty):
            self._for_reader.get(timeout=timeout_seconds)

    def tell(self) -> None:
        """Wake both threads."""
        with self._lock:
            self._tell()

    def __len__(self) -> int:
        return len(self._slots)

    def __iter__(self) -> Iterator[Slot[WorkT]]:
        with self._lock:
            return iter(tuple(self._slots))

    def in_phase(self, *phases: Phase) -> list[Slot[WorkT]]:
        """Return the slots that stand in one of the phases, oldest first."""
        return [slot for slot in self if slot.phase in phases]

    def next_readable(self) -> Slot[WorkT] | None:
        """Return the first ready slot that follows no other; None if there is none."""
        slots = list(self)
        for slot in slots:
            if slot.phase is Phase.READY and not any(
                slot.work.follows(other.work) for other in slots if other is not slot
            ):
                return slot
        return None

    def add(self, slot: Slot[WorkT]) -> None:
        """Take in a job that has just been created or taken over."""
        with self._lock:
            self._slots.append(slot)
            self._jobs_changed = True
            self._tell()

    def remove(self, work: WorkT) -> None:
        """Drop the slot of a piece of work that is done."""
        with self._lock:
            self._slots = [slot for slot in self._slots if slot.work is not work]
            self._tell()

    def put_job(self, slot: Slot[WorkT], job: ExportJob) -> None:
        """Keep what Marketo said of a job."""
        with self._lock:
            self._jobs_changed = self._jobs_changed or job.export_id != slot.job.export_id
            slot.job = job
            self._tell()

    def put_file(self, slot: Slot[WorkT], file: ExportFile | None) -> None:
        """Make a slot ready; a file that comes after the end is closed."""
        with self._lock:
            slot.file = file
            slot.phase = Phase.READY
            if self.closed:
                slot.close_file()
            self._tell()

    def put_download_error(self, slot: Slot[WorkT], error: Exception) -> None:
        """Hand an error to the thread that works."""
        with self._lock:
            slot.download_error = error
            self._tell()

    def take_jobs_changed(self) -> bool:
        """Return, once, whether jobs have come or been replaced since the last call."""
        with self._lock:
            changed, self._jobs_changed = self._jobs_changed, False
            return changed

    def close(self) -> None:
        """Take in no more files, and close those that are there."""
        with self._lock:
            self.closed = True
            for slot in self._slots:
                slot.close_file()
            self._tell()

    def _tell(self) -> None:
        self._has_moved = True
        self._for_worker.notify_all()
        self._for_reader.put(None)

"""Job board: all jobs of a run, shared by the thread that works and the one that reads."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic

from marketo_bulk.scheduling.work import Phase, Slot, WorkT

if TYPE_CHECKING:
    from collections.abc import Hashable

    from marketo_bulk.exports.file import ExportFile
    from marketo_bulk.jobs import ExportJob


@dataclass(frozen=True, slots=True)
class FilesWaiting:
    """How many files wait for the reader, and how many bytes they have."""

    files: int = 0
    size_bytes: int = 0

    def __add__(self, other: FilesWaiting) -> FilesWaiting:
        return FilesWaiting(self.files + other.files, self.size_bytes + other.size_bytes)

    def __sub__(self, other: FilesWaiting) -> FilesWaiting:
        return FilesWaiting(self.files - other.files, self.size_bytes - other.size_bytes)


class JobBoard(Generic[WorkT]):
    """All slots of a run, oldest first.

    Shape: what is asked at every step does not look at the files that wait, of which there may be
        hundreds.
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
        self.reading: Hashable = None
        """Whose files are being read now; None until the first are."""
        self._has_moved = False
        self._slots: dict[Hashable, list[Slot[WorkT]]] = {}
        self._under_way: list[Slot[WorkT]] = []
        """Those that have no file yet."""
        self._waiting: dict[Hashable, FilesWaiting] = defaultdict(FilesWaiting)
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

    def read(self, owner: Hashable) -> None:
        """Say whose files are read from now on; that may let the thread that works do more."""
        with self._lock:
            self.reading = owner
            self._tell()

    def tell(self) -> None:
        """Wake both threads."""
        with self._lock:
            self._tell()

    def __len__(self) -> int:
        return sum(map(len, self._slots.values()))

    def in_phase(self, *phases: Phase) -> list[Slot[WorkT]]:
        """Return the slots that stand in one of the phases, none of them READY, oldest first."""
        return [slot for slot in self.under_way() if slot.phase in phases]

    def under_way(self) -> tuple[Slot[WorkT], ...]:
        """Return the slots that have no file yet, oldest first."""
        with self._lock:
            return tuple(self._under_way)

    def of(self, owner: Hashable) -> list[Slot[WorkT]]:
        """Return the slots of an owner, oldest first."""
        with self._lock:
            return list(self._slots.get(owner, ()))

    @property
    def is_idle(self) -> bool:
        """Whether nothing is under way and no file waits."""
        return not self._under_way and not self.files_waiting().files

    def has(self, owner: Hashable) -> bool:
        """Return whether there is a slot of an owner."""
        return bool(self._slots.get(owner))

    def files_waiting(self, owner: Hashable | None = None) -> FilesWaiting:
        """Return what is on disk for the reader, or will be soon, of one owner or of all."""
        with self._lock:
            kept = self._waiting.values() if owner is None else [self._waiting[owner]]
            coming = [
                slot.size_bytes
                for slot in self._under_way
                if not slot.in_marketo and owner in (None, slot.work.owner)
            ]
            return FilesWaiting(
                sum(each.files for each in kept) + len(coming),
                sum(each.size_bytes for each in kept) + sum(coming),
            )

    def next_readable(self) -> Slot[WorkT] | None:
        """Return the reader's first ready slot that follows no other; None if there is none."""
        slots = self.of(self.reading)
        for slot in slots:
            if slot.phase is Phase.READY and not any(
                slot.work.follows(other.work) for other in slots if other is not slot
            ):
                return slot
        return None

    def add(self, slot: Slot[WorkT]) -> None:
        """Take in a job that has just been created or taken over."""
        with self._lock:
            self._slots.setdefault(slot.work.owner, []).append(slot)
            self._under_way.append(slot)
            self._jobs_changed = True
            self._tell()

    def remove(self, work: WorkT) -> None:
        """Drop the slot of a piece of work that is done."""
        with self._lock:
            slots = self._slots.get(work.owner, [])
            for index, slot in enumerate(slots):
                if slot.work is work:
                    del slots[index]
                    self._take_out(slot)
                    break
            self._tell()

    def _take_out(self, slot: Slot[WorkT]) -> None:
        if slot.phase is Phase.READY:
            self._waiting[slot.work.owner] -= FilesWaiting(1, slot.size_bytes)
        else:
            self._under_way = [other for other in self._under_way if other is not slot]

    def leave(self, slot: Slot[WorkT]) -> None:
        """Let nobody come for a slot any more; its file is gone, and its job is still told of."""
        with self._lock:
            self._take_out(slot)
            slot.close_file()
            slot.phase = Phase.LEFT

    def put_job(self, slot: Slot[WorkT], job: ExportJob) -> None:
        """Keep what Marketo said of a job."""
        with self._lock:
            self._jobs_changed = self._jobs_changed or job.export_id != slot.job.export_id
            slot.job = job
            self._tell()

    def put_file(self, slot: Slot[WorkT], file: ExportFile | None) -> None:
        """Make a slot ready; a file that comes after the end is closed."""
        with self._lock:
            self._take_out(slot)
            slot.file = file
            slot.phase = Phase.READY
            self._waiting[slot.work.owner] += FilesWaiting(1, slot.size_bytes)
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
            for slots in self._slots.values():
                for slot in slots:
                    slot.close_file()
            self._tell()

    def _tell(self) -> None:
        self._has_moved = True
        self._for_worker.notify_all()
        self._for_reader.put(None)

"""Slot board: all jobs of a run, shared by the thread that works and the one that reads."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Generic

from marketo_bulk.slots import Phase, Slot, WorkT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from marketo_bulk.jobs import ExportJob
    from marketo_bulk.partial_file import ExportFile


class SlotBoard(Generic[WorkT]):
    """All slots of a run, oldest first.

    `changed` guards the list and is notified whenever something has moved.
    """

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.closed = False
        self._slots: list[Slot[WorkT]] = []
        self._jobs_changed = False

    def __len__(self) -> int:
        return len(self._slots)

    def __iter__(self) -> Iterator[Slot[WorkT]]:
        with self.changed:
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
        with self.changed:
            self._slots.append(slot)
            self._jobs_changed = True
            self.changed.notify_all()

    def remove(self, work: WorkT) -> None:
        """Drop the slot of a piece of work that is done."""
        with self.changed:
            self._slots = [slot for slot in self._slots if slot.work is not work]
            self.changed.notify_all()

    def put_job(self, slot: Slot[WorkT], job: ExportJob) -> None:
        """Keep what Marketo said of a job."""
        with self.changed:
            self._jobs_changed = self._jobs_changed or job.export_id != slot.job.export_id
            slot.job = job
            self.changed.notify_all()

    def put_file(self, slot: Slot[WorkT], file: ExportFile | None) -> None:
        """Make a slot ready; a file that comes after the end is deleted."""
        with self.changed:
            slot.file = file
            slot.phase = Phase.READY
            if self.closed:
                slot.delete_file()
            self.changed.notify_all()

    def put_download_error(self, slot: Slot[WorkT], error: Exception) -> None:
        """Hand an error to the thread that works."""
        with self.changed:
            slot.download_error = error
            self.changed.notify_all()

    def take_jobs_changed(self) -> bool:
        """Return, once, whether jobs have come or been replaced since the last call."""
        with self.changed:
            changed, self._jobs_changed = self._jobs_changed, False
            return changed

    def close(self) -> None:
        """Take in no more files, and delete those that are there."""
        with self.changed:
            self.closed = True
            for slot in self._slots:
                slot.delete_file()
            self.changed.notify_all()

"""Places: what a run has in Marketo's queue beside the jobs of the scheduler at work."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from marketo_bulk.exports.requests import ExportRequest
from marketo_bulk.jobs import ExportStatus
from marketo_bulk.scheduling.work import Phase, Slot

if TYPE_CHECKING:
    from collections.abc import Iterable

    from marketo_bulk.exports.objects import ExportObject
    from marketo_bulk.jobs import ExportJob

OTHERS = object()
"""The owner of all jobs that only hold a place: no scheduler is asked for their files."""


@dataclass(frozen=True, slots=True)
class HeldPlace:
    """The work of a job that is looked at until it leaves the queue, and no longer."""

    what: str

    @property
    def owner(self) -> object:
        """Whose work it is."""
        return OTHERS

    def follows(self, other: object) -> bool:  # noqa: ARG002  # no file of it is read
        """Return whether another job's records must be written before."""
        return False

    @override
    def __str__(self) -> str:
        return self.what


class Places:
    """The jobs of a run that no scheduler polls just now, each with a place in Marketo's queue.

    A run has one of these, and its schedulers work one after another. Each takes over what it
    finds here, counts and polls it, and leaves here what is still queued when it closes.
    """

    def __init__(self) -> None:
        self._held: dict[str, Slot[Any]] = {}

    def hold(
        self,
        export_object: ExportObject,
        job: ExportJob,
        *,
        next_poll_at: float,
        deadline_at: float,
    ) -> None:
        """Hold the place of a job of an earlier run, if it has one.

        Units: moments are seconds of the schedulers' clock; after `deadline_at` it is cancelled.
        """
        if job.status is ExportStatus.CREATED or job.status.is_terminal:
            return
        # Nobody makes it again: of the request the object alone is needed.
        request = ExportRequest(export_object, ("id",), {})
        work = HeldPlace("a job of an earlier run")
        self._held[job.export_id] = Slot(
            work, request, job, Phase.ENQUEUED, deadline_at=deadline_at, next_poll_at=next_poll_at
        )

    def keep(self, slots: Iterable[Slot[Any]]) -> None:
        """Hold the places of a scheduler's jobs that are queued, when it closes."""
        for slot in slots:
            if slot.phase is Phase.ENQUEUED and not slot.job.status.is_terminal:
                self._held[slot.job.export_id] = replace(slot, work=HeldPlace(str(slot.work)))

    def free(self, export_ids: Iterable[str]) -> None:
        """Hold the places of some jobs no longer: they have none, or a scheduler is given them."""
        for export_id in export_ids:
            self._held.pop(export_id, None)

    def take(self) -> list[Slot[Any]]:
        """Return what is held, and hold it no longer."""
        held, self._held = self._held, {}
        return list(held.values())

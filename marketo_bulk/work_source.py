"""Work source: where the work for export jobs comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from marketo_bulk.slots import WorkT

if TYPE_CHECKING:
    from marketo_bulk.errors import RejectedError
    from marketo_bulk.exports import ExportRequest
    from marketo_bulk.jobs import ExportJob


class WorkSource(Protocol[WorkT]):
    """Where a scheduler gets its work from; called from one thread only."""

    def next_work(self) -> WorkT | None:
        """Return the next piece of work, or None if there is no more."""

    def put_back(self, work: WorkT) -> None:
        """Take back a piece of work that could not be started now."""

    def adopted_job(self, work: WorkT) -> ExportJob | None:
        """Return the job of an earlier run that already does this work."""

    def request_for(self, work: WorkT) -> ExportRequest:
        """Return what to ask of Marketo for this work."""

    def refused(self, work: WorkT, error: RejectedError) -> None:
        """Plan anew what Marketo refused, or raise `error` if there is no other way."""

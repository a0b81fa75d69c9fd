"""Sources: the work of several owners, in the order in which they are read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic

from marketo_bulk.scheduling.work import WorkT

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping

    from marketo_bulk.errors import RejectedError
    from marketo_bulk.exports.requests import ExportRequest
    from marketo_bulk.jobs import ExportJob
    from marketo_bulk.scheduling.work import WorkSource


class Sources(Generic[WorkT]):
    """One source for each owner; what is about a piece of work goes to the source it came from."""

    def __init__(self, sources: Mapping[Hashable, WorkSource[WorkT]]) -> None:
        self._sources = dict(sources)
        self._with_work = set(sources)
        self._dropped: set[Hashable] = set()

    @property
    def dry(self) -> bool:
        """Whether there is no more work of anybody's, unless some is given back."""
        return not self._with_work

    def is_dry(self, owner: Hashable) -> bool:
        """Return whether an owner has no more work, unless some is given back."""
        return owner not in self._with_work

    def owners_with_work(self, first: Hashable) -> Iterator[Hashable]:
        """Yield the owners that may have work, in their order, but one of them before the rest.

        Before all of them come those whose next job has a place in the queue: each shows how many
        places are left.
        """
        owners = [owner for owner in self._sources if owner in self._with_work]
        owners.sort(key=lambda owner: owner != first)
        yield from sorted(owners, key=lambda owner: not self._sources[owner].is_next_queued())

    def expect_more(self, owner: Hashable) -> None:
        """Take note that work of an owner is about to be given back."""
        if owner not in self._dropped:
            self._with_work.add(owner)

    def drop(self, owner: Hashable) -> None:
        """Ask for no more work of an owner."""
        self._dropped.add(owner)
        self._with_work.discard(owner)

    def next_work(self, owner: Hashable) -> WorkT | None:
        """Return an owner's next piece of work; None, and it is dry, if there is no more."""
        work = self._sources[owner].next_work()
        if work is None:
            self._with_work.discard(owner)
        return work

    def put_back(self, work: WorkT) -> None:
        """Take back a piece of work that could not be started now."""
        self._sources[work.owner].put_back(work)

    def adopted_job(self, work: WorkT) -> ExportJob | None:
        """Return the job of an earlier run that already does this work."""
        return self._sources[work.owner].adopted_job(work)

    def request_for(self, work: WorkT) -> ExportRequest:
        """Return what to ask of Marketo for this work."""
        return self._sources[work.owner].request_for(work)

    def refused(self, work: WorkT, error: RejectedError) -> None:
        """Let work be planned anew that Marketo refused.

        Raises: `error` if there is no other way.
        """
        self._sources[work.owner].refused(work, error)

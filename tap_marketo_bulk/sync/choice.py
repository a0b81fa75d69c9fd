"""Choice: which scopes a run reads, where something tells what has changed.

Nothing is lost by it. A scope that is skipped keeps its bookmark, so whenever it is read, it is
read from there. What tells may be late, or silent: then a scope is read once it is due.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from tap_marketo_bulk.sync.cohorts import MAX_ID
from tap_marketo_bulk.sync.due import due_scopes
from tap_marketo_bulk.sync.look import Look, shared, without

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from tap_marketo_bulk.sync.cohorts import Segment
    from tap_marketo_bulk.sync.look import Run

OVERLAP = timedelta(hours=1)
"""How late something may be told and still be found by the next look."""

LIST_OVERLAP = timedelta(minutes=10)
"""How far before its bookmark a scope may have been altered, and its records not show it: by so
much clocks may differ, and a list be older than the run's end."""

MARGIN = timedelta(seconds=10)
"""How far what is told may be dated before the change that it tells of."""


@dataclass(frozen=True, slots=True)
class Altered:
    """Scopes of which a list says that they were altered themselves.

    Shape: `whole` are to be read anew from the first record on, `changed` from their bookmark.
    """

    whole: frozenset[int] = frozenset()
    changed: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Choice:
    """What a run reads of the scopes there are, and why.

    Shape: `whole`, `named`, `due` and `other` (new, under way) may overlap. `after` is the look of
        the next STATE, once all that is read is written; None where nothing could be told.
    """

    listed: frozenset[int]
    whole: frozenset[int] = frozenset()
    named: frozenset[int] = frozenset()
    due: frozenset[int] = frozenset()
    other: frozenset[int] = frozenset()
    after: Look | None = None

    @property
    def read(self) -> frozenset[int]:
        """Return all that is read."""
        return self.whole | self.named | self.due | self.other


@dataclass(frozen=True)
class Standing:
    """Where the scopes of a run stand before anybody has told what has changed.

    Shape: `marks` are the bookmarks of those listed, `segments` all of the state; `lists_all` says
        whether the list leaves none out by a setting. `under_way` have a job already, and `begun`
        says when the first one of each was made that is still there.
    """

    end: datetime
    full_check: timedelta
    listed: frozenset[int]
    marks: Mapping[int, datetime]
    segments: Sequence[Segment] = ()
    lists_all: bool = True
    look: Look | None = None
    under_way: frozenset[int] = frozenset()
    begun: Mapping[int, datetime] = field(default_factory=dict)
    batch: int = 10
    altered: Altered = field(default_factory=Altered)

    @cached_property
    def believed(self) -> Look | None:
        """Return the look of the state, if it can be gone on from.

        One ahead of the run's end has not seen what happened until then; of one that is older than
        the full check nothing is left to gain.
        """
        look = self.look
        if look is None or not self.end - self.full_check <= look.until <= self.end:
            return None
        return look

    @cached_property
    def new(self) -> frozenset[int]:
        """Return the scopes that have no bookmark."""
        return frozenset(i for i in self.listed if i not in self.marks)

    @cached_property
    def overdue(self) -> frozenset[int]:
        """Return the scopes that are read whatever is told of them."""
        latest, look = self.end - self.full_check, self.believed
        return frozenset(
            i
            for i, mark in self.marks.items()
            if mark <= latest or (look is not None and not look.vouches_for(i))
        )

    @cached_property
    def since(self) -> datetime | None:
        """Return from when on to ask what has changed; None if all is read whatever it was.

        Without a look, it is the oldest bookmark of what might be skipped: what has happened before
        has been read.
        """
        if not self._open:
            return None
        if self.believed is not None:
            return self.believed.until - OVERLAP
        return min(self.marks[i] for i in self._open) - MARGIN

    def with_altered(self, altered: Callable[[Mapping[int, datetime]], Altered]) -> Standing:
        """Return this with the scopes that were altered since they were read.

        The look says nothing of that: a list tells of the scopes that are on it, and of no others.
        One without a bookmark is as old as its first job.
        """
        since = {scope_id: made_at - MARGIN for scope_id, made_at in self.begun.items()}
        since |= {scope_id: mark - LIST_OVERLAP for scope_id, mark in self.marks.items()}
        return replace(self, altered=altered(since))

    @property
    def _surely(self) -> frozenset[int]:
        altered = self.altered.whole | self.altered.changed
        return self.new | self.overdue | ((altered | self.under_way) & self.listed)

    @cached_property
    def _open(self) -> frozenset[int]:
        """Return the scopes whose turn depends on what is told."""
        return self.listed - self._surely

    def everything(self) -> Choice:
        """Return the choice where nothing tells: all, as if there were no choice."""
        return Choice(self.listed, self.altered.whole & self.listed, other=self.listed)

    def choose(self, told: Mapping[int, datetime]) -> Choice:
        """Return the choice.

        `told` says of each scope that was named when the last thing that was told has happened.
        """
        named = frozenset(i for i in told.keys() & self.marks.keys() if self._is_news(i, told))
        left = self._open - named
        spread = due_scopes(
            {i: self.marks[i] for i in left},
            self.end,
            total=len(self.marks),
            full_check=self.full_check,
            batch=self.batch,
        )
        return Choice(
            self.listed,
            whole=self.altered.whole & self.listed,
            named=named,
            due=self.overdue | spread,
            other=self.new | ((self.under_way | self.altered.changed) & self.listed),
            after=Look(self.end, tuple(self._unread(told))),
        )

    def _is_news(self, scope_id: int, told: Mapping[int, datetime]) -> bool:
        """Return whether what was told of a scope may not have been read yet."""
        return told[scope_id] > self.marks[scope_id] - MARGIN

    def _unread(self, told: Mapping[int, datetime]) -> Iterator[Run]:
        """Yield the scopes with a bookmark, not listed, that the next look does not vouch for."""
        before, since = self.believed, self.since
        others = [
            # One for every scope has been for those listed, if these are all there are.
            each
            for each in self.segments
            if not (self.lists_all and each.last == MAX_ID)
        ]
        unsure = [(i, i) for i in sorted(told.keys() - self.listed)]
        if before is not None:
            unsure += before.unread
        for first, last, mark in others:
            was_asked = since is not None and (before is not None or mark - MARGIN >= since)
            if not was_asked:
                unsure.append((first, last))
        known = ((first, last) for first, last, _ in others)
        yield from shared(unsure, without(known, self.listed))

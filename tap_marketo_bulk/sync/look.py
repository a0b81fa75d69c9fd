"""Look: up to when a run has asked what has changed, kept in STATE beside the bookmarks.

It vouches for what no bookmark says: that a scope which was skipped had nothing to tell. Without it
the bookmarks themselves say from when on to ask, which is dearer and no less right.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from marketo_bulk.errors import ConfigurationError
from tap_marketo_bulk.sync.cohorts import moment_in, parse_ids, text_in
from tap_marketo_bulk.sync.id_runs import IdRuns
from tap_marketo_bulk.sync.windows import format_timestamp

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from datetime import datetime

    from tap_marketo_bulk.sync.names import StreamNames

CHANGES = "changes"
"""The key in the state of a stream; who does not know it leaves it out, and nothing is lost."""

Run = tuple[int, int]
"""Neighbouring ids, the first and the last."""


@dataclass(frozen=True, slots=True)
class Look:
    """Whatever was told up to `until` is written, but for what was told of `unread`.

    Shape: `unread` are ascending runs of ids that have a bookmark and could not be read, because
        no list had them.
    """

    until: datetime
    unread: tuple[Run, ...] = field(default=())

    def vouches_for(self, scope_id: int) -> bool:
        """Return whether it holds for a scope."""
        at = bisect_right(self.unread, (scope_id, scope_id)) - 1
        nearest = self.unread[max(at, 0) : at + 2]
        return not any(first <= scope_id <= last for first, last in nearest)

    def to_state(self) -> dict[str, str]:
        """Return the value of `CHANGES`; both keys always, as states are merged key by key."""
        return {"until": format_timestamp(self.until), "unread": str(IdRuns(self.unread))}

    @classmethod
    def from_state(cls, state: Mapping[str, Any], names: StreamNames) -> Look | None:
        """Return the look of a state; None if there is none.

        Raises: ConfigurationError if it does not parse.
        """
        if CHANGES not in state:
            return None
        entry = state[CHANGES]
        try:
            runs = parse_ids(text_in(entry, "unread"), names.scope)
            return cls(moment_in(entry, "until"), tuple(merged(runs)))
        except ValueError as error:
            raise ConfigurationError(
                f"{CHANGES} in the state of {names.stream} is not readable: {error}. "
                "Remove it; the next run then asks for more, and loses nothing."
            ) from error


def merged(runs: Iterable[Run]) -> Iterator[Run]:
    """Yield runs ascending, those that overlap or touch as one."""
    begun: Run | None = None
    for first, last in sorted(runs):
        if begun is not None and first <= begun[1] + 1:
            begun = begun[0], max(begun[1], last)
            continue
        if begun is not None:
            yield begun
        begun = first, last
    if begun is not None:
        yield begun


def without(runs: Iterable[Run], ids: Collection[int]) -> Iterator[Run]:
    """Yield what is left of runs, ascending, without some ids."""
    ascending = sorted(ids)
    for first, last in merged(runs):
        begin = first
        for i in ascending[bisect_right(ascending, first - 1) : bisect_right(ascending, last)]:
            if i > begin:
                yield begin, i - 1
            begin = i + 1
        if begin <= last:
            yield begin, last


def shared(some: Iterable[Run], others: Iterable[Run]) -> Iterator[Run]:
    """Yield the ids that are in both, as ascending runs."""
    left, right = list(merged(some)), list(merged(others))
    while left and right:
        first, last = max(left[0][0], right[0][0]), min(left[0][1], right[0][1])
        if first <= last:
            yield first, last
        (left if left[0][1] <= right[0][1] else right).pop(0)

"""Replay range: from when to when the records of an archive are read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from tap_marketo_bulk.sync.windows import Window


@dataclass(frozen=True, slots=True)
class ReplayRange:
    """Records changed from `start` on and before `end`; None where there is no such bound.

    Shape: `changes` is the window of a file of what was changed in it, its last second included;
        None for any other file.
    """

    start: datetime | None = None
    end: datetime | None = None

    def leaves_out(self, changes: Window | None) -> bool:
        """Return whether no record of a file is wanted."""
        if changes is None:
            return False
        is_before = self.start is not None and changes.end < self.start
        return is_before or (self.end is not None and self.end <= changes.start)

    def within(self, changes: Window | None) -> ReplayRange:
        """Return the bounds that single records of a file are to be held against.

        Shape: what a window of changes holds has changed in it, which a record need not show.
        """
        if changes is None:
            return self
        start, end = self.start, self.end
        return ReplayRange(
            None if start is not None and start <= changes.start else start,
            None if end is not None and changes.end < end else end,
        )

    def from_on(self, moment: datetime | None) -> ReplayRange:
        """Return the same, but not from before a moment."""
        later = [each for each in (self.start, moment) if each is not None]
        return ReplayRange(max(later, default=None), self.end)

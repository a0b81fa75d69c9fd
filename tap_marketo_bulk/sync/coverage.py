"""Coverage: what a run that chooses has read of all scopes, and the look it leaves in STATE."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tap_marketo_bulk.sync.look import CHANGES, Look, merged

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from tap_marketo_bulk.sync.choice import Choice
    from tap_marketo_bulk.sync.plan_run import RunPlan

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


class Coverage:
    """What has become of the choice of a run.

    The look of the state before is kept until all that was chosen is written: a run that ends early
    leaves the next one to ask again.
    """

    def __init__(self, choice: Choice, plan: RunPlan) -> None:
        self._choice = choice
        self._bookmarks = plan.bookmarks
        self._end = plan.reach.run_end
        self._written: set[int] = set()
        self._look = Look.from_state(plan.state, plan.bookmarks.names)

    def note_written(self, scope: Iterable[int]) -> None:
        """Take note that bookmarks have been moved."""
        self._written.update(scope)

    def complete(self) -> None:
        """Move the look, now that all units are written."""
        after, marks = self._choice.after, self._bookmarks.marks
        if after is None:
            self._look = None
            return
        read = self._choice.read
        up_to_date = {i for i in read if i in marks and marks[i] >= self._end}
        reached = self._written | up_to_date
        # A scope that has vanished since it was listed, or that has a gap before its job.
        unread = ((i, i) for i in read - reached if i in marks)
        # Where Marketo's clock is ahead, no job reaches the run's end, and nor does the look.
        until = min([after.until, *(marks[i] for i in self._written)])
        self._look = Look(until, tuple(merged([*after.unread, *unread])))

    def put_into(self, state: dict[str, Any]) -> None:
        """Put the look into the state of the stream; take out one that is no more."""
        state.pop(CHANGES, None)
        if self._look is not None:
            state[CHANGES] = self._look.to_state()

    @property
    def line(self) -> str:
        """Return what the closing line says."""
        choice, noun = self._choice, self._bookmarks.names.scope
        skipped = len(choice.listed) - len(choice.read)
        if choice.after is None:
            return f"{len(choice.listed)} {noun}s, all of them read"
        marks = self._bookmarks.marks
        oldest = min((marks[i] for i in choice.listed if i in marks), default=self._end)
        return (
            f"{len(choice.listed)} {noun}s: {len(choice.named)} named, {len(choice.due)} due, "
            f"{skipped} skipped, oldest unread for {_span(self._end, oldest)}"
        )


def _span(end: datetime, begin: datetime) -> str:
    span = max(end - begin, timedelta())
    return f"{span / DAY:.1f} days" if span >= 2 * DAY else f"{span / HOUR:.1f} hours"

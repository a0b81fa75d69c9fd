"""Alignment: scopes whose bookmarks lie about as far back are read from one moment on, in one job.

Where a run reads every scope, most share a bookmark. Where it chooses, each has its own, and by
itself each would cost a job. Joined, some rows come twice, which a key makes one again.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from datetime import datetime

    from tap_marketo_bulk.sync.plan import PlanRules

FACTOR = 32
"""How many times longer the oldest of a job may be unread than the youngest: a busy scope is not
exported for a week because a quiet one is due."""

SHORT = timedelta(hours=1)
"""Below this, nothing is worth a job of its own."""


def aligned(
    starts: Mapping[int, datetime | None], old: Collection[int], rules: PlanRules
) -> dict[int, datetime | None]:
    """Return from when on to read each scope; `old` are those that have a bookmark.

    Shape: none later than before. Scopes without a bookmark stay as they are, and nothing is read
        from before `start_date` because of another scope.
    """
    moved = dict(starts)
    for batch in _batches({i: s for i, s in starts.items() if s is not None and i in old}, rules):
        moved.update(dict.fromkeys(batch, starts[batch[0]]))
    return moved


def _batches(starts: Mapping[int, datetime], rules: PlanRules) -> Iterator[list[int]]:
    """Yield scopes that are read together, the oldest first."""
    batch: list[int] = []
    for scope_id in sorted(starts, key=lambda i: (starts[i], i)):
        if batch and not (
            len(batch) < rules.names.scopes_per_job
            and _are_alike(starts[batch[0]], starts[scope_id], rules)
        ):
            yield batch
            batch = []
        batch.append(scope_id)
    if batch:
        yield batch


def _are_alike(older: datetime, younger: datetime, rules: PlanRules) -> bool:
    first = rules.start_date
    if first is not None and older < first <= younger:
        return False
    unread = rules.end - older
    return unread <= SHORT or unread <= FACTOR * (rules.end - younger)

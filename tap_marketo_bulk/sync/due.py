"""Due: which scopes nobody has named are read all the same, so that none stays unread for long.

Reads are spread evenly: whatever the time between two runs, as few as possible are due in each, and
none is ever behind by more than the full check allows.
"""

from __future__ import annotations

from datetime import timedelta
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

NOTHING = timedelta()
PACE_PERCENT = 110
"""How fast the pace is: a little above even, so that a scope just read is not due again at once."""


def due_scopes(
    bookmarks: Mapping[int, datetime],
    end: datetime,
    *,
    total: int,
    full_check: timedelta,
    batch: int,
) -> frozenset[int]:
    """Return which of the scopes with these bookmarks are due in a run up to `end`.

    Shape: the oldest ones; `total` counts all scopes, those of this run's other reads included. At
        an even pace one is read every `full_check / total`. Due are as many as must be read now
        that a pace a little above may reach all others in time, and as many more as share the last
        job of `batch`.
    """
    oldest_first = sorted(bookmarks, key=lambda i: (bookmarks[i], i))
    wanted = number = 0
    for mark, sharing in groupby(oldest_first, key=bookmarks.__getitem__):
        number += len(list(sharing))
        left = max(full_check - (end - mark), NOTHING)
        # How many scopes the pace reaches before the time of these is over, they included.
        reached = -(-(total * PACE_PERCENT * left) // (100 * full_check))
        wanted = max(wanted, number - reached)
    rounded = -(-wanted // batch) * batch
    return frozenset(oldest_first[:rounded])

"""Which files and records of an archive a span of time lets through."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from tap_marketo_bulk.sync.replay_range import ReplayRange
from tap_marketo_bulk.sync.windows import Window


def day(number: int | None) -> datetime | None:
    """Return the midnight of a day."""
    return None if number is None else datetime(2026, 1, number, tzinfo=timezone.utc)


def window(first: int, last: int) -> Window:
    """Return the window of a file, its last second included."""
    start, end = day(first), day(last)
    assert start is not None
    assert end is not None
    return Window(start, end)


@pytest.mark.parametrize(
    ("start", "end", "file", "is_left_out", "held_against"),
    [
        (None, None, (1, 5), False, (None, None)),
        (3, 9, (1, 2), True, None),
        (3, 9, (1, 3), False, (3, None)),  # its last second is in it
        (3, 9, (2, 5), False, (3, None)),
        (3, 9, (3, 8), False, (None, None)),
        (3, 9, (4, 9), False, (None, 9)),  # its last second is beyond
        (3, 9, (2, 12), False, (3, 9)),
        (3, 9, (9, 12), True, None),
        (3, None, (9, 12), False, (None, None)),
        (None, 9, (1, 2), False, (None, None)),
        (3, 9, None, False, (3, 9)),
    ],
)
def test_bounds_of_a_file(
    start: int | None,
    end: int | None,
    file: tuple[int, int] | None,
    *,
    is_left_out: bool,
    held_against: tuple[int | None, int | None] | None,
) -> None:
    """A file wholly within them is read as it is: a record need not show when it changed."""
    bounds, changes = ReplayRange(day(start), day(end)), None if file is None else window(*file)
    assert bounds.leaves_out(changes) is is_left_out
    if held_against is not None:
        assert bounds.within(changes) == ReplayRange(*map(day, held_against))


def test_the_later_of_two_beginnings_counts() -> None:
    """Of the setting's, and of the run that filled the archive."""
    bounds = ReplayRange(day(3), day(9))
    assert bounds.from_on(day(2)) == bounds.from_on(None) == bounds
    assert bounds.from_on(day(4)) == ReplayRange(day(4), day(9))
    assert ReplayRange().from_on(day(4)) == ReplayRange(day(4))

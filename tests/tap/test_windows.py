"""Windows tile a stretch of time without gaps."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_marketo_bulk.sync.windows import Window, format_timestamp, grid_start, split_windows

START = datetime(2024, 3, 1, tzinfo=timezone.utc)
moments = st.integers(0, 10**8).map(lambda s: START + timedelta(seconds=s))
lengths = st.integers(1, 31).map(lambda d: timedelta(days=d))


@given(moments, moments, lengths)
def test_windows_tile_the_range_exactly(start: datetime, end: datetime, length: timedelta) -> None:
    """Each second of the range lies in a window, and no window is longer than allowed."""
    windows = split_windows(start, end, length)
    if start >= end:
        assert windows == []
        return
    assert (start, end) == (windows[0].start, windows[-1].end)
    assert [w.end for w in windows[:-1]] == [w.start for w in windows[1:]]
    assert all(timedelta(0) < w.end - w.start <= length for w in windows)


@pytest.mark.parametrize("rest_seconds", [1, 30, 600, 3_599, 3_600, 3_601, 86_400])
@pytest.mark.parametrize("whole", [1, 2, 12])
def test_the_last_of_several_windows_does_not_begin_just_before_the_end(
    whole: int, rest_seconds: int
) -> None:
    """The end is known by a clock that may be ahead of the one by which the future is refused."""
    length = timedelta(days=1)
    end = START + whole * length + timedelta(seconds=rest_seconds)
    windows = split_windows(START, end, length)
    assert len(windows) == whole + 1
    assert windows[-1].end - windows[-1].start == max(
        timedelta(hours=1), timedelta(seconds=rest_seconds)
    )


def test_window_of_31_days_across_a_dst_change_is_31_days_of_utc() -> None:
    """Summer time does not shorten or lengthen a window on the wire."""
    (window,) = split_windows(START, START + timedelta(days=31), timedelta(days=31))
    assert (window.to_filter()) == {
        "startAt": "2024-03-01T00:00:00Z",
        "endAt": "2024-04-01T00:00:00Z",
    }


def test_timestamps_carry_no_milliseconds_and_no_offset() -> None:
    """Marketo refuses milliseconds in job filters."""
    moment = datetime(2024, 3, 1, 12, 0, 0, 999_999, timezone(timedelta(hours=2)))
    assert format_timestamp(moment) == "2024-03-01T10:00:00Z"


@given(moments, moments, lengths)
def test_grid_start_is_the_window_of_the_moment(
    anchor: datetime, moment: datetime, length: timedelta
) -> None:
    """The grid cell starts at or before the moment, a whole number of windows after the anchor."""
    start = grid_start(anchor, moment, length)
    assert start >= anchor
    assert timedelta(0) == (start - anchor) % length
    assert start <= max(moment, anchor) < start + length


def test_windows_order_by_start() -> None:
    """Older windows come first when units are sorted."""
    newer = Window(START + timedelta(days=1), START + timedelta(days=2))
    older = Window(START, START + timedelta(days=9))
    assert [older, newer] == sorted([newer, older])

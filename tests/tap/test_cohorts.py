"""Cohorts keep programs and bookmarks through the state."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_marketo_bulk.cohorts import format_ids, parse_ids, read_cohorts, write_cohorts

MARK = datetime(2026, 10, 21, tzinfo=timezone.utc)
bookmarks = st.dictionaries(
    st.integers(1, 3000), st.integers(0, 5).map(lambda d: MARK + timedelta(days=d))
)


def test_ids_are_written_as_ranges() -> None:
    """Neighbouring ids form a range, others stand alone."""
    assert format_ids([1044, *range(1001, 1011)]) == "1001-1010,1044"


def test_ids_absent_from_the_input_never_enter_a_range() -> None:
    """A gap of one id splits a range: the program in it has no bookmark."""
    assert format_ids([1, 2, 4]) == "1-2,4"


@pytest.mark.parametrize("text", ["a", "1-", "1,,2", "-3", "1..3"])
def test_ids_that_do_not_parse_are_named(text: str) -> None:
    """A state edited by hand fails with the part that is wrong."""
    with pytest.raises(ValueError, match="is not a program id"):
        parse_ids(text)


def test_a_huge_range_costs_nothing() -> None:
    """A range written by hand is not expanded."""
    assert parse_ids(f"1-{10**15}") == ((1, 10**15),)


@given(bookmarks)
def test_bookmarks_round_trip_through_cohorts(marks: dict[int, datetime]) -> None:
    """Each program is found in exactly one cohort, with its own bookmark."""
    cohorts = read_cohorts(write_cohorts(marks))
    assert marks == {p: c.bookmark for c in cohorts for p in range(1, 3001) if p in c}
    assert sorted(set(marks.values())) == [c.bookmark for c in cohorts]


def test_an_entry_without_ids_is_refused() -> None:
    """An entry that lacks a key is an error, not an empty cohort."""
    with pytest.raises(ValueError, match="programIds"):
        read_cohorts([{"updatedAt": "2026-10-21T00:00:00Z"}])

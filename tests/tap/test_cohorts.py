"""Cohorts keep programs and bookmarks through the state, whoever wrote it."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_marketo_bulk.streams.program_members import ProgramMembers
from tap_marketo_bulk.sync.cohorts import Segment, disjoint, parse_ids, read_cohorts
from tap_marketo_bulk.sync.id_runs import IdRuns
from tap_marketo_bulk.sync.state import Bookmarks

NAMES = ProgramMembers.names

MARK = datetime(2026, 10, 21, tzinfo=timezone.utc)
marks = st.integers(0, 5).map(lambda d: MARK + timedelta(days=d))
bookmarks = st.dictionaries(st.integers(1, 3000), marks)
segments = st.lists(
    st.tuples(st.integers(1, 60), st.integers(0, 20), marks).map(
        lambda drawn: Segment(drawn[0], drawn[0] + drawn[1], drawn[2])
    ),
    max_size=12,
)


def test_ids_are_written_as_ranges() -> None:
    """Neighbouring ids form a range, others stand alone."""
    assert str(IdRuns.of([1044, *range(1001, 1011)])) == "1001-1010,1044"


def test_ids_absent_from_the_input_never_enter_a_range() -> None:
    """A gap of one id splits a range: the program in it has no bookmark."""
    assert str(IdRuns.of([1, 2, 4])) == "1-2,4"


@given(st.sets(st.integers(1, 40)), st.lists(st.tuples(st.booleans(), st.integers(1, 40))))
def test_runs_are_a_set(begin: set[int], changes: list[tuple[bool, int]]) -> None:
    """However ids come and go, the ranges are those of the ids that are left."""
    runs, ids = IdRuns.of(begin), set(begin)
    for is_new, number in changes:
        if is_new:
            runs.add(number)
            ids.add(number)
        else:
            runs.remove(number)
            ids.discard(number)
    assert (str(runs), list(runs)) == (str(IdRuns.of(ids)), list(IdRuns.of(ids)))
    assert {i for a, b in runs for i in range(a, b + 1)} == ids
    assert bool(runs) == bool(ids)


@pytest.mark.parametrize("text", ["a", "1-", "1,,2", "-3", "1..3", "٣", "1" * 19, "1-2-3", "1,"])
def test_ids_that_do_not_parse_are_named(text: str) -> None:
    """A state edited by hand fails with the part that is wrong."""
    with pytest.raises(ValueError, match="is not a program id"):
        parse_ids(text, "program")


def test_a_range_that_runs_backwards_is_named() -> None:
    """It would be no program's, and those meant would begin anew."""
    with pytest.raises(ValueError, match="'5-1' is a range that runs backwards"):
        parse_ids("7, 5-1", "program")


def test_a_huge_range_costs_nothing() -> None:
    """A range written by hand is not expanded."""
    assert parse_ids(f"1-{10**15}", "program") == ((1, 10**15),)


@given(bookmarks)
def test_bookmarks_round_trip_through_cohorts(found: dict[int, datetime]) -> None:
    """Each program is found in exactly one cohort, with its own bookmark, oldest first."""
    board = Bookmarks(NAMES)
    for program_id, mark in found.items():
        board.move([program_id], mark)
    cohorts = board.to_state([])["program_bookmarks"]
    assert Bookmarks(NAMES, read_cohorts(cohorts, NAMES), range(1, 3001)).marks == found
    assert [c["updatedAt"] for c in cohorts] == sorted({c["updatedAt"] for c in cohorts})
    assert len(cohorts) == len(set(found.values()))


@given(segments)
def test_the_oldest_bookmark_wins_where_entries_overlap(drawn: list[Segment]) -> None:
    """Duplicates, overlaps and ranges within ranges cost duplicates, never a gap."""
    expected: dict[int, datetime] = {}
    for first, last, mark in drawn:
        for program_id in range(first, last + 1):
            expected[program_id] = min(mark, expected.get(program_id, mark))
    found = disjoint(drawn)
    assert {p: s.bookmark for s in found for p in range(s.first, s.last + 1)} == expected
    assert all(a.last < b.first for a, b in pairwise(found))


@pytest.mark.parametrize(
    ("entries", "wrong"),
    [
        ([{"updatedAt": "2026-10-21T00:00:00Z"}], "entry 1 .*lacks programIds"),
        ([{"programIds": "1"}], "entry 1 .*lacks updatedAt"),
        ([{"updatedAt": "yesterday", "programIds": "1"}], "entry 1 .*updatedAt"),
        ([{"updatedAt": 12, "programIds": "1"}], "updatedAt is no text but a number"),
        ([{"updatedAt": "2026-10-21T00:00:00Z", "programIds": [1]}], "no text but a list"),
        ([{"updatedAt": "2026-10-21T00:00:00Z", "programIds": 1}], "no text but a number"),
        ([{"updatedAt": "2026-10-21T00:00:00Z", "programIds": None}], "no text but null"),
        ([{"updatedAt": "2026-10-21T00:00:00Z", "programIds": "x"}], "'x' is not a program id"),
        ([{"updatedAt": "2026-10-21T00:00:00Z", "programIds": "5-1"}], "runs backwards"),
        ([3], "entry 1 .*no object but a number"),
        ([None], "no object but null"),
        (["1-5"], "no object but text"),
        ({}, "no list but an object"),
        (5, "no list but a number"),
        (None, "no list but null"),
        (True, "no list but a boolean"),
    ],
)
def test_entries_that_do_not_parse_are_named(entries: Any, wrong: str) -> None:
    """What is wrong with which entry, in words of JSON."""
    with pytest.raises(ValueError, match=wrong):
        read_cohorts(entries, NAMES)

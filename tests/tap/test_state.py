"""Bookmarks survive the state, whoever wrote it."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from marketo_bulk.errors import ConfigurationError
from tap_marketo_bulk.streams.program_members import ProgramMembers
from tap_marketo_bulk.sync.jobs_in_flight import JobInFlight
from tap_marketo_bulk.sync.state import REMEMBERED, Bookmarks, read_bookmarks, write_state
from tap_marketo_bulk.sync.windows import Window, format_timestamp

NAMES = ProgramMembers.names
OCTOBER = datetime(2026, 10, 21, tzinfo=timezone.utc)
NOVEMBER = datetime(2026, 11, 20, 5, tzinfo=timezone.utc)
STATE: dict[str, Any] = {
    "replication_key": "updatedAt",
    "replication_key_value": "2026-10-21T00:00:00Z",
    "program_bookmarks": [
        {"updatedAt": "2026-10-21T00:00:00Z", "programIds": "1050-1051"},
        {"updatedAt": "2026-11-20T05:00:00Z", "programIds": "1001,1044"},
    ],
    "export_jobs": [
        {
            "exportId": "e1",
            "programIds": [1050],
            "fields": "d1",
            "startAt": "2026-10-21T00:00:00Z",
            "endAt": "2026-11-20T05:00:00Z",
        }
    ],
}
PLAIN = {"replication_key": "updatedAt", "replication_key_value": "2026-10-21T00:00:00Z"}
MARKS = {1001: NOVEMBER, 1044: NOVEMBER, 1050: OCTOBER, 1051: OCTOBER}
JOB = JobInFlight("e1", (1050,), "d1", Window(OCTOBER, NOVEMBER))


def bookmarks_of(state: dict[str, Any], *program_ids: int, lists_all: bool = True) -> Bookmarks:
    """Return the bookmarks of a run over these programs."""
    return Bookmarks(NAMES, read_bookmarks(state, NAMES), program_ids, lists_all=lists_all)


def cohorts_of(bookmarks: Bookmarks) -> dict[str, str]:
    """Return the ids of each bookmark, as the state has them."""
    written = bookmarks.to_state([])["program_bookmarks"]
    return {cohort["updatedAt"]: cohort["programIds"] for cohort in written}


def test_state_is_written_as_documented() -> None:
    """The format is an interface: oldest cohort first, its bookmark as replication_key_value."""
    bookmarks = Bookmarks(NAMES)
    for program_id, mark in MARKS.items():
        bookmarks.move([program_id], mark)
    assert write_state({}, bookmarks, [JOB]) == STATE


def test_state_reads_back_what_was_written() -> None:
    """Bookmarks come back, and are written again; a program that is not named is new."""
    bookmarks = bookmarks_of(STATE, 1001, 1044, 1050, 1051, 2000)
    assert bookmarks.marks == MARKS
    assert write_state(STATE, bookmarks, [JOB]) == STATE


@pytest.mark.parametrize("value", ["2026-10-21T00:00:00.9+00:00", "2026-10-20T17:00:00-07:00"])
def test_a_plain_bookmark_holds_for_every_program(value: str) -> None:
    """The state of any SDK tap is accepted, fractions of a second rounded down."""
    plain = {**PLAIN, "replication_key_value": value}
    assert bookmarks_of(plain, 1, 2).marks == {1: OCTOBER, 2: OCTOBER}
    assert cohorts_of(bookmarks_of(plain, 1, 2)) == {"2026-10-21T00:00:00Z": "1-2"}


def test_no_state_means_no_bookmarks() -> None:
    """A first run starts with nothing."""
    assert not bookmarks_of({}, 1)


def test_a_plain_bookmark_is_kept_while_there_is_no_program() -> None:
    """A run that is stopped before its first window must not forget where it stood."""
    kept = write_state(PLAIN, bookmarks_of(PLAIN), [])
    assert bookmarks_of(kept, 1).marks == {1: OCTOBER}


def test_a_program_in_two_cohorts_starts_at_the_older() -> None:
    """A merged or edited state costs duplicates, never a gap."""
    state = {
        "program_bookmarks": [
            {"updatedAt": "2026-11-20T05:00:00Z", "programIds": "1-9"},
            {"updatedAt": "2026-10-21T00:00:00Z", "programIds": "5"},
        ]
    }
    assert bookmarks_of(state, 5).marks == {5: OCTOBER}
    assert cohorts_of(bookmarks_of(state, 5)) == {
        "2026-10-21T00:00:00Z": "5",
        "2026-11-20T05:00:00Z": "1-4,6-9",
    }


def test_moving_a_program_takes_it_out_of_its_cohort() -> None:
    """Cohorts that are empty go."""
    bookmarks = bookmarks_of(STATE, *MARKS)
    bookmarks.move([1050, 1051], NOVEMBER)
    assert cohorts_of(bookmarks) == {"2026-11-20T05:00:00Z": "1001,1044,1050-1051"}


@pytest.mark.parametrize("lists_all", [True, False])
def test_programs_that_a_run_does_not_list_keep_their_bookmarks(*, lists_all: bool) -> None:
    """Whether the run is about a few programs, or Marketo's list was short."""
    bookmarks = bookmarks_of(STATE, 1001, lists_all=lists_all)
    assert bookmarks.marks == {1001: NOVEMBER}
    bookmarks.move([1001], NOVEMBER + timedelta(days=1))
    assert cohorts_of(bookmarks) == {
        "2026-10-21T00:00:00Z": "1050-1051",
        "2026-11-20T05:00:00Z": "1044",
        "2026-11-21T05:00:00Z": "1001",
    }


def test_a_plain_bookmark_goes_on_for_programs_that_a_run_is_not_about() -> None:
    """The first run is about two programs only; the next is about all."""
    bookmarks = bookmarks_of(PLAIN, 7, 9, lists_all=False)
    bookmarks.move([7, 9], NOVEMBER)
    state = write_state(PLAIN, bookmarks, [])
    following = bookmarks_of(state, 1, 7, 8, 9, 10**9)
    assert following.marks == {1: OCTOBER, 7: NOVEMBER, 8: OCTOBER, 9: NOVEMBER, 10**9: OCTOBER}
    following.move(list(following.marks), NOVEMBER + timedelta(days=1))
    assert cohorts_of(following) == {"2026-11-21T05:00:00Z": "1,7-9,1000000000"}


@pytest.mark.parametrize(("further", "kept"), [(0, True), (1, False)])
def test_a_program_no_longer_listed_is_forgotten_in_the_end(further: int, *, kept: bool) -> None:
    """STATE does not grow for ever: 90 days behind the newest bookmark are the most."""
    newest = OCTOBER + REMEMBERED + timedelta(seconds=further)
    cohorts = [
        {"updatedAt": format_timestamp(OCTOBER), "programIds": "1-3"},
        {"updatedAt": format_timestamp(newest), "programIds": "4"},
    ]
    bookmarks = bookmarks_of({"program_bookmarks": cohorts}, 2, 4)
    assert bookmarks.marks == {2: OCTOBER, 4: newest}
    assert cohorts_of(bookmarks)[format_timestamp(OCTOBER)] == ("1-3" if kept else "2")


def test_years_before_1000_have_four_digits() -> None:
    """The next run reads what this one writes."""
    early = datetime(1, 1, 1, tzinfo=timezone.utc)
    bookmarks = Bookmarks(NAMES)
    bookmarks.move([1], early)
    bookmarks.move([2], NOVEMBER)
    state = write_state({}, bookmarks, [])
    assert state["replication_key_value"] == "0001-01-01T00:00:00Z"
    assert bookmarks_of(state, 1, 2).marks == {1: early, 2: NOVEMBER}


@pytest.mark.parametrize(
    "broken",
    [
        {"program_bookmarks": [{"updatedAt": "yesterday", "programIds": "1"}]},
        {"program_bookmarks": [{"updatedAt": "2026-10-21T00:00:00Z", "programIds": "x"}]},
        {"program_bookmarks": [{"programIds": "1"}]},
        {"program_bookmarks": 5},
        {"program_bookmarks": None},
        {"replication_key_value": 12},
        {"replication_key_value": "2026-10-21"},
        {"replication_key_value": ["2026-10-21T00:00:00Z"]},
    ],
)
def test_a_state_that_does_not_parse_is_an_error(broken: dict[str, Any]) -> None:
    """A broken bookmark is never taken for no bookmark."""
    with pytest.raises(ConfigurationError, match="program_members") as caught:
        read_bookmarks(broken, NAMES)
    assert "\n" not in str(caught.value)

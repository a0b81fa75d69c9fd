"""Bookmarks survive the state, whoever wrote it."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from marketo_bulk.errors import ConfigurationError
from tap_marketo_bulk.bookmarks import JobInFlight, read_bookmarks, read_jobs, write_state
from tap_marketo_bulk.windows import Window

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
MARKS = {1001: NOVEMBER, 1044: NOVEMBER, 1050: OCTOBER, 1051: OCTOBER}
JOB = JobInFlight("e1", (1050,), "d1", Window(OCTOBER, NOVEMBER))


def test_state_is_written_as_documented() -> None:
    """The format is an interface: oldest cohort first, its bookmark as replication_key_value."""
    assert write_state({}, MARKS, [JOB]) == STATE


def test_state_reads_back_what_was_written() -> None:
    """Bookmarks and jobs come back; a program that is not named is new."""
    assert read_bookmarks(STATE, [1001, 1044, 1050, 1051, 2000]) == MARKS
    assert read_jobs(STATE) == [JOB]


def test_a_plain_bookmark_holds_for_every_program() -> None:
    """The state of any SDK tap is accepted, fractions of a second rounded down."""
    plain = {"replication_key": "updatedAt", "replication_key_value": "2026-10-21T00:00:00.9+00:00"}
    assert read_bookmarks(plain, [1, 2]) == {1: OCTOBER, 2: OCTOBER}


def test_no_state_means_no_bookmarks() -> None:
    """A first run starts with nothing."""
    assert (read_bookmarks({}, [1]), read_jobs({})) == ({}, [])


def test_a_plain_bookmark_is_kept_until_a_window_is_written() -> None:
    """A run that is stopped before its first window must not forget where it stood."""
    plain = {"replication_key": "updatedAt", "replication_key_value": "2026-10-21T00:00:00Z"}
    kept = write_state(plain, {}, [])
    assert read_bookmarks(kept, [1]) == {1: OCTOBER}


def test_a_program_in_two_cohorts_starts_at_the_older() -> None:
    """A merged or edited state costs duplicates, never a gap."""
    state = {
        "program_bookmarks": [
            {"updatedAt": "2026-11-20T05:00:00Z", "programIds": "1-9"},
            {"updatedAt": "2026-10-21T00:00:00Z", "programIds": "5"},
        ]
    }
    assert read_bookmarks(state, [5])[5] == OCTOBER


@pytest.mark.parametrize(
    "broken",
    [
        {"program_bookmarks": [{"updatedAt": "yesterday", "programIds": "1"}]},
        {"program_bookmarks": [{"updatedAt": "2026-10-21T00:00:00Z", "programIds": "x"}]},
        {"program_bookmarks": [{"programIds": "1"}]},
        {"program_bookmarks": 5},
        {"replication_key_value": 12},
    ],
)
def test_a_state_that_does_not_parse_is_an_error(broken: dict[str, Any]) -> None:
    """A broken bookmark is never taken for no bookmark."""
    with pytest.raises(ConfigurationError, match="program_members"):
        read_bookmarks(broken, [1])


@pytest.mark.parametrize("broken", [[{"exportId": "e"}], [{"programIds": []}], [3]])
def test_jobs_that_do_not_parse_are_an_error(broken: list[Any]) -> None:
    """A broken list of jobs says that it can be removed."""
    with pytest.raises(ConfigurationError, match="export_jobs"):
        read_jobs({"export_jobs": broken})


def test_jobs_come_oldest_window_first() -> None:
    """Jobs are taken over in the order of their windows, those without one first."""
    whole = JobInFlight("e0", (7,), "d1")
    older = JobInFlight("e2", (1050,), "d1", Window(OCTOBER, OCTOBER))
    state = write_state({}, {}, [JOB, older, whole])
    assert [whole, older, JOB] == read_jobs(state)

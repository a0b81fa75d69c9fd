"""Jobs in flight survive the state, and what is no job is named."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from marketo_bulk.errors import ConfigurationError
from tap_marketo_bulk.streams.program_members import ProgramMembers
from tap_marketo_bulk.sync.jobs_in_flight import JobInFlight, read_jobs
from tap_marketo_bulk.sync.windows import Window

NAMES = ProgramMembers.names
OCTOBER = datetime(2026, 10, 21, tzinfo=timezone.utc)
NOVEMBER = datetime(2026, 11, 20, 5, tzinfo=timezone.utc)
WINDOW = {"startAt": "2026-10-21T00:00:00Z", "endAt": "2026-11-20T05:00:00Z"}
ENTRY: dict[str, Any] = {"exportId": "e1", "programIds": [1050], "fields": "d1", **WINDOW}
JOB = JobInFlight("e1", (1050,), "d1", Window(OCTOBER, NOVEMBER))


@pytest.mark.parametrize(
    "job",
    [
        JOB,
        JobInFlight("e2", (1, 2), "d"),
        JobInFlight("e3", (1,), "d", Window(OCTOBER, OCTOBER), ("webinarUrl",)),
    ],
)
def test_a_job_reads_back_as_it_was_written(job: JobInFlight) -> None:
    """With or without a window, or fields that export refused."""
    assert read_jobs({"export_jobs": [job.to_state(NAMES)]}, NAMES) == [job]


def test_no_jobs_are_none() -> None:
    """A state need not have the key."""
    assert (read_jobs({}, NAMES), read_jobs({"export_jobs": []}, NAMES)) == ([], [])


def test_jobs_come_oldest_window_first() -> None:
    """Jobs are taken over in the order of their windows, those without one first."""
    whole = JobInFlight("e0", (7,), "d1")
    older = JobInFlight("e2", (1050,), "d1", Window(OCTOBER, OCTOBER))
    state = {"export_jobs": [job.to_state(NAMES) for job in (JOB, older, whole)]}
    assert [whole, older, JOB] == read_jobs(state, NAMES)


@pytest.mark.parametrize("ids", [[1050], [1050, 1050], "1050", "1050-1050", "1050,1050"])
def test_a_job_listed_twice_is_one(ids: object) -> None:
    """Its twin would find the bookmark moved and cancel it."""
    assert read_jobs({"export_jobs": [ENTRY, {**ENTRY, "programIds": ids}]}, NAMES) == [JOB]


@pytest.mark.parametrize(
    "other",
    [
        {"programIds": [1051]},
        {"fields": "d2"},
        {"endAt": "2026-11-01T00:00:00Z"},
        {"without": ["webinarUrl"]},
    ],
)
def test_two_entries_that_differ_about_one_job_are_an_error(other: dict[str, Any]) -> None:
    """Which of them says what the file holds, nobody knows."""
    with pytest.raises(ConfigurationError, match="entry 2: another entry"):
        read_jobs({"export_jobs": [ENTRY, {**ENTRY, **other}]}, NAMES)


WRONG: list[tuple[object, str]] = [
    ({**ENTRY, "programIds": "1-3000000000"}, "entry 1: .*3000000000 programs"),
    ({**ENTRY, "programIds": f"1-{10**17}"}, "programs, and a job has 1 to 10"),
    ({**ENTRY, "programIds": "1-6,11-16"}, "12 programs"),
    ({**ENTRY, "programIds": list(range(11))}, "11 programs"),
    ({**ENTRY, "programIds": []}, "0 programs"),
    ({**ENTRY, "programIds": ""}, "names 0 programs"),
    ({**ENTRY, "programIds": "5-1"}, "runs backwards"),
    ({**ENTRY, "programIds": [True]}, "a boolean"),
    ({**ENTRY, "programIds": [1.5]}, "no whole number"),
    ({**ENTRY, "programIds": ["1"]}, "text"),
    ({**ENTRY, "programIds": [None]}, "has null that is no whole number"),
    ({**ENTRY, "programIds": None}, "null"),
    ({**ENTRY, "programIds": 1050}, "no list but a number"),
    ({**ENTRY, "exportId": None}, "exportId is no text but null"),
    ({**ENTRY, "fields": 5}, "fields is no text"),
    ({**ENTRY, "without": "webinarUrl"}, "without is no list"),
    ({**ENTRY, "startAt": None}, "startAt is no text but null"),
    ({**ENTRY, "endAt": "soon"}, "endAt"),
    ({**ENTRY, "endAt": "2026-10-20T00:00:00Z"}, "endAt lies before startAt"),
    ({k: v for k, v in ENTRY.items() if k != "endAt"}, "lacks endAt"),
    ({k: v for k, v in ENTRY.items() if k != "startAt"}, "lacks startAt"),
    ({"exportId": "e"}, "lacks fields"),
    ({"programIds": []}, "lacks exportId"),
    (3, "no object but a number"),
    (None, "no object but null"),
]


@pytest.mark.parametrize(("entry", "why"), WRONG)
def test_jobs_that_do_not_parse_are_one_line(entry: object, why: str) -> None:
    """A broken list of jobs says which entry, and that it can be removed."""
    with pytest.raises(ConfigurationError, match=why) as caught:
        read_jobs({"export_jobs": [entry]}, NAMES)
    assert "export_jobs" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("broken", [None, 5, {"e1": ENTRY}, "e1", True])
def test_jobs_that_are_no_list_are_one_line(broken: object) -> None:
    """Null is no list either."""
    with pytest.raises(ConfigurationError, match=r"export_jobs .* no list but"):
        read_jobs({"export_jobs": broken}, NAMES)


def test_windows_share_their_seconds() -> None:
    """Fractions that somebody wrote are cut off, as in bookmarks."""
    (job,) = read_jobs({"export_jobs": [{**ENTRY, "endAt": "2026-11-20T05:00:00.9Z"}]}, NAMES)
    assert job.window == Window(OCTOBER, NOVEMBER + timedelta(0))

"""Jobs of an earlier run are taken over only where they leave no gap."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from marketo_bulk import PROGRAM_MEMBERS, ExportRequest, MarketoBulk
from marketo_emulator.faults.fault import Fault
from tap_marketo_bulk.streams.program_members import ProgramMembers
from tap_marketo_bulk.sync.adoption import Adoption, adopt_jobs
from tap_marketo_bulk.sync.jobs_in_flight import JobInFlight
from tap_marketo_bulk.sync.reach import Reach
from tap_marketo_bulk.sync.takeover import cancel_unfit, find_jobs
from tap_marketo_bulk.sync.windows import Window
from tests.tap_runs import make_tap

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from marketo_emulator import Emulator

NOW = datetime(2026, 6, 15, 12, tzinfo=timezone.utc)
DAY = timedelta(days=1)
SNAPSHOT = Reach(NOW, timedelta(seconds=60))


def digest(without: Collection[str]) -> str:
    """Return the digest of what this run asks for."""
    return "-".join(("d", *without))


def take_over(
    client: MarketoBulk, jobs: list[JobInFlight], starts: Mapping[int, datetime | None]
) -> Adoption:
    """Look at jobs, adopt what fits, and cancel the rest."""
    found = find_jobs(client, PROGRAM_MEMBERS, jobs)
    now = client.server_now()
    adoption = adopt_jobs(ProgramMembers.names, found, starts, digest, SNAPSHOT, now)
    cancel_unfit(client, PROGRAM_MEMBERS, adoption.unfit)
    return adoption


@pytest.fixture
def client(emulator: Emulator) -> Iterator[MarketoBulk]:
    """Return a client of the emulator."""
    with make_tap(emulator).client as client:
        yield client


def job_of(client: MarketoBulk, window: Window | None, *program_ids: int) -> JobInFlight:
    """Return a job that exists, as a state would have it."""
    request = ExportRequest(PROGRAM_MEMBERS, ("leadId",), {"programIds": list(program_ids)})
    return JobInFlight(client.create_export(request).export_id, program_ids, "d", window)


def test_a_job_that_begins_at_the_bookmark_is_taken_over(client: MarketoBulk) -> None:
    """Its programs go on after it."""
    job = job_of(client, Window(NOW - 9 * DAY, NOW - 5 * DAY), 1001, 1002)
    starts = dict.fromkeys((1001, 1002, 1003), NOW - 9 * DAY)
    adoption = take_over(client, [job], starts)
    assert [u.scope for u in adoption.units] == [(1001, 1002)]
    assert adoption.starts == {
        1001: NOW - 5 * DAY,
        1002: NOW - 5 * DAY,
        1003: NOW - 9 * DAY,
    }


def test_consecutive_jobs_are_taken_over_in_order(client: MarketoBulk) -> None:
    """The second begins where the first ends."""
    first = job_of(client, Window(NOW - 9 * DAY, NOW - 5 * DAY), 1001)
    second = job_of(client, Window(NOW - 5 * DAY, NOW - DAY), 1001)
    adoption = take_over(client, [first, second], {1001: NOW - 9 * DAY})
    assert adoption.starts == {1001: NOW - DAY}


@pytest.mark.parametrize(
    "unfit",
    ["gap", "done", "fields", "program", "no window needed", "window for a new program"],
)
def test_a_job_that_does_not_fit_is_cancelled(
    client: MarketoBulk, emulator: Emulator, unfit: str
) -> None:
    """Nobody would read it, and it holds one of ten places."""
    window = Window(NOW - 5 * DAY, NOW - DAY)
    job = job_of(client, None if unfit == "no window needed" else window, 1001)
    start: datetime | None = NOW - 5 * DAY
    if unfit == "gap":
        start = NOW - 6 * DAY
    elif unfit == "done":
        start = NOW - DAY
    elif unfit == "window for a new program":
        start = None
    if unfit == "fields":
        job = replace(job, fields="other")
    starts = {1002 if unfit == "program" else 1001: start}
    adoption = take_over(client, [job], starts)
    assert (adoption.units, adoption.starts) == ((), starts)
    assert [j.status.value for j in emulator.jobs] == ["Cancelled"]


@pytest.mark.parametrize("code", ["1003", "1029"])
def test_a_job_that_cannot_be_cancelled_ends_no_run(
    client: MarketoBulk, emulator: Emulator, code: str
) -> None:
    """It may have finished although its status does not show it yet, and is of no use anyway."""
    job = job_of(client, Window(NOW - 5 * DAY, NOW - DAY), 1001)
    emulator.faults.add(Fault(operation="export.cancel", code=code, message="already Completed"))
    starts = {1001: NOW - 6 * DAY}
    assert take_over(client, [job], starts).units == ()


def test_a_whole_membership_is_taken_over_up_to_its_creation(client: MarketoBulk) -> None:
    """What changes after the job was created comes in a window behind it."""
    job = job_of(client, None, 1001)
    adoption = take_over(client, [job], {1001: None})
    assert adoption.starts == {1001: NOW - timedelta(seconds=60)}


def test_a_job_older_than_its_file_lives_is_forgotten(
    client: MarketoBulk, emulator: Emulator
) -> None:
    """Marketo deletes files after seven days."""
    job = job_of(client, None, 1001)
    emulator.advance(8 * 86_400)
    assert take_over(client, [job], {1001: None}).units == ()


def test_a_job_marketo_does_not_know_is_forgotten(client: MarketoBulk) -> None:
    """A job of another API user, or one whose status has expired."""
    job = JobInFlight("00000000-0000-4000-8000-000000000000", (1001,), "d")
    assert take_over(client, [job], {1001: None}).units == ()

"""Every call and every job stays within Marketo's limits and the configured ones."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from marketo_bulk import MarketoBulk
from marketo_emulator import Emulator, Options, VirtualClock
from marketo_emulator.faults.fault import Fault
from singer_marketo.settings import connection_from
from tap_marketo_bulk.tap import TapMarketoBulk
from tests.tap_runs import capture, created_jobs, make_tap, members_of, moment, settings_for
from tests.virtual_runs import VirtualTime

if TYPE_CHECKING:
    import pytest

    from marketo_emulator.wire.request_log import LoggedRequest

NOW = datetime(2026, 6, 15, 12, tzinfo=timezone.utc)


def run_against(emulator: Emulator, monkeypatch: pytest.MonkeyPatch, **config: object) -> None:
    """Run the tap, with its own pacing, against an emulator that records everything."""
    tap = TapMarketoBulk(config=settings_for(emulator, config))
    with tap.client:
        run = capture(tap.sync_all, monkeypatch)
    assert members_of(emulator).items() >= run.table().items()


def paced(emulator: Emulator) -> list[LoggedRequest]:
    """Return the calls that Marketo counts, in their order."""
    return [r for r in emulator.requests if not r.operation.startswith("identity")]


def test_jobs_stay_within_marketos_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """At most 10 programs, 31 days, no milliseconds, one of the two program filters."""
    options = Options(max_calls_per_window=10**6)
    with Emulator(
        programs=21, members=200, job_seconds=0, clock=VirtualClock(), options=options
    ) as emulator:
        start = (NOW - timedelta(days=70)).isoformat()
        run_against(emulator, monkeypatch, start_date=start, calls_per_20_seconds=100)
        jobs = created_jobs(emulator)
    assert len(jobs) >= 8
    for job in jobs:
        assert 1 <= len(job["filter"]["programIds"]) <= 10
        assert "programId" not in job["filter"]
        window = job["filter"]["updatedAt"]
        start_at, end_at = (moment(window[k]) for k in ("startAt", "endAt"))
        assert timedelta(0) < end_at - start_at <= timedelta(days=31)
        assert "." not in window["startAt"] + window["endAt"]
        assert set(job["fields"]) == job["columnHeaderNames"].keys()


def test_calls_stay_within_the_configured_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    """No 20 s hold more calls than set, in a run that would make them all at once."""
    with Emulator(programs=12, members=100, job_seconds=0, clock=VirtualClock()) as emulator:
        time = VirtualTime(emulator)
        config = settings_for(emulator, {"calls_per_20_seconds": 4})
        with MarketoBulk.connect(connection_from(config), clock=time.for_client()) as client:
            tap = make_tap(emulator, config, client=client)
            tap.clock = time.for_client()
            run = capture(tap.sync_all, monkeypatch)
        assert run.table().keys() == members_of(emulator).keys()
        calls = paced(emulator)
    moments = [call.started_at for call in calls]
    apart = [later - first for first, later in zip(moments, moments[4:], strict=False)]
    assert len(apart) > 4
    assert min(apart) > timedelta(seconds=20)
    assert {""} == {call.error_code for call in calls}


def test_calls_stay_within_the_configured_concurrency(monkeypatch: pytest.MonkeyPatch) -> None:
    """None runs beside more others than set, while files come slowly and jobs are polled."""
    options = Options(status_refresh_seconds=0, max_calls_per_window=10**6)
    with Emulator(programs=32, members=100, job_seconds=0, options=options) as emulator:
        emulator.faults.add(Fault(operation="export.file", delay_seconds=0.05, times=None))
        run_against(emulator, monkeypatch, calls_per_20_seconds=100, max_concurrent_calls=1)
        calls = paced(emulator)
    # Without a limit two files arrive while a job is looked at.
    assert {1} == {call.concurrency for call in calls}
    assert {""} == {call.error_code for call in calls}


def test_no_more_jobs_are_queued_than_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    """`max_queued_jobs` bounds the places taken in the shared queue at every moment."""
    with Emulator(
        programs=30, members=100, job_seconds=0.1, options=Options(status_refresh_seconds=0)
    ) as emulator:
        start = (datetime.now(timezone.utc) - timedelta(days=50)).isoformat()
        run_against(
            emulator,
            monkeypatch,
            start_date=start,
            max_queued_jobs=3,
            poll_interval_seconds=0.05,
            calls_per_20_seconds=100,
        )
        jobs = emulator.jobs
    assert len(jobs) >= 5
    for job in jobs:
        began = job.queued_at
        assert began is not None
        waiting = [
            other
            for other in jobs
            if other.queued_at is not None
            and other.finished_at is not None
            and other.queued_at <= began < other.finished_at
        ]
        assert len(waiting) <= 3

"""Budgets of the day: a run stops before it takes more than its share, and goes on the next day."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest

from marketo_bulk.errors import BudgetReachedError, DailyQuotaExceededError
from marketo_bulk.http.budget import Budget, day_start
from marketo_bulk.http.protocol import Envelope
from marketo_bulk.metadata.usage import calls_of
from marketo_emulator import Emulator, Fault, VirtualClock
from singer_marketo.exit_codes import EXIT_TRY_LATER
from singer_marketo.exits import exit_code_of
from tests.tap_runs import created_jobs, members_of, settings_for
from tests.virtual_runs import VirtualRuns

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.tap_runs import TapRun

SUMMER = datetime(2026, 7, 1, 12, tzinfo=timezone.utc)
CONFIG = {"start_date": "2025-01-01T00:00:00Z", "max_queued_jobs": 1}


@pytest.fixture
def runs(make_emulator: Callable[..., Emulator], monkeypatch: pytest.MonkeyPatch) -> VirtualRuns:
    """Return runs on a virtual clock, of a few programs over many windows."""
    emulator = make_emulator(members=300, job_seconds=20.0, clock=VirtualClock(SUMMER))
    return VirtualRuns(emulator, monkeypatch)


def stopped(runs: VirtualRuns, config: dict[str, Any], **more: Any) -> tuple[Any, TapRun]:
    """Return what a run is stopped by, and what it has written."""
    with pytest.raises(BudgetReachedError) as caught:
        runs.run({**CONFIG, **config}, **more)
    return caught.value, caught.value.run  # type: ignore[attr-defined]


def whole(runs: VirtualRuns, *made: TapRun) -> bool:
    """Return whether runs together have brought all members."""
    start = CONFIG["start_date"]
    members: dict[Any, Any] = members_of(runs.emulator)
    wanted = {key for key, member in members.items() if member["updatedAt"] >= start}
    return wanted == {key for run in made for key in run.table()}


def sizes(emulator: Emulator) -> list[int]:
    """Return the bytes of each file there is."""
    return [job.file.size_bytes for job in emulator.jobs if job.file is not None]


def calls(emulator: Emulator) -> int:
    """Return how many calls were made that Marketo counts."""
    return len([entry for entry in emulator.requests if entry.operation != "identity.token"])


@pytest.mark.parametrize("setting", ["daily_bytes_budget_mb", "daily_calls_budget"])
def test_a_budget_stops_a_run_and_the_next_days_run_goes_on(
    runs: VirtualRuns, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    """As a used-up quota does: exit code 75, STATE, and a line that says when to come back."""
    monkeypatch.setattr("tap_marketo_bulk.settings.MEGABYTE", 1_000)
    budget = {"daily_bytes_budget_mb": 8, "daily_calls_budget": 40}[setting]
    error, first = stopped(runs, {setting: budget})
    assert isinstance(error, DailyQuotaExceededError)
    assert exit_code_of(error) == EXIT_TRY_LATER
    assert setting in str(error)
    assert "Run again after 2026-07-02T06:02Z" in str(error)
    if setting == "daily_calls_budget":
        assert calls(runs.emulator) <= budget
    else:
        assert sum(sizes(runs.emulator)[:-1]) < 8_000 <= sum(sizes(runs.emulator))
    assert not whole(runs, first)
    # Another run on the same day does nothing.
    jobs = len(created_jobs(runs.emulator))
    _, second = stopped(runs, {setting: budget}, state=first.last_state)
    assert len(created_jobs(runs.emulator)) == jobs
    assert second.records() == []
    made = [first]
    for _ in range(30):
        runs.emulator.advance(86_400)
        try:
            made.append(runs.run({**CONFIG, setting: budget}, state=made[-1].last_state))
        except BudgetReachedError as stop:
            made.append(stop.run)  # type: ignore[attr-defined]
        else:
            break
    assert whole(runs, *made)


def test_files_of_earlier_runs_of_the_day_count(
    runs: VirtualRuns, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever their stream; those of yesterday do not."""
    monkeypatch.setattr("tap_marketo_bulk.settings.MEGABYTE", 1_000)
    runs.run(CONFIG)
    used = sum(sizes(runs.emulator))
    error, again = stopped(runs, {"daily_bytes_budget_mb": used // 1_000})
    assert f"{used:,} of {used // 1_000 * 1_000:,} are used today" in str(error)
    assert again.records() == []
    runs.emulator.advance(86_400)
    with caplog.at_level(logging.INFO):
        runs.run({**CONFIG, "daily_bytes_budget_mb": used // 500})
    assert "used of today's budgets: " in caplog.text


def test_a_budget_is_waited_for_where_quotas_are(
    runs: VirtualRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With `on_daily_quota: wait` one run does it all, a share a day."""
    monkeypatch.setattr("tap_marketo_bulk.settings.MEGABYTE", 1_000)
    config = {**CONFIG, "on_daily_quota": "wait", "daily_bytes_budget_mb": 20}
    run = runs.run(config)
    assert whole(runs, run)
    assert runs.time.now > SUMMER.replace(day=2)


@pytest.mark.parametrize("budget", [1, 2, 3, 4])
def test_calls_for_descriptions_are_in_the_budget(
    make_emulator: Callable[..., Emulator], tmp_path: Path, budget: int
) -> None:
    """A run asks for its usage first; once the budget is reached, another one asks for no more."""
    emulator = make_emulator()
    config = settings_for(emulator, {"daily_calls_budget": budget, "job_journal": str(tmp_path)})
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config))
    command = [sys.executable, "-m", "tap_marketo_bulk", "--config", str(path)]
    for made in (budget, budget + 1):
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        assert run.returncode == EXIT_TRY_LATER
        assert f"daily_calls_budget: {made} of {budget} are used today" in run.stderr
        assert calls(emulator) == made


def test_calls_of_others_are_not_this_users(runs: VirtualRuns) -> None:
    """Its own are known by the scope of its token."""
    runs.emulator.others_use(calls=20_000)
    runs.run({**CONFIG, "daily_calls_budget": 10_000})
    runs.emulator.faults.add(Fault(operation="identity.token", drop=("scope",), times=None))
    error, _ = stopped(runs, {"daily_calls_budget": 10_000})
    assert "daily_calls_budget" in str(error)


def test_usage_is_read_whatever_form_it_has() -> None:
    """An odd answer counts for nothing rather than ending a run."""
    days = (
        {"date": "2026-07-01", "total": 9, "users": [{"userId": "A@x.com", "count": 4}]},
        {"users": ["odd", {"userId": "a@x.com", "count": "odd"}]},
    )
    envelope = Envelope("read the usage", result=days)
    assert calls_of(envelope, "a@x.com") == 4
    assert calls_of(envelope, "b@x.com") == 0
    assert calls_of(envelope, "") == 9
    assert calls_of(Envelope("read the usage"), "") == 0


@pytest.mark.parametrize(
    ("hour", "begins"), [(4, "30T05"), (5, "30T05"), (6, "01T05"), (23, "01T05")]
)
def test_a_day_begins_at_the_earlier_reading_and_ends_at_the_later(hour: int, begins: str) -> None:
    """So a budget never takes too much, whichever Marketo means."""
    assert f"{day_start(SUMMER.replace(hour=hour)):%dT%H}" == begins


def test_a_budget_begins_anew_with_the_day() -> None:
    """What was used before counts for the day that was."""
    now = SUMMER
    budget = Budget("daily_calls_budget", 10, 9, lambda: now, of_calls=True)
    budget.check()
    budget.add(1)
    with pytest.raises(BudgetReachedError, match="10 of 10"):
        budget.check()
    now = SUMMER.replace(day=2, hour=6, minute=1)
    with pytest.raises(BudgetReachedError):
        budget.check()
    now = SUMMER.replace(day=2, hour=6, minute=2)
    budget.check()
    assert budget.used == 0

"""The daily quota during a load: stop, or wait for the reset, as `on_daily_quota` says."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pytest
from typing_extensions import override

from marketo_bulk.errors import DailyQuotaExceededError, JobTimeoutError
from marketo_emulator import Emulator, Fault, VirtualClock
from singer_marketo.settings import connection_from
from target_marketo_bulk.load import Load
from target_marketo_bulk.settings import ImportSettings
from target_marketo_bulk.target import TargetMarketoBulk
from tests.target import runs
from tests.target.runs import leads, people, singer_lines
from tests.virtual_runs import VirtualTime

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.target.runs import Record, Run

AFTERNOON = datetime(2026, 7, 1, 20, 0, 30, tzinfo=timezone.utc)
RESET = datetime(2026, 7, 2, 5, 2, tzinfo=timezone.utc)
WAIT = {"on_daily_quota": "wait", "poll_interval_seconds": 10}
CALLS = ["identity.token", "describe.leads", "import.create", "import.status", "import.failures"]


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """An instance on a clock that only waiting moves, whose imports take a minute."""
    with Emulator(programs=0, members=0, job_seconds=60, clock=VirtualClock(AFTERNOON)) as running:
        yield running


@pytest.fixture
def time(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> VirtualTime:
    """The instance's time, which is the target's, too."""
    moving = VirtualTime(emulator)

    class VirtualTarget(TargetMarketoBulk):
        """The target on that time."""

        @cached_property
        @override
        def load(self) -> Load:
            return Load(
                ImportSettings.parse(self.config),
                connection_from(self.config),
                emit_state=print,
                check_signals=lambda: None,
                clock=moving.for_client(),
                now=lambda: moving.now,
            )

    monkeypatch.setattr(runs, "TargetMarketoBulk", VirtualTarget)
    return moving


def refused(emulator: Emulator, operation: str) -> list[Any]:
    """Return the calls of an operation that the quota refused."""
    return [e for e in emulator.requests.of(operation) if e.error_code == "607"]


@pytest.mark.parametrize("operation", CALLS)
@pytest.mark.fault(
    "A15",
    "… while leads are loaded, with `on_daily_quota: wait`",
    "the target waits for the reset, makes no call meanwhile, and loads them all",
)
def test_a15_used_up_calls_are_waited_for(
    emulator: Emulator,
    time: VirtualTime,
    config: Record,
    run: Callable[..., Run],
    operation: str,
) -> None:
    """One refused call, one line that says until when, and nothing lost or sent twice."""
    emulator.faults.add(Fault(operation=operation, code="607"))
    too_long = {"email": "q@load.test", "firstName": "x" * 300}
    result = run(singer_lines([*people(19), too_long]), {**config, **WAIT})
    assert result.error is None, result.log
    assert result.states == [{"records": 20}]
    assert len(refused(emulator, operation)) == 1
    later = [e for e in emulator.requests if e.started_at > AFTERNOON + timedelta(hours=1)]
    # The token has run out meanwhile.
    assert operation in {entry.operation for entry in later[:2]}
    assert later[0].started_at >= RESET
    assert result.log.count("Waiting until 2026-07-02T05:02:00Z") == 1
    assert len(emulator.imports) == 1
    assert time.now >= RESET
    assert len(leads(emulator)) == 19


def test_a_quota_that_stays_used_up_is_waited_for_again(
    emulator: Emulator, time: VirtualTime, config: Record, run: Callable[..., Run]
) -> None:
    """Marketo names two hours for its midnight; asking at the earlier one costs one call."""
    emulator.faults.add(Fault(operation="import.create", code="607", times=3))
    result = run(singer_lines(people(5)), {**config, **WAIT})
    assert result.error is None, result.log
    waited = re.findall(r"Waiting until (\S+)Z", result.log)
    assert waited == ["2026-07-02T05:02:00", "2026-07-02T06:02:00", "2026-07-03T05:02:00"]
    assert time.now >= RESET + timedelta(days=1)


def test_nothing_times_out_while_the_reset_is_waited_for(
    emulator: Emulator, time: VirtualTime, config: Record, run: Callable[..., Run]
) -> None:
    """An import that is under way meanwhile has its full time."""
    emulator.faults.add(
        Fault(operation="import.status", code="607"),
        # Just after the reset Marketo is still at it.
        Fault(operation="import.status", nth=2, put={"result.0.status": "Importing"}, times=3),
    )
    result = run(singer_lines(people(5)), {**config, **WAIT, "import_timeout_seconds": 600})
    assert not isinstance(result.error, JobTimeoutError)
    assert result.error is None, result.log
    assert time.now >= RESET


@pytest.mark.parametrize("operation", CALLS[:-1])
@pytest.mark.parametrize("choice", [{}, {"on_daily_quota": "stop"}, {"on_daily_quota": None}])
def test_a_target_that_is_not_to_wait_stops_at_once(
    emulator: Emulator,
    time: VirtualTime,
    config: Record,
    run: Callable[..., Run],
    operation: str,
    choice: Record,
) -> None:
    """As before there was a choice; no STATE claims what was not imported."""
    emulator.faults.add(Fault(operation=operation, code="607", times=None))
    result = run(singer_lines(people(5)), {**config, **choice})
    assert isinstance(result.error, DailyQuotaExceededError)
    assert result.states == []
    assert len(refused(emulator, operation)) == 1
    assert time.now < AFTERNOON + timedelta(minutes=5)


@pytest.mark.parametrize("operation", ["describe.leads", "import.create", "import.status"])
def test_a_signal_ends_the_wait_for_the_reset(
    emulator: Emulator, config: Record, tmp_path: Path, operation: str
) -> None:
    """Hours of sleep are no reason to be killed."""
    emulator.faults.add(Fault(operation=operation, code="607", times=None))
    path = tmp_path / "config.json"
    path.write_text(json.dumps({**config, **WAIT, "poll_interval_seconds": 0.01}))
    with subprocess.Popen(
        [sys.executable, "-m", "target_marketo_bulk", "--config", str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        process.stdin.write(singer_lines(people(5)))
        process.stdin.close()
        said = next(line for line in process.stderr if b"Waiting until" in line)
        assert b"607" in said
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 128 + signal.SIGTERM
        assert b"Traceback" not in process.stderr.read()

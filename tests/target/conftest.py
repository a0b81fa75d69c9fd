"""What the tests of the target share: an emulator, a configuration and a run."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from marketo_emulator import Emulator
from tests.target.runs import run_in_process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.target.runs import Record, Run


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """An instance without leads whose imports take no time."""
    with Emulator(programs=0, members=0, job_seconds=0) as running:
        yield running


@pytest.fixture
def config(emulator: Emulator, tmp_path: Path) -> Record:
    """Settings that lead to the emulator and wait for nothing long."""
    return {
        "base_url": emulator.base_url,
        "client_id": emulator.client_id,
        "client_secret": emulator.client_secret,
        "calls_per_20_seconds": 100,
        "poll_interval_seconds": 0.01,
        "rejects_path": str(tmp_path / "rejects"),
        "max_retry_seconds": 20,
    }


@pytest.fixture
def run(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Iterator[Callable[..., Run]]:
    """A function that runs the target in this process on lines of input."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    yield lambda lines, config: run_in_process(lines, config, tmp_path / "rejects", caplog)
    for number, handler in handlers.items():
        signal.signal(number, handler)

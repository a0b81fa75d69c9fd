"""Signals and kills: what a run that is broken off leaves behind."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import pytest

from marketo_emulator import Emulator
from marketo_emulator.faults.fault import Fault
from marketo_emulator.options import Options
from tests.target.runs import leads, people, read_json_lines, singer_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.target.runs import Record

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 60
"""Longer than any healthy machine needs; only a test that fails waits so long."""


class Process:
    """The target as a process of its own, with its pipes."""

    def __init__(self, config: Record, directory: Path) -> None:
        path = directory / "config.json"
        path.write_text(json.dumps(config))
        self.log = directory / "log.txt"
        log = self.log.open("wb")
        self.child = subprocess.Popen(
            [sys.executable, "-m", "target_marketo_bulk", "--config", str(path)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        log.close()
        assert self.child.stdin is not None
        assert self.child.stdout is not None
        self.input = self.child.stdin
        self.output = self.child.stdout

    def give(self, lines: bytes) -> None:
        """Write to its input."""
        self.input.write(lines)
        self.input.flush()

    def close_input(self) -> None:
        """End its input."""
        self.input.close()

    def tell(self, number: signal.Signals) -> None:
        """Send a signal."""
        self.child.send_signal(number)

    def states(self) -> list[Record]:
        """Return every STATE of the ended process, whole lines only."""
        return [json.loads(line) for line in self.output if line.endswith(b"\n")]

    def wait(self) -> int:
        """Return its exit code."""
        return self.child.wait(PATIENCE_SECONDS)

    def end(self) -> None:
        """Make sure that nothing is left of it."""
        self.child.kill()
        self.child.wait()
        for pipe in (self.input, self.output):
            with contextlib.suppress(BrokenPipeError):
                pipe.close()


@pytest.fixture
def processes() -> Iterator[list[Process]]:
    """Processes started by a test."""
    started: list[Process] = []
    yield started
    for process in started:
        process.end()


def start(processes: list[Process], config: Record, directory: Path) -> Process:
    """Return a new process, ended with the test."""
    processes.append(Process(config, directory))
    return processes[-1]


def wait_until(claim: Callable[[], bool]) -> None:
    """Return once the claim is true."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not claim():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def wait_until_struck(emulator: Emulator) -> None:
    """Return once an armed fault has happened."""
    wait_until(lambda: any(emulator.faults.fired()))


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_idle_target_sends_old_files_and_leaves_when_told(
    emulator: Emulator,
    config: Record,
    tmp_path: Path,
    processes: list[Process],
    number: signal.Signals,
    code: int,
) -> None:
    """While the tap is silent a file's age is seen to, STATE goes out, and a signal is obeyed."""
    process = start(processes, {**config, "max_batch_age_seconds": 0.05}, tmp_path)
    process.give(singer_lines(people(3)))
    assert json.loads(process.output.readline()) == {"records": 3}
    assert len(leads(emulator)) == 3
    process.tell(number)
    assert process.wait() == code
    assert process.states() == []


def test_sigterm_lets_the_upload_in_hand_end(
    emulator: Emulator, config: Record, tmp_path: Path, processes: list[Process]
) -> None:
    """The upload ends, what it made true is passed on, the rest is not, and the code is 143."""
    emulator.faults.add(Fault(operation="import.create", delay_seconds=1.5, takes_effect=True))
    process = start(processes, {**config, "max_file_size_bytes": 1_000}, tmp_path)
    process.give(singer_lines(people(60), state_every=10))
    wait_until_struck(emulator)
    process.tell(signal.SIGTERM)
    assert process.wait() == 143
    arrived = len(leads(emulator))
    assert 0 < arrived < 60
    assert process.states() == [{"records": arrived // 10 * 10}]
    assert read_json_lines(tmp_path / "rejects", "imports-*.jsonl") == []


def test_second_sigterm_leaves_at_once(
    emulator: Emulator, config: Record, tmp_path: Path, processes: list[Process]
) -> None:
    """Told twice, the target neither waits for the upload nor claims anything."""
    uploading = Event()
    emulator.application._sleep = uploading.wait  # noqa: SLF001 - holds the reply as long as needed
    emulator.faults.add(Fault(operation="import.create", delay_seconds=300, takes_effect=True))
    process = start(processes, config, tmp_path)
    process.give(singer_lines(people(3)))
    process.close_input()
    wait_until_struck(emulator)
    process.tell(signal.SIGTERM)
    wait_until(lambda: "told to stop by signal" in process.log.read_text())
    process.tell(signal.SIGTERM)
    try:
        assert process.wait() == 143
        assert process.states() == []
        assert not uploading.is_set()
    finally:
        uploading.set()


@pytest.mark.parametrize(
    ("operation", "noted"),
    [
        ("describe.leads", []),
        # Marketo may have taken the file: the next run is to know of it.
        ("import.create", ["sending"]),
        ("import.status", ["sending", "accepted"]),
    ],
)
@pytest.mark.fault(
    "T8.8",
    "SIGTERM while a call hangs, whichever it is",
    "breaks the call off after seven seconds, passes on what is true, exits with 143",
)
def test_sigterm_does_not_wait_for_a_call_that_hangs(
    emulator: Emulator,
    config: Record,
    tmp_path: Path,
    processes: list[Process],
    operation: str,
    noted: list[str],
) -> None:
    """The reply never comes, and the time-out of calls is minutes away."""
    hanging = Event()
    emulator.application._sleep = lambda _: hanging.wait(PATIENCE_SECONDS)  # noqa: SLF001 - for ever
    emulator.faults.add(Fault(operation=operation, delay_seconds=300, times=None))
    process = start(processes, config, tmp_path)
    try:
        process.give(singer_lines(people(3)))
        process.close_input()
        wait_until_struck(emulator)
        process.tell(signal.SIGTERM)
        assert process.wait() == 143
    finally:
        hanging.set()
    said = process.log.read_text()
    assert "Traceback" not in said
    assert "summary" in said
    assert process.states() == []
    journal = read_json_lines(tmp_path / "rejects", "imports-*.jsonl")
    assert [entry["event"] for entry in journal] == noted


def test_sigterm_breaks_off_a_call_to_a_socket_that_says_nothing(
    config: Record, tmp_path: Path, processes: list[Process]
) -> None:
    """Not even half a head holds the process."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        config["base_url"] = f"http://127.0.0.1:{server.getsockname()[1]}"
        process = start(processes, config, tmp_path)
        process.give(singer_lines(people(3)))
        peer, _ = server.accept()
        with peer:
            peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
            process.tell(signal.SIGTERM)
            assert process.wait() == 143
    assert "Traceback" not in process.log.read_text()


def history(count: int) -> list[Record]:
    """Return changes of 40 leads, now of one property, now of another."""
    dice = random.Random(7)
    changes: list[Record] = []
    for number in range(count):
        names = dice.choice([["firstName"], ["firstName"], ["lastName"], ["firstName", "company"]])
        changes.append(
            {"email": f"p{dice.randrange(40)}@load.test", **dict.fromkeys(names, f"v{number}")}
        )
    return changes


def outcome(changes: list[Record]) -> dict[str, Record]:
    """Return what the leads are after all changes."""
    table: dict[str, Record] = {}
    for change in changes:
        table.setdefault(change["email"], {}).update(change)
    return table


@pytest.mark.parametrize("seed", range(2))
def test_killed_runs_and_a_last_one_leave_the_same_leads(
    tmp_path: Path, config: Record, processes: list[Process], seed: int
) -> None:
    """SIGKILL at any moment, then again from the last STATE: as if nothing had happened."""
    changes = history(300)
    dice = random.Random(seed)
    with Emulator(
        programs=0,
        members=0,
        job_seconds=lambda _: dice.choice([0, 0.02]),
        # Three processes do not know of each other's calls.
        options=Options(max_calls_per_window=10_000),
    ) as emulator:
        settings = {
            **config,
            "base_url": emulator.base_url,
            "max_file_size_bytes": 1_500,
            "max_queued_imports": 3,
        }
        done = 0
        for _ in range(2):
            process = start(processes, settings, tmp_path)
            process.give(singer_lines(changes[done:], state_every=5))
            process.close_input()
            deadline = time.monotonic() + PATIENCE_SECONDS
            target_imports = len(emulator.imports) + dice.randrange(1, 5)
            while len(emulator.imports) < target_imports and time.monotonic() < deadline:
                time.sleep(0.003)
            time.sleep(dice.random() * 0.03)
            process.tell(signal.SIGKILL)
            process.wait()
            done += max((state["records"] for state in process.states()), default=0)
        process = start(processes, settings, tmp_path)
        process.give(singer_lines(changes[done:], state_every=5))
        process.close_input()
        assert process.wait() == 0, process.log.read_text()
        assert process.states()[-1] == {"records": len(changes) - done}
        expected = outcome(changes)
        actual = leads(emulator)
        assert expected == {
            email: {name: actual[email][name] for name in row} for email, row in expected.items()
        }
        assert read_json_lines(tmp_path / "rejects", "imports-*.jsonl") == []


@pytest.mark.parametrize("code", ["606", "615"])
def test_upload_that_was_only_refused_leaves_no_intent(
    emulator: Emulator, config: Record, tmp_path: Path, processes: list[Process], code: str
) -> None:
    """Told to stop while it waits after a refusal: the next run has nothing to wait for."""
    emulator.faults.add(Fault(operation="import.create", code=code, times=None))
    process = start(processes, {**config, "max_retry_seconds": 600}, tmp_path)
    process.give(singer_lines(people(3)))
    process.close_input()
    wait_until_struck(emulator)
    wait_until(lambda: b"retried in" in process.log.read_bytes())
    process.tell(signal.SIGTERM)
    assert process.wait() == 143
    assert list((tmp_path / "rejects").glob("imports-*")) == []

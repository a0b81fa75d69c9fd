"""The command as a user meets it: one-line errors, exit codes, signals."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import random
import select
import signal
import subprocess
import sys
import time
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from marketo_emulator import Emulator, Fault, Options
from tests.tap_runs import TapRun, members_of, parse, settings_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

COMMAND = [sys.executable, "-m", "tap_marketo_bulk"]
WAIT_SECONDS = 120
PLAIN = {k: v for k, v in os.environ.items() if not k.startswith("TAP_MARKETO")}


@pytest.fixture(autouse=True)
def _own_journals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no run find the journal of another test, whose emulator may have had the same port."""
    monkeypatch.setitem(PLAIN, "XDG_STATE_HOME", str(tmp_path / "state-home"))


@pytest.fixture
def config_file(tmp_path: Path) -> Callable[..., str]:
    """Return a function that writes a config for an emulator and returns its path."""

    def write(emulator: Emulator, **config: Any) -> str:
        path = tmp_path / "config.json"
        path.write_text(json.dumps(settings_for(emulator, config)))
        return str(path)

    return write


@pytest.fixture
def real_time() -> Iterator[Emulator]:
    """Return an emulator on the machine's clock whose jobs take a second."""
    options = Options(max_calls_per_window=10**6, status_refresh_seconds=0)
    with Emulator(programs=12, members=600, job_seconds=0.05, options=options) as emulator:
        yield emulator


def tap(*arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run the tap to its end."""
    return subprocess.run(
        [*COMMAND, *arguments],
        check=False,
        capture_output=True,
        timeout=WAIT_SECONDS,
        env={**PLAIN, **environment},
    )


@pytest.mark.parametrize(
    ("config", "named"),
    [
        ({"client_secret": "wrong"}, "client_secret"),
        ({"base_url": "http://127.0.0.1:9"}, "127.0.0.1"),
        ({"base_url": "http://marketo.example.com"}, "https"),
        ({"base_url": None}, "munchkin_id"),
        ({"window_days": 32}, "window_days"),
        ({"program_ids": [4711]}, "4711"),
        ({"start_date": "2999-01-01T00:00:00Z"}, "future"),
        ({"start_date": "soon"}, "start_date"),
        ({"download_dir": "no/such/directory"}, "download_dir"),
        ({"max_queued_jobs": 11}, "max_queued_jobs"),
    ],
)
def test_what_cannot_work_is_one_line_without_a_traceback(
    emulator: Emulator, config_file: Callable[..., str], config: dict[str, Any], named: str
) -> None:
    """Exit code 1, no records, and an error that names the setting or the host."""
    path = config_file(emulator, max_retry_seconds=0.1, **config)
    done = tap("--config", path)
    errors = done.stderr.decode()
    assert done.returncode == 1
    assert named in errors
    assert "Traceback" not in errors
    assert emulator.client_secret not in errors
    assert b"RECORD" not in done.stdout


def test_discover_errors_are_one_line_too(
    emulator: Emulator, config_file: Callable[..., str]
) -> None:
    """`--discover` with a wrong secret says what to check."""
    done = tap("--config", config_file(emulator, client_secret="wrong"), "--discover")
    assert (done.returncode, b"") == (1, done.stdout)
    assert b"Traceback" not in done.stderr


def test_settings_come_from_the_environment(emulator: Emulator) -> None:
    """Every setting works as TAP_MARKETO_BULK_<NAME>, fractions of seconds and lists included."""
    values = settings_for(emulator, {"program_ids": "[1002]", "request_timeout_seconds": "20.5"})
    done = tap(
        "--config=ENV", **{f"TAP_MARKETO_BULK_{k.upper()}": str(v) for k, v in values.items()}
    )
    assert done.returncode == 0, done.stderr.decode()
    wanted = {key: m for key, m in members_of(emulator).items() if key[1] == 1002}
    assert wanted == TapRun(parse(done.stdout)).table()


def test_a_used_up_daily_quota_stops_with_75_and_says_when_to_come_back(
    emulator: Emulator, config_file: Callable[..., str]
) -> None:
    """What the orchestrator sees: a temporary failure, and a time."""
    emulator.faults.add(
        Fault(
            operation="export.create",
            code="1029",
            message="Export daily quota 500MB exceeded.",
            times=None,
        )
    )
    done = tap("--config", config_file(emulator))
    assert done.returncode == 75
    assert b"06:00 UTC" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_in_the_middle_leaves_a_state_the_next_run_goes_on_from(
    real_time: Emulator, config_file: Callable[..., str], tmp_path: Path, number: signal.Signals
) -> None:
    """STATE of what is complete, 128 + signal, and both runs together hold every member."""
    start = f"{datetime.now(timezone.utc) - timedelta(days=200):%Y-%m-%dT%H:%M:%SZ}"
    # Some windows take an hour, so that the run is in the middle whenever the signal comes.
    real_time.faults.add(Fault(operation="export.job", nth=6, times=None, job_seconds=3600))
    path = config_file(real_time, start_date=start, calls_per_20_seconds=100)
    process = subprocess.Popen([*COMMAND, "--config", path], stdout=subprocess.PIPE, env=PLAIN)
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith(b'{"type":"STATE"') and len(lines) > 40:
            process.send_signal(number)
            break
    lines += process.stdout.read().splitlines(keepends=True)
    process.stdout.close()
    first = TapRun(parse(b"".join(lines)))
    assert process.wait(WAIT_SECONDS) == 128 + number
    assert first.messages[-1]["type"] == "STATE"
    assert 0 < len(first.table()) < 600
    real_time.faults.clear()
    real_time.advance(3600)
    jobs_of_first = len(real_time.jobs)
    state = tmp_path / "state.json"
    state.write_text(json.dumps(first.last_state))
    second = tap("--config", path, "--state", str(state))
    assert second.returncode == 0, second.stderr.decode()
    both = {**first.table(), **TapRun(parse(second.stdout)).table()}
    young = {k: m for k, m in members_of(real_time).items() if m["updatedAt"] >= start}
    assert young == both
    taken_over = first.bookmark["export_jobs"]
    assert taken_over
    windows = {(str(j["filter"])) for j in _creates(real_time)}
    assert len(windows) == len(_creates(real_time)), "no window is asked for twice"
    assert jobs_of_first < len(real_time.jobs)


def _creates(emulator: Emulator) -> list[dict[str, Any]]:
    return [r.body for r in emulator.requests if r.operation == "export.create"]


def wait_until_full(writer: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until a pipe takes no more, and the process has come to a write that waits for it."""
    while select.select([], [writer], [], 0)[1]:
        assert process.poll() is None, "the pipe holds 64 kB, the records are more"
        time.sleep(0.01)
    time.sleep(1)


def test_a_signal_leaves_within_seconds_when_nobody_reads(
    emulator: Emulator, config_file: Callable[..., str]
) -> None:
    """A full pipe cannot hold the process; it goes without STATE, and no line is mixed up."""
    for _ in range(30):
        emulator.store.add_program(members=30, age_days=400)
    reader, writer = os.pipe()
    process = subprocess.Popen(
        [*COMMAND, "--config", config_file(emulator, calls_per_20_seconds=100)],
        stdout=writer,
        stderr=subprocess.DEVNULL,
        env=PLAIN,
    )
    wait_until_full(writer, process)
    process.terminate()
    assert process.wait(WAIT_SECONDS) == 143
    os.close(writer)
    with os.fdopen(reader, "rb") as source:
        written = source.read()
    assert written.endswith(b"\n")
    assert {"SCHEMA", "RECORD"} <= {m["type"] for m in parse(written)}


def test_kills_cost_at_most_the_jobs_in_flight(
    real_time: Emulator, config_file: Callable[..., str], tmp_path: Path
) -> None:
    """SIGKILL at four moments, each run from the last STATE before it, then one to the end."""
    start = f"{datetime.now(timezone.utc) - timedelta(days=200):%Y-%m-%dT%H:%M:%SZ}"
    path = config_file(
        real_time, start_date=start, calls_per_20_seconds=100, poll_interval_seconds=0.1
    )
    state, output = tmp_path / "state.json", tmp_path / "output.jsonl"
    state.write_text("{}")
    moments, table = random.Random(5), {}
    for _ in range(4):
        wanted_lines = moments.randrange(2, 150)
        with output.open("wb") as out:
            process = subprocess.Popen(
                [*COMMAND, "--config", path, "--state", str(state)],
                stdout=out,
                stderr=subprocess.DEVNULL,
                env=PLAIN,
            )
            while process.poll() is None and output.read_bytes().count(b"\n") < wanted_lines:
                time.sleep(0.002)
            process.kill()
            process.wait(WAIT_SECONDS)
        # SIGKILL may tear a write into a file between two pages: what is not a line was not said.
        whole_lines, _, _ = output.read_bytes().rpartition(b"\n")
        run = TapRun(parse(whole_lines))
        table.update(run.table())
        if run.last_state:
            state.write_text(json.dumps(run.last_state))
    last = tap("--config", path, "--state", str(state))
    assert last.returncode == 0, last.stderr.decode()
    table.update(TapRun(parse(last.stdout)).table())
    assert {k: m for k, m in members_of(real_time).items() if m["updatedAt"] >= start} == table
    jobs = [str(job["filter"]) for job in _creates(real_time)]
    assert len(jobs) - len(set(jobs)) <= 4, "one job each, created and not yet in STATE"


@pytest.fixture
def full_log() -> Iterator[int]:
    """Return the writing end of a pipe that takes a few lines more, and that nobody reads."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writer, b"." * 4096)
    os.set_blocking(writer, True)
    os.read(reader, 8192)
    yield writer
    os.close(reader)
    os.close(writer)


def test_a_signal_leaves_within_seconds_when_nobody_reads_the_log(
    real_time: Emulator, config_file: Callable[..., str], full_log: int
) -> None:
    """Stuck in a log line, the process still obeys, and stdout is whole lines."""
    start = f"{datetime.now(timezone.utc) - timedelta(days=200):%Y-%m-%dT%H:%M:%SZ}"
    process = subprocess.Popen(
        [*COMMAND, "--config", config_file(real_time, start_date=start)],
        stdout=subprocess.PIPE,
        stderr=full_log,
        env=PLAIN,
    )
    assert process.stdout is not None
    first = process.stdout.readline()
    time.sleep(2)
    assert process.poll() is None, "the log holds 8 kB, the run says more"
    process.terminate()
    # Four of these seconds are the patience with the log.
    assert process.wait(20) == 143
    written = first + process.stdout.read()
    process.stdout.close()
    assert written.endswith(b"\n")
    assert parse(written)


def full_table(tmp_path: Path, config: str) -> str:
    """Return the path of a catalog that asks for everything."""
    catalog = json.loads(tap("--config", config, "--discover").stdout)
    for stream in catalog["streams"]:
        stream["replication_method"] = "FULL_TABLE"
        if stream["tap_stream_id"] == "programs":
            for entry in stream["metadata"]:
                if not entry["breadcrumb"]:
                    entry["metadata"]["selected"] = False
    path = tmp_path / "catalog.json"
    path.write_text(json.dumps(catalog))
    return str(path)


@pytest.fixture
def busy() -> Iterator[Emulator]:
    """Return an emulator whose jobs take longer than any test."""
    options = Options(max_calls_per_window=10**6, status_refresh_seconds=0)
    with Emulator(programs=100, members=100, job_seconds=3_000, options=options) as emulator:
        yield emulator


def stopped_full_table(emulator: Emulator, config: str, catalog: str) -> tuple[float, int, str]:
    """Stop a run with ten jobs in the queue; return the seconds it took, its code and its log."""
    process = subprocess.Popen(
        [*COMMAND, "--config", config, "--catalog", catalog],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=PLAIN,
    )
    deadline = time.monotonic() + WAIT_SECONDS
    while len(emulator.requests.of("export.enqueue")) < 10:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    told_at = time.monotonic()
    process.terminate()
    _, errors = process.communicate(timeout=WAIT_SECONDS)
    return time.monotonic() - told_at, process.returncode, errors.decode()


@pytest.mark.fault(
    "T7.4",
    "SIGTERM in a FULL_TABLE run with ten jobs in the queue, each call taking a second",
    "cancels them all, several at once, within the seconds a supervisor waits",
)
@pytest.mark.parametrize("at_once", [2, 5])
def test_a_signal_cancels_the_jobs_of_a_full_table(
    busy: Emulator, config_file: Callable[..., str], tmp_path: Path, at_once: int
) -> None:
    """Nobody would come back for them."""
    config = config_file(busy, max_queued_jobs=10, max_concurrent_calls=at_once)
    catalog = full_table(tmp_path, config)
    busy.faults.add(Fault(operation="export.cancel", delay_seconds=0.7, times=None))
    seconds, code, said = stopped_full_table(busy, config, catalog)
    assert code == 143
    assert [job.status.value for job in busy.jobs] == ["Cancelled"] * 10
    assert "10 export jobs cancelled" in said
    assert seconds < 30


@pytest.mark.fault(
    "T7.4",
    "… and Marketo does not answer any more",
    "leaves in time, and says which jobs go on",
)
def test_a_signal_says_which_jobs_could_not_be_cancelled(
    busy: Emulator, config_file: Callable[..., str], tmp_path: Path
) -> None:
    """Cancelling is bounded, too, with a call that hangs in each place."""
    config = config_file(busy, max_queued_jobs=10)
    catalog = full_table(tmp_path, config)
    busy.faults.add(Fault(operation="export.cancel", delay_seconds=60, times=None))
    busy.faults.add(Fault(operation="export.status", delay_seconds=60, times=None))
    seconds, code, said = stopped_full_table(busy, config, catalog)
    assert code == 143
    assert seconds < 45
    assert "0 of 10 export jobs cancelled; these go on in Marketo" in said
    assert all(job.export_id in said for job in busy.jobs)


def test_a_call_that_hangs_does_not_keep_jobs_from_being_cancelled(
    busy: Emulator, config_file: Callable[..., str], tmp_path: Path
) -> None:
    """It is broken off, though it holds the only place there is."""
    config = config_file(busy, max_queued_jobs=10, max_concurrent_calls=1)
    catalog = full_table(tmp_path, config)
    busy.faults.add(Fault(operation="export.status", delay_seconds=60, times=None))
    _, code, said = stopped_full_table(busy, config, catalog)
    assert code == 143
    assert [job.status.value for job in busy.jobs] == ["Cancelled"] * 10, said


def test_a_signal_cancels_the_jobs_of_a_full_table_nobody_reads(
    config_file: Callable[..., str], tmp_path: Path
) -> None:
    """The main thread is stuck in a full pipe: the jobs are cancelled past it."""
    seconds = itertools.chain([0.05], itertools.repeat(3_000.0))
    options = Options(max_calls_per_window=10**6, status_refresh_seconds=0)
    with Emulator(
        programs=60, members=6_000, job_seconds=lambda _: next(seconds), options=options
    ) as emulator:
        config = config_file(emulator)
        catalog = full_table(tmp_path, config)
        reader, writer = os.pipe()
        process = subprocess.Popen(
            [*COMMAND, "--config", config, "--catalog", catalog],
            stdout=writer,
            stderr=subprocess.DEVNULL,
            env=PLAIN,
        )
        wait_until_full(writer, process)
        process.terminate()
        assert process.wait(WAIT_SECONDS) == 143
        os.close(reader)
        os.close(writer)
        left = [job.status.value for job in emulator.jobs if job.status.value != "Completed"]
        assert set(left) == {"Cancelled"}

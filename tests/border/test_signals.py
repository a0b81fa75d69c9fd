"""Signals before a run: while options are read, and where Marketo does not answer."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from marketo_emulator import Emulator
from marketo_emulator.exports.job import ExportStatus
from tests.border.commands import CREDENTIALS, PLAIN, TAP, TARGET, WAIT_SECONDS, config_file
from tests.tap_runs import settings_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

ROOT = Path(__file__).parents[2]


def ended(
    arguments: list[str],
    number: signal.Signals,
    ready: Callable[[], AbstractContextManager[object]],
    folder: Path,
) -> tuple[int, str]:
    """Start a command, signal it while what `ready` returns is open; return exit code and log."""
    process = subprocess.Popen(
        [str(Path(sys.executable).with_name(arguments[0])), *arguments[1:]],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**PLAIN, "XDG_STATE_HOME": str(folder)},
        cwd=folder,
        text=True,
        # A shell without a terminal has what it starts ignore it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )
    with ready():
        process.send_signal(number)
        _, log = process.communicate(timeout=WAIT_SECONDS)
    return process.returncode, log


@pytest.mark.parametrize("plugin", [TAP, TARGET])
def test_ctrl_c_while_options_are_read(tmp_path: Path, plugin: str) -> None:
    """A config behind a pipe that nobody writes to."""
    os.mkfifo(tmp_path / "config")
    code, log = ended(
        [plugin, "--config", str(tmp_path / "config")],
        signal.SIGINT,
        lambda: (tmp_path / "config").open("wb"),
        tmp_path,
    )
    assert code == 128 + signal.SIGINT
    assert "Traceback" not in log
    assert "Aborted" not in log


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("module", ["tap_marketo_bulk", "target_marketo_bulk"])
@pytest.mark.parametrize("seconds", [0.0, 0.1, 0.4, 1.5])
def test_a_signal_while_python_imports(
    tmp_path: Path, module: str, number: signal.Signals, seconds: float
) -> None:
    """So many seconds after signals are heard, and while options are waited for."""
    os.mkfifo(tmp_path / "config")
    log = tmp_path / "log"
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-X", "importtime", "-m", module, "--config", tmp_path / "config"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            env={**PLAIN, "XDG_STATE_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)},
            cwd=tmp_path,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
        )
    # What is imported after the module that hears signals is imported when they are heard.
    while log.read_bytes().partition(b"singer_marketo.starting\n")[2].count(b"\n") < 1:
        assert process.poll() is None
        time.sleep(0.005)
    time.sleep(seconds)
    process.send_signal(number)
    out, _ = process.communicate(timeout=WAIT_SECONDS)
    said = [line for line in log.read_text().splitlines() if not line.startswith("import time:")]
    assert (process.returncode, out) == (128 + number, b"")
    assert not [line for line in said if "| INFO" not in line], said


def test_console_scripts_hear_signals_first() -> None:
    """They begin with what imports next to nothing."""
    scripts = (ROOT / "pyproject.toml").read_text()
    for name in ("tap", "target"):
        assert f'{name}-marketo-bulk = "{name}_marketo_bulk.__main__:main"' in scripts


def test_a_second_signal_changes_nothing_for_the_tap(tmp_path: Path) -> None:
    """A terminal tells every process, and then Meltano tells its plugins."""
    with Emulator(programs=2, members=50, job_seconds=600) as emulator:
        config = config_file(tmp_path, settings_for(emulator))
        process = subprocess.Popen(
            [sys.executable, "-m", "tap_marketo_bulk", "--config", config],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**PLAIN, "XDG_STATE_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)},
            cwd=tmp_path,
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
        )
        while not [job for job in emulator.jobs if job.status is not ExportStatus.CREATED]:
            assert process.poll() is None
            time.sleep(0.02)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGTERM):
            if process.poll() is None:
                process.send_signal(number)
            time.sleep(0.01)
        out, log = process.communicate(timeout=WAIT_SECONDS)
    assert process.returncode == 128 + signal.SIGINT
    assert "Traceback" not in log
    assert log.count("Told to stop by signal 2") == 1
    assert '"export_jobs"' in out.splitlines()[-1]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    "command", [[TAP], [TAP, "--discover"], [TAP, "--test"], [TARGET, "--test"]], ids=" ".join
)
def test_a_signal_while_marketo_does_not_answer(
    tmp_path: Path, command: list[str], number: signal.Signals
) -> None:
    """Nothing is in hand yet, so nothing is waited for."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        config = config_file(tmp_path, {**CREDENTIALS, "base_url": address})

        def ready() -> socket.socket:
            connection, _ = silent.accept()
            connection.recv(1)
            return connection

        code, log = ended([*command, "--config", config], number, ready, tmp_path)
    assert code == 128 + number
    assert "Traceback" not in log

"""Progress: the line, the estimate, the metrics, and the display on a terminal and elsewhere."""

from __future__ import annotations

import json
import logging
import os
import pty
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from marketo_emulator import Emulator
from singer_marketo import progress_display
from singer_marketo.progress import Progress
from singer_marketo.progress_display import ProgressDisplay
from tests.tap_runs import capture, make_tap, settings_for

if TYPE_CHECKING:
    from pathlib import Path

HIDE_CURSOR, SHOW_CURSOR = b"\x1b[?25l", b"\x1b[?25h"


@pytest.mark.parametrize(
    ("done", "total", "seconds", "line"),
    [
        (0, 0, 0, "0 of 0 jobs, 412,000 rows, 96 MB"),
        (0, 300, 60, "0 of 300 jobs, 412,000 rows, 96 MB"),
        (37, 300, 928, "37 of 300 jobs, 412,000 rows, 96 MB, about 1 h 50 min left"),
        (150, 300, 3_600, "150 of 300 jobs, 412,000 rows, 96 MB, about 1 h left"),
        (150, 300, 3_570, "150 of 300 jobs, 412,000 rows, 96 MB, about 1 h left"),
        (150, 300, 120, "150 of 300 jobs, 412,000 rows, 96 MB, about 2 min left"),
        (150, 300, 89, "150 of 300 jobs, 412,000 rows, 96 MB, about 89 s left"),
        (299, 300, 1, "299 of 300 jobs, 412,000 rows, 96 MB, about 1 s left"),
        (300, 300, 900, "300 of 300 jobs, 412,000 rows, 96 MB"),
        (1_200, 3_000, 60, "1,200 of 3,000 jobs, 412,000 rows, 96 MB, about 2 min left"),
    ],
)
def test_line(done: int, total: int, seconds: float, line: str) -> None:
    """The rest is thought to take as long a job as what is done; before that nothing is said."""
    assert Progress(done, total, 412_000, 96_000_000, seconds).line() == line


def test_metrics_have_the_figures_of_the_line() -> None:
    """What is left is there once it can be told."""
    points = Progress(1, 4, 10, 20, 30.0).points("program_members")
    assert {p.to_dict()["metric"]: p.value for p in points} == {
        "progress_jobs": 1,
        "progress_jobs_total": 4,
        "progress_rows": 10,
        "progress_bytes": 20,
        "progress_seconds": 30.0,
        "progress_seconds_left": 90.0,
    }


def test_without_a_terminal_there_are_lines(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """One after each interval, and none once it is closed."""
    caplog.set_level(logging.INFO)
    said = threading.Event()

    def snapshot() -> Progress:
        if "1 of 2 jobs" in caplog.text:
            said.set()
        return Progress(1, 2, 0, 0, 60.0)

    monkeypatch.setattr(ProgressDisplay, "every_seconds", 0.01)
    with ProgressDisplay(snapshot, "program_members") as display:
        assert said.wait(10)
    display.close()
    assert "1 of 2 jobs, 0 rows, 0 MB, about 60 s left" in caplog.text
    assert '"metric":"progress_seconds_left"' in caplog.text


def test_a_run_says_how_far_it_is(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Jobs done, under way and planned make the total."""
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(ProgressDisplay, "every_seconds", 0.05)
    with Emulator(programs=25, members=100, job_seconds=0.3) as emulator:
        tap = make_tap(emulator, {"max_queued_jobs": 1})
        run = capture(tap.sync_all, monkeypatch)
    lines = [r.getMessage() for r in caplog.records if r.name == progress_display.__name__]
    assert lines
    assert any(" of 3 jobs, " in line for line in lines), lines
    assert len(run.records()) == 100


def run_on_terminal(config: dict[str, Any], folder: Path) -> tuple[bytes, bytes]:
    """Return what a run writes to stdout, and to the terminal that stderr is."""
    path = folder / "config.json"
    path.write_text(json.dumps(config))
    ours, theirs = pty.openpty()
    shown = bytearray()

    def read() -> None:
        try:
            while chunk := os.read(ours, 65_536):
                shown.extend(chunk)
        except OSError:  # how a terminal says that nobody writes to it any more
            return

    reader = threading.Thread(target=read)
    reader.start()
    done = subprocess.run(
        [sys.executable, "-m", "tap_marketo_bulk", "--config", str(path)],
        stdout=subprocess.PIPE,
        stderr=theirs,
        check=True,
        timeout=120,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "200"},
    )
    os.close(theirs)
    reader.join(10)
    os.close(ours)
    return done.stdout, bytes(shown)


def test_a_terminal_shows_it_live(tmp_path: Path) -> None:
    """The display is redrawn in place, log lines stand above it, and the cursor comes back."""
    with Emulator(programs=12, members=50, job_seconds=1) as emulator:
        stdout, shown = run_on_terminal(settings_for(emulator), tmp_path)
    assert all(json.loads(line)["type"] for line in stdout.splitlines())
    assert b"of 2 jobs" in shown
    assert b"\x1b[2K" in shown
    assert shown.rfind(SHOW_CURSOR) > shown.rfind(HIDE_CURSOR)
    last = shown.rstrip().splitlines()[-1]
    assert b"of 2 jobs" not in last

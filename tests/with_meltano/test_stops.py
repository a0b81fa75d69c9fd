"""Stops: `meltano run` stopped again and again makes no job twice, and loses none and no row."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import time
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from marketo_emulator import Emulator, Fault
from tests.tap_runs import created_jobs, members_of
from tests.with_meltano.project import TAP, Project

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SECONDS = 240
PATIENCE_SECONDS = 40
"""How long an orchestrator waits for Meltano; the plugins need ten."""

pytestmark = pytest.mark.slow
START = f"{datetime.now(timezone.utc) - timedelta(days=183):%Y-%m-%d}"
"""Six windows ago, whatever day it is."""
HOUR = 3600
QUOTA_TEXT = "Export daily quota 500MB exceeded."


def test_a_run_stopped_again_and_again(tmp_path: Path) -> None:
    """A used-up quota, SIGTERM, Ctrl+C; then a run to the end."""
    with Emulator(programs=4, members=3_000, job_seconds=1) as emulator:
        settings = {"start_date": START, "max_queued_jobs": 2, "poll_interval_seconds": 0.2}
        project = Project(tmp_path, emulator, settings)

        emulator.faults.add(Fault(operation="export.create", code="1029", message=QUOTA_TEXT))
        said = ended(project.start(), code=1)
        # Meltano turns 75 into 1; this line and the file do not.
        assert said.count("exit code 75 (try_later), also in") == 1, said
        assert (project.outcome()["outcome"], project.outcome()["exitCode"]) == ("try_later", 75)
        assert not project.rows()

        # While jobs are queued: an orchestrator tells Meltano alone.
        run = project.start()
        wait_until(run, lambda: operations(emulator).count("export.enqueue") >= 2)
        run.send_signal(signal.SIGTERM)
        forced = stopped(run)
        assert forced or project.outcome()["outcome"] == "stopped"

        # While a file is written: a terminal tells all processes.
        run = project.start(*forced, seconds_a_row=0.01)
        wait_until(run, lambda: len(project.rows()) > 100)
        os.killpg(run.pid, signal.SIGINT)
        forced = stopped(run)

        ended(project.start(*forced), code=0)
        assert project.outcome()["outcome"] == "succeeded"
        hold_that_no_job_was_made_twice(emulator, refused=1)
        hold_that_every_job_was_read(emulator)
        assert {(row["leadId"], row["programId"]) for row in project.rows()} == {
            key for key, member in members_of(emulator).items() if member["updatedAt"] >= START
        }


def test_sigterm_between_two_files(tmp_path: Path) -> None:
    """The records of the first files are written, the next jobs are not done; then Meltano ends."""
    with Emulator(programs=4, members=3_000, job_seconds=1) as emulator:
        # The third job goes on until the signal, however long the first records take to come.
        emulator.faults.add(Fault(operation="export.job", nth=3, times=None, job_seconds=HOUR))
        settings = {"start_date": START, "max_queued_jobs": 2, "poll_interval_seconds": 0.2}
        project = Project(tmp_path, emulator, settings)
        run = project.start()
        wait_until(run, lambda: is_between_files(emulator, project))
        run.send_signal(signal.SIGTERM)
        how = end_or_kill(run)
        emulator.faults.clear()
        emulator.advance(HOUR)
        hold_that_the_rest_follows(emulator, project, *how)


def test_the_time_limit_of_meltano(tmp_path: Path) -> None:
    """`meltano run --timeout`, while records are written."""
    with Emulator(programs=4, members=3_000, job_seconds=1) as emulator:
        settings = {"start_date": START, "max_queued_jobs": 2, "poll_interval_seconds": 0.2}
        project = Project(tmp_path, emulator, settings)
        limit, said = 8, ""
        forced: tuple[str, ...] = ()
        while not project.rows():
            # A busy machine may not have come to the first record.
            limit *= 2
            run = project.start(*forced, "--timeout", str(limit), seconds_a_row=0.1)
            forced, said = end_or_kill(run, limit)
        assert "timeout" in said.lower()
        hold_that_the_rest_follows(emulator, project, forced, said)


def is_between_files(emulator: Emulator, project: Project) -> bool:
    """Return whether all records of the files that were read are written, and jobs are at work."""
    read = read_files(emulator)
    asked = [job for job in emulator.jobs if job.export_id in read]
    # The emulator writes a file when a job starts, not when it ends.
    waiting = [job for job in emulator.jobs if not job.status.ended]
    rows = sum(job.file.rows for job in asked if job.file is not None)
    return bool(rows and waiting) and len(project.rows()) == rows


def end_or_kill(run: subprocess.Popen[str], seconds: float = 0) -> tuple[tuple[str, ...], str]:
    """Wait for the end, as an orchestrator does: at last all processes are killed.

    Meltano may hang when it is stopped, and a Meltano that was killed still counts as running.
    Returns: the options that the next run needs, and what was said.
    """
    try:
        said, _ = run.communicate(timeout=seconds + PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(run.pid, signal.SIGKILL)
        said, _ = run.communicate(timeout=SECONDS)
        return ("--force",), said
    assert run.returncode, said
    return (), said


def hold_that_the_rest_follows(
    emulator: Emulator, project: Project, forced: tuple[str, ...], said: str
) -> None:
    """Hold that the next run takes over the jobs of a stopped one, and brings what is missing."""
    for word in ("Traceback", "nhandled"):
        # What Meltano says of itself is its own.
        assert not [line for line in said.splitlines() if word in line and TAP in line], said
    known = {job.export_id for job in emulator.jobs}
    assert known
    assert forced or project.outcome()["outcome"] == "stopped"
    ended(project.start(*forced), code=0)
    hold_that_no_job_was_made_twice(emulator, refused=0)
    hold_that_every_job_was_read(emulator)
    assert {(row["leadId"], row["programId"]) for row in project.rows()} == {
        key for key, member in members_of(emulator).items() if member["updatedAt"] >= START
    }


def stopped(run: subprocess.Popen[str]) -> tuple[str, ...]:
    """Wait for the end of a stopped run; return the options that the next run needs."""
    forced, said = end_or_kill(run)
    # What a Meltano that hangs says of itself is its own.
    assert forced or not [word for word in ("Traceback", "nhandled") if word in said], said
    return forced


def ended(run: subprocess.Popen[str], *, code: int) -> str:
    """Wait for the end; return what was said, which is no traceback."""
    said, _ = run.communicate(timeout=SECONDS)
    assert run.returncode == code, said
    assert "Traceback" not in said, said
    assert "nhandled" not in said, said
    return said


def wait_until(run: subprocess.Popen[str], is_so: Callable[[], bool]) -> None:
    """Wait for something the run is about to do."""
    deadline = time.monotonic() + SECONDS
    while not is_so():
        assert run.poll() is None, run.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.02)


def operations(emulator: Emulator) -> list[str]:
    """Return what has been asked for."""
    return [request.operation for request in emulator.requests]


def hold_that_no_job_was_made_twice(emulator: Emulator, *, refused: int) -> None:
    """No two jobs over one program have windows that overlap; the first calls were refused."""
    filters = [job["filter"] for job in created_jobs(emulator)[refused:]]
    windows = sorted(
        (program, each["updatedAt"]["startAt"], each["updatedAt"]["endAt"])
        for each in filters
        for program in each["programIds"]
    )
    for (program, _, end), (other, start, _) in itertools.pairwise(windows):
        assert program != other or end <= start, windows


def hold_that_every_job_was_read(emulator: Emulator) -> None:
    """Each job has ended, and its file was asked for if there is a row in it."""
    of_interest = {j.export_id for j in emulator.jobs if j.file is None or j.file.rows}
    assert of_interest == read_files(emulator)


def read_files(emulator: Emulator) -> set[str]:
    """Return the jobs whose file has been asked for."""
    return {r.path.split("/")[-2] for r in emulator.requests if r.operation == "export.file"}

"""Stopped runs: without the STATE they wrote, the next run takes their jobs over all the same."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from datetime import datetime, timedelta, timezone
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest

from marketo_emulator import Emulator, Fault, Options
from tap_marketo_bulk.sync.job_journal import JobJournal
from tests.tap_runs import created_jobs, members_of, parse, settings_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SECONDS = 240
START = f"{datetime.now(timezone.utc) - timedelta(days=183):%Y-%m-%d}"
"""Six windows ago, whatever day it is."""
HOUR = 3600
MEMBERS = "program_members"
AT_ONCE = Options(status_refresh_seconds=0)
"""A poll sees at once what became of a job."""
QUOTA_TEXT = "Export daily quota 500MB exceeded."
KEPT = {"start_date": START, "max_queued_jobs": 2, "window_days": 31}


def command(emulator: Emulator, folder: Path, **more: Any) -> list[str]:
    """Return the command of a run; it is never given STATE."""
    path = folder / "config.json"
    config = {**settings_for(emulator, KEPT), "poll_interval_seconds": 0.05, **more}
    path.write_text(json.dumps(config))
    return [sys.executable, "-m", "tap_marketo_bulk", "--config", str(path)]


def outcome_in(folder: Path) -> dict[str, Any]:
    """Return what the one outcome file below a folder says."""
    (path,) = folder.rglob("outcome.json")
    return dict(json.loads(path.read_text()))


def wait_until(is_so: Callable[[], bool]) -> None:
    """Wait for something the run is about to do."""
    deadline = time.monotonic() + SECONDS
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("jobs", [1, 2, 5])
def test_no_job_is_made_twice(number: signal.Signals, jobs: int, tmp_path: Path) -> None:
    """At several moments: while jobs wait, and after some are written."""
    with Emulator(programs=4, members=80, job_seconds=0.3) as emulator:
        hold_jobs(emulator, first=jobs)
        run = command(emulator, tmp_path)
        with subprocess.Popen(run, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
            wait_until(lambda: len(created_jobs(emulator)) >= jobs)
            process.send_signal(number)
            process.communicate(timeout=SECONDS)
        assert process.returncode == 128 + number
        assert outcome_in(tmp_path)["outcome"] == "stopped"
        end_held_jobs(emulator)
        hold_that_the_next_run_makes_no_job_again(emulator, run)
        assert outcome_in(tmp_path)["outcome"] == "succeeded"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_jobs_made_while_a_file_is_written_are_noted(
    number: signal.Signals, tmp_path: Path
) -> None:
    """No STATE can be written behind a pipe that nobody reads; the journal has the jobs."""
    with Emulator(programs=4, members=2_500) as emulator:
        # While the third job is at work no other is being made: SIGKILL would lose that one.
        hold_jobs(emulator, first=3)
        run = command(emulator, tmp_path, max_queued_jobs=1)
        with subprocess.Popen(run, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
            wait_until(lambda: operations(emulator).count("export.enqueue") >= 3)
            process.send_signal(number)
            process.wait(SECONDS)
            assert process.returncode in {-number, 128 + number}
            assert outcome_in(tmp_path)["outcome"] == (
                "stopped" if number == signal.SIGTERM else "running"
            )
            process.communicate()
        end_held_jobs(emulator)
        hold_that_the_next_run_makes_no_job_again(emulator, run)


def test_a_job_is_noted_before_it_is_enqueued(tmp_path: Path) -> None:
    """A job that nobody has noted waits in no queue and costs no quota."""
    killed = Event()
    with Emulator(programs=4, members=40) as emulator:
        emulator.application._sleep = lambda _: killed.wait(SECONDS)  # noqa: SLF001 - holds the call
        emulator.faults.add(Fault(operation="export.enqueue", delay_seconds=SECONDS))
        run = command(emulator, tmp_path)
        with subprocess.Popen(run, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
            wait_until(lambda: any(emulator.faults.fired()))
            process.kill()
            process.communicate()
        killed.set()
        hold_that_the_next_run_makes_no_job_again(emulator, run)


def hold_jobs(emulator: Emulator, *, first: int) -> None:
    """Have this job and all later ones take an hour, so that no run ends before it is stopped."""
    emulator.faults.add(Fault(operation="export.job", nth=first, times=None, job_seconds=HOUR))


def end_held_jobs(emulator: Emulator) -> None:
    """Let the hour pass; later jobs are as quick as ever."""
    emulator.faults.clear()
    emulator.advance(HOUR)


def operations(emulator: Emulator) -> list[str]:
    """Return what has been asked for."""
    return [request.operation for request in emulator.requests]


def jobs_of(emulator: Emulator) -> list[str]:
    """Return what has been asked for by jobs."""
    return [json.dumps(job["filter"], sort_keys=True) for job in created_jobs(emulator)]


def hold_that_the_next_run_makes_no_job_again(emulator: Emulator, run: list[str]) -> None:
    """Run to the end, and compare what was made and what came with what there is."""
    done = subprocess.run(run, check=True, capture_output=True, timeout=SECONDS)
    made = jobs_of(emulator)
    assert len(made) == len(set(made))
    assert {(r["leadId"], r["programId"]) for r in members_in(done.stdout)} == {
        key for key, m in members_of(emulator).items() if str(m["updatedAt"]) >= START
    }


def members_in(output: bytes) -> list[dict[str, Any]]:
    """Return the records of program members."""
    return [m["record"] for m in parse(output) if m.get("stream") == MEMBERS and "record" in m]


@pytest.mark.parametrize("method", ["other filter", "FULL_TABLE"])
def test_a_job_nobody_will_ask_for_is_cancelled(method: str, tmp_path: Path) -> None:
    """A run that was killed leaves its job to the journal; one that asks otherwise cancels it."""
    journal = str(tmp_path / "journal")
    seconds = [3600.0]
    with Emulator(
        programs=4, members=20, job_seconds=lambda _: seconds[0], options=AT_ONCE
    ) as emulator:
        run = command(emulator, tmp_path, job_journal=journal)
        with subprocess.Popen(run, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
            wait_until(lambda: "export.status" in operations(emulator))
            process.kill()
            process.communicate(timeout=SECONDS)
        seconds[0] = 0
        first = JobJournal(tmp_path / "journal").jobs("program_members")
        ids = {entry["exportId"] for entry in first}
        more: dict[str, Any] = {"is_exhausted": False} if method == "other filter" else {}
        run = command(emulator, tmp_path, job_journal=journal, **more)
        if method == "FULL_TABLE":
            run += ["--catalog", str(full_table(run, tmp_path))]
        subprocess.run(run, check=True, capture_output=True, timeout=SECONDS)
        cancelled = {
            r.path.split("/")[-2] for r in emulator.requests if r.operation == "export.cancel"
        }
    assert ids
    assert ids <= cancelled


def full_table(run: list[str], folder: Path) -> Path:
    """Return a catalog in which members are extracted as a whole."""
    done = subprocess.run([*run, "--discover"], check=True, capture_output=True, timeout=SECONDS)
    catalog = json.loads(done.stdout)
    (members,) = [s for s in catalog["streams"] if s["tap_stream_id"] == "program_members"]
    members["replication_method"] = "FULL_TABLE"
    for entry in members["metadata"]:
        if not entry["breadcrumb"]:
            entry["metadata"].update({"selected": True, "replication-method": "FULL_TABLE"})
    path = folder / "catalog.json"
    path.write_text(json.dumps(catalog))
    return path


def test_the_journal_holds_nothing_of_persons(tmp_path: Path) -> None:
    """Ids of jobs and programs, moments and a digest."""
    with Emulator(programs=2, members=20) as emulator:
        run = command(emulator, tmp_path, job_journal=str(tmp_path / "journal"))
        subprocess.run(run, check=True, capture_output=True, timeout=SECONDS)
    first, *changes = (tmp_path / "journal" / "jobs.json").read_text().splitlines()
    entries = [*json.loads(first)["jobs"]["program_members"]]
    for change in map(json.loads, changes):
        assert change.keys() <= {"stream", "new", "gone", "written"}
        entries += change.get("new", ())
    names = {name for entry in entries for name in entry}
    assert names <= {"exportId", "programIds", "fields", "startAt", "endAt", "without", "written"}
    assert (tmp_path / "journal" / "jobs.json").stat().st_mode & 0o077 == 0


def test_the_daily_quota_is_told_in_the_outcome(tmp_path: Path) -> None:
    """`meltano run` turns 75 into 1; the file and a line do not."""
    with Emulator(programs=2, members=20) as emulator:
        emulator.faults.add(
            Fault(operation="export.create", code="1029", message=QUOTA_TEXT, times=None)
        )
        run = command(emulator, tmp_path, job_journal=str(tmp_path / "journal"))
        done = subprocess.run(run, check=False, capture_output=True, text=True, timeout=SECONDS)
    said = json.loads((tmp_path / "journal" / "outcome.json").read_text())
    assert (done.returncode, said["outcome"], said["exitCode"]) == (75, "try_later", 75)
    assert "exit code 75 (try_later), also in" in done.stderr
    assert "quota" in said["message"][0]


def test_two_runs_of_one_pipeline_do_not_meet(tmp_path: Path) -> None:
    """The second waits for the first, and says so in one line."""
    log = tmp_path / "second.log"
    with Emulator(programs=2, members=20) as emulator, log.open("wb") as stderr:
        hold_jobs(emulator, first=1)
        # So few polls that the first does not have to wait for its rate when it goes on.
        run = command(emulator, tmp_path, poll_interval_seconds=0.5)
        with subprocess.Popen(run, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as first:
            wait_until(lambda: bool(created_jobs(emulator)))
            with subprocess.Popen(run, stdout=subprocess.DEVNULL, stderr=stderr) as second:
                wait_until(lambda: "another run of this pipeline" in log.read_text())
                end_held_jobs(emulator)
                codes = (first.wait(SECONDS), second.wait(SECONDS))
    assert codes == (0, 0)
    waiting = [line for line in log.read_text().splitlines() if "another run" in line]
    assert len(waiting) == 1
    assert str(first.pid) in waiting[0]


def test_a_default_place_that_cannot_be_written_ends_no_run(tmp_path: Path) -> None:
    """A pod's file system may be read-only; one that was asked for must be there."""
    blocked = tmp_path / "file"
    blocked.write_text("")
    with Emulator(programs=2, members=20) as emulator:
        run = command(emulator, tmp_path)
        environment = {**os.environ, "XDG_STATE_HOME": str(blocked)}
        done = subprocess.run(
            run, check=False, capture_output=True, text=True, timeout=SECONDS, env=environment
        )
        asked = command(emulator, tmp_path, job_journal=str(blocked / "inside"))
        refused = subprocess.run(
            asked, check=False, capture_output=True, text=True, timeout=SECONDS
        )
    assert done.returncode == 0
    assert "jobs under way are not noted outside STATE" in done.stderr
    assert refused.returncode == 1
    assert f"job_journal {blocked}/inside cannot be used" in refused.stderr
    assert "Traceback" not in done.stderr + refused.stderr

"""A run killed around an upload: the next one waits for an import nobody has the id of."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from marketo_bulk.errors import LostReplyError
from marketo_emulator.faults.fault import Fault
from target_marketo_bulk.sending.unconfirmed import UnconfirmedUploads
from target_marketo_bulk.settings import ImportSettings
from tests.target.runs import leads, read_json_lines, singer_lines
from tests.target.test_journal import NOW, journal, kill

if TYPE_CHECKING:
    from collections.abc import Callable

    from marketo_emulator import Emulator
    from tests.target.runs import Record, Run

    RunTarget = Callable[[bytes, Record], Run]

ROOT = Path(__file__).parents[2]
JOB_SECONDS = 2.0
# The process dies at a place no signal from outside could hit.
KILLED = """
import os, signal
from marketo_bulk import MarketoBulk
from target_marketo_bulk.sending.journal import Journal
from target_marketo_bulk.target import TargetMarketoBulk
def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)
{place} = die
TargetMarketoBulk.cli()
"""


def run_killed(lines: bytes, config: Record, directory: Path, place: str) -> None:
    """Run the target in a process that kills itself in place of calling a method."""
    path = directory / "config.json"
    path.write_text(json.dumps(config))
    done = subprocess.run(
        [sys.executable, "-c", KILLED.format(place=place), "--config", str(path)],
        check=False,
        input=lines,
        capture_output=True,
        timeout=60,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


@pytest.mark.parametrize(
    ("place", "imports"),
    [
        pytest.param("MarketoBulk.create_import", 1, id="before the upload"),
        pytest.param("Journal.accepted", 2, id="before the id is on disk"),
    ],
)
@pytest.mark.fault(
    "T8.1",
    "the run is killed between Marketo's acceptance of a file and the journal",
    "the next run finds the intent, says so, and sends nothing before the import can have ended",
)
def test_run_after_a_kill_before_the_journal_waits(  # a case has two parts
    emulator: Emulator,
    config: Record,
    run: RunTarget,
    tmp_path: Path,
    place: str,
    imports: int,
) -> None:
    """The older value of the import nobody knows of never lands upon the newer one."""
    emulator.faults.add(Fault(operation="import.job", job_seconds=JOB_SECONDS))
    older, newer = (
        singer_lines([{"email": "ann@load.test", "firstName": name}]) for name in ("Old", "New")
    )
    config |= {"import_timeout_seconds": 2 * JOB_SECONDS, "poll_interval_seconds": 0.1}
    run_killed(older, config, tmp_path, place)
    (line,) = read_json_lines(tmp_path / "rejects", "imports-*.jsonl")
    assert "load.test" not in json.dumps(line)
    assert (line["event"], line["rows"]) == ("sending", 1)
    result = run(newer, config)
    assert result.error is None
    assert "sent a file of 1 rows" in result.log
    assert "load.test" not in result.log
    assert [job.status.value for job in emulator.imports] == ["Complete"] * imports
    assert leads(emulator)["ann@load.test"]["firstName"] == "New"
    assert result.states == [{"records": 1}]
    assert list((tmp_path / "rejects").glob("imports-*")) == []


@pytest.mark.fault("T8.1", "… the reply to the last upload of a run is lost for good", "the same")
def test_run_that_never_got_its_reply_leaves_the_intent(
    emulator: Emulator, config: Record, run: RunTarget, tmp_path: Path
) -> None:
    """A run that gives up keeps its journal; the next one waits, and tidies up."""
    config |= {"import_timeout_seconds": 0.5}
    emulator.faults.add(Fault(operation="import.create", reset="after", times=6))
    lines = singer_lines([{"email": "ann@load.test"}])
    assert isinstance(run(lines, config).error, LostReplyError)
    assert {entry["event"] for entry in read_json_lines(tmp_path / "rejects", "imports-*")} == {
        "sending"
    }
    result = run(lines, config)
    assert result.error is None
    assert "sent a file of 1 rows" in result.log
    assert list((tmp_path / "rejects").glob("imports-*")) == []


@pytest.mark.fault(
    "T8.1", "… the reply is lost, and what is sent again is refused for its size", "the same"
)
@pytest.mark.parametrize("rows", [1, 2, 3])
def test_refused_part_of_a_file_whose_reply_was_lost_leaves_the_intent(
    emulator: Emulator, config: Record, run: RunTarget, tmp_path: Path, rows: int
) -> None:
    """The refusal is about the part: the file that Marketo may have taken was the whole."""
    emulator.faults.add(
        Fault(operation="import.create", reset="after"),
        Fault(operation="import.create", nth=2, status=413, times=9),
    )
    records = [{"email": f"p{number}@load.test"} for number in range(rows)]
    result = run(singer_lines(records), {**config, "max_rejected_percent": 100})
    assert len(result.rejects) == rows
    lines = read_json_lines(tmp_path / "rejects", "imports-*.jsonl")
    last = {line["upload"]: line["event"] for line in lines}
    assert last.pop(1) == "sending"
    assert set(last.values()) <= {"not_taken"}


@pytest.mark.parametrize("code", ["1016", "603", "607", "1006"])
def test_refused_upload_leaves_no_intent(
    emulator: Emulator, config: Record, run: RunTarget, tmp_path: Path, code: str
) -> None:
    """What Marketo has refused is known: no later run waits for it."""
    emulator.faults.add(Fault(operation="import.create", code=code, times=None))
    result = run(
        singer_lines([{"email": "ann@load.test"}]), {**config, "import_timeout_seconds": 0.05}
    )
    assert result.error is not None
    assert list((tmp_path / "rejects").glob("imports-*")) == []


@pytest.mark.parametrize(
    ("age_seconds", "most", "wait"),
    [
        (0, 7200, 600),
        (0, 60, 60),
        (45, 60, 15),
        (3600, 7200, 0),
        # A clock that was set back is no reason to wait for longer.
        (-3600, 7200, 600),
    ],
)
def test_wait_for_an_unconfirmed_upload_is_bounded(
    tmp_path: Path, age_seconds: float, most: float, wait: float
) -> None:
    """It ends so long after the upload began, and never later than it would from now."""
    dead = journal(tmp_path, "dead", now=NOW - timedelta(seconds=age_seconds))
    for finished in (1, 2):
        assert dead.sending(5) == finished
    dead.accepted("3401", rows=5, upload=1)
    dead.settled("3401", "Complete")
    assert dead.sending(7) == 3
    dead.not_taken(3)
    kill(dead)
    own = journal(tmp_path, "own")
    batch_ids, intents = own.take_over()
    assert (batch_ids, [intent.rows for intent in intents]) == ([], [5])
    settings = ImportSettings(import_timeout_seconds=most)
    unconfirmed = UnconfirmedUploads(own, intents, settings, now=100.0)
    assert unconfirmed.until == 100.0 + wait
    kill(own)
    following = journal(tmp_path, "next")
    _, again = following.take_over()
    assert [intent.sent_at for intent in again] == [intent.sent_at for intent in intents]
    UnconfirmedUploads(following, again, settings, now=0.0).forget()
    following.close()
    assert list(tmp_path.iterdir()) == []


def test_last_attempt_of_an_upload_counts(tmp_path: Path) -> None:
    """An upload sent again began when it was sent last."""
    dead = journal(tmp_path, "dead", now=NOW - timedelta(seconds=500))
    number = dead.sending(5)
    dead._now = lambda: NOW - timedelta(seconds=20)  # noqa: SLF001  # time passes
    dead.sending(5, upload=number)
    kill(dead)
    own = journal(tmp_path, "own")
    _, (intent,) = own.take_over()
    kill(own)
    assert intent.age_seconds == 20

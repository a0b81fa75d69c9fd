from __future__ import annotations

import json
import stat
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from target_marketo_bulk.sending.journal import Journal

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 5, 1, tzinfo=timezone.utc)
HERE = "https://here"


def journal(directory: Path, run_id: str, *, instance: str = HERE, now: datetime = NOW) -> Journal:
    """Return an open journal."""
    return Journal(directory, run_id, instance=instance, now=lambda: now)


def kill(killed: Journal) -> None:
    """Let go of a journal as the end of a process does."""
    killed._handle.close()  # noqa: SLF001  # nothing public ends without tidying up


def test_id_is_on_disk_before_anything_else(tmp_path: Path) -> None:
    """An accepted import can be read back by others at once; the file is private."""
    own = journal(tmp_path / "rejects", "a")
    own.accepted("3401", rows=5)
    (line,) = own.path.read_text().splitlines()
    assert json.loads(line)["batch_id"] == "3401"
    assert stat.S_IMODE(own.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(own.path.parent.stat().st_mode) == 0o700
    kill(own)


def test_settled_run_leaves_nothing(tmp_path: Path) -> None:
    """A journal whose imports are all settled is removed at the end; another one is kept."""
    own, other = journal(tmp_path, "a"), journal(tmp_path, "b")
    own.accepted("1")
    own.settled("1", "complete")
    other.accepted("2")
    own.close()
    other.close()
    assert [path.name for path in tmp_path.iterdir()] == ["imports-b.jsonl"]


def test_unsettled_imports_of_dead_runs_are_taken_over(tmp_path: Path) -> None:
    """Only what is unsettled, young, of this instance and of a run that is over."""
    for run_id, instance, now in (
        ("dead", HERE, NOW),
        ("old", HERE, NOW - timedelta(days=8)),
        ("elsewhere", "https://elsewhere", NOW),
    ):
        killed = journal(tmp_path, run_id, instance=instance, now=now)
        killed.accepted(f"{run_id}-1")
        killed.accepted(f"{run_id}-2")
        killed.settled(f"{run_id}-1", "complete")
        kill(killed)
    with (tmp_path / "imports-dead.jsonl").open("a") as torn:
        torn.write('{"event": "accep')
    alive = journal(tmp_path, "alive")
    alive.accepted("alive-1")
    own = journal(tmp_path, "own")
    assert own.take_over() == (["dead-2"], [])
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "imports-alive.jsonl",
        "imports-elsewhere.jsonl",
        "imports-own.jsonl",
    ]
    kill(alive)
    kill(own)
    following = journal(tmp_path, "next")
    assert following.take_over() == (["alive-1", "dead-2"], [])
    kill(following)

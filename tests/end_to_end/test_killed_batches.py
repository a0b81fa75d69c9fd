"""A run that is killed at any moment: files, STATE and archive are exact after the next run."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest

from tap_marketo_bulk.tap import TapMarketoBulk
from tests.end_to_end.test_batches import path_of, read_file
from tests.tap_runs import TapRun, capture, members_of, settings_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from marketo_emulator import Emulator

KILLS = 6
LONGEST_SECONDS = 3.0


def lines_of(text: bytes) -> list[dict[str, Any]]:
    """Return the messages a reader got whole."""
    return [json.loads(line) for line in text.split(b"\n")[:-1] if line]


class Pipeline:
    """Runs of the real command, and the table of a loader that reads each BATCH as it comes."""

    def __init__(self, folder: Path, config: dict[str, Any]) -> None:
        self._folder = folder
        (folder / "config.json").write_text(json.dumps(config))
        self.state: dict[str, Any] | None = None
        self.table: dict[tuple[int, int], dict[str, Any]] = {}

    def run(self, *, seconds: float | None = None) -> int:
        """Run the tap, or kill it after a while; return its exit code."""
        command = [sys.executable, "-m", "tap_marketo_bulk"]
        command += ["--config", str(self._folder / "config.json")]
        if self.state is not None:
            (self._folder / "state.json").write_text(json.dumps(self.state))
            command += ["--state", str(self._folder / "state.json")]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        if seconds is not None:
            time.sleep(seconds)
            process.kill()
        out, _ = process.communicate(timeout=300)
        for message in lines_of(out):
            if message["type"] == "BATCH" and message["stream"] == "program_members":
                (address,) = message["manifest"]
                self._take(read_file(path_of(address)))
            elif message["type"] == "RECORD" and message["stream"] == "program_members":
                self._take([message["record"]])
            elif message["type"] == "STATE":
                self.state = message["value"]
        return process.returncode

    def _take(self, records: list[dict[str, Any]]) -> None:
        self.table |= {(r["leadId"], r["programId"]): r for r in records}


def without_null(table: dict[Any, dict[str, Any]]) -> dict[Any, dict[str, Any]]:
    """Return a table in which null and absent are the same."""
    return {k: {n: v for n, v in r.items() if v is not None} for k, r in table.items()}


@pytest.mark.parametrize("format_", ["jsonl", "parquet"])
@pytest.mark.fault(
    "T1.1", "… and the run is killed at any moment", "is exact after the next run; no torn file"
)
def test_killed_runs_leave_no_torn_file_and_lose_nothing(
    make_emulator: Callable[..., Emulator],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    format_: str,
) -> None:
    """Batches and archive at once: each file under a final name is whole at every moment."""
    emulator = make_emulator(programs=12, members=3_000)
    lake, archive = tmp_path / "lake", tmp_path / "archive"
    config = settings_for(
        emulator,
        {
            "start_date": "2026-01-01",
            "calls_per_20_seconds": 100,
            "batch_config": {
                "encoding": {"format": format_},
                "storage": {"root": str(lake)},
                "batch_size": 100,
            },
            "archive_url": str(archive),
        },
    )
    pipeline = Pipeline(tmp_path, config)
    chance = random.Random(7)  # moments to kill at
    for _ in range(KILLS):
        pipeline.run(seconds=chance.uniform(0.8, LONGEST_SECONDS))
        for path in lake.glob("*.*") if lake.exists() else ():
            if not path.name.startswith("."):
                assert read_file(path)
        for path in archive.rglob("*.json"):
            assert json.loads(path.read_text())["exportId"] == path.stem
    assert pipeline.run() == 0
    young = {k: m for k, m in members_of(emulator).items() if m["updatedAt"] >= "2026-01-01"}
    assert without_null(pipeline.table) == without_null(young)
    tap = TapMarketoBulk(config={"replay_url": str(archive), "start_date": "2026-01-01"})
    replayed: TapRun = capture(tap.sync_all, monkeypatch)
    assert without_null(replayed.table()) == without_null(young)
    assert not list(tmp_path.rglob("*.part"))
    if format_ == "parquet":
        assert all(pq.read_metadata(path).num_rows for path in lake.glob("*.parquet"))

"""A large load takes the memory of a small one, full files, and few calls."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from marketo_emulator import Emulator, Options
from tests.target.runs import people, singer_lines

if TYPE_CHECKING:
    from tests.target.runs import Record

ROOT = Path(__file__).parents[2]
FILE_BYTES = 400_000
MEGABYTE_KIB = 1000
# Only the process itself knows its own peak: what the kernel says of a child includes its parent.
MEASURED = """
import re, sys
from pathlib import Path
from target_marketo_bulk.target import TargetMarketoBulk
try:
    TargetMarketoBulk.cli()
finally:
    peak = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())
    print("PEAK", peak.group(1), file=sys.stderr)
"""


@dataclass(frozen=True)
class Load:
    """What a load took, and what Marketo saw of it."""

    peak_kib: int
    file_bytes: list[int]
    largest_body_bytes: int
    calls: int
    polls: int
    leads: int


def load(records: int, directory: Path) -> Load:
    """Load so many leads by a target in a process of its own."""
    directory.mkdir()
    lines = directory / "messages.jsonl"
    lines.write_bytes(singer_lines(people(records, lastName="x" * 40), state_every=1000))
    options = Options(max_calls_per_window=10**6)
    with Emulator(programs=0, members=0, job_seconds=0, options=options) as emulator:
        config: Record = {
            "base_url": emulator.base_url,
            "client_id": emulator.client_id,
            "client_secret": emulator.client_secret,
            "calls_per_20_seconds": 100,
            "poll_interval_seconds": 0.1,
            "max_file_size_bytes": FILE_BYTES,
            "rejects_path": str(directory / "rejects"),
        }
        (directory / "config.json").write_text(json.dumps(config))
        with lines.open("rb") as source:
            done = subprocess.run(
                [sys.executable, "-c", MEASURED, "--config", str(directory / "config.json")],
                check=False,
                stdin=source,
                capture_output=True,
                timeout=300,
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            )
        errors = done.stderr.decode()
        assert done.returncode == 0, errors
        requests = [r for r in emulator.requests if not r.operation.startswith("identity")]
        return Load(
            peak_kib=int(errors.rpartition("PEAK ")[2]),
            file_bytes=[len(job.request.content) for job in emulator.imports],
            largest_body_bytes=max(r.content_length for r in requests),
            calls=len(requests),
            polls=sum(r.operation == "import.status" for r in requests),
            leads=sum(1 for _ in emulator.store.leads()),
        )


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs the kernel's word on it")
def test_load_of_many_files_is_flat_in_memory_full_and_frugal(tmp_path: Path) -> None:
    """Four times the records: the same peak, files full but for the last, no call too many."""
    small, large = load(15_000, tmp_path / "small"), load(60_000, tmp_path / "large")
    assert large.leads - small.leads == 45_000
    assert large.peak_kib < 120 * MEGABYTE_KIB
    assert large.peak_kib - small.peak_kib < 8 * MEGABYTE_KIB
    assert len(large.file_bytes) > 10
    assert all(0.97 * FILE_BYTES <= size < FILE_BYTES for size in large.file_bytes[:-1])
    assert large.largest_body_bytes < FILE_BYTES + 1000
    files = len(large.file_bytes)
    assert large.calls <= files + large.polls + 5

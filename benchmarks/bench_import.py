"""Measures the target against the SDK's default batch sink: processor time a record, and memory.

    python benchmarks/bench_import.py [--records 300000] [--baseline-records 50000] [--rounds 3]

Prints a table, and fails if the large import at its end breaks a promise: memory, how full the
files are, how many calls they cost. Each measurement is a process of its own that reads messages
from a file. What counts is its processor time less that of a process that reads two records: start
and end are no part of a record. All take turns, and a factor is taken within a round; shown are
the median of the rounds, the least and the greatest.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING

from lead_messages import write_messages
from measurement import FOLDER, Usage, measure

ROOT = FOLDER.parent

if TYPE_CHECKING:
    from collections.abc import Iterator

LARGE = 1_000_000
"""Records of the import whose promises are checked."""

PEAK_MAX_MB = 120
GROWTH_MAX_MB = 20
BODY_MAX_BYTES = 10_000_000
FILE_BYTES = 9_500_000
FILL_MIN = 0.97
CALLS_MORE_MAX = 5

PACE = {"poll_interval_seconds": 0.2, "calls_per_20_seconds": 100}


@dataclass(slots=True)
class Case:
    """A way to take messages; `arguments` follow the interpreter."""

    name: str
    arguments: list[str]
    records: int
    settings: dict[str, object] = field(default_factory=dict)
    microseconds: list[float] = field(default_factory=list)
    """Processor time a record, by round."""
    megabytes: float = 0.0

    def row(self, base: Case) -> str:
        """Return the row of the table."""
        taken = statistics.median(self.microseconds)
        pairs = zip(base.microseconds, self.microseconds, strict=True)
        factors = sorted(theirs / ours for theirs, ours in pairs)
        spread = f"{factors[0]:.1f}-{factors[-1]:.1f}"
        return (
            f"{self.name:<36}{self.records:>10,}{taken:>12.1f}{1e6 / taken:>14,.0f}"
            f"{statistics.median(factors):>8.1f}x{spread:>12}{self.megabytes:>8.0f}"
        )


HEAD = (
    f"{'':<36}{'records':>10}{'us a record':>12}{'a CPU second':>14}{'faster by':>21}{'MB RSS':>8}"
)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--records", type=int, default=300_000)
    parser.add_argument("--baseline-records", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        bench = Bench(Path(name))
        bench.compare(options.records, options.baseline_records, options.rounds)
        bench.import_many(options.baseline_records)


class Bench:
    """The measurements, on files in a directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._config = directory / "config.json"
        self._ours = ["-m", "target_marketo_bulk", "--config", str(self._config)]
        self._dry: dict[str, object] = {
            "dry_run_path": str(directory / "dry"),
            "rejects_path": str(directory / "rejects"),
        }

    def compare(self, records: int, baseline_records: int, rounds: int) -> None:
        """Take turns, and print the table."""
        naive = [str(FOLDER / "target_naive.py"), str(self._directory)]
        cases = [
            Case("SDK BatchSink, files only", naive, baseline_records),
            Case("target-marketo-bulk, files only", self._ours, records, self._dry),
            Case(
                "the same without validation",
                self._ours,
                records,
                {**self._dry, "validate_records": False},
            ),
        ]
        for _ in range(rounds):
            for case in cases:
                self._measure(case)
        print(HEAD)
        for case in cases:
            print(case.row(cases[0]), flush=True)

    def import_many(self, few: int) -> None:
        """Import few and many leads into an emulator, and check what is promised.

        Raises: SystemExit saying which promise was broken.
        """
        usages = [self._import(records) for records in (2, few, LARGE)]
        start, small, large = usages
        taken = (large.cpu_seconds - start.cpu_seconds) / LARGE * 1e6
        print(
            f"{'with imports into an emulator':<36}{LARGE:>10,}{taken:>12.1f}"
            f"{1e6 / taken:>14,.0f}{large.megabytes:>29.0f}"
        )
        if large.megabytes - small.megabytes > GROWTH_MAX_MB:
            raise SystemExit(
                f"memory grows with the input: {small.megabytes:.0f} and {large.megabytes:.0f} MB"
            )

    def _measure(self, case: Case) -> None:
        self._config.write_text(json.dumps(case.settings))
        command = [sys.executable, *case.arguments]
        start = measure(command, self._messages(2))
        whole = measure(command, self._messages(case.records))
        case.microseconds.append((whole.cpu_seconds - start.cpu_seconds) / case.records * 1e6)
        case.megabytes = max(case.megabytes, whole.megabytes)

    def _import(self, records: int) -> Usage:
        with emulator_process() as settings:
            self._config.write_text(
                json.dumps({**self._dry, "dry_run_path": None, **settings, **PACE})
            )
            usage = measure([sys.executable, *self._ours], self._messages(records))
            check_promises(usage, str(settings["base_url"]))
        return usage

    def _messages(self, records: int) -> Path:
        path = self._directory / f"{records}.jsonl"
        if not path.exists():
            write_messages(path, records)
        return path


@contextlib.contextmanager
def emulator_process() -> Iterator[dict[str, object]]:
    """Run an emulator in a process of its own, and give the settings that lead to it."""
    code = (
        "import sys, json; from marketo_emulator import Emulator\n"
        "with Emulator(programs=0, members=0, job_seconds=0) as running:\n"
        "    print(json.dumps([running.base_url, running.client_id, running.client_secret]))\n"
        "    sys.stdout.flush(); sys.stdin.read()\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    output: IO[bytes] = child.stdout  # type: ignore[assignment]
    names = ("base_url", "client_id", "client_secret")
    yield dict(zip(names, json.loads(output.readline()), strict=True))
    child.communicate()


def check_promises(measured: Usage, base_url: str) -> None:
    """Compare a load with what is promised of it, by the emulator's own log of calls."""
    with urllib.request.urlopen(f"{base_url}/_emulator/requests") as reply:  # noqa: S310  # ours
        calls = [c for c in json.load(reply) if not c["operation"].startswith("identity")]
    bodies = [c["content_length"] for c in calls if c["operation"] == "import.create"]
    polls = sum(c["operation"] == "import.status" for c in calls)
    if measured.megabytes >= PEAK_MAX_MB:
        raise SystemExit(f"the peak is {measured.megabytes:.0f} MB")
    if max(bodies) >= BODY_MAX_BYTES:
        raise SystemExit(f"a body of {max(bodies)} bytes was sent")
    if any(size < FILL_MIN * FILE_BYTES for size in bodies[:-1]):
        raise SystemExit(f"a file was sent that is not full: {sorted(bodies)}")
    if len(calls) > len(bodies) + polls + CALLS_MORE_MAX:
        raise SystemExit(f"{len(calls)} calls for {len(bodies)} files and {polls} polls")


if __name__ == "__main__":
    main()

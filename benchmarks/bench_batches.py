"""Part (f): a verified file to files of batches, and to a table of DuckDB.

    python benchmarks/bench_batches.py [ROWS] [ROUNDS]

Processor time, user and system, start and end of each process taken off; what it writes goes into
a pipe, as to a loader. Within a round the contenders take turns. The SDK's own batches and
target-duckdb get a tenth of the rows.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from export_file import ROWS, TYPICAL, write_export_file, write_long_export_file
from measurement import ENVIRONMENT, FOLDER, NOTHING, Contender, measure
from peers import loader

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROUNDS = 3
PART = 10
"""What divides the rows of those that take long."""
LARGE_BYTES = 1_000_000_000
TABLE = "program_members"

RECORDS, PARQUET, LINES = "RECORD lines", "Parquet (zstd)", "JSON lines (gzip)"
SDK_PARQUET, SDK_LINES = "the SDK's Parquet (gzip)", "the SDK's JSON lines (gzip)"
ARROW = "Arrow itself to Parquet (zstd), nothing checked"
BY_FILE, BY_RECORD = "into DuckDB by Parquet, in all", "into DuckDB by target-duckdb, in all"
AGAINST = {
    PARQUET: RECORDS, ARROW: RECORDS, LINES: RECORDS, SDK_PARQUET: PARQUET, SDK_LINES: LINES,
    BY_RECORD: BY_FILE,
}  # fmt: skip
"""What each is compared with."""


@dataclass
class Timed:
    """A command, once with its rows and once with two."""

    name: str
    rows: int
    whole: Sequence[str]
    two: Sequence[str]
    sources: tuple[Path, Path] = (NOTHING, NOTHING)
    made: tuple[Path, ...] = ()
    """What it makes; an update would take longer, so it is taken away first."""
    microseconds: list[float] = field(default_factory=list)

    def measure(self) -> None:
        """Add a round."""
        for path in self.made:
            path.unlink(missing_ok=True)
        start = measure(self.two, self.sources[1], is_piped=True)
        whole = measure(self.whole, self.sources[0], is_piped=True)
        self.microseconds.append((whole.cpu_seconds - start.cpu_seconds) / self.rows * 1e6)


def settings(folder: Path, format_: str, compression: str | None = None) -> str:
    """Return the settings of a tap that writes batch files."""
    encoding = {"format": format_} | ({"compression": compression} if compression else {})
    storage = {"root": folder.as_uri(), "prefix": ""}
    return json.dumps({"batch_config": {"encoding": encoding, "storage": storage}})


def contenders(folder: Path, rows: int) -> list[Timed]:
    """Write the files, and return who reads them."""
    files = {name: folder / f"{name}.csv" for name in ("whole", "part", "two")}
    for name, count in (("whole", rows), ("part", rows // PART), ("two", 2)):
        write_export_file(files[name], rows=count, quoted=TYPICAL)

    def tap(name: str, script: str, config: str, *, part: bool = False) -> Timed:
        command = Contender(name, script, settings=config).command
        file, count = (files["part"], rows // PART) if part else (files["whole"], rows)
        return Timed(name, count, command(file), command(files["two"]))

    return [
        tap(RECORDS, "tap_ours.py", "{}"),
        tap(PARQUET, "tap_ours.py", settings(folder / "files", "parquet")),
        tap(ARROW, "arrow_alone.py", str(folder / "arrow")),
        tap(LINES, "tap_ours.py", settings(folder / "files", "jsonl")),
        tap(SDK_PARQUET, "tap_naive.py", settings(folder / "sdk", "parquet", "gzip"), part=True),
        tap(SDK_LINES, "tap_naive.py", settings(folder / "sdk", "jsonl", "gzip"), part=True),
        by_file(folder, files, rows),
        by_record(folder, files, rows // PART),
    ]


def by_file(folder: Path, files: Mapping[str, Path], rows: int) -> Timed:
    """Return DuckDB with the Parquet file of an export file."""
    commands = []
    for name in ("whole", "two"):
        root = folder / f"parquet {name}"
        config = settings(root, "parquet")
        subprocess.run(
            Contender("", "tap_ours.py", settings=config).command(files[name]),
            check=True, stdout=subprocess.DEVNULL, env=ENVIRONMENT,
        )  # fmt: skip
        database = str(root.with_suffix(".duckdb"))
        commands.append([sys.executable, str(FOLDER / "load_parquet.py"), str(root), database])
    return Timed(BY_FILE, rows, *commands, made=tuple(Path(c[-1]) for c in commands))


def by_record(folder: Path, files: Mapping[str, Path], rows: int) -> Timed:
    """Return target-duckdb with the RECORD lines of an export file."""
    program = loader("target-duckdb==0.8.0", "duckdb==1.1.3")
    commands, sources, made = [], [], []
    for name in ("part", "two"):
        lines = folder / f"{name}.jsonl"
        with lines.open("wb") as out:
            subprocess.run(
                Contender("", "tap_ours.py").command(files[name]),
                check=True, stdout=out, env=ENVIRONMENT,
            )  # fmt: skip
        config = folder / f"{name}.json"
        made.append(folder / f"{name}.duckdb")
        target = {"path": str(made[-1]), "default_target_schema": "marketo"}
        config.write_text(json.dumps(target))
        commands.append([program, "--config", str(config)])
        sources.append(lines)
    return Timed(BY_RECORD, rows, *commands, (sources[0], sources[1]), tuple(made))


def measure_batches(rows: int = ROWS, rounds: int = ROUNDS) -> dict[str, Any]:
    """Return what each contender took, and the largest resident set for a file of 1 GB."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found = contenders(folder, rows)
        for _ in range(rounds):
            for each in found:
                each.measure()
        # In all is with the tap.
        taps = {each.name: each.microseconds for each in found}
        for each, before in ((found[-2], PARQUET), (found[-1], RECORDS)):
            each.microseconds = [
                a + b for a, b in zip(taps[before], each.microseconds, strict=True)
            ]
        large = folder / "large.csv"
        large_rows = write_long_export_file(large, LARGE_BYTES)
        config = settings(folder / "files", "parquet")
        usage = measure(Contender("", "tap_ours.py", settings=config).command(large))
    return {
        "rounds": rounds,
        "rows": rows,
        "large_rows": large_rows,
        "large_megabytes": round(usage.megabytes),
        "entries": [entry(each, {e.name: e for e in found}) for each in found],
    }


def entry(one: Timed, others: Mapping[str, Timed]) -> dict[str, Any]:
    """Return the figures of a contender; its ratios are taken within a round."""
    against = AGAINST.get(one.name)
    ratios = [
        mine / theirs
        for mine, theirs in zip(
            one.microseconds, others[against or one.name].microseconds, strict=True
        )
    ]
    return {
        "what": one.name,
        "rows": one.rows,
        "microseconds": round(statistics.median(one.microseconds), 1),
        "against": against,
        "ratio": round(statistics.median(ratios), 2),
        "ratio_range": [round(min(ratios), 2), round(max(ratios), 2)],
    }


if __name__ == "__main__":
    print(json.dumps(measure_batches(*map(int, sys.argv[1:])), indent=2))

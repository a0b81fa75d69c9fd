"""The report: what was measured, on what and when, as Markdown and as JSON."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import dataclass, field
from datetime import datetime, timezone
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from measurement import Usage
    from rounds import Score

PACKAGES = ("singer-sdk", "msgspec")


@dataclass(slots=True)
class Report:
    """Tables, in the order in which they were added."""

    rows: int
    rounds: int
    loops: list[dict[str, Any]] = field(default_factory=list)
    memory: list[dict[str, Any]] = field(default_factory=list)
    outputs: dict[str, str] = field(default_factory=dict)

    def add_loops(self, what: str, scores: Sequence[Score]) -> None:
        """Add one comparison; the first score is ours."""
        ours = scores[0]
        for score in scores:
            median, least, greatest = ours.times_faster_than(score)
            self.loops.append(
                {
                    "file": what,
                    "contender": score.contender.name,
                    "microseconds": round(score.median / self.rows * 1e6, 1),
                    "records_per_cpu_second": round(self.rows / score.median),
                    "ratio": round(median, 1),
                    "ratio_range": [round(least, 1), round(greatest, 1)],
                    "megabytes": round(score.megabytes),
                    "cpu_seconds": [round(seconds, 2) for seconds in score.cpu_seconds],
                }
            )

    def add_memory(self, found: Mapping[int, Usage | None]) -> None:
        """Add the largest resident set for each file size in MB."""
        for size, usage in found.items():
            megabytes = None if usage is None else round(usage.megabytes)
            self.memory.append({"file_megabytes": size, "megabytes": megabytes})

    def add_output(self, script: str, output: str) -> None:
        """Add a table another script has printed."""
        self.outputs[script] = output

    def write(self, folder: Path) -> None:
        """Write `results.md` and `results.json`."""
        (folder / "results.md").write_text(self.markdown(), encoding="utf-8")
        content = {
            "environment": environment(),
            "rows": self.rows,
            "rounds": self.rounds,
            "loops": self.loops,
            "memory": self.memory,
        }
        (folder / "results.json").write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")

    def markdown(self) -> str:
        """Return everything as Markdown."""
        parts = [f"# Results\n\n{', '.join(environment().values())}\n"]
        if self.loops:
            parts.append(self._loops_table())
        if self.memory:
            parts.append(self._memory_table())
        parts += [f"## {name}\n\n```text\n{text}```\n" for name, text in self.outputs.items()]
        return "\n".join(parts)

    def _loops_table(self) -> str:
        lines = [
            "## A finished export file to RECORD lines\n",
            f"{self.rows:,} rows, 30 columns; processor time without start and end of the process.",
            f"Medians of {self.rounds} rounds; a ratio is taken within a round.\n",
            "| File | | µs a record | records a CPU second | this tap is faster by | RSS |",
            "| --- | --- | --- | --- | --- | --- |",
        ]
        lines += [
            "| {file} | {contender} | {microseconds} | {records_per_cpu_second:,} | {ratio}x "
            "({ratio_range[0]}-{ratio_range[1]}) | {megabytes} MB |".format(**loop)
            for loop in self.loops
        ]
        return "\n".join(lines) + "\n"

    def _memory_table(self) -> str:
        lines = ["## Memory against file size\n", "| File | RSS |", "| --- | --- |"]
        for entry in self.memory:
            megabytes = entry["megabytes"]
            shown = "skipped: no room on the disk" if megabytes is None else f"{megabytes} MB"
            lines.append(f"| {entry['file_megabytes']:,} MB | {shown} |")
        return "\n".join(lines) + "\n"


def environment() -> dict[str, str]:
    """Return machine, versions and date, without any name of the machine."""
    return {
        "machine": f"{_processor()}, {os.cpu_count()} cores, {platform.system()}",
        "python": f"Python {platform.python_version()}",
        **{package: f"{package} {version(package)}" for package in PACKAGES},
        "date": datetime.now(timezone.utc).date().isoformat(),
    }


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:  # noqa: PTH123  # no path of ours
            return next(line.partition(":")[2].strip() for line in file if "model name" in line)
    except (OSError, StopIteration):
        return platform.machine()

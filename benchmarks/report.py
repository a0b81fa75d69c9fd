"""The report: what was measured, on what and when, kept as JSON and shown as Markdown.

Each section is that of the latest run that had its part, with that run's machine and date.
`python benchmarks/report.py --page` puts the summary into docs/performance.md, between two markers.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from measurement import Usage
    from rounds import Score

FOLDER = Path(__file__).parent
PAGE = FOLDER.parent / "docs" / "performance.md"
MARKERS = ("<!-- made by benchmarks/report.py -->", "<!-- end of what it made -->")
PACKAGES = ("singer-sdk", "msgspec")
LOOPS_TITLE = """## A finished export file to RECORD lines

Processor time, user and system, without start and end of the process; 30 columns.
Medians of {rounds} rounds; a ratio is taken within a round.

| File | Rows | | µs a record | records a CPU second | this tap is faster by | RSS |
| --- | --- | --- | --- | --- | --- | --- |"""
ACTIVITIES_TITLE = """## A finished export file of activities to RECORD lines

The same for a file of activities: three types, ten attributes a row. \
`one` has attributes as an object, `per_type` as columns of a stream for each type.
Medians of {rounds} rounds; a ratio is taken within a round.

| Form | Rows | | µs a record | records a CPU second | this tap is faster by | RSS |
| --- | --- | --- | --- | --- | --- | --- |"""
MEMORY_TITLE = """## Memory against file size

| File | RSS |
| --- | --- |"""

TIMELINE_TITLE = """## The time line of a run

Seconds since the first job was created, on a virtual clock; `docs/schedule.svg` draws them.
"""

BATCHES_TITLE = """## A finished export file to batch files, and into DuckDB

Processor time of a record of 30 columns, start-up taken off; medians of {rounds} rounds \
(least and greatest in brackets), each ratio within a round. \
What is written goes into a pipe. In all is the tap and the loader:

| | Rows | µs a record | |
| --- | --- | --- | --- |"""

SUMMARY_TITLE = """Processor time for a record, from a finished export file to stdout, \
against {others} on the same files; \
medians of {rounds} rounds (least and greatest in brackets), start-up taken off, 30 columns:

| File | records a CPU second | {others_in_cells} | Peak memory |
| --- | --- | {dashes} | --- |"""

ACTIVITIES_SUMMARY = """The same for activities with ten attributes a row, \
as one stream (`one`) and as one for each type (`per_type`), against {others}; \
medians of {rounds} rounds:

| Form | records a CPU second | {others_in_cells} | Peak memory |
| --- | --- | {dashes} | --- |"""

CAPTIONS = {
    "bench_import.py": (
        "The target: processor time of a record of 28 columns, validation on, start-up taken off, "
        "against the SDK's own `BatchSink`:"
    ),
    "bench_jobs.py": (
        "The schedule: whole syncs on a virtual clock; the ratio is to what two workers that never "
        "idle would take:"
    ),
}
"""What the page says of the tables that other scripts print."""


class Report:
    """The sections of `folder`'s `results.json`; `add_…` replaces one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept = folder / "results.json"
        self._sections: dict[str, Any] = {}
        if self._kept.exists():
            self._sections = json.loads(self._kept.read_text(encoding="utf-8"))

    def add_loops(self, comparisons: Sequence[tuple[str, int, Sequence[Score]]]) -> None:
        """Replace the comparisons: what file, of how many rows, and the scores, ours first."""
        self._add("loops", _loops(comparisons))

    def add_activities(
        self,
        comparisons: Sequence[tuple[str, int, Sequence[Score]]],
        memory: Mapping[str, Mapping[int, float]],
    ) -> None:
        """Replace the comparisons of activities, and the peak memory of each form by file size."""
        sizes = {
            form: {str(size): round(peak) for size, peak in peaks.items()}
            for form, peaks in memory.items()
        }
        self._add("activities", {**_loops(comparisons), "memory": sizes})

    def add_memory(self, found: Mapping[int, Usage | None]) -> None:
        """Replace the largest resident sets, by file size in MB."""
        entries = {
            size: None if usage is None else round(usage.megabytes) for size, usage in found.items()
        }
        self._add("memory", {"entries": {str(size): entry for size, entry in entries.items()}})

    def add_timeline(self, jobs: Sequence[Mapping[str, float]]) -> None:
        """Replace the time line of a run: how far each job was when."""
        self._add("timeline", {"entries": list(jobs)})

    def add_batches(self, measured: Mapping[str, Any]) -> None:
        """Replace what batches take, as `measure_batches` returns it."""
        self._add("batches", dict(measured))

    def add_output(self, script: str, output: str) -> None:
        """Replace the table another script has printed."""
        self._add(script, {"text": output})

    def markdown(self) -> str:
        """Return everything as Markdown."""
        parts = ["# Results"]
        for name, section in self._sections.items():
            measured = ", ".join(section["environment"].values())
            parts += [_SHOWN.get(name, _shown_output)(name, section), f"Measured on {measured}."]
        return "\n\n".join(parts) + "\n"

    def summary(self) -> str:
        """Return the loops in one row a file and the tables that follow, as Markdown."""
        parts = []
        if "loops" in self._sections:
            parts += [_summed_up(SUMMARY_TITLE, self._sections["loops"])]
        if "activities" in self._sections:
            section = self._sections["activities"]
            parts += [_summed_up(ACTIVITIES_SUMMARY, section), _peaks_of_forms(section)]
        if "memory" in self._sections:
            sizes = self._sections["memory"]["entries"]
            shown = ", ".join(f"{size} MB: {mb} MB" for size, mb in sizes.items() if mb is not None)
            parts.append(f"Peak memory by size of the file: {shown}.")
        if "batches" in self._sections:
            _, _, table = _shown_batches("", self._sections["batches"]).partition("\n\n")
            parts += [table]
        for script, caption in CAPTIONS.items():
            if script in self._sections:
                parts += [caption, _fenced(self._sections[script]["text"])]
        if "loops" in self._sections:
            measured = ", ".join(self._sections["loops"]["environment"].values())
            parts.append(f"Measured by `python benchmarks/run.py` on {measured}.")
        return "\n\n".join(parts)

    def _add(self, name: str, section: dict[str, Any]) -> None:
        self._sections[name] = {"environment": environment(), **section}
        self._kept.write_text(json.dumps(self._sections, indent=2) + "\n", encoding="utf-8")
        (self._folder / "results.md").write_text(self.markdown(), encoding="utf-8")


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
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.partition(":")[2].strip() for line in lines if "model name" in line)
    except (OSError, StopIteration):
        return platform.machine()


def _loops(comparisons: Sequence[tuple[str, int, Sequence[Score]]]) -> dict[str, Any]:
    entries = [
        _loop(what, rows, scores[0], score)
        for what, rows, scores in comparisons
        for score in scores
    ]
    return {"rounds": len(entries[0]["cpu_seconds"]), "entries": entries}


def _loop(what: str, rows: int, ours: Score, score: Score) -> dict[str, Any]:
    median, least, greatest = ours.times_faster_than(score)
    return {
        "file": what,
        "rows": rows,
        "contender": score.contender.name,
        "microseconds": round(score.median / rows * 1e6, 1),
        "records_per_cpu_second": round(rows / score.median),
        "ratio": round(median, 1),
        "ratio_range": [round(least, 1), round(greatest, 1)],
        "megabytes": round(score.megabytes),
        "cpu_seconds": [round(seconds, 2) for seconds in score.cpu_seconds],
    }


def _shown_loops(name: str, section: Mapping[str, Any]) -> str:
    title = ACTIVITIES_TITLE if name == "activities" else LOOPS_TITLE
    lines = [title.format(rounds=section["rounds"])]
    lines += [
        f"| {loop['file']} | {loop['rows']:,} | {loop['contender']} | {loop['microseconds']} "
        f"| {loop['records_per_cpu_second']:,} | {_ratio(loop)} | {loop['megabytes']} MB |"
        for loop in section["entries"]
    ]
    if name == "activities":
        lines += ["", _peaks_of_forms(section)]
    return "\n".join(lines)


def _peaks_of_forms(section: Mapping[str, Any]) -> str:
    shown = (
        f"`{form}` " + ", ".join(f"{size} MB: {peak} MB" for size, peak in peaks.items())
        for form, peaks in section["memory"].items()
    )
    return f"Peak memory by size of the file: {'; '.join(shown)}."


def _summed_up(title: str, section: Mapping[str, Any]) -> str:
    entries = section["entries"]
    files = list(dict.fromkeys(loop["file"] for loop in entries))
    ours, *others = dict.fromkeys(loop["contender"] for loop in entries)
    found = {(loop["file"], loop["contender"]): loop for loop in entries}
    lines = [
        title.format(
            others=", ".join(others),
            rounds=section["rounds"],
            others_in_cells=" | ".join(f"against {other}" for other in others),
            dashes=" | ".join("---" for _ in others),
        )
    ]
    for file in files:
        own = found[file, ours]
        ratios = [_ratio(found.get((file, other))) for other in others]
        cells = [file, f"{own['records_per_cpu_second']:,}", *ratios, f"{own['megabytes']} MB"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _ratio(loop: Mapping[str, Any] | None) -> str:
    if loop is None:
        return ""
    least, greatest = loop["ratio_range"]
    return f"{loop['ratio']}x ({least}-{greatest})"


def _shown_memory(_: str, section: Mapping[str, Any]) -> str:
    lines = [MEMORY_TITLE]
    for size, megabytes in section["entries"].items():
        shown = "skipped: no room on the disk" if megabytes is None else f"{megabytes} MB"
        lines.append(f"| {int(size):,} MB | {shown} |")
    return "\n".join(lines)


def _shown_timeline(_: str, section: Mapping[str, Any]) -> str:
    jobs = section["entries"]
    names = list(jobs[0])
    lines = [TIMELINE_TITLE, f"| {' | '.join(names)} |", "| --- " * len(names) + "|"]
    lines += [f"| {' | '.join(str(value) for value in job.values())} |" for job in jobs]
    return "\n".join(lines)


def _shown_batches(_: str, section: Mapping[str, Any]) -> str:
    lines = [BATCHES_TITLE.format(**section)]
    for entry in section["entries"]:
        ratio = ""
        if entry["against"] is not None:
            least, greatest = entry["ratio_range"]
            ratio = f"{entry['ratio']}x of {entry['against']} ({least}-{greatest})"
        lines.append(f"| {entry['what']} | {entry['rows']:,} | {entry['microseconds']} | {ratio} |")
    lines += ["", f"Peak memory of a file of 1 GB to Parquet: {section['large_megabytes']} MB."]
    return "\n".join(lines)


def _shown_output(name: str, section: Mapping[str, Any]) -> str:
    return f"## {name}\n\n{_fenced(section['text'])}"


def _fenced(output: str) -> str:
    return f"```text\n{output.rstrip()}\n```"


_SHOWN = {
    "loops": _shown_loops,
    "activities": _shown_loops,
    "memory": _shown_memory,
    "batches": _shown_batches,
    "timeline": _shown_timeline,
}


def with_summary(page: str, summary: str) -> str:
    """Return the page with `summary` between its markers.

    Raises: ValueError if a marker is missing.
    """
    start, end = MARKERS
    before, marker, rest = page.partition(start)
    _, other_marker, after = rest.partition(end)
    if not marker or not other_marker:
        raise ValueError(f"the page needs {start} and then {end}")
    return f"{before}{start}\n{summary}\n{end}{after}"


def main() -> None:
    """Print the report, or put its summary into the page."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--page", action="store_true", help="put the summary into the docs")
    report = Report(FOLDER)
    if parser.parse_args().page:
        page = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(with_summary(page, report.summary()), encoding="utf-8")
    else:
        print(report.markdown())


if __name__ == "__main__":
    main()

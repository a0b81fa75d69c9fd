"""Runs every benchmark: `python benchmarks/run.py`; the tables end up in `results.md`.

    python benchmarks/run.py [--parts abd] [--rounds 5] [--rows 300000] [--sizes 100 500 2000]

Takes a quarter of an hour on two idle cores, half of it for the peers; what is in the docs comes
from `python benchmarks/report.py --page` afterwards.

Needs this project's environment, and access to a package index the first time.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from bench_activities import measure_activities
from bench_batches import measure_batches
from export_file import ROWS, TYPICAL, write_export_file
from measurement import FOLDER, Contender
from memory import SIZES_MEGABYTES, measure_sizes
from peers import install_peers
from report import Report
from rounds import Files, Score, compete

Comparison = tuple[str, int, list[Score]]

MAPS = '{"stream_maps": {"program_members": {"email": "md5(email)", "statusReason": null}}}'
FLATTENING = '{"flattening_enabled": true, "flattening_max_depth": 1}'
QUOTED = {"no quotes": 0.0, "every row quoted": 1.0}
"""Share of rows with a quoted cell."""
SHORT_ROWS = 500
PARTS = (
    ("b", "bench_import.py"),
    ("c", "bench_jobs.py"),
    ("e", "startup.py"),
    ("g", "bench_curves.py"),
    ("i", "bench_programs.py"),
)
"""Parts that are scripts of their own, and print a table."""

OURS = Contender("this tap", "tap_ours.py")
NAIVE = Contender("plain SDK tap", "tap_naive.py")


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument(
        "--parts",
        default="abcdefghij",
        help="a records, b import, c jobs, d memory, e start, f batches, g curves, h time line, "
        "i whole syncs, j activities",
    )
    parser.add_argument(
        "--sizes", type=int, nargs="+", default=SIZES_MEGABYTES, help="of the files of part d, MB"
    )
    parser.add_argument("--no-peers", action="store_true")
    options = parser.parse_args()
    report = Report(FOLDER)
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        if "a" in options.parts:
            report.add_loops(compare_loops(directory, options))
        if "d" in options.parts:
            report.add_memory(measure_sizes(OURS, directory, options.sizes))
        if "j" in options.parts:
            report.add_activities(
                *measure_activities(
                    directory, options.rows // 3, options.rounds, with_peers=not options.no_peers
                )
            )
    if "f" in options.parts:
        report.add_batches(measure_batches(options.rows, options.rounds))
    for part, script in PARTS:
        if part in options.parts and (FOLDER / script).exists():
            output = subprocess.run(
                [sys.executable, FOLDER / script], stdout=subprocess.PIPE, text=True, check=True
            )
            report.add_output(script, output.stdout)
    if "h" in options.parts:
        # Here: what this process holds would count as the memory of the processes it measures.
        from timeline import as_entries, measured  # noqa: PLC0415

        report.add_timeline(as_entries(measured()))
    print(report.markdown())


def compare_loops(directory: Path, options: argparse.Namespace) -> list[Comparison]:
    """Part (a): a finished file to RECORD lines; returns what file, its rows and the scores."""
    peers = [] if options.no_peers else install_peers()
    files = make_files(directory, options.rows, TYPICAL)
    scores = compete([OURS, NAIVE, *peers], files, options.rounds)
    compared: list[Comparison] = [("typical", options.rows, scores)]
    rows = options.rows // 3
    files = make_files(directory, rows, TYPICAL)
    for what, settings in (("typical, stream maps", MAPS), ("typical, flattening", FLATTENING)):
        pair = [Contender(c.name, c.script, settings=settings) for c in (OURS, NAIVE)]
        compared.append((what, rows, compete(pair, files, options.rounds)))
    for what, quoted in QUOTED.items():
        files = make_files(directory, rows, quoted)
        compared.append((what, rows, compete([OURS, NAIVE], files, options.rounds)))
    return compared


def make_files(directory: Path, rows: int, quoted: float) -> Files:
    """Write the files of one comparison, over those of the last."""
    paths = [directory / name for name in ("whole.csv", "short.csv", "two.csv")]
    for path, count in zip(paths, (rows, SHORT_ROWS, 2), strict=True):
        write_export_file(path, rows=count, quoted=quoted)
    return Files(paths[0], rows, paths[1], SHORT_ROWS, paths[2])


if __name__ == "__main__":
    main()

"""Runs every benchmark: `python benchmarks/run.py`; the tables end up in `results.md`.

    python benchmarks/run.py [--rounds 5] [--rows 300000] [--no-peers] [--parts abd]

Needs this project's environment, and access to a package index the first time.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from export_file import ROWS, write_export_file
from measurement import FOLDER, Contender
from memory import measure_sizes
from peers import install_peers
from report import Report
from rounds import Files, compete

MAPS = '{"stream_maps": {"program_members": {"email": "md5(email)", "statusReason": null}}}'
FLATTENING = '{"flattening_enabled": true, "flattening_max_depth": 1}'
QUOTED = {"typical": 0.2, "no quotes": 0.0, "every row quoted": 1.0}
SHORT_ROWS = 500

OURS = Contender("this tap", "tap_ours.py")
NAIVE = Contender("plain SDK tap", "tap_naive.py")


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--parts", default="abcd", help="a records, b import, c jobs, d memory")
    parser.add_argument("--no-peers", action="store_true")
    options = parser.parse_args()
    report = Report(rows=options.rows, rounds=options.rounds)
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        if "a" in options.parts:
            compare_loops(report, directory, options)
        if "d" in options.parts:
            report.add_memory(measure_sizes(OURS, directory))
    for part, script in (("b", "bench_import.py"), ("c", "bench_jobs.py")):
        if part in options.parts and (FOLDER / script).exists():
            output = subprocess.run(
                [sys.executable, FOLDER / script], stdout=subprocess.PIPE, text=True, check=True
            )
            report.add_output(script, output.stdout)
    report.write(FOLDER)
    print(report.markdown())


def compare_loops(report: Report, directory: Path, options: argparse.Namespace) -> None:
    """Part (a): a finished file to RECORD lines."""
    peers = [] if options.no_peers else install_peers()
    for what, quoted in QUOTED.items():
        files = make_files(directory, options.rows, quoted)
        rivals = [NAIVE, *peers] if what == "typical" else [NAIVE]
        report.add_loops(what, compete([OURS, *rivals], files, options.rounds))
        if what == "typical":
            for how, settings in (("stream maps", MAPS), ("flattening", FLATTENING)):
                pair = [Contender(c.name, c.script, settings=settings) for c in (OURS, NAIVE)]
                report.add_loops(how, compete(pair, files, options.rounds))


def make_files(directory: Path, rows: int, quoted: float) -> Files:
    """Write the files of one comparison, over those of the last."""
    paths = [directory / name for name in ("whole.csv", "short.csv", "two.csv")]
    for path, count in zip(paths, (rows, SHORT_ROWS, 2), strict=True):
        write_export_file(path, rows=count, quoted=quoted)
    return Files(paths[0], rows, paths[1], SHORT_ROWS, paths[2])


if __name__ == "__main__":
    main()

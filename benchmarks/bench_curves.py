"""Measures what grows with rows, the width of a row, the sets of properties, and the rejects.

    python benchmarks/bench_curves.py [--cells 4000000] [--records 40000] [--members 100000 300000]

Prints a table, and keeps the curves. Each measurement is a process of its own; what counts is its
processor time less that of a process with two rows or records. The options bound the size of one
case; `--members 100000 1000000 3000000` takes ten minutes.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from functools import partial
from itertools import chain, repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from curve import Curve, keep
from export_file import COLUMNS, TYPICAL, write_export_file
from lead_messages import TYPES, schema
from measurement import FOLDER, Contender, measure

sys.path.insert(0, str(FOLDER.parent))

from marketo_bulk import RowReader
from marketo_bulk.reader.columns import Column, Kind, kind_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Point = tuple[float, float]

MEMBERS = (30_000, 100_000, 300_000)
FIELDS = (20, 100, 300, 800)
TARGET_COLUMNS = (5, 28, 100, 300)
PROPERTY_SETS = (1, 2, 20, 400, 2_000)
REJECTED_PERCENT = (0, 1, 10, 100)
REPORTED_PERCENT = (0, 1, 10, 50, 100)
FEW = 2
ROUNDS = 3
"""How often, in turns, what is compared with itself is measured on a machine that others use."""

REPORTED_TIMES = 10
"""How many rows a report is about, for each record of the other cases."""

VALUES: dict[str, object] = {
    "string": "some text, quoted", "integer": 5, "number": 1.25, "boolean": True,
    "date": "2026-05-17", "date-time": "2026-05-17T15:41:32Z",
}  # fmt: skip
CELLS = {
    Kind.INTEGER: "17", Kind.NUMBER: "1.25", Kind.BOOLEAN: "true",
    Kind.DATE: "2026-05-17", Kind.DATETIME: "2026-05-17T15:41:32Z",
}  # fmt: skip


def main() -> None:
    """Measure, print and keep, or read a file as a child does."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cells", type=int, default=4_000_000)
    parser.add_argument("--records", type=int, default=40_000)
    parser.add_argument("--members", type=int, nargs="+", default=list(MEMBERS))
    parser.add_argument("--read", nargs=2, metavar=("FILE", "FIELDS"), help="what a child does")
    options = parser.parse_args()
    if options.read:
        read(Path(options.read[0]), int(options.read[1]))
        return
    with tempfile.TemporaryDirectory() as name:
        folder, records = Path(name), options.records
        for measured in (
            partial(fields, folder, options.cells),
            partial(target_columns, folder, options.cells),
            partial(property_sets, folder, records),
            partial(rejects, folder, records),
            partial(reported_rejects, REPORTED_TIMES * records),
            partial(members, folder, options.members),
        ):
            curve = measured()
            keep([curve])
            print("\n".join(curve.rows()), flush=True)


def members(directory: Path, counts: Sequence[int]) -> Curve:
    """Return what a record costs from a file to its line, by the number of rows."""
    ours, few = Contender("", "tap_ours.py"), directory / "few.csv"
    write_export_file(few, rows=FEW, quoted=TYPICAL)
    start = measure(ours.command(few)).cpu_seconds
    file = directory / "members.csv"

    def each(rows: int) -> tuple[float, float]:
        write_export_file(file, rows=rows, quoted=TYPICAL)
        whole = measure(ours.command(file))
        return (whole.cpu_seconds - start) / rows, whole.megabytes

    points, most = _points(counts, each)
    file.unlink()
    return Curve("Tap: a record of 30 fields", "us CPU", "members", "", points, most)


def fields(directory: Path, cells: int) -> Curve:
    """Return what a cell of an export file costs, by the number of fields."""

    def each(width: int) -> tuple[float, float]:
        rows = cells // width
        files = [directory / f"{count}.csv" for count in (FEW, rows)]
        for file, count in zip(files, (FEW, rows), strict=True):
            line = ",".join(CELLS.get(column.kind, "text 17") for column in columns(width))
            header = ",".join(column.name for column in columns(width))
            with file.open("w", encoding="utf-8") as out:
                # A child's memory is counted from that of its parent on: this one stays small.
                out.writelines(chain([f"{header}\n"], repeat(f"{line}\n", count)))
        start, whole = (measure([*_SELF, "--read", str(file), str(width)]) for file in files)
        return (whole.cpu_seconds - start.cpu_seconds) / (rows * width), whole.megabytes

    points, most = _points(FIELDS, each)
    return Curve("Tap: a cell", "us CPU", "fields", "", points, most, aim=0.25)


def read(file: Path, width: int) -> None:
    """Read a file, and encode its rows."""
    encoder = msgspec.json.Encoder(enc_hook=str, decimal_format="number")
    for rows in RowReader(columns(width)).chunks(file):
        encoder.encode_lines(rows)


def columns(width: int) -> list[Column]:
    """Return so many columns of all types."""
    kinds = list(COLUMNS.items())
    named = (kinds[index % len(kinds)] for index in range(width))
    return [Column(f"{name}{index}", kind_of(kind)) for index, (name, kind) in enumerate(named)]


def target_columns(directory: Path, cells: int) -> Curve:
    """Return what a cell of the target costs, by the number of columns."""

    def each(width: int) -> tuple[float, float]:
        seconds, megabytes = _load(directory, cells // width // 2, width=width)
        return seconds / width, megabytes

    points, most = _points(TARGET_COLUMNS, each)
    return Curve("Target: a cell", "us CPU", "columns", "", points, most, aim=0.39)


def property_sets(directory: Path, records: int) -> Curve:
    """Return what a record costs, by the number of sets of properties that take turns."""
    points, most = _points(
        PROPERTY_SETS, lambda sets: _load(directory, records, sets=sets), rounds=ROUNDS
    )
    aim = round(1.3 * points[0][1], 2)
    return Curve("Target: a record", "us CPU", "property sets", "", points, most, aim)


def rejects(directory: Path, records: int) -> Curve:
    """Return what a record costs, by the share of those that do not fit the schema."""
    points, most = _points(
        REJECTED_PERCENT, lambda percent: _load(directory, records, rejected_percent=percent)
    )
    name = "that does not fit its schema"
    return Curve("Target: a record", "us CPU", "% rejected", name, points, most)


def reported_rejects(rows: int) -> Curve:
    """Return what a row sent costs, by the share of those that Marketo's report names."""

    def each(percent: int) -> tuple[float, float]:
        script = str(FOLDER / "target_reports.py")
        start, whole = (
            measure([sys.executable, script, str(count), str(percent)]) for count in (FEW, rows)
        )
        return (whole.cpu_seconds - start.cpu_seconds) / rows, whole.megabytes

    points, most = _points(REPORTED_PERCENT, each)
    name = f"report on {rows:,} rows"
    return Curve("Target: a row sent", "us CPU", "% rejected", name, points, most, aim=25.0)


def _points(
    counts: Sequence[int], measured: Callable[[int], tuple[float, float]], rounds: int = 1
) -> tuple[tuple[Point, ...], float]:
    """Return the microseconds for each count, the least of all rounds, and the most megabytes."""
    found = [{count: measured(count) for count in counts} for _ in range(rounds)]
    points = tuple((n, round(min(each[n][0] for each in found) * 1e6, 3)) for n in counts)
    return points, max(megabytes for each in found for _, megabytes in each.values())


def _load(directory: Path, records: int, **shape: int) -> tuple[float, float]:
    config = directory / "config.json"
    paths = {"dry_run_path": str(directory / "dry"), "rejects_path": str(directory / "rejects")}
    config.write_text(json.dumps({**paths, "max_rejected_percent": 100}), encoding="utf-8")
    command = [sys.executable, "-m", "target_marketo_bulk", "--config", str(config)]
    usages = []
    for count in (FEW, records):
        messages = directory / "messages.jsonl"
        with messages.open("w", encoding="utf-8") as file:
            file.writelines(f"{json.dumps(each)}\n" for each in _messages(count, **shape))
        usages.append(measure(command, messages))
    start, whole = usages
    return (whole.cpu_seconds - start.cpu_seconds) / records, whole.megabytes


def _messages(
    records: int, *, width: int = len(TYPES), sets: int = 1, rejected_percent: int = 0
) -> Iterator[dict[str, Any]]:
    kinds = list(TYPES.items())
    names = {
        f"{name}{index // len(kinds) or ''}": kind
        for index, (name, kind) in ((i, kinds[i % len(kinds)]) for i in range(width))
    }
    known = schema()["properties"]
    properties = {name: known[name.rstrip("0123456789")] for name in names}
    described = {"type": "object", "properties": properties}
    yield {"type": "SCHEMA", "stream": "leads", "schema": described, "key_properties": []}
    for number in range(records):
        record = {name: VALUES[kind] for name, kind in names.items()}
        record["email"] = f"person.{number}@example.com"
        for bit, name in enumerate(list(names)[-11:] if sets > 1 else ()):
            if number % sets >> bit & 1:
                del record[name]
        if number % 100 < rejected_percent:
            record["firstName"] = number
        yield {"type": "RECORD", "stream": "leads", "record": record}


_SELF = [sys.executable, str(FOLDER / "bench_curves.py")]


if __name__ == "__main__":
    main()

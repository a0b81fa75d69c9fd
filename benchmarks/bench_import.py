"""Measures the target against the SDK's default batch sink: records a second, and memory.

    python benchmarks/bench_import.py [--records 1000000] [--baseline-records 50000]

Prints a table, and fails if the large import breaks a promise: memory, how full the files are,
how many calls they cost. Each row is a process of its own, start included, that reads messages
from a file; its memory is the largest resident set the kernel saw. Factors are of records a
processor second, which a busy machine changes least. The baseline is what the SDK's template leads
to: `BatchSink`, its own reader and validator, and `csv.DictWriter` when a batch is drained.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from singer_sdk import BatchSink, Target
from singer_sdk import typing as th
from typing_extensions import override

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

if TYPE_CHECKING:
    from collections.abc import Iterator


TYPES = {
    "email": "string", "firstName": "string", "lastName": "string", "title": "string",
    "company": "string", "website": "string", "phone": "string", "address": "string",
    "city": "string", "state": "string", "country": "string", "postalCode": "string",
    "industry": "string", "leadSource": "string", "leadStatus": "string", "loyaltyTier": "string",
    "annualRevenue": "number", "numberOfEmployees": "integer", "leadScore": "integer",
    "urgency": "number", "satisfaction": "number", "customerNumber": "integer",
    "unsubscribed": "boolean", "isReference": "boolean", "dateOfBirth": "date",
    "contractEnd": "date", "lastOrderAt": "date-time", "mktoPersonNotes": "string",
}  # fmt: skip


class NaiveSink(BatchSink):
    """The sink the SDK's template suggests: a list of records, written when it is drained."""

    max_size = 10_000

    @override
    def process_batch(self, context: dict[str, Any]) -> None:
        path = Path(self.config["out"]) / f"{context['batch_id']}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(self.schema["properties"]))
            writer.writeheader()
            writer.writerows(context["records"])


class NaiveTarget(Target):
    """A target of that sink."""

    name = "target-naive"
    config_jsonschema = th.PropertiesList(th.Property("out", th.StringType)).to_dict()
    default_sink_class = NaiveSink


def schema() -> dict[str, Any]:
    """Return the stream's schema."""
    formats = {"date", "date-time"}
    return {
        "type": "object",
        "properties": {
            name: {"type": ["string", "null"], "format": kind}
            if kind in formats
            else {"type": [kind, "null"]}
            for name, kind in TYPES.items()
        },
    }


def value(kind: str, name: str, number: int, dice: random.Random) -> object:
    """Return a made-up value."""
    return {
        "integer": number % 9973,
        "number": round(number % 100_000 / 7, 2),
        "boolean": number % 3 == 0,
        "date": f"20{number % 24 + 1:02d}-05-17",
        "date-time": f"2026-0{number % 9 + 1}-17T15:41:32Z",
        "string": f"{name} {number % 999}" if dice.random() < 0.9 else 'says "hello, you"',  # noqa: PLR2004
    }[kind]


def write_messages(path: Path, records: int) -> None:
    """Write a tap's output; one value in ten is null."""
    dice = random.Random(1)  # noqa: S311  # the same every time
    with path.open("w", encoding="utf-8") as file:
        head = {"type": "SCHEMA", "stream": "leads", "schema": schema(), "key_properties": []}
        file.write(json.dumps(head) + "\n")
        for number in range(records):
            record = {
                name: None if dice.random() < 0.1 else value(kind, name, number, dice)  # noqa: PLR2004
                for name, kind in TYPES.items()
            }
            record["email"] = f"person.{number}@example.com"
            line = {"type": "RECORD", "stream": "leads", "record": record}
            file.write(json.dumps(line) + "\n")
            if number % 10_000 == 0:
                file.write(json.dumps({"type": "STATE", "value": {"records": number}}) + "\n")


@dataclass(frozen=True, slots=True)
class Measured:
    """What a child took. Units: seconds, processor seconds, MB of its largest resident set."""

    seconds: float
    processor_seconds: float
    megabytes: float
    log: str


def measure(arguments: list[str], messages: Path) -> Measured:
    """Return what a child takes to read messages."""
    with messages.open("rb") as source:
        begun = time.monotonic()
        child = subprocess.Popen(
            [sys.executable, *arguments],
            stdin=source,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), "TARGET_NAIVE_LOGLEVEL": "WARNING"},
        )
        errors = child.stderr.read() if child.stderr else b""
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.monotonic() - begun
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.stderr:
            child.stderr.close()
    if status:
        raise SystemExit(errors.decode()[-2000:])
    return Measured(
        seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, errors.decode()
    )


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


def report(what: str, records: int, measured: Measured, base: float) -> float:
    """Print a row of the table; return its records a processor second."""
    rate = records / measured.processor_seconds
    factor = f"{rate / base:.1f}x" if base else "1.0x"
    print(
        f"{what:<36}{records:>10,}{measured.seconds:>9.1f}{records / measured.seconds:>11,.0f}"
        f"{measured.processor_seconds:>9.1f}{rate:>11,.0f}{factor:>8}{measured.megabytes:>8.0f}",
        flush=True,
    )
    return rate


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--baseline-records", type=int, default=50_000)
    parser.add_argument("--naive", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.naive:
        NaiveTarget(config={"out": options.naive}).listen()
        return
    with tempfile.TemporaryDirectory() as name:
        compare(Path(name), options.records, options.baseline_records)


def compare(directory: Path, records: int, baseline_records: int) -> None:
    """Run every case on files in a directory."""
    small, large = directory / "small.jsonl", directory / "large.jsonl"
    write_messages(small, baseline_records)
    write_messages(large, records)
    print(
        f"{'':<36}{'records':>10}{'seconds':>9}{'records/s':>11}"
        f"{'CPU s':>9}{'per CPU s':>11}{'':>8}{'MB RSS':>8}"
    )
    naive = [str(Path(__file__)), "--naive", str(directory)]
    base = report("SDK BatchSink, files only", baseline_records, measure(naive, small), 0)
    config = directory / "config.json"
    ours = ["-m", "target_marketo_bulk", "--config", str(config)]
    dry: dict[str, object] = {
        "dry_run_path": str(directory / "dry"),
        "rejects_path": str(directory / "rejects"),
    }
    cases: list[tuple[str, dict[str, object]]] = [
        ("target-marketo-bulk, files only", dry),
        ("the same without validation", {**dry, "validate_records": False}),
    ]
    for what, settings in cases:
        config.write_text(json.dumps(settings))
        report(what, baseline_records, measure(ours, small), base)
        report(what, records, measure(ours, large), base)
    peaks = []
    for count, messages in ((baseline_records, small), (records, large)):
        with emulator_process() as settings:
            config.write_text(json.dumps({**dry, "dry_run_path": None, **settings, **PACE}))
            measured = measure(ours, messages)
            report("with imports into an emulator", count, measured, base)
            peaks.append(measured.megabytes)
            check_promises(measured, str(settings["base_url"]))
    if peaks[1] - peaks[0] > GROWTH_MAX_MB:
        raise SystemExit(f"memory grows with the input: {peaks[0]:.0f} and {peaks[1]:.0f} MB")


def check_promises(measured: Measured, base_url: str) -> None:
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


PEAK_MAX_MB = 120
GROWTH_MAX_MB = 20
BODY_MAX_BYTES = 10_000_000
FILE_BYTES = 9_500_000
FILL_MIN = 0.97
CALLS_MORE_MAX = 5

PACE = {"poll_interval_seconds": 0.2, "calls_per_20_seconds": 100}

if __name__ == "__main__":
    main()

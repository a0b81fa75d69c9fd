"""Golden runs: calls, files, rejects, journal, messages and STATE of loads, kept word for word.

`python -m tests.target.test_golden` writes them anew: a difference has to be meant.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from marketo_emulator import Emulator, Fault
from tests.target.runs import SCHEMA, Record, people, singer_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

GOLDEN = Path(__file__).parent / "golden"
FREE: Record = {"type": "object", "properties": {**SCHEMA["properties"], "id": {}, "nope": {}}}
FREE_ID: Record = {"type": "object", "properties": {"ID": {}, "firstname": {}}}
NO_PART_OF_IT = frozenset({"config.json", "outcome.json"})
VERSION = b'{"type":"ACTIVATE_VERSION","stream":"leads","version":1}\n'

MIXED: list[Record] = [
    *people(12),
    {"email": "P1@load.test", "lastName": "Twice"},
    {"email": "p1@load.test", "firstName": "Third"},
    {"email": "p1@load.test", "firstName": "Fourth"},
    {"firstName": "Nobody"},
    {"email": None, "firstName": "Null"},
    {"email": "j\u00fcrgen@load.test"},
    {"email": "p2@load.test", "leadScore": "many"},
    {"email": "p3@load.test", "company": "\ud800"},
    {"email": "p4@load.test", "company": 'a "b", c\nd'},
    {"email": "p5@load.test", "company": "x" * 3_000},
    {"email": "p6@load.test", "_sdc_deleted_at": "2026-01-01T00:00:00Z"},
    {"email": "odd one@load.test", "firstName": "Odd"},
]

CASES: dict[str, tuple[bytes, Record, list[Fault]]] = {
    "mixed": (
        singer_lines(MIXED, state_every=5) + VERSION,
        {"max_file_size_bytes": 2_000, "max_rejected_percent": 60},
        [],
    ),
    "too_many_rejects": (singer_lines(MIXED[-2:]), {}, []),
    "static_list": (
        singer_lines(people(60)),
        {"list_id": 100, "format": "tsv", "max_file_size_bytes": 1_000},
        [],
    ),
    "by_id": (
        singer_lines(
            [{"ID": 11, "firstname": "Ann"}, {"ID": 999, "firstname": "Who"}], schema=FREE_ID
        ),
        {"lookup_field": "Id", "max_rejected_percent": 100},
        [],
    ),
    "unknown_column": (singer_lines([], schema=FREE), {}, []),
    "unknown_lookup_field": (singer_lines(people(1)), {"lookup_field": "emial"}, []),
    "dry_run": (
        singer_lines(MIXED),
        {"dry_run_path": "{folder}/dry", "format": "ssv", "max_rejected_percent": 60},
        [],
    ),
    "refused_partition": (
        singer_lines(people(1)),
        {"partition_name": "Nowhere"},
        [Fault(operation="import.create", code="1010", message="no such partition")],
    ),
    "failed_twice": (
        singer_lines(people(3)),
        {"max_rejected_percent": 100},
        [Fault(operation="import.job", outcome="Failed", message="Internal error", times=2)],
    ),
    "halved": (singer_lines(people(4)), {}, [Fault(operation="import.create", status=413)]),
    "forgotten": (singer_lines(people(2)), {}, [Fault(operation="import.status", code="1013")]),
}


def transcript(name: str, folder: Path) -> str:
    """Return what one run of the target did, without what differs from run to run."""
    lines, more, faults = CASES[name]
    with Emulator(programs=0, members=0, job_seconds=0) as emulator:
        emulator.store.add_lead(email="first@load.test", firstName="First")
        emulator.faults.add(*faults)
        config = {
            "base_url": emulator.base_url,
            "client_id": emulator.client_id,
            "client_secret": emulator.client_secret,
            "poll_interval_seconds": 0.2,
            "max_queued_imports": 1,
            "rejects_path": f"{folder}/rejects",
            **more,
        }
        text = json.dumps(config).replace("{folder}", str(folder))
        (folder / "config.json").write_text(text)
        command = [sys.executable, "-m", "target_marketo_bulk", "--config", "config.json"]
        ended = subprocess.run(command, input=lines, capture_output=True, check=False, cwd=folder)
        parts = [
            f"exit {ended.returncode}",
            *ended.stdout.decode().splitlines()[-1:],
            *_log(ended.stderr.decode()),
            *_calls(emulator),
            *_files(folder),
        ]
        url = emulator.base_url
    return "\n".join(parts).replace(url, "{url}").replace(str(folder), "{folder}")


def _log(text: str) -> Iterator[str]:
    for line in text.splitlines():
        message = re.sub(r"^\S+ \S+ *\| *", "", line)
        message = re.sub(r"\| [\w.-]+ +\|", "|", message)
        if not message.startswith(("INFO", "WARNING", "ERROR", "CRITICAL")):
            continue
        if "METRIC" in message or "Reader" in message or "SDK" in message:
            continue
        message = re.sub(r"\d{8}T\d{6}Z-\d+-[0-9a-f]{4}", "{run}", message)
        message = re.sub(r"(waiting|working)_seconds=\S+", r"\1_seconds={s}", message)
        message = re.sub(r"\d+ s (waiting|working)", r"{s} \1", message)
        message = re.sub(r"request \S+", "request {id}", message)
        message = re.sub(r"calls=\d+|\d+ API calls", "{calls}", message)
        yield message


def _calls(emulator: Emulator) -> Iterator[str]:
    last = ""
    for each in emulator.requests:
        if each.operation.startswith("identity"):
            continue
        call = f"{each.method} {each.path} {each.query} {each.content_length} {each.error_code}"
        if call != last:
            yield call
        last = call
    for job in emulator.imports:
        yield f"import {job.batch_id}"
        yield repr(job.request.content)


def _files(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*")):
        name = re.sub(r"\d{8}T\d{6}Z-\d+-[0-9a-f]{4}", "{run}", str(path.relative_to(folder)))
        if path.is_dir() or path.name in NO_PART_OF_IT:
            continue
        yield f"file {name}"
        text = path.read_bytes().decode()
        yield from (re.sub(r'"time": ?"[^"]*"', '"time":"…"', line) for line in text.split("\n"))


@pytest.mark.parametrize("name", CASES)
def test_load_is_as_it_was(name: str, tmp_path: Path) -> None:
    """What users and Marketo see of a load stays as it is, byte for byte."""
    assert transcript(name, tmp_path) == (GOLDEN / f"{name}.txt").read_text("utf-8")


def _write_all() -> None:
    for name in CASES:
        with tempfile.TemporaryDirectory() as folder:
            (GOLDEN / f"{name}.txt").write_text(transcript(name, Path(folder)), "utf-8")


if __name__ == "__main__":
    _write_all()

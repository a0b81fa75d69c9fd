"""Loads of strange shape: spellings, sets and orders of properties, rows that all fail."""

from __future__ import annotations

import csv
import io
import json
import os
import resource
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from tests.target.runs import leads, singer_lines
from tests.target.test_scale import MEASURED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from marketo_emulator import Emulator
    from tests.target.runs import Record, Run

    RunTarget = Callable[[bytes, Record], Run]

ROOT = Path(__file__).parents[2]
FREE: Record = {"properties": {}}
FIELDS = ("firstName", "lastName", "company", "title", "city", "country", "industry", "phone")


@pytest.mark.fault(
    "T8.2",
    "100 pairs of addresses that differ by case, sorted",
    "sends two files, the later spelling after the earlier, and says so once",
)
def test_addresses_that_differ_by_case_make_two_imports(
    emulator: Emulator, config: Record, run: RunTarget
) -> None:
    """The number of imports is that of the spellings, not of the pairs; the later value wins."""
    records = [
        {"email": f"{first}nn{number:03d}@load.test", "firstName": first}
        for number in range(100)
        for first in "Aa"
    ]
    result = run(singer_lines(records, schema=FREE), config)
    assert result.error is None
    assert len(emulator.imports) == 2
    assert {lead["firstName"] for lead in leads(emulator).values()} == {"a"}
    assert result.log.count("sent one after the other (said once)") == 1
    assert result.summary["imported"] == "200"
    assert result.states == [{"records": 200}]


@pytest.mark.parametrize("leads_in_turn", [1, 7])
@pytest.mark.parametrize(
    "sets",
    [
        [("firstName",), ("lastName",)],
        [("firstName",), ("firstName", "lastName")],
        [("firstName", "lastName"), ("lastName", "company"), ("company", "firstName")],
    ],
    ids=["apart", "one in the other", "a ring"],
)
@pytest.mark.fault(
    "T8.3",
    "records of one lead alternate between sets of properties",
    "sends one file for each set, in the order of the last records",
)
def test_sets_that_alternate_for_one_lead_make_one_import_each(
    emulator: Emulator,
    config: Record,
    run: RunTarget,
    sets: list[tuple[str, ...]],
    leads_in_turn: int,
) -> None:
    """However long they alternate; each field has the value of the last record that has it."""
    expected: dict[str, Record] = {}
    records = []
    for number in range(60):
        names = sets[number % len(sets)]
        email = f"p{number % leads_in_turn}@load.test"
        record = {"email": email, **dict.fromkeys(names, str(number))}
        records.append(record)
        expected.setdefault(email, {}).update(record)
    result = run(singer_lines(records, schema=FREE), config)
    assert result.error is None
    assert len(emulator.imports) <= len(sets) ** 2
    if leads_in_turn == 1:
        assert len(emulator.imports) == len(sets)
    actual = leads(emulator)
    assert expected == {
        email: {name: actual[email][name] for name in row} for email, row in expected.items()
    }
    replaced = int(result.summary["replaced"])
    assert replaced + int(result.summary["imported"]) == len(records)


def test_sets_and_spellings_in_any_order_leave_what_the_records_would(
    emulator: Emulator, config: Record, run: RunTarget
) -> None:
    """Small files, three at once, and few leads: order is kept over HTTP, too."""
    dice = Random(5)
    expected: dict[str, Record] = {}
    records = []
    for number in range(300):
        email = dice.choice(("ann", "Ann", "bob", "eve", "EVE")) + "@load.test"
        names = dice.sample(FIELDS, dice.randrange(1, 3))
        records.append({"email": email, **dict.fromkeys(names, str(number))})
        expected.setdefault(email.casefold(), {}).update(dict.fromkeys(names, str(number)))
    settings = {"max_file_size_bytes": 1_000, "max_queued_imports": 3}
    result = run(singer_lines(records, schema=FREE, state_every=20), {**config, **settings})
    assert result.error is None
    actual = {email.casefold(): lead for email, lead in leads(emulator).items()}
    assert expected == {
        email: {name: actual[email][name] for name in row} for email, row in expected.items()
    }


@dataclass(frozen=True)
class DryRun:
    """What a dry run in a process of its own took, and wrote."""

    peak_kib: int
    files: list[Path]
    log: str


def dry_run(
    records: Iterable[Mapping[str, Any]],
    directory: Path,
    *,
    descriptors: int | None = None,
    **settings: Any,
) -> DryRun:
    """Return what a dry run of these records took."""
    directory.mkdir()
    config = {
        "dry_run_path": str(directory / "files"),
        "rejects_path": str(directory / "rejects"),
        "max_rejected_percent": 100,
        **settings,
    }
    (directory / "config.json").write_text(json.dumps(config))
    lines = directory / "messages.jsonl"
    lines.write_bytes(singer_lines(records, schema=FREE))

    def limit() -> None:
        if descriptors is not None:
            resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))

    with lines.open("rb") as source:
        done = subprocess.run(
            [sys.executable, "-c", MEASURED, "--config", str(directory / "config.json")],
            check=False,
            stdin=source,
            capture_output=True,
            timeout=300,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            preexec_fn=limit,  # no threads here
        )
    log = done.stderr.decode()
    assert done.returncode == 0, log
    files = sorted((directory / "files").glob("leads-*"))
    return DryRun(int(log.rpartition("PEAK ")[2]), files, log)


def rows_of(files: Iterable[Path]) -> int:
    """Return how many rows these files have."""
    return sum(
        sum(1 for _ in csv.reader(io.StringIO(path.read_text(), newline=""))) - 1 for path in files
    )


@pytest.mark.fault(
    "T8.4",
    "the same 300 properties come in another order in each record",
    "they are one set: one file, and the memory of one order",
)
def test_order_of_properties_does_not_matter(tmp_path: Path) -> None:
    """Plans belong to a set of properties; orders are remembered within a bound."""
    names = [f"field{number}" for number in range(300)]
    dice = Random(2)

    def records(*, shuffled: bool) -> Iterable[Record]:
        for number in range(2_000):
            order = dice.sample(names, len(names)) if shuffled else names
            yield {"email": f"p{number}@load.test", **dict.fromkeys(order, "v")}

    same = dry_run(records(shuffled=False), tmp_path / "same")
    other = dry_run(records(shuffled=True), tmp_path / "other")
    assert (len(same.files), len(other.files)) == (1, 1)
    assert rows_of(other.files) == 2_000
    assert other.peak_kib - same.peak_kib < 25_000


@pytest.mark.fault(
    "T8.5",
    "40,000 sets of properties",
    "memory is bounded: what was open is sent, and said once",
)
def test_memory_is_bounded_whatever_the_number_of_sets(tmp_path: Path) -> None:
    """More sets than are open, planned and held at once take no more memory."""
    names = [f"field{number}" for number in range(120)]

    def records(count: int) -> Iterable[Record]:
        dice = Random(2)
        for number in range(count):
            yield {"email": f"p{number}@load.test", **dict.fromkeys(dice.sample(names, 50), "v")}

    # Each bound is met by 6,000: 3,000 files open, 4,000 plans, 6,000 records held.
    few = dry_run(records(6_500), tmp_path / "few")
    many = dry_run(records(9_000), tmp_path / "many")
    assert rows_of(many.files) == 9_000
    assert many.log.count("sets of properties so far") == 1
    assert many.peak_kib - few.peak_kib < 15_000


@pytest.mark.fault(
    "T8.7",
    "300 sets of properties where a process may have 256 files open",
    "all of them wait in one file on disk",
)
def test_open_files_need_no_descriptors(tmp_path: Path) -> None:
    """Sets of properties are open without a descriptor each, although none fits into memory."""
    records = (
        {"email": f"p{number}@load.test", f"field{number % 300}": "x" * 40_000}
        for number in range(900)
    )
    taken = dry_run(records, tmp_path / "run", descriptors=64)
    assert len(taken.files) == 300
    assert rows_of(taken.files) == 900

"""BATCH messages: the same records as RECORD messages, in files, and STATE after them."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from marketo_bulk.errors import MarketoBulkError
from tests.end_to_end.test_loops_agree import catalog_without
from tests.tap_runs import catalog_with, make_tap, settings_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from marketo_emulator import Emulator
    from tests.tap_runs import TapRun

    RunTap = Callable[..., TapRun]

FORMATS = [("jsonl", None), ("jsonl", "none"), ("parquet", None), ("parquet", "gzip")]


def batches(root: Path, format_: str, compression: str | None = None, **more: Any) -> Any:
    """Return a `batch_config`."""
    encoding = {"format": format_} | ({"compression": compression} if compression else {})
    return {"encoding": encoding, "storage": {"root": str(root)}, **more}


def path_of(address: str) -> Path:
    """Return the path of a file's address."""
    return Path(unquote(urlsplit(address).path))


def read_file(path: Path) -> list[dict[str, Any]]:
    """Return the records of a batch file, as JSON has them."""
    if path.suffix == ".parquet":
        return [{n: as_json(v) for n, v in row.items()} for row in pq.read_table(path).to_pylist()]
    content = path.read_bytes()
    lines = gzip.decompress(content) if path.suffix == ".gz" else content
    return [json.loads(line) for line in lines.splitlines()]


def as_json(value: object) -> object:
    """Return what JSON has for a value of Parquet."""
    if isinstance(value, datetime):
        assert value.utcoffset() == timezone.utc.utcoffset(None)
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, date):
        return value.isoformat()
    return float(value) if isinstance(value, Decimal) else value


def records_of(run: TapRun) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the records of a run with their streams, from RECORD messages and batch files."""
    for message in run.messages:
        if message["type"] == "RECORD":
            yield message["stream"], message["record"]
        elif message["type"] == "BATCH":
            (address,) = message["manifest"]
            for record in read_file(path_of(address)):
                yield message["stream"], record


def without_absent(records: Iterable[tuple[str, dict[str, Any]]]) -> list[Any]:
    """Return records in order, null and absent being the same; objects as their JSON."""
    return sorted(
        json.dumps(
            [
                stream,
                {
                    n: json.dumps(json.loads(v) if isinstance(v, str) else v)
                    if n == "folder"
                    else v
                    for n, v in record.items()
                    if v is not None
                },
            ],
            sort_keys=True,
        ).replace("+00:00", "Z")
        for stream, record in records
    )


CASES: list[dict[str, Any]] = [
    {},
    {"stream_maps": {"program_members": {"email": "md5(email or '')", "program": None}}},
    {"stream_maps": {"program_members": {"__filter__": "leadId % 2"}}},
    {"stream_maps": {"program_members": {"__alias__": "of_it", "n": "str(leadId)"}}},
    {"stream_maps": {"twin": {"__source__": "program_members", "n": "leadId"}}},
    {"stream_maps": {"program_members": None}},
    {"flattening_enabled": True, "flattening_max_depth": 1, "flattening_max_key_length": 20},
    {"start_date": "2026-01-01", "window_days": 20},
    {"start_date": "2026-01-01", "backfill": "snapshot"},
]


@pytest.mark.parametrize("config", CASES)
@pytest.mark.parametrize(("format_", "compression"), FORMATS)
@pytest.mark.fault(
    "T1.1",
    "`batch_config` is set, and stream maps mask, drop or rename",
    "writes files of the mapped records",
)
def test_files_hold_what_records_would(
    make_emulator: Callable[..., Emulator],
    run_tap: RunTap,
    tmp_path: Path,
    config: dict[str, Any],
    format_: str,
    compression: str | None,
) -> None:
    """Selection, maps, flattening and versions are those of RECORD messages."""
    emulator = make_emulator(programs=3, members=120)
    catalog = catalog_without(emulator, "statusName")
    plain = run_tap(emulator, config, catalog=catalog)
    config = {**config, "batch_config": batches(tmp_path / "a b", format_, compression)}
    run = run_tap(emulator, config, catalog=catalog)
    assert without_absent(records_of(run)) == without_absent(records_of(plain))
    assert run.of_type("RECORD") == []
    assert run.bookmark == plain.bookmark
    assert {m.get("version") is None for m in run.of_type("BATCH")} <= {True, False}
    default = {"jsonl": "gzip", "parquet": "zstd"}[format_]
    encoding = {"format": format_, "compression": compression or default}
    assert all(message["encoding"] == encoding for message in run.of_type("BATCH"))


def test_state_follows_the_batch_that_holds_its_records(
    emulator: Emulator, run_tap: RunTap, tmp_path: Path
) -> None:
    """Bookmarks move only after the message; each message names one file."""
    config = {"start_date": "2026-01-01", "batch_config": batches(tmp_path, "jsonl")}
    run = run_tap(emulator, config)
    begun = [m for m in run.messages if m.get("stream") == "program_members" or "value" in m]
    kinds = [m["type"] for m in begun]
    assert kinds.count("BATCH") > 2
    marks = [m["value"]["bookmarks"]["program_members"] for m in begun if m["type"] == "STATE"]
    before = kinds[: kinds.index("BATCH")].count("STATE")
    assert not any(mark.get("program_bookmarks") for mark in marks[:before])
    assert marks[-1]["program_bookmarks"]


def test_a_repeated_window_writes_over_its_files(
    emulator: Emulator, run_tap: RunTap, tmp_path: Path
) -> None:
    """The same names and bytes; no part is left of a time when there were more."""
    config = {"batch_config": batches(tmp_path, "jsonl", batch_size=7), "backfill": "snapshot"}
    run_tap(emulator, config)
    first = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    run_tap(emulator, config)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == first
    run = run_tap(emulator, {**config, "batch_config": batches(tmp_path, "jsonl", batch_size=20)})
    named = {path_of(m["manifest"][0]).name for m in run.of_type("BATCH")}
    assert {path.name for path in tmp_path.iterdir()} == named
    assert len(named) < len(first)


@pytest.mark.parametrize("format_", ["jsonl", "parquet"])
def test_files_end_at_their_limits(
    make_emulator: Callable[..., Emulator], run_tap: RunTap, tmp_path: Path, format_: str
) -> None:
    """`batch_size` to the row; `batch_size_bytes` about so."""
    emulator = make_emulator(programs=1, members=1_000)
    config = {"batch_config": batches(tmp_path, format_, batch_size=300)}
    run = run_tap(emulator, config)
    sizes = [
        len(read_file(path_of(m["manifest"][0])))
        for m in run.of_type("BATCH")
        if m["stream"] == "program_members"
    ]
    assert sizes[:-1] == [300] * (len(sizes) - 1)
    assert 0 < sizes[-1] <= 300
    assert sum(sizes) == 1_000


def test_types_are_those_of_the_schema(emulator: Emulator, run_tap: RunTap, tmp_path: Path) -> None:
    """Moments with their zone, days, booleans, whole numbers, decimals for money."""
    catalog = make_tap(emulator).catalog_dict
    for entry in catalog["streams"]:
        for item in entry["metadata"]:
            item["metadata"]["selected"] = entry["stream"] == "program_members"
    run = run_tap(emulator, {"batch_config": batches(tmp_path, "parquet")}, catalog=catalog)
    (schema,) = (
        message["schema"]["properties"]
        for message in run.of_type("SCHEMA")
        if message["stream"] == "program_members"
    )
    (path,) = (path for path in tmp_path.iterdir() if path.name.startswith("program_members"))
    landed = pq.read_schema(path)
    expected = {
        ("integer", None): pa.int64(),
        ("boolean", None): pa.bool_(),
        ("string", None): pa.string(),
        ("string", "date"): pa.date32(),
        ("string", "date-time"): pa.timestamp("us", "UTC"),
    }
    money = {"annualRevenue", "ticketFee", "lifetimeValue"}
    for name, declared in schema.items():
        if name not in landed.names:
            continue  # Marketo lists it, and refuses to export it
        kind = (declared["type"][0], declared.get("format"))
        if kind == ("number", None):
            wanted = pa.decimal128(38, 9) if name in money else pa.float64()
        else:
            wanted = expected[kind]
        assert landed.field(name).type == wanted, name


WRONG: list[tuple[Any, str]] = [
    ([], "batch_config"),
    ("x", "batch_config"),
    (True, "batch_config"),
    ({"encoding": {"format": "jsonl"}}, "storage"),
    ({"encoding": {"format": "csv"}, "storage": {"root": "x"}}, "format"),
    ({"encoding": {"format": "jsonl"}, "storage": {}}, "root"),
    ({"encoding": {"format": "jsonl"}, "storage": {"root": " "}}, "root"),
    (
        {"encoding": {"format": "jsonl", "compression": "zstd"}, "storage": {"root": "x"}},
        "gzip, none",
    ),
    ({"encoding": {"format": "jsonl"}, "storage": {"root": "x"}, "batch_size": 0}, "batch_size"),
    ({"encoding": {"format": "jsonl"}, "storage": {"root": "x"}, "size": 1}, "size"),
]


@pytest.mark.parametrize(("given", "named"), WRONG)
def test_a_wrong_batch_config_is_told_before_any_call(
    emulator: Emulator, tmp_path: Path, given: Any, named: str
) -> None:
    """One line or more that name what is wrong; nothing on stdout."""
    path = tmp_path / "config.json"
    path.write_text(json.dumps(settings_for(emulator, {"batch_config": given})))
    done = subprocess.run(
        [sys.executable, "-m", "tap_marketo_bulk", "--config", str(path)],
        check=False,
        capture_output=True,
        timeout=120,
    )
    assert named.encode() in done.stderr
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"Traceback" not in done.stderr
    assert not list(emulator.requests)


BAD_ROOTS = ["/proc/none", "/dev/null/x"]


@pytest.mark.parametrize("root", BAD_ROOTS)
def test_a_bad_location_ends_the_run_in_one_line(
    emulator: Emulator, run_tap: RunTap, root: str
) -> None:
    """STATE is true, and jobs go on for the next run."""
    config = {"batch_config": batches(Path(), "jsonl") | {"storage": {"root": root}}}
    with pytest.raises(MarketoBulkError, match=r"batch_config\.storage\.root") as told:
        run_tap(emulator, config)
    assert "\n" not in str(told.value)
    run: TapRun = told.value.run  # type: ignore[attr-defined]  # put there by `capture`
    assert run.of_type("BATCH") == []
    assert not run.bookmark.get("program_bookmarks")


@pytest.mark.parametrize("format_", ["jsonl", "parquet"])
@pytest.mark.parametrize(
    ("config", "streams"),
    [
        ({}, ("programs", "channels", "activity_types")),
        (
            {"activity_streams": "per_type"},
            ("activity_new_lead", "activity_change_status_in_progression"),
        ),
    ],
    ids=["assets", "types of activities"],
)
def test_streams_of_one_alias_have_files_of_their_own(
    emulator: Emulator,
    run_tap: Callable[..., TapRun],
    tmp_path: Path,
    format_: str,
    config: dict[str, Any],
    streams: tuple[str, ...],
) -> None:
    """One would be written over the other, and its records be lost."""
    maps = {stream: {"__alias__": "one", "__key_properties__": None} for stream in streams}
    config = {**config, "start_date": "2026-01-01", "stream_maps": maps}
    catalog = catalog_with(emulator, *streams, config=config)
    lines = run_tap(emulator, config, catalog=catalog).records("one")
    run = run_tap(emulator, {**config, "batch_config": batches(tmp_path, format_)}, catalog=catalog)
    urls = [url for message in run.of_type("BATCH") for url in message["manifest"]]
    assert len(set(urls)) == len(urls) > 1
    assert len([*records_of(run)]) == len(lines) > 1


def test_each_map_of_an_asset_has_all_its_records(
    emulator: Emulator, run_tap: Callable[..., TapRun], tmp_path: Path
) -> None:
    """A table of which nothing came would be emptied by the ACTIVATE_VERSION that follows."""
    maps = {"copies": {"__source__": "programs", "id": "id"}}
    config = {"stream_maps": maps, "batch_config": batches(tmp_path, "jsonl")}
    run = run_tap(emulator, config, catalog=catalog_with(emulator, "programs"))
    found = [(stream, record["id"]) for stream, record in records_of(run)]
    ids = [each for stream, each in found if stream == "programs"]
    assert ids
    assert [each for stream, each in found if stream == "copies"] == ids

"""The archive holds every file as Marketo sent it, and gives the same records without Marketo."""

from __future__ import annotations

import gzip
import hashlib
import itertools
import json
import tempfile
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import pytest
from hypothesis import example, given, settings
from singer_sdk.exceptions import ConfigValidationError

from marketo_bulk.errors import MarketoBulkError
from marketo_emulator import Emulator, Fault, VirtualClock
from tap_marketo_bulk.tap import TapMarketoBulk
from tests.end_to_end.test_batches import batches, records_of, without_absent
from tests.end_to_end.test_incremental_sync import NOW, stamp
from tests.tap_runs import (
    DAY_SECONDS,
    NO_RATE_LIMIT,
    TapRun,
    capture,
    catalog_with,
    make_tap,
    settings_for,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    RunTap = Callable[..., TapRun]

START = "2026-01-01T00:00:00Z"


def replay(
    root: Path | str,
    monkeypatch: pytest.MonkeyPatch,
    config: dict[str, Any] | None = None,
    **options: Any,
) -> TapRun:
    """Return what a tap without credentials reads from an archive."""
    given_config = {"replay_url": str(root), **(config or {})}
    tap = TapMarketoBulk(config=given_config, **options)
    return capture(tap.sync_all, monkeypatch)


def test_files_lie_as_they_came_with_their_manifests(
    emulator: Emulator, run_tap: RunTap, tmp_path: Path
) -> None:
    """By object, year and month; the digest is that of the file unpacked."""
    run_tap(emulator, {"archive_url": str(tmp_path), "start_date": START})
    manifests = sorted(tmp_path.rglob("*.json"))
    assert manifests
    for path in manifests:
        text = path.read_text()
        assert text.count("\n") == 1
        manifest = json.loads(text)
        content = path.with_name(f"{path.stem}.csv.gz").read_bytes()
        unpacked = gzip.decompress(content)
        assert path.relative_to(tmp_path).parts[:4] == ("program", "members", "2026", "06")
        assert manifest["exportId"] == path.stem
        assert manifest["checksum"] == "sha256:" + hashlib.sha256(unpacked).hexdigest()
        assert (manifest["bytes"], manifest["compressedBytes"]) == (len(unpacked), len(content))
        assert manifest["rows"] == unpacked.count(b"\n") - 1 or b'"' in unpacked
        assert set(manifest["window"]) == {"startAt", "endAt", "filter"}
        assert set(manifest["scope"]["programIds"]) <= {1001, 1002, 1003}
        header = unpacked.partition(b"\n")[0].decode().split(",")
        assert {c["name"] for c in manifest["columns"]} == set(header)
        assert set(manifest["fields"]) | {"programId"} == set(header)
    assert len(manifests) == len(list(tmp_path.rglob("*.csv.gz")))


def test_a_file_is_kept_before_its_records_go_out(
    emulator: Emulator, run_tap: RunTap, tmp_path: Path
) -> None:
    """A location that refuses ends the run before a record."""
    (tmp_path / "program").write_text("in the way")
    with pytest.raises(MarketoBulkError, match="archive_url") as told:
        run_tap(emulator, {"archive_url": str(tmp_path)})
    run: TapRun = told.value.run  # type: ignore[attr-defined]  # put there by `capture`
    assert run.records() == []
    assert not run.bookmark["program_bookmarks"]
    assert run.bookmark["export_jobs"]


def test_a_start_date_of_long_ago_is_replayed(
    emulator: Emulator, run_tap: RunTap, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The manifest tells it, and years before 1000 have four digits there, too."""
    config = {
        "archive_url": str(tmp_path),
        "start_date": "0001-01-01T00:00:00Z",
        "backfill": "snapshot",
    }
    brought = run_tap(emulator, config).records()
    assert (
        json.loads(next(tmp_path.rglob("*.json")).read_text())["keepFrom"] == config["start_date"]
    )
    assert in_order(replay(tmp_path, monkeypatch).records()) == in_order(brought)


def test_headers_of_labels_are_replayed_by_the_labels_of_their_time(
    emulator: Emulator, run_tap: RunTap, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that no description tells are known, as they are to a run."""
    labels = Fault(operation="export.job", rewrites=("header_ui_labels",), times=None)
    emulator.faults.add(labels)
    config = {"archive_url": str(tmp_path), "start_date": START}
    brought = run_tap(emulator, config).records()
    paths = sorted(tmp_path.rglob("*.json"))
    assert len(paths) > 1
    for number, path in enumerate(paths):  # the field was called otherwise each time
        manifest = json.loads(path.read_text())
        (column,) = (each for each in manifest["columns"] if each["name"] == "eventRole")
        content = path.with_name(f"{path.stem}.csv.gz")
        header, end, rows = gzip.decompress(content.read_bytes()).partition(b"\n")
        assert b",Nurture Exhausted," in header
        file = header.replace(column["label"].encode(), b"Role %d" % number) + end + rows
        column["label"] = f"Role {number}"
        manifest["checksum"] = f"sha256:{hashlib.sha256(file).hexdigest()}"
        path.write_text(json.dumps(manifest))
        content.write_bytes(gzip.compress(file))
    assert in_order(replay(tmp_path, monkeypatch).records()) == in_order(brought)


steps = st.lists(
    st.tuples(
        st.integers(0, 40),  # members and leads that change before the run
        st.sampled_from([60, 3_600, DAY_SECONDS, 40 * DAY_SECONDS]),
        st.sampled_from(["next", "next", "anew", "full", "snapshot", "members"]),
    ),
    min_size=1,
    max_size=4,
)
STREAMS = ("program_members", "leads")


def keyed(run: TapRun, stream: str) -> dict[Any, dict[str, Any]]:
    """Return the table of a stream, as the last record of each key has it."""
    keys = ("leadId", "programId") if stream == "program_members" else ("id",)
    return {tuple(record[key] for key in keys): record for record in run.records(stream)}


def in_order(records: list[dict[str, Any]]) -> list[str]:
    """Return records in one order, whatever that in which they came."""
    return sorted(json.dumps(record, sort_keys=True) for record in records)


class Filling:
    """Runs that fill an archive, and what they have brought."""

    def __init__(self, emulator: Emulator, root: str, patched: pytest.MonkeyPatch) -> None:
        self.emulator, self._root, self._patched = emulator, root, patched
        self._state: dict[str, Any] | None = None
        self.tables: dict[str, dict[Any, Any]] = {stream: {} for stream in STREAMS}
        self.records: dict[str, list[Any]] = {stream: [] for stream in STREAMS}

    def run(self, changes: int, seconds: int, kind: str) -> None:
        """Let things change and time pass, and run the tap in one of its ways."""
        self.emulator.store.touch_members(changes)
        for lead in list(self.emulator.store.leads())[:changes]:
            self.emulator.store.change_lead(lead["id"], city=f"City {seconds}")  # type: ignore[arg-type]  # an id
        self.emulator.advance(seconds)
        config = {"archive_url": self._root, "start_date": START}
        config |= {"backfill": "snapshot"} if kind == "snapshot" else {}
        catalog = catalog_with(self.emulator, *(STREAMS[:1] if kind == "members" else STREAMS))
        for entry in catalog["streams"] if kind == "full" else ():
            entry["replication_method"] = "FULL_TABLE"
        goes_on = kind in {"next", "members"}
        tap = make_tap(
            self.emulator, config, catalog=catalog, state=self._state if goes_on else None
        )
        with tap.client:
            run = capture(tap.sync_all, self._patched)
        for stream in STREAMS:
            self.tables[stream] |= keyed(run, stream)
            self.records[stream] += run.records(stream)
        self._state = self._state if kind == "full" else run.last_state


@settings(max_examples=6)
@given(
    steps,
    st.tuples(st.integers(0, 200), st.integers(1, 200)),
)
@example([(0, 60, "next"), (30, DAY_SECONDS, "next"), (5, 60, "full"), (9, 60, "anew")], (0, 160))
def test_replay_gives_what_the_runs_gave(
    plan: list[tuple[int, int, str]], span: tuple[int, int]
) -> None:
    """Whatever runs filled it: the same records, the newest of a key last, and no call.

    With a span of time: those of them that were changed in it.
    """
    with (
        pytest.MonkeyPatch.context() as patched,
        tempfile.TemporaryDirectory() as root,
        Emulator(
            programs=3, members=40, job_seconds=0.0, options=NO_RATE_LIMIT, clock=VirtualClock()
        ) as emulator,
    ):
        filling = Filling(emulator, root, patched)
        for step in plan:
            filling.run(*step)
        calls = len(list(emulator.requests))
        again = replay(root, patched, catalog=selecting(root, *STREAMS))
        first, end = (stamp(NOW + timedelta(days=days - 165)) for days in (span[0], sum(span)))
        dates = {"start_date": first, "replay_end_date": end}
        part = replay(root, patched, dates, catalog=selecting(root, *STREAMS))
        assert len(list(emulator.requests)) == calls
    for stream in STREAMS:
        records = filling.records[stream]
        assert keyed(again, stream) == filling.tables[stream]
        assert in_order(again.records(stream)) == in_order(records)
        kept = [record for record in records if first <= record["updatedAt"] < end]
        assert in_order(part.records(stream)) == in_order(kept)


def selecting(root: Path | str, *streams: str) -> dict[str, Any]:
    """Return the catalog of an archive, with these streams selected."""
    catalog = TapMarketoBulk(config={"replay_url": str(root)}).catalog_dict
    for entry in catalog["streams"]:
        for item in entry["metadata"]:
            if not item["breadcrumb"]:
                item["metadata"]["selected"] = entry["stream"] in streams
    return catalog


@pytest.mark.parametrize(
    ("dates", "named"),
    [
        ({"replay_end_date": "soon"}, "replay_end_date 'soon' is not a date"),
        ({"start_date": "2026-02-01", "replay_end_date": "2026-02-01"}, "is not after start_date"),
    ],
)
def test_a_span_of_time_that_is_none_is_told(
    emulator: Emulator,
    run_tap: RunTap,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    dates: dict[str, str],
    named: str,
) -> None:
    """In one line, before a record."""
    run_tap(emulator, {"archive_url": str(tmp_path)})
    with pytest.raises(MarketoBulkError, match=named):
        replay(tmp_path, monkeypatch, dates)


def test_the_end_of_a_replay_is_for_an_archive(emulator: Emulator) -> None:
    """A run over Marketo ends at its clock."""
    with pytest.raises(ConfigValidationError) as told:
        TapMarketoBulk(config=settings_for(emulator, {"replay_end_date": "2026-02-01"}))
    assert "replay_url" in str(told.value.errors)


def test_files_outside_a_span_of_time_are_not_opened(
    emulator: Emulator, run_tap: RunTap, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Years of an archive cost a manifest each; what is damaged there does not matter."""
    run_tap(emulator, {"archive_url": str(tmp_path), "start_date": START})
    dates = {"start_date": "2026-03-01", "replay_end_date": "2026-04-01"}
    whole = replay(tmp_path, monkeypatch, dates)
    damaged = 0
    for path in tmp_path.rglob("*.json"):
        window = json.loads(path.read_text())["window"]
        if window["endAt"] < "2026-03-01" or window["startAt"] >= "2026-04-01":
            path.with_name(f"{path.stem}.csv.gz").unlink()
            damaged += 1
    assert damaged > 2
    assert replay(tmp_path, monkeypatch, dates).records() == whole.records() != []


def test_replay_follows_selection_dates_and_outputs(
    emulator: Emulator,
    run_tap: RunTap,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Any selection of the fields that were kept, from a date on, as records or as files."""
    run = run_tap(emulator, {"archive_url": str(tmp_path)})
    catalog = TapMarketoBulk(config={"replay_url": str(tmp_path)}).catalog_dict
    for entry in catalog["streams"]:
        for item in entry["metadata"]:
            if item["breadcrumb"][-1:] == ["statusName"]:
                item["metadata"]["selected"] = False
    again = replay(tmp_path, monkeypatch, {"start_date": START}, catalog=catalog)
    expected = {
        key: {n: v for n, v in record.items() if n != "statusName"}
        for key, record in run.table().items()
        if record["updatedAt"] >= START
    }
    assert again.table() == expected
    files = replay(tmp_path, monkeypatch, {"batch_config": batches(tmp_path / "files", "jsonl")})
    assert without_absent(records_of(files)) == without_absent(
        ("program_members", record) for record in run.records()
    )


def test_replay_leaves_state_as_it_is_and_removes_nothing(
    emulator: Emulator, run_tap: RunTap, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pipeline that reads Marketo goes on from where it was."""
    run = run_tap(emulator, {"archive_url": str(tmp_path)})
    again = replay(tmp_path, monkeypatch, state=run.last_state)
    assert again.bookmark == run.bookmark
    assert again.last_state["asked"] == run.last_state["asked"]
    catalog = TapMarketoBulk(config={"replay_url": str(tmp_path)}).catalog_dict
    for entry in catalog["streams"]:
        entry["replication_method"] = "FULL_TABLE"
    assert replay(tmp_path, monkeypatch, catalog=catalog).of_type("ACTIVATE_VERSION") == []


def tear(path: Path) -> None:
    """Cut a file in half."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def change(path: Path) -> None:
    """Put another content in a file's place."""
    path.write_bytes(gzip.compress(b"leadId,programId,updatedAt\n"))


def said(**parts: Any) -> Callable[[Path], object]:
    """Return what has a manifest say something else."""

    def edit(path: Path) -> None:
        path.write_text(json.dumps(json.loads(path.read_text()) | parts))

    return edit


DAMAGES: list[tuple[str, Any, str]] = [
    ("*.csv.gz", tear, "torn or changed"),
    ("*.csv.gz", change, "torn or changed"),
    ("*.csv.gz", lambda path: path.unlink(), "could not read"),
    ("*.csv.gz", lambda path: path.write_bytes(b""), "torn or changed"),
    ("*.json", tear, "is not the manifest"),
    ("*.json", lambda path: path.write_text("[]"), "is not the manifest"),
]


@pytest.mark.parametrize(("pattern", "damage", "words"), DAMAGES)
def test_a_damaged_archive_is_told_in_one_line(
    emulator: Emulator,
    run_tap: RunTap,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    pattern: str,
    damage: Any,
    words: str,
) -> None:
    """The line names the setting and the file."""
    run_tap(emulator, {"archive_url": str(tmp_path)})
    damage(next(tmp_path.rglob(pattern)))
    with pytest.raises(MarketoBulkError, match=words) as told:
        replay(tmp_path, monkeypatch)
    assert "replay_url" in str(told.value)
    assert "program/members/2026" in str(told.value)


NO_MANIFESTS: dict[str, dict[str, Any]] = {
    "no moments": {"window": {"startAt": "x", "endAt": "y", "filter": "z"}},
    "endless size": {"bytes": float("inf")},
    "no list of ids": {"scope": {"programIds": 5}},
    "no fields": {"fields": []},
    "fields that are text": {"fields": "leadId"},
}


@pytest.mark.parametrize("case", NO_MANIFESTS)
def test_a_manifest_that_says_the_impossible_is_named(
    emulator: Emulator, run_tap: RunTap, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    """Before a record goes out."""
    run_tap(emulator, {"archive_url": str(tmp_path), "start_date": START})
    path = next(tmp_path.rglob("*.json"))
    said(**NO_MANIFESTS[case])(path)
    with pytest.raises(MarketoBulkError, match=f"{path.name} is not the manifest") as told:
        replay(tmp_path, monkeypatch)
    assert not hasattr(told.value, "run")


def test_a_file_without_a_manifest_does_not_count(
    emulator: Emulator, run_tap: RunTap, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is there when a run was killed between the two, before its records went out."""
    run = run_tap(emulator, {"archive_url": str(tmp_path), "start_date": START})
    stray = next(tmp_path.rglob("*.csv.gz")).with_name("killed.csv.gz")
    stray.write_bytes(b"anything")
    assert replay(tmp_path, monkeypatch).table() == run.table()


@pytest.mark.parametrize(
    "config",
    [{"program_ids": [1]}, {"status_names": ["x"]}, {"is_exhausted": False}, {"archive_url": "x"}],
)
def test_what_a_replay_cannot_follow_is_refused(config: dict[str, Any], tmp_path: Path) -> None:
    """An archive holds what its runs asked for."""
    with pytest.raises(ConfigValidationError) as told:
        TapMarketoBulk(config={"replay_url": str(tmp_path), **config})
    assert next(iter(config)) in str(told.value.errors)


def test_an_archive_that_is_empty_or_mixed_is_told(
    emulator: Emulator, run_tap: RunTap, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ids of two instances mean different things."""
    with pytest.raises(MarketoBulkError, match="no export file"):
        replay(tmp_path, monkeypatch)
    with pytest.raises(MarketoBulkError, match="could not list"):
        replay(tmp_path / "nowhere", monkeypatch)
    run_tap(emulator, {"archive_url": str(tmp_path), "start_date": START})
    path = next(tmp_path.rglob("*.json"))
    path.write_text(path.read_text().replace('"instance": "', '"instance": "other'))
    with pytest.raises(MarketoBulkError, match="2 instances"):
        replay(tmp_path, monkeypatch)


def test_an_instance_may_be_named_in_two_ways(
    emulator: Emulator, run_tap: RunTap, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By `munchkin_id` in one run, by `base_url` in another."""
    run = run_tap(emulator, {"archive_url": str(tmp_path), "start_date": START})
    names = ("123-ABC-456", "123-abc-456.mktorest.com", "123-ABC-456.mktorest.com")
    manifests = sorted(tmp_path.rglob("*.json"))
    assert len(manifests) > 1
    for path, name in zip(manifests, itertools.cycle(names)):
        said(instance=name)(path)
    assert replay(tmp_path, monkeypatch).table() == run.table()


def test_an_archived_folder_may_lie_elsewhere(
    emulator: Emulator, run_tap: RunTap, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A year that was moved to another disk, with a link in its place."""
    here, elsewhere = tmp_path / "archive", tmp_path / "elsewhere"
    run = run_tap(emulator, {"archive_url": str(here), "start_date": START})
    year = here / "program" / "members" / "2026"
    year.rename(elsewhere)
    year.symlink_to(elsewhere)
    assert replay(here, monkeypatch).table() == run.table()


def test_a_selected_stream_without_a_file_is_told(
    emulator: Emulator,
    run_tap: RunTap,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The catalog of a run that fills the archive may have more than the archive."""
    run = run_tap(emulator, {"archive_url": str(tmp_path), "start_date": START})
    catalog = catalog_with(emulator, "program_members", "programs", "leads")
    assert replay(tmp_path, monkeypatch, catalog=catalog).table() == run.table()
    assert "no records of the selected streams leads, programs" in caplog.text

"""Batch files by name: a later run writes over no file that holds other records than its own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from singer_marketo.storage import Storage
from tap_marketo_bulk.output.batch_config import BatchConfig
from tests.end_to_end.test_batches import batches, path_of, read_file
from tests.stream_runs import KilledError, StreamRuns
from tests.tap_runs import DAY_SECONDS, NO_RATE_LIMIT, catalog_with, settings_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from marketo_emulator import Emulator
    from tests.tap_runs import TapRun

SMALL = {"batch_config": batches(Path("b"), "jsonl")}
STREAMS = ("leads", "deleted_leads", "removed_program_members", "activities", "program_members")


def test_what_earlier_runs_have_written_stays(
    make_emulator: Callable[..., Emulator], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Also without a filter by `updatedAt`, when each run asks for the same windows once more.

    A reader of the folder would lose rows; so would a loader that comes after the next run.
    """
    emulator = make_emulator(options=replace(NO_RATE_LIMIT, updated_at_filter_supported=False))
    config = {
        "batch_config": batches(tmp_path, "jsonl"),
        "track_removed_members": True,
        "start_date": "2026-06-01T00:00:00Z",
    }
    runs = StreamRuns(emulator, monkeypatch, *STREAMS, config=config)
    store = emulator.store
    program_id, members = next(iter(store.member_rows.items()))
    written: dict[str, bytes] = {}
    for lead_id in list(members)[:3]:
        store.remove_member(program_id, lead_id)
        store.change_lead(lead_id + 1, city="Bonn")
        emulator.advance(3600)
        store.delete_lead(lead_id)
        emulator.advance(3600)
        run = runs.run()
        paths = [path_of(url) for m in run.of_type("BATCH") for url in m["manifest"]]
        assert {m["stream"] for m in run.of_type("BATCH")} >= {"leads", "deleted_leads"}
        assert not written.keys() & {path.name for path in paths}
        written |= {path.name: path.read_bytes() for path in paths}
        runs.emulator.advance(3600)
    runs.run()  # in which nothing has changed
    assert written.items() <= {p.name: p.read_bytes() for p in tmp_path.iterdir()}.items()


def test_a_run_from_the_same_state_writes_over_its_files(
    emulator: Emulator, run_tap: Callable[..., TapRun], tmp_path: Path
) -> None:
    """Deletions come from no window, and are told apart by where the run begins."""
    config = settings_for(emulator, {"batch_config": batches(tmp_path, "jsonl")})
    catalog = catalog_with(emulator, "deleted_leads", config=config)
    emulator.store.delete_lead(3)
    emulator.advance(3600)
    state = run_tap(emulator, config, catalog=catalog).last_state
    for lead_id in (4, 5):
        emulator.store.delete_lead(lead_id)
        emulator.advance(3600)
        run_tap(emulator, config, catalog=catalog, state=state)
    first, second = sorted(tmp_path.iterdir())
    assert first.name.startswith("deleted_leads-2026-06-01T")
    assert second.name.startswith("deleted_leads-2026-06-15T")


@pytest.mark.parametrize("stream", ["programs", "removed_program_members"])
def test_pipelines_of_other_programs_share_a_folder(
    emulator: Emulator, run_tap: Callable[..., TapRun], tmp_path: Path, stream: str
) -> None:
    """Their first runs have no window that would tell their files apart."""
    given = {"batch_config": batches(tmp_path, "jsonl"), "track_removed_members": True}
    config = settings_for(emulator, {**given, "start_date": "2026-05-01T00:00:00Z"})
    chosen: tuple[dict[str, Any], ...] = (
        {"program_ids": [1001]},
        {"program_ids": [1002, 1003], "exclude_program_ids": [1003]},
        {"exclude_program_ids": [1001, 1002]},
    )
    store = emulator.store
    for program_id, members in list(store.member_rows.items()):
        store.remove_member(program_id, next(iter(members)))
    emulator.advance(3600)
    for each in (*chosen, chosen[0]):
        catalog = catalog_with(emulator, stream, config={**config, **each})
        run_tap(emulator, {**config, **each}, catalog=catalog)
    key = "id" if stream == "programs" else "programId"
    kept = [{record[key] for record in read_file(path)} for path in tmp_path.iterdir()]
    assert sorted(map(sorted, kept)) == [[1001], [1002], [1003]]


def test_instances_and_users_share_a_folder(
    emulator: Emulator, run_tap: Callable[..., TapRun], tmp_path: Path
) -> None:
    """One window of one stream is of other rows for each of them; how one is named tells none."""
    names = ("127-0-0-1", "127-0-0-1.mktorest.com", "999-XYZ-999")
    found = [
        BatchConfig.from_config({**SMALL, "munchkin_id": name, "client_id": "a"}) for name in names
    ]
    assert found[0] == found[1] != found[2]
    assert found[0] != BatchConfig.from_config({**SMALL, "munchkin_id": names[0], "client_id": "b"})
    config = {"batch_config": batches(tmp_path, "jsonl"), "start_date": "2026-06-01T00:00:00Z"}
    run_tap(emulator, config)
    written = {path.name: path.stat().st_ino for path in tmp_path.iterdir()}
    run_tap(emulator, {**config, "munchkin_id": "999-XYZ-999"})
    assert len(list(tmp_path.iterdir())) == 2 * len(written)
    assert written.items() <= {p.name: p.stat().st_ino for p in tmp_path.iterdir()}.items()


@pytest.mark.parametrize("format_", ["jsonl", "parquet"])
def test_files_of_what_is_empty_now_are_removed(
    emulator: Emulator, run_tap: Callable[..., TapRun], tmp_path: Path, format_: str
) -> None:
    """Also where Marketo tells that there is no row, so that no file is fetched."""
    config = {
        "batch_config": batches(tmp_path, format_, batch_size=2),
        "program_ids": [1001],
        "backfill": "snapshot",
    }
    catalog = catalog_with(emulator, "program_members", config=config)
    run_tap(emulator, config, catalog=catalog)
    assert len(list(tmp_path.iterdir())) > 2
    for lead_id in list(emulator.store.member_rows[1001]):
        emulator.store.remove_member(1001, lead_id)
    run_tap(emulator, config, catalog=catalog)
    assert not list(tmp_path.iterdir())


def test_a_run_killed_while_it_removes_parts_leaves_the_rest_to_the_next(
    emulator: Emulator,
    run_tap: Callable[..., TapRun],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The parts that are left must follow without a gap: the next run looks no further."""
    config = settings_for(emulator, {"batch_config": batches(tmp_path, "jsonl", batch_size=1)})
    catalog = catalog_with(emulator, "programs", config=config)
    run_tap(emulator, config, catalog=catalog)
    assert len(list(tmp_path.iterdir())) == 3
    whole = {**config, "batch_config": batches(tmp_path, "jsonl")}
    remove = Storage.remove

    def removed_once(self: Storage, name: str) -> bool:
        remove(self, name)
        raise KilledError

    with monkeypatch.context() as patched:
        patched.setattr(Storage, "remove", removed_once)
        with pytest.raises(KilledError):
            run_tap(emulator, whole, catalog=catalog)
    assert len(list(tmp_path.iterdir())) == 2
    run_tap(emulator, whole, catalog=catalog)
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("prefix", ["daily-", "/daily-", "//daily-", "a/b/daily-"])
def test_a_prefix_never_leaves_the_root(
    emulator: Emulator, run_tap: Callable[..., TapRun], tmp_path: Path, prefix: str
) -> None:
    """A path that begins with `/` would be one of the whole machine."""
    root = tmp_path / "lake"
    given = batches(root, "jsonl")
    given["storage"]["prefix"] = prefix
    config = settings_for(emulator, {"batch_config": given})
    catalog = catalog_with(emulator, "programs", config=config)
    (message,) = run_tap(emulator, config, catalog=catalog).of_type("BATCH")
    (path,) = map(path_of, message["manifest"])
    assert path.is_file()
    assert str(path).startswith(f"{root}/{prefix.lstrip('/')}programs-all-")


def test_who_was_removed_stays_told_where_states_are_lost(
    make_emulator: Callable[..., Emulator], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """First runs that begin elsewhere, by `start_date` or by a job taken over, tell of others."""
    emulator = make_emulator(options=NO_RATE_LIMIT)
    config = {
        "batch_config": batches(tmp_path / "lake", "jsonl"),
        "track_removed_members": True,
    }
    runs = StreamRuns(emulator, monkeypatch, "removed_program_members", config=config)
    program_id, members = next(iter(emulator.store.member_rows.items()))
    written: dict[str, bytes] = {}
    for start, lead_id in zip(("2026-05-01", "2026-06-02"), list(members), strict=False):
        emulator.store.remove_member(program_id, lead_id)
        emulator.advance(DAY_SECONDS)
        runs.state = None
        run = runs.run(start_date=f"{start}T00:00:00Z")
        paths = [path_of(url) for m in run.of_type("BATCH") for url in m["manifest"]]
        assert paths
        assert not written.keys() & {path.name for path in paths}
        written |= {path.name: path.read_bytes() for path in paths}
    assert written == {path.name: path.read_bytes() for path in (tmp_path / "lake").iterdir()}

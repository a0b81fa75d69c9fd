"""Batch files by name: a later run writes over no file that holds other records than its own."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tests.end_to_end.test_batches import batches, path_of
from tests.stream_runs import StreamRuns
from tests.tap_runs import NO_RATE_LIMIT, make_tap, settings_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    from marketo_emulator import Emulator
    from tests.tap_runs import TapRun

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
    tap = make_tap(emulator, config)
    with tap.client:
        catalog = tap.catalog_dict
    for entry in catalog["streams"]:
        for each in entry["metadata"]:
            if not each["breadcrumb"]:
                each["metadata"]["selected"] = entry["tap_stream_id"] == "deleted_leads"
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

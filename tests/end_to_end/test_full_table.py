"""A complete FULL_TABLE run says so after its records, and no other run does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from marketo_bulk import MarketoBulkError
from marketo_emulator import Fault
from tap_marketo_bulk.sync.extract import ExportExtract
from tests.end_to_end.test_batches import batches, read_file
from tests.tap_runs import make_tap, members_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from marketo_emulator import Emulator
    from tests.tap_runs import TapRun

SWITCH = "emit_activate_version_messages"


def full_table(emulator: Emulator) -> dict[str, Any]:
    """Return a catalog that wants every member in every run."""
    tap = make_tap(emulator)
    with tap.client:
        catalog = tap.catalog_dict
    for entry in catalog["streams"]:
        entry["replication_method"] = "FULL_TABLE"
    return catalog


def versions(run: TapRun) -> dict[str, list[Any]]:
    """Return, by stream, the version of its ACTIVATE_VERSION and where it stands."""
    return {
        m["stream"]: [m["version"], place]
        for place, m in enumerate(run.messages)
        if m["type"] == "ACTIVATE_VERSION"
    }


def last_record(run: TapRun, stream: str) -> int:
    """Return where the last record of a stream stands among all messages."""
    return max(
        place
        for place, m in enumerate(run.messages)
        if m["type"] == "RECORD" and m["stream"] == stream
    )


@pytest.mark.fault(
    "T10.2",
    "a `FULL_TABLE` run has come to its end",
    "sends ACTIVATE_VERSION after the records, which carry the version",
)
@pytest.mark.parametrize(
    "config",
    [
        {},
        {SWITCH: True},
        {SWITCH: None},
        {"stream_maps": {"program_members": {"n": "leadId"}}},
        {"flattening_enabled": True, "flattening_max_depth": 1},
    ],
)
@pytest.mark.parametrize("fast", [True, False])
def test_a_complete_full_table_run_activates_its_version(
    emulator: Emulator,
    run_tap: Callable[..., TapRun],
    monkeypatch: pytest.MonkeyPatch,
    config: dict[str, Any],
    fast: bool,  # noqa: FBT001
) -> None:
    """For both streams, in both loops: one message, after the last record, of their version."""
    if not fast:
        monkeypatch.setattr("tap_marketo_bulk.output.record_loop.BulkStream.writes_lines", False)
    run = run_tap(emulator, config, catalog=full_table(emulator))
    said = versions(run)
    assert set(said) == {"program_members", "programs"}
    for stream, (version, place) in said.items():
        records = [m for m in run.of_type("RECORD") if m["stream"] == stream]
        assert {m["version"] for m in records} == {version}
        assert place > last_record(run, stream)
    assert run.table().keys() == members_of(emulator).keys()


def test_the_name_of_a_stream_map_is_activated(
    emulator: Emulator, run_tap: Callable[..., TapRun]
) -> None:
    """A target knows the stream by the name its records have; a stream without records has none."""
    maps = {"program_members": {"__alias__": "memberships"}, "programs": None}
    run = run_tap(emulator, {"stream_maps": maps}, catalog=full_table(emulator))
    assert set(versions(run)) == {"memberships"}


def test_an_incremental_run_activates_nothing(
    emulator: Emulator, run_tap: Callable[..., TapRun]
) -> None:
    """What an incremental run does not bring is still there."""
    run = run_tap(emulator)
    assert set(versions(run)) == {"programs"}
    assert not any("version" in m for m in run.of_type("RECORD") if m["stream"] != "programs")


def test_the_setting_keeps_it_back(emulator: Emulator, run_tap: Callable[..., TapRun]) -> None:
    """Whose target removes too much can turn it off."""
    run = run_tap(emulator, {SWITCH: False}, catalog=full_table(emulator))
    assert not versions(run)
    assert not any("version" in m for m in run.of_type("RECORD"))


def breaks(self: ExportExtract) -> Iterator[Any]:  # stands for a method
    """Stand for a file that cannot be read to its end."""
    yield from ()
    raise KeyboardInterrupt


@pytest.mark.fault(
    "T10.2", "… is stopped by a signal or an error, or limited", "sends none; nothing is removed"
)
@pytest.mark.parametrize("way", ["error", "signal", "limit"])
def test_a_full_table_run_that_breaks_off_activates_nothing(
    emulator: Emulator,
    run_tap: Callable[..., TapRun],
    monkeypatch: pytest.MonkeyPatch,
    way: str,
) -> None:
    """A target must not remove what the run had no time to bring."""
    catalog = full_table(emulator)
    if way == "limit":
        monkeypatch.setattr(
            "tap_marketo_bulk.streams.export_stream.ExportStream.ABORT_AT_RECORD_COUNT", 5
        )
    elif way == "signal":
        monkeypatch.setattr(ExportExtract, "chunks", breaks)
    else:
        emulator.faults.add(Fault(operation="export.create", code="1003", times=None))
    kind = {"error": MarketoBulkError, "signal": KeyboardInterrupt, "limit": Exception}[way]
    with pytest.raises(kind) as caught:
        run_tap(emulator, catalog=catalog)
    run = caught.value.run  # type: ignore[attr-defined]
    assert "program_members" not in versions(run)


@pytest.mark.fault(
    "T10.3",
    "flattening meets a null object (`folder` of a program)",
    "the record has the columns its schema has, as nulls",
)
@pytest.mark.parametrize("folder", ["null", "absent", "empty", "partly", "more"])
@pytest.mark.parametrize(
    "maps",
    [{}, {"programs": {"n": "id"}}, {"programs": {"box": "folder"}}],
    ids=["plain", "mapped", "copied"],
)
@pytest.mark.parametrize("depth", [1, 3])
def test_a_flattened_record_has_the_columns_of_its_schema(
    emulator: Emulator,
    run_tap: Callable[..., TapRun],
    folder: str,
    maps: dict[str, Any],
    depth: int,
) -> None:
    """Whatever Marketo says of a folder; and `folder` itself is no column any more."""
    given = {
        "null": {"put": {"result.0.folder": None}},
        "absent": {"drop": ("result.0.folder",)},
        "empty": {"put": {"result.0.folder": {}}},
        "partly": {"drop": ("result.0.folder.folderName",)},
        "more": {"put": {"result.0.folder.colour": "red"}},
    }
    emulator.faults.add(Fault(operation="programs.browse", **given[folder]))  # type: ignore[arg-type]
    run = run_tap(
        emulator,
        {"flattening_enabled": True, "flattening_max_depth": depth, "stream_maps": maps},
    )
    (schema,) = (m["schema"] for m in run.of_type("SCHEMA") if m["stream"] == "programs")
    optional = {"description", "sfdcId", "sfdcName", "headStart", "folder"}
    for record in run.records("programs"):
        assert record.keys() <= schema["properties"].keys()
        lacking = schema["properties"].keys() - record.keys()
        assert {name for name in lacking if name.startswith("folder__")} == set()
        assert lacking <= optional
    assert {"folder__type", "folder__value", "folder__folderName"} <= schema["properties"].keys()


def test_a_folder_for_each_run_holds_nobody_who_is_gone(
    emulator: Emulator, run_tap: Callable[..., TapRun], tmp_path: Path
) -> None:
    """As docs/warehouses.md has it: with other programs there are other files."""
    store = emulator.store
    for night in ("2026-06-01", "2026-06-02", "2026-06-03"):
        given = batches(tmp_path, "jsonl")
        given["storage"]["prefix"] = f"{night}/"
        run_tap(emulator, {"batch_config": given}, catalog=full_table(emulator))
        files = (tmp_path / night).glob("program_members-*")
        found = {(r["leadId"], r["programId"]) for path in files for r in read_file(path)}
        assert found == set(members_of(emulator))
        store.remove_member(1003, min(store.member_rows[1003]))
        store.add_program(name=f"Of {night}", members=2)

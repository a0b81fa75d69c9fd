"""The record loop and the SDK's own loop write the same messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tap_marketo_bulk.streams.export_stream import ExportStream
from tests.tap_runs import make_tap

if TYPE_CHECKING:
    from collections.abc import Callable

    from marketo_emulator import Emulator
    from tests.tap_runs import TapRun


def comparable(run: TapRun) -> list[Any]:
    """Return SCHEMA and RECORD messages and the last bookmark, without what a clock put there."""
    messages = [
        {k: v for k, v in m.items() if k not in {"time_extracted", "version"}}
        for m in run.messages
        if m["type"] in {"SCHEMA", "RECORD", "ACTIVATE_VERSION"}
    ]
    return [messages, run.bookmark]


def catalog_without(emulator: Emulator, *names: str) -> dict[str, Any]:
    """Return a catalog in which some fields are deselected, and a lead field selected."""
    catalog = make_tap(emulator).catalog_dict
    for entry in catalog["streams"]:
        for item in entry["metadata"]:
            if item["breadcrumb"][-1:] == ["email"]:
                item["metadata"]["selected"] = True
            elif item["breadcrumb"][-1:] and item["breadcrumb"][-1] in names:
                item["metadata"]["selected"] = False
    return catalog


@pytest.mark.parametrize(
    ("config", "deselected"),
    [
        ({}, ()),
        ({}, ("statusName", "quizScore", "createdAt")),
        ({"start_date": "2026-01-01"}, ()),
        ({"start_date": "2026-01-01", "backfill": "snapshot"}, ("program",)),
        ({"emit_activate_version_messages": True}, ()),
        ({"flattening_enabled": True, "flattening_max_depth": 1}, ()),
        (
            {
                "flattening_enabled": True,
                "flattening_max_depth": 1,
                "flattening_max_key_length": 20,
            },
            (),
        ),
        (
            {"stream_maps": {"program_members": {"email": "md5(email)", "program": None}}},
            ("email",),
        ),
        ({"stream_maps": {"program_members": {"__filter__": "leadId % 2"}}}, ("quizScore",)),
        ({"stream_maps": {"program_members": {"__alias__": "of", "n": "leadId + 1"}}}, ()),
        ({"stream_maps": {"twin": {"__source__": "program_members", "n": "leadId"}}}, ()),
        ({"stream_maps": {"program_members": None}}, ()),
    ],
)
def test_both_loops_write_the_same_messages(
    make_emulator: Callable[..., Emulator],
    run_tap: Callable[..., TapRun],
    monkeypatch: pytest.MonkeyPatch,
    config: dict[str, Any],
    deselected: tuple[str, ...],
) -> None:
    """Messages and bookmark are equal, whichever loop ran; the fast one is known to have run."""
    emulator = make_emulator(programs=4, members=2_000)
    catalog = catalog_without(emulator, *deselected)
    fast_runs: list[int] = []
    original = ExportStream._sync_lines  # noqa: SLF001

    def watched(self: ExportStream) -> None:
        fast_runs.append(1)
        original(self)

    monkeypatch.setattr(ExportStream, "_sync_lines", watched)
    fast = run_tap(emulator, config, catalog=catalog)
    assert fast_runs == [1]
    monkeypatch.setattr(ExportStream, "writes_lines", False)
    slow = run_tap(emulator, config, catalog=catalog)
    assert comparable(slow) == comparable(fast)
    assert fast_runs == [1]


@pytest.mark.parametrize(
    "config",
    [
        {"stream_maps": {"program_members": {"email": "'x'", "statusName": None}}},
        {"stream_maps": {"program_members": {"__filter__": "leadId % 2 == 0"}}},
        {"stream_maps": {"program_members": {"__alias__": "memberships", "n": "leadId + 1"}}},
        {"flattening_enabled": True, "flattening_max_depth": 1},
    ],
)
def test_stream_maps_and_flattening_leave_the_bookmark_alone(
    emulator: Emulator, run_tap: Callable[..., TapRun], config: dict[str, Any]
) -> None:
    """What has to see each record does, and the bookmark moves all the same."""
    run = run_tap(emulator, config)
    plain = run_tap(emulator)
    assert plain.bookmark == run.bookmark
    name = config.get("stream_maps", {}).get("program_members", {}).get("__alias__")
    records = run.records(name or "program_members")
    kept = [r for r in plain.records() if "__filter__" not in str(config) or r["leadId"] % 2 == 0]
    assert [r["leadId"] for r in kept] == [r["leadId"] for r in records]


def test_an_overridden_type_is_written_as_the_catalog_has_it(
    emulator: Emulator, run_tap: Callable[..., TapRun]
) -> None:
    """A catalog that turns a number into a string gets strings in both loops."""
    catalog = make_tap(emulator).catalog_dict
    for entry in catalog["streams"]:
        if entry["tap_stream_id"] == "program_members":
            entry["schema"]["properties"]["quizScore"] = {"type": ["string", "null"]}
    scores = {record["quizScore"] for record in run_tap(emulator, catalog=catalog).records()}
    assert {str, type(None)} == {type(score) for score in scores}

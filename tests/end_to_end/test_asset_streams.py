"""Programs, channels and activity types are read whole, by few calls."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from marketo_bulk.errors import RejectedError
from marketo_emulator import Fault
from tests.tap_runs import NO_RATE_LIMIT, catalog_with, make_tap

if TYPE_CHECKING:
    from collections.abc import Callable

    from marketo_emulator import Emulator
    from tests.tap_runs import TapRun

CALLS = {
    "programs": "programs.browse",
    "channels": "channels.browse",
    "activity_types": "activity_types.list",
}
KEYS = {"programs": "id", "channels": "name", "activity_types": "id"}
PERMISSIONS = {
    "programs": ("assets", "Read-Only Assets"),
    "channels": ("assets", "Read-Only Assets"),
    "activity_types": ("activity", "Read-Only Activity"),
}
DETAILS = ("tags", "costs", "startDate", "endDate")


def asked(emulator: Emulator, name: str) -> int:
    """Return how often an operation was called."""
    return len([entry for entry in emulator.requests if entry.operation == name])


@pytest.mark.parametrize("stream", ["channels", "activity_types"])
def test_a_table_is_in_the_catalog_and_not_selected(emulator: Emulator, stream: str) -> None:
    """Its key is what the design says, and it is replicated whole."""
    tap = make_tap(emulator)
    with tap.client:
        (entry,) = (e for e in tap.catalog_dict["streams"] if e["tap_stream_id"] == stream)
    (root,) = (item["metadata"] for item in entry["metadata"] if not item["breadcrumb"])
    assert list(entry["key_properties"]) == [KEYS[stream]]
    assert entry["replication_method"] == "FULL_TABLE"
    assert root["selected"] is False


@pytest.mark.parametrize("stream", CALLS)
def test_a_table_is_what_marketo_lists(
    emulator: Emulator, run_tap: Callable[..., TapRun], stream: str
) -> None:
    """Each row once, and ACTIVATE_VERSION after the last."""
    run = run_tap(emulator, catalog=catalog_with(emulator, stream))
    keys = [record[KEYS[stream]] for record in run.records(stream)]
    assert len(keys) == len(set(keys)) > 2
    assert [m["stream"] for m in run.of_type("ACTIVATE_VERSION")] == [stream]
    assert asked(emulator, CALLS[stream]) <= 2
    assert {m["stream"] for m in run.of_type("RECORD")} == {stream}


def test_channels_and_types_are_told_in_full(
    emulator: Emulator, run_tap: Callable[..., TapRun]
) -> None:
    """Statuses of a channel with their steps, attributes of a type with their kinds."""
    run = run_tap(emulator, catalog=catalog_with(emulator, "channels", "activity_types"))
    channels = {record["name"]: record for record in run.records("channels")}
    (first, *_) = channels["Webinar"]["progressionStatuses"]
    assert first == {
        "name": "Invited", "step": 1, "description": None, "hidden": False, "success": False
    }  # fmt: skip
    types = {record["id"]: record for record in run.records("activity_types")}
    assert types[1]["primaryAttribute"]["name"] == "Webpage ID"
    assert {"name", "dataType"} == {key for a in types[1]["attributes"] for key in a}


@pytest.mark.parametrize("stream", PERMISSIONS)
def test_a_table_without_its_permission_names_it(
    make_emulator: Callable[..., Emulator], run_tap: Callable[..., TapRun], stream: str
) -> None:
    """No record, and no ACTIVATE_VERSION that would empty the table."""
    missing, permission = PERMISSIONS[stream]
    catalog = catalog_with(make_emulator(), stream)
    emulator = make_emulator(options=replace(NO_RATE_LIMIT, missing_permissions=(missing,)))
    with pytest.raises(RejectedError, match=f'stream {stream}.*Tick "{permission}"') as caught:
        run_tap(emulator, catalog=catalog)
    assert {m["type"] for m in caught.value.run.messages} <= {"SCHEMA", "STATE"}  # type: ignore[attr-defined]


def test_details_of_programs_cost_a_call_each_and_are_announced(
    emulator: Emulator, run_tap: Callable[..., TapRun], caplog: pytest.LogCaptureFixture
) -> None:
    """Without them the columns are not there, and no such call is made."""
    plain = run_tap(emulator, catalog=catalog_with(emulator, "programs"))
    assert asked(emulator, "programs.get") == 0
    assert not {name for record in plain.records("programs") for name in record} & set(DETAILS)
    config = {"programs_detail": True}
    catalog = catalog_with(emulator, "programs", config=config)
    with caplog.at_level(logging.INFO):
        run = run_tap(emulator, config, catalog=catalog)
    assert asked(emulator, "programs.get") == 3
    assert "programs_detail: 3 calls, one for each program" in caplog.text
    told = {record["id"]: record for record in run.records("programs")}
    assert told[1002]["tags"] == [{"tagType": "Region", "tagValue": "EMEA"}]
    stripped = [{k: v for k, v in r.items() if k not in DETAILS} for r in told.values()]
    assert stripped == plain.records("programs")


def test_details_that_are_not_selected_are_not_asked_for(
    emulator: Emulator, run_tap: Callable[..., TapRun]
) -> None:
    """A catalog may be older than the setting, too."""
    config = {"programs_detail": True}
    run_tap(emulator, config, catalog=catalog_with(emulator, "programs"))
    catalog = catalog_with(emulator, "programs", config=config)
    for entry in catalog["streams"]:
        for item in entry["metadata"]:
            if item["breadcrumb"] and item["breadcrumb"][1] in DETAILS:
                item["metadata"]["selected"] = False
    run_tap(emulator, config, catalog=catalog)
    assert asked(emulator, "programs.get") == 0


def test_a_program_that_is_gone_comes_without_details(
    emulator: Emulator, run_tap: Callable[..., TapRun], caplog: pytest.LogCaptureFixture
) -> None:
    """It was there when it was listed."""
    config = {"programs_detail": True}
    catalog = catalog_with(emulator, "programs", config=config)
    emulator.faults.add(Fault(operation="programs.get", code="702"))
    run = run_tap(emulator, config, catalog=catalog)
    assert len(run.records("programs")) == 3
    assert "tags" not in run.records("programs")[0]
    assert "1 programs were deleted or hidden" in caplog.text

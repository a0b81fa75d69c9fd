"""Columns newly selected that no field of an export tells: they are seen, said, and filled."""

from __future__ import annotations

import logging
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest

from tests.tap_runs import DAY_SECONDS, TapRun, make_tap

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from marketo_emulator import Emulator

    RunTap = Callable[..., TapRun]

PER_TYPE = {"activity_streams": "per_type", "start_date": "2026-01-01T00:00:00Z"}
ONE = {"start_date": "2026-01-01T00:00:00Z"}
NEW_LEAD, MOMENT = "activity_new_lead", "activity_interesting_moment"

CASES: dict[str, tuple[dict[str, Any], dict[str, list[str]], dict[str, list[str]], str]] = {
    "an attribute": (
        PER_TYPE,
        {NEW_LEAD: ["leadId"]},
        {NEW_LEAD: ["leadId", "source_type"]},
        f"{NEW_LEAD}.source_type",
    ),
    "a column of every type": (
        PER_TYPE,
        {NEW_LEAD: ["leadId"]},
        {NEW_LEAD: ["leadId", "campaignId"]},
        f"{NEW_LEAD}.campaignId",
    ),
    "a type": (
        PER_TYPE,
        {NEW_LEAD: ["leadId"]},
        {NEW_LEAD: ["leadId"], MOMENT: ["leadId"]},
        f"{MOMENT}.leadId",
    ),
    "the name of the type": (
        ONE,
        {"activities": ["activityTypeId"]},
        {"activities": ["activityTypeId", "activityTypeName"]},
        "activityTypeName",
    ),
    "a person's name": (
        {},
        {"deleted_leads": ["leadId"]},
        {"deleted_leads": ["leadId", "primaryAttributeValue"]},
        "primaryAttributeValue",
    ),
}


def catalog(
    emulator: Emulator, config: Mapping[str, Any], wanted: Mapping[str, list[str]]
) -> dict[str, Any]:
    """Return a catalog of these columns of these streams alone."""
    tap = make_tap(emulator, config)
    with tap.client:
        found = tap.catalog_dict
    for entry in found["streams"]:
        for item in entry["metadata"]:
            columns = wanted.get(entry["tap_stream_id"])
            if not item["breadcrumb"]:
                item["metadata"]["selected"] = columns is not None
            else:
                item["metadata"]["selected"] = item["breadcrumb"][-1] in (columns or ())
    return found


@pytest.mark.parametrize("backfill", [False, True])
@pytest.mark.parametrize(("config", "old", "new", "named"), CASES.values(), ids=CASES)
def test_a_new_column_gets_its_history_or_a_line(
    emulator: Emulator,
    run_tap: RunTap,
    caplog: pytest.LogCaptureFixture,
    config: dict[str, Any],
    old: dict[str, list[str]],
    new: dict[str, list[str]],
    named: str,
    backfill: bool,  # noqa: FBT001
) -> None:
    """Once: by the run that sees it, and not by the next one."""
    emulator.store.delete_lead(3)
    emulator.store.add_activity(4, 46, primary_value="Web", attributes={})
    emulator.advance(DAY_SECONDS)
    first = run_tap(emulator, config, catalog=catalog(emulator, config, old))
    emulator.advance(DAY_SECONDS)
    setting = {**config, "backfill_new_fields": backfill}
    wider = catalog(emulator, config, new)
    caplog.clear()
    caplog.set_level(logging.INFO, "tap-marketo-bulk")
    second = run_tap(emulator, setting, catalog=wider, state=deepcopy(first.last_state))
    (line,) = (r.getMessage() for r in caplog.records if "are new: " in r.getMessage())
    assert named in line
    assert ("`meltano run --full-refresh" in line) is not backfill
    column = named.rpartition(".")[2]
    having = [r for stream in new for r in second.records(stream) if column in r]
    assert bool(having) is backfill
    emulator.advance(DAY_SECONDS)
    caplog.clear()
    third = run_tap(emulator, setting, catalog=wider, state=deepcopy(second.last_state))
    assert not any(third.records(stream) for stream in new)
    assert not [r for r in caplog.records if "are new: " in r.getMessage()]


def test_a_state_of_before_says_nothing_of_columns(
    emulator: Emulator, run_tap: RunTap, caplog: pytest.LogCaptureFixture
) -> None:
    """What an older version has not noted is not compared."""
    wanted = catalog(emulator, PER_TYPE, {NEW_LEAD: ["leadId", "source_type"]})
    state = run_tap(emulator, PER_TYPE, catalog=wanted).last_state
    del state["asked"]["activities"]["columns"]
    emulator.advance(DAY_SECONDS)
    run_tap(emulator, {**PER_TYPE, "backfill_new_fields": True}, catalog=wanted, state=state)
    assert not [r for r in caplog.records if "are new: " in r.getMessage()]

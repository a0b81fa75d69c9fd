"""Activities of an archive by type: the setting that filled it can stay, and none is ignored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from marketo_bulk import ConfigurationError
from tests.tap_runs import TapRun, catalog_with, make_tap

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from marketo_emulator import Emulator

    RunTap = Callable[..., TapRun]

NEW_LEAD, MOMENT, NEVER = 12, 46, 41
START = {"start_date": "2026-01-01T00:00:00Z"}


@pytest.fixture
def archive(emulator: Emulator, run_tap: RunTap, tmp_path: Path) -> dict[str, Any]:
    """Return the settings of a replay of two types of activities."""
    emulator.store.add_activity(4, MOMENT, primary_value="Web", attributes={})
    emulator.advance(3600)
    config = {**START, "archive_url": str(tmp_path), "activity_types": [NEW_LEAD, MOMENT]}
    run_tap(emulator, config, catalog=catalog_with(emulator, "activities", config=config))
    return {"replay_url": str(tmp_path)}


def replayed(run_tap: RunTap, emulator: Emulator, config: dict[str, Any], *streams: str) -> TapRun:
    """Return what a replay brings of some streams."""
    return run_tap(emulator, config, catalog=catalog_with(emulator, *streams, config=config))


@pytest.mark.parametrize(
    "types", [[], [NEW_LEAD, MOMENT], ["interesting moment", "12", NEVER, "Draft"]]
)
def test_a_setting_that_lets_all_of_them_through_can_stay(
    emulator: Emulator, run_tap: RunTap, archive: dict[str, Any], types: list[Any]
) -> None:
    """Also if it lists types that no file has."""
    config = {**archive, "activity_types": types}
    run = replayed(run_tap, emulator, config, "activities")
    assert {r["activityTypeId"] for r in run.records("activities")} == {NEW_LEAD, MOMENT}
    per_type = {**config, "activity_streams": "per_type"}
    run = replayed(run_tap, emulator, per_type, "activity_interesting_moment")
    assert {r["activityTypeId"] for r in run.records("activity_interesting_moment")} == {MOMENT}


def test_one_that_leaves_some_out_is_refused_where_it_cannot_be_followed(
    emulator: Emulator, run_tap: RunTap, archive: dict[str, Any]
) -> None:
    """A file is read as it is; streams of types are chosen by it."""
    config = {**archive, "activity_types": ["New Lead"]}
    with pytest.raises(ConfigurationError, match=r"^activity_types: .*: 46 Interesting Moment\."):
        replayed(run_tap, emulator, config, "activities")
    tap = make_tap(emulator, {**config, "activity_streams": "per_type"})
    assert [*tap.streams] == ["activity_new_lead"]
    tap = make_tap(emulator, {**archive, "activity_types": [NEVER], "activity_streams": "per_type"})
    assert [*tap.streams] == []

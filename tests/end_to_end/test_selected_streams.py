"""A stream that the catalog selects comes, or the run ends with a line about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from marketo_bulk import MarketoBulkError
from marketo_emulator import Emulator, Options
from tests.tap_runs import TapRun, catalog_with

if TYPE_CHECKING:
    from collections.abc import Callable

    RunTap = Callable[..., TapRun]

PER_TYPE = {"activity_streams": "per_type"}
NOT_OFFERED: dict[str, tuple[str, dict[str, Any], dict[str, Any], str]] = {
    "one stream": ("activities", {}, PER_TYPE, "activity_streams is per_type"),
    "per type": ("activity_new_lead", PER_TYPE, {}, "it needs activity_streams: per_type"),
    "another type": (
        "activity_new_lead",
        PER_TYPE,
        {**PER_TYPE, "activity_types": [1]},
        "activity_types does not list it",
    ),
    "custom object": (
        "custom_object_car_c",
        {},
        {"custom_objects": ["purchaseHistory"]},
        "custom_objects does not list it",
    ),
    "removed members": (
        "removed_program_members",
        {"track_removed_members": True},
        {},
        "it needs track_removed_members",
    ),
}


@pytest.mark.parametrize("case", NOT_OFFERED)
def test_a_selected_stream_that_is_not_offered_fails(
    emulator: Emulator, run_tap: RunTap, case: str
) -> None:
    """The other streams go on; the error names the stream and the setting."""
    stream, discovered, run_with, words = NOT_OFFERED[case]
    catalog = catalog_with(emulator, stream, "channels", config=discovered)
    with pytest.raises(MarketoBulkError, match=f"stream {stream}: .*{words}") as told:
        run_tap(emulator, run_with, catalog=catalog)
    assert told.value.run.records("channels")  # type: ignore[attr-defined]


def test_a_deselected_stream_may_be_absent(emulator: Emulator, run_tap: RunTap) -> None:
    """Nobody waits for it."""
    catalog = catalog_with(emulator, "channels", config=PER_TYPE)
    assert run_tap(emulator, {}, catalog=catalog).records("channels")


def test_types_that_may_not_be_seen_fail_their_streams(run_tap: RunTap) -> None:
    """Marketo's own reason is given, not that there are no such types."""
    with Emulator(programs=2, members=5) as emulator:
        catalog = catalog_with(emulator, "activity_new_lead", "channels", config=PER_TYPE)
    options = Options(missing_permissions=("activity", "activity metadata"))
    with (
        Emulator(programs=2, members=5, options=options) as emulator,
        pytest.raises(MarketoBulkError, match="603"),
    ):
        run_tap(emulator, PER_TYPE, catalog=catalog)


def test_a_name_that_no_custom_object_can_have_is_refused(
    emulator: Emulator, run_tap: RunTap
) -> None:
    """As any stream is that the tap has not."""
    catalog = catalog_with(emulator, "channels")
    odd = {"tap_stream_id": "custom_object_../x", "schema": {"properties": {}}}
    catalog["streams"].append(odd)
    with pytest.raises(MarketoBulkError, match="the tap has no such stream"):
        run_tap(emulator, {}, catalog=catalog)

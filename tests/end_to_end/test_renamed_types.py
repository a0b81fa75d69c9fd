"""A type of activities is renamed between two runs: its id is what counts, or a line says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from marketo_bulk import ConfigurationError, MarketoBulkError
from marketo_emulator import Fault
from marketo_emulator.data.activity_types import ACTIVITY_TYPES
from tests.activity_truth import activities_of
from tests.stream_runs import StreamRuns
from tests.tap_runs import DAY_SECONDS, created_jobs

if TYPE_CHECKING:
    from collections.abc import Callable

CONFIG = {"start_date": "2026-05-20T00:00:00Z"}
PER_TYPE = {**CONFIG, "activity_streams": "per_type"}
TYPE_ID, OTHER_ID, TWIN_ID = 104, 12, 101
OLD, NEW = "activity_change_status_in_progression", "activity_program_status"
OTHER = "activity_new_lead"


@pytest.fixture
def make_runs(
    make_emulator: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., StreamRuns]:
    """Return a function that makes runs of some streams, of which the first is over."""

    def make(config: dict[str, Any], *streams: str) -> StreamRuns:
        runs = StreamRuns(make_emulator(), monkeypatch, *streams, config=config)
        runs.run()
        return runs

    return make


def rename(runs: StreamRuns, type_id: int = TYPE_ID, name: str = "Program Status") -> None:
    """Rename a type, and let activities of two types happen in the day after."""
    place = next(i for i, each in enumerate(ACTIVITY_TYPES) if each.type_id == type_id)
    put = {f"result.{place}.name": name}
    runs.emulator.faults.add(Fault(operation="activities.types", put=put, times=None))
    runs.emulator.advance(DAY_SECONDS)
    runs.emulator.store.join_members(3)
    runs.emulator.store.add_lead(firstName="New")
    runs.emulator.advance(3600)


def keys(runs: StreamRuns, stream: str) -> set[str]:
    """Return the keys of the table of a stream."""
    return {key for (key,) in runs.tables[stream]}


def truth(runs: StreamRuns, type_id: int) -> set[str]:
    """Return the keys that Marketo has of a type."""
    since = CONFIG["start_date"]
    return set(activities_of(runs.emulator, type_ids={type_id}, since=since))


@pytest.mark.fault(
    "V17",
    "a type is renamed between two runs",
    "STATE and jobs know its id alone: the bookmark goes on, `activityTypeName` is the new one",
)
@pytest.mark.parametrize("config", [{}, {"activity_types": [TYPE_ID]}], ids=["default", "by id"])
def test_v17_one_stream_goes_by_ids(
    make_runs: Callable[..., StreamRuns], config: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """V17: the second run is one job from the bookmark on, for the same types."""
    runs = make_runs({**CONFIG, **config}, "activities")
    asked = created_jobs(runs.emulator)[-1]["filter"]["activityTypeIds"]
    rename(runs)
    made = len(created_jobs(runs.emulator))
    run = runs.run()
    (job,) = created_jobs(runs.emulator)[made:]
    assert job["filter"]["activityTypeIds"] == asked
    named = {r["activityTypeId"]: r["activityTypeName"] for r in run.records("activities")}
    assert named[TYPE_ID] == "Program Status"
    found = {k for (k,), r in runs.tables["activities"].items() if r["activityTypeId"] == TYPE_ID}
    assert found == truth(runs, TYPE_ID)
    assert "Since the last run" not in caplog.text


@pytest.mark.fault("V17", "… and a setting names it", "fails, and names the types there are")
def test_v17_a_setting_with_the_old_name_is_an_error(make_runs: Callable[..., StreamRuns]) -> None:
    """V17: before any job; the state is as it was."""
    config = {**CONFIG, "activity_types": ["Change Status in Progression", OTHER_ID]}
    runs = make_runs(config, "activities")
    before = runs.state_of("activities")
    rename(runs)
    with pytest.raises(ConfigurationError, match="104 Program Status"):
        runs.run()
    assert runs.state_of("activities") == before


@pytest.mark.fault(
    "V17",
    "… and a catalog has its stream under the old name",
    "fails for that stream; the others go on",
)
def test_v17_a_kept_catalog_with_the_old_stream_is_an_error(
    make_runs: Callable[..., StreamRuns], caplog: pytest.LogCaptureFixture
) -> None:
    """V17: and a line names the new stream."""
    runs = make_runs(PER_TYPE, OLD, OTHER)
    catalog = runs.catalog()
    runs.catalog = lambda: catalog  # type: ignore[method-assign]
    rename(runs)
    with pytest.raises(MarketoBulkError, match=f"stream {OLD}: .*no such type"):
        runs.run()
    assert keys(runs, OTHER) == truth(runs, OTHER_ID)
    # The new stream is not in that catalog.
    assert f"{TYPE_ID} (stream {NEW})" in caplog.text


@pytest.mark.fault(
    "V17",
    "… and a catalog made anew selects by names",
    "a line names the type and its new stream; selected, another says what has not been read",
)
@pytest.mark.parametrize("streams", [(OLD, OTHER), (OLD,)], ids=["one of two", "the only one"])
def test_v17_a_new_catalog_without_the_new_stream_is_said(
    make_runs: Callable[..., StreamRuns],
    caplog: pytest.LogCaptureFixture,
    streams: tuple[str, ...],
) -> None:
    """V17: nothing is left out in silence, and what was is there after a run without state."""
    runs = make_runs(PER_TYPE, *streams)
    assert "do not with this one" not in caplog.text
    rename(runs)
    runs.run()
    assert f"do not with this one: {TYPE_ID} (stream {NEW}). " in caplog.text
    caplog.clear()
    runs.streams = (*streams[1:], NEW)
    runs.emulator.advance(DAY_SECONDS)
    runs.run()
    assert "do not with this one" not in caplog.text
    if len(streams) > 1:
        assert "activity_types has changed" in caplog.text
        runs.state = None
        runs.run()
    assert truth(runs, TYPE_ID) == keys(runs, NEW) | keys(runs, OLD)


@pytest.mark.fault(
    "V17", "… and another type gets the name of its stream", "the same line names the type"
)
def test_v17_a_stream_that_is_of_another_type_now_is_said(
    make_runs: Callable[..., StreamRuns], caplog: pytest.LogCaptureFixture
) -> None:
    """V17: of two types with one name the later had a suffix, until the first was renamed."""
    runs = make_runs(PER_TYPE, "activity_change_revenue_stage")
    rename(runs, TWIN_ID, "Stage")
    runs.run()
    assert f"do not with this one: {TWIN_ID} (stream activity_stage). " in caplog.text
    assert "activity_types has changed" in caplog.text

"""Fields newly selected get their history, once, however often the run that reads it is stopped."""

from __future__ import annotations

from copy import deepcopy
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from tests.end_to_end.test_leads import cities, leads_of
from tests.tap_runs import DAY_SECONDS, TapRun, catalog_with, created_jobs, make_tap, members_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from marketo_emulator import Emulator
    from tests.virtual_runs import VirtualRuns

    RunTap = Callable[..., TapRun]

STREAM = "program_members"
FIELDS = ("statusReason", "program")
START = "2025-10-01T00:00:00Z"
BACKFILL = {"backfill_new_fields": True}


def catalog(emulator: Emulator, *left_out: str) -> dict[str, Any]:
    """Return a catalog of the members alone, without some fields."""
    tap = make_tap(emulator)
    with tap.client:
        found = tap.catalog_dict
    for entry in found["streams"]:
        for item in entry["metadata"]:
            if not item["breadcrumb"]:
                item["metadata"]["selected"] = entry["stream"] == STREAM
            elif item["breadcrumb"][-1] in left_out:
                item["metadata"]["selected"] = False
    return found


def windows(emulator: Emulator, before: int = 0) -> list[Any]:
    """Return the window of each job made since there were `before` of them."""
    return [job["filter"].get("updatedAt") for job in created_jobs(emulator)[before:]]


def wanted(emulator: Emulator, since: str = START) -> dict[tuple[int, int], dict[str, Any]]:
    """Return the members that were changed from a moment on."""
    return {k: m for k, m in members_of(emulator).items() if m["updatedAt"] >= since}


def merged(state: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    """Return a state as Meltano has it after a run that was broken off: merged key by key."""
    found = deepcopy(state)
    for key, value in more.items():
        both = isinstance(value, dict) and isinstance(found.get(key), dict)
        found[key] = merged(found[key], value) if both else deepcopy(value)
    return found


def replaced(_: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    """Return a state as a plain runner has it: the last STATE."""
    return more


@pytest.mark.parametrize("config", [{}, {"start_date": START}])
def test_members_are_read_once_more_by_a_snapshot(
    make_emulator: Callable[..., Emulator], run_tap: RunTap, config: dict[str, Any]
) -> None:
    """One job per 10 programs, and never again."""
    emulator = make_emulator(programs=25, members=300)
    config = {**config, **BACKFILL}
    first = run_tap(emulator, config, catalog=catalog(emulator, *FIELDS))
    emulator.advance(DAY_SECONDS)
    before = len(created_jobs(emulator))
    second = run_tap(emulator, config, catalog=catalog(emulator), state=deepcopy(first.last_state))
    assert second.table() == wanted(emulator, config.get("start_date", ""))
    assert windows(emulator, before) == [None, None, None]
    assert second.last_state["asked"][STREAM]["backfill"] is False
    emulator.advance(DAY_SECONDS)
    emulator.store.touch_members(4)
    emulator.advance(3600)
    before = len(created_jobs(emulator))
    third = run_tap(emulator, config, catalog=catalog(emulator), state=second.last_state)
    assert len(third.table()) == 4
    assert None not in windows(emulator, before)


@pytest.mark.parametrize("kept", [merged, replaced])
@pytest.mark.fault(
    "T3.10",
    "fields are selected anew with `backfill_new_fields`, and the run is killed at any moment",
    "the next run goes on: each program is read once more, and all records have the fields",
)
def test_a_backfill_that_is_killed_goes_on(
    make_emulator: Callable[..., Emulator],
    run_tap: RunTap,
    kept: Callable[[dict[str, Any], dict[str, Any]], dict[str, Any]],
) -> None:
    """Whatever whole lines have gone out by then; what is there is not read again."""
    emulator = make_emulator(programs=43, members=200)
    config = {**BACKFILL, "max_queued_jobs": 1, "start_date": START}
    old = run_tap(emulator, config, catalog=catalog(emulator, *FIELDS))
    emulator.advance(DAY_SECONDS)
    new = catalog(emulator)
    whole = run_tap(emulator, config, catalog=new, state=deepcopy(old.last_state))
    states = [n for n, m in enumerate(whole.messages, 1) if m["type"] == "STATE"]
    others = Random(3).sample(range(len(whole.messages)), 3)
    for cut in sorted({0, *states[::2], states[-1], *others}):
        killed = TapRun(whole.messages[:cut])
        state = kept(old.last_state, killed.last_state) if killed.last_state else old.last_state
        before = len(created_jobs(emulator))
        run = run_tap(emulator, config, catalog=new, state=deepcopy(state))
        assert {**old.table(), **killed.table(), **run.table()} == wanted(emulator)
        done = state["bookmarks"][STREAM]["program_bookmarks"]
        made = windows(emulator, before)
        snapshots = [window for window in made if window is None]
        assert len(snapshots) <= 5, "a batch of programs is read once"
        assert len(made) <= 10, "no program is read by windows from the start"
        if cut == states[-1]:
            assert not snapshots
            assert done


def test_a_backfill_that_is_told_to_stop_leaves_its_jobs_to_the_next_run(
    make_emulator: Callable[..., Emulator], virtual: Callable[[Emulator], VirtualRuns]
) -> None:
    """At several moments; no job over all members of a program is made twice."""
    emulator = make_emulator(programs=43, members=300, job_seconds=100)
    runs = virtual(emulator)
    old = runs.run(BACKFILL, catalog=catalog(emulator, *FIELDS))
    before = len(created_jobs(emulator))
    table, state = old.table(), deepcopy(old.last_state)
    for seconds in (1, 90, 150, 200):

        def stop() -> None:
            raise SystemExit(143)

        runs.time.at = [(runs.time.now + timedelta(seconds=seconds), stop)]
        with pytest.raises(SystemExit) as stopped:
            runs.run(BACKFILL, catalog=catalog(emulator), state=state)
        run: TapRun = stopped.value.run  # type: ignore[attr-defined]  # put there by `capture`
        table |= run.table()
        state = run.last_state or state
    runs.time.at = []
    last = runs.run(BACKFILL, catalog=catalog(emulator), state=state)
    assert table | last.table() == members_of(emulator)
    assert windows(emulator, before).count(None) == 5
    assert last.last_state["asked"][STREAM]["backfill"] is False


def test_another_field_in_the_middle_begins_anew(
    make_emulator: Callable[..., Emulator], run_tap: RunTap
) -> None:
    """What has been read by then lacks it."""
    emulator = make_emulator(programs=23, members=200)
    old = run_tap(emulator, BACKFILL, catalog=catalog(emulator, *FIELDS))
    half = run_tap(
        emulator, BACKFILL, catalog=catalog(emulator, FIELDS[0]), state=deepcopy(old.last_state)
    )
    begun = [m["value"] for m in half.of_type("STATE") if "backfill" in m["value"]["asked"][STREAM]]
    middle = next(s for s in begun if s["bookmarks"][STREAM]["program_bookmarks"])
    assert middle["asked"][STREAM]["backfill"] is True
    run = run_tap(emulator, BACKFILL, catalog=catalog(emulator), state=middle)
    assert run.table() == members_of(emulator)


@pytest.mark.parametrize("setting", [True, False])
def test_a_field_that_disappears_triggers_nothing(
    emulator: Emulator, run_tap: RunTap, *, setting: bool
) -> None:
    """Neither deselected nor gone from Marketo."""
    config = {"backfill_new_fields": setting}
    first = run_tap(emulator, config, catalog=catalog(emulator))
    emulator.advance(DAY_SECONDS)
    before = len(created_jobs(emulator))
    second = run_tap(
        emulator, config, catalog=catalog(emulator, *FIELDS), state=deepcopy(first.last_state)
    )
    assert second.records() == []
    assert None not in windows(emulator, before)
    assert "backfill" not in second.last_state["asked"][STREAM]


def test_without_it_a_line_names_the_command(
    emulator: Emulator, run_tap: RunTap, caplog: pytest.LogCaptureFixture
) -> None:
    """And nothing is read once more."""
    first = run_tap(emulator, catalog=catalog(emulator, *FIELDS))
    emulator.advance(DAY_SECONDS)
    second = run_tap(emulator, catalog=catalog(emulator), state=deepcopy(first.last_state))
    assert second.records() == []
    (line,) = (r.getMessage() for r in caplog.records if "are new" in r.getMessage())
    assert all(name in line for name in FIELDS)
    assert "`meltano run --full-refresh tap-marketo-bulk TARGET`" in line
    assert "backfill_new_fields" in line


def test_leads_are_read_by_windows_from_the_start(emulator: Emulator, run_tap: RunTap) -> None:
    """An export of leads has no snapshot; a bookmark that is newer than the start goes back."""
    config = {**BACKFILL, "start_date": "2024-01-01T00:00:00Z"}
    new = catalog_with(emulator, "leads")
    old = deepcopy(new)
    for entry in old["streams"]:
        for item in entry["metadata"]:
            if item["breadcrumb"][-1:] == ["city"]:
                item["metadata"]["selected"] = False
    first = run_tap(emulator, config, catalog=old)
    emulator.advance(DAY_SECONDS)
    second = run_tap(emulator, config, catalog=new, state=deepcopy(first.last_state))
    assert cities(second) == leads_of(emulator)
    states = [m["value"] for m in second.of_type("STATE")]
    begun = next(state for state in states if "backfill" in state["asked"]["leads"])
    assert begun["bookmarks"]["leads"]["replication_key_value"].startswith("2024-01-01")
    again = run_tap(emulator, config, catalog=new, state=begun)
    assert cities(again) == leads_of(emulator)
    third = run_tap(emulator, config, catalog=new, state=second.last_state)
    assert third.records("leads") == []
    by_creation = run_tap(emulator, BACKFILL, catalog=new, state=deepcopy(first.last_state))
    assert cities(by_creation) == leads_of(emulator)

"""Who is a member no more is told once, if an export of ids confirms it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from marketo_bulk import MarketoBulkError
from marketo_emulator.faults.fault import Fault
from tests.tap_runs import created_jobs, make_tap

if TYPE_CHECKING:
    from collections.abc import Callable

    from marketo_emulator import Emulator
    from tests.tap_runs import TapRun

    RunTap = Callable[..., TapRun]

STREAM = "removed_program_members"
CONFIG = {"track_removed_members": True}
HOUR = 3600


class Tracked:
    """Runs of the one stream, with the STATE that each hands on."""

    def __init__(self, emulator: Emulator, run_tap: RunTap) -> None:
        self.emulator = emulator
        self._run_tap = run_tap
        self.state: dict[str, Any] = {}
        tap = make_tap(emulator, CONFIG)
        with tap.client:
            self.catalog = tap.catalog_dict
        for entry in self.catalog["streams"]:
            for each in entry["metadata"]:
                if not each["breadcrumb"]:
                    each["metadata"]["selected"] = entry["tap_stream_id"] == STREAM

    def run(self, **config: Any) -> TapRun:
        """Run an hour after whatever was before."""
        self.emulator.advance(HOUR)
        run = self._run_tap(
            self.emulator, {**CONFIG, **config}, state=self.state, catalog=self.catalog
        )
        self.state = run.last_state
        return run

    def told(self, **config: Any) -> set[tuple[int, int]]:
        """Run, and return the memberships it tells of."""
        return {(r["leadId"], r["programId"]) for r in self.run(**config).records(STREAM)}

    def members(self, count: int) -> list[tuple[int, int]]:
        """Return some members, each by lead and program."""
        rows = self.emulator.store.member_rows
        return [(lead, program) for program, leads in rows.items() for lead in leads][:count]

    def remove(self, key: tuple[int, int]) -> None:
        """End a membership."""
        self.emulator.store.remove_member(key[1], key[0])


@pytest.fixture
def tracked(emulator: Emulator, run_tap: RunTap) -> Tracked:
    """Return an instance of which a first run has taken note."""
    found = Tracked(emulator, run_tap)
    assert found.told() == set()
    return found


def test_the_stream_is_there_with_its_setting_and_not_selected(emulator: Emulator) -> None:
    """Without it the catalog is what it was."""
    for config, is_there in (({}, False), (CONFIG, True)):
        tap = make_tap(emulator, config)
        with tap.client:
            entries = {each["tap_stream_id"]: each for each in tap.catalog_dict["streams"]}
        assert (STREAM in entries) is is_there
    assert list(entries[STREAM]["key_properties"]) == ["leadId", "programId"]
    (root,) = [m["metadata"] for m in entries[STREAM]["metadata"] if not m["breadcrumb"]]
    assert not root.get("selected", root["selected-by-default"])


def test_a_removed_member_is_told_once(tracked: Tracked) -> None:
    """By a job for the ids of its program alone; not again for the overlap of the look."""
    key = tracked.members(1)[0]
    tracked.remove(key)
    run = tracked.run()
    (record,) = run.records(STREAM)
    assert record == {"leadId": key[0], "programId": key[1], "noticedAt": "2026-06-15T13:59:00Z"}
    (job,) = created_jobs(tracked.emulator)
    assert job["filter"] == {"programIds": [key[1]]}
    assert sorted(job["fields"]) == ["leadId", "programId"]
    assert not run.of_type("ACTIVATE_VERSION")
    assert tracked.told() <= {key}
    assert tracked.told() == set()


def test_who_has_come_back_is_not_told(tracked: Tracked) -> None:
    """Its row is there again, and a warehouse that deletes would lose it."""
    gone, back, twice = tracked.members(3)
    for key in (gone, back, twice, twice):
        if key[0] in tracked.emulator.store.member_rows[key[1]]:
            tracked.remove(key)
        tracked.emulator.advance(60)
        if key in {back, twice}:
            tracked.emulator.store.add_member(key[1], key[0])
            tracked.emulator.advance(60)
    assert tracked.told() == {gone}


def test_who_comes_back_without_a_word_is_not_told_either(tracked: Tracked) -> None:
    """The export decides, and not the activities."""
    key = tracked.members(1)[0]
    tracked.remove(key)
    tracked.emulator.advance(60)
    log = tracked.emulator.store.log
    before = len(log)
    tracked.emulator.store.add_member(key[1], key[0])
    del log._events[before:]  # noqa: SLF001  # it is told by nothing
    assert tracked.told() == set()


def test_a_run_that_fails_is_made_up_for(tracked: Tracked) -> None:
    """STATE moves once all is written."""
    key = tracked.members(1)[0]
    tracked.remove(key)
    before = tracked.state
    tracked.emulator.faults.add(Fault.from_json({"operation": "export.create", "code": "603"}))
    with pytest.raises(MarketoBulkError):
        tracked.run()
    tracked.state = before
    tracked.emulator.advance(5 * HOUR)
    assert tracked.told() == {key}


@pytest.mark.parametrize("code", ["603", "1003"])
def test_a_job_whose_status_is_refused_is_cancelled(tracked: Tracked, code: str) -> None:
    """Nobody would come back for it."""
    tracked.remove(tracked.members(1)[0])
    tracked.emulator.faults.add(
        Fault(operation="export.job", job_seconds=HOUR),
        Fault(operation="export.status", code=code, times=None),
    )
    with pytest.raises(MarketoBulkError):
        tracked.run()
    (job,) = tracked.emulator.jobs
    assert job.status.value == "Cancelled"


def test_a_deleted_program_costs_only_itself(tracked: Tracked) -> None:
    """Its memberships are gone with it, which the stream of programs tells."""
    first, *_, last = tracked.members(60)
    assert first[1] != last[1]
    tracked.remove(first)
    tracked.remove(last)
    tracked.emulator.store.remove_program(first[1])
    assert tracked.told() == {last}


def test_a_program_left_out_for_some_runs_is_told_of_afterwards(tracked: Tracked) -> None:
    """It stays where it was, as the bookmark of its members does."""
    (first, *_), other = tracked.members(1), tracked.members(99)[-1]
    assert first[1] != other[1]
    tracked.remove(first)
    tracked.remove(other)
    for _ in range(3):
        tracked.emulator.advance(HOUR)
        tracked.told(program_ids=[first[1]])
    assert tracked.told() == {other}


def test_a_program_that_no_run_has_seen_is_read_from_the_start(
    emulator: Emulator, run_tap: RunTap
) -> None:
    """The list of the first run may lack one whose members are in the table."""
    tracked = Tracked(emulator, run_tap)
    (first, *_), other = tracked.members(1), tracked.members(99)[-1]
    assert first[1] != other[1]
    tracked.remove(other)
    emulator.advance(5 * HOUR)
    begun = {"start_date": "2026-06-01T00:00:00Z"}
    assert tracked.told(program_ids=[first[1]], **begun) == set()
    assert tracked.told(**begun) == {other}
    assert tracked.told(**begun) == set()


def test_a_new_program_costs_no_look_back(tracked: Tracked) -> None:
    """Nobody has left it before it was there."""
    tracked.emulator.store.add_program(members=2)
    tracked.run(start_date="2026-06-01T00:00:00Z")
    *_, asked = [r for r in tracked.emulator.requests if r.operation == "activities.token"]
    assert asked.query["sinceDatetime"] == "2026-06-15T11:59:00Z"


@pytest.mark.parametrize("until", ["yesterday", 3, None])
def test_a_state_that_does_not_parse_is_an_error(tracked: Tracked, until: object) -> None:
    """It is not taken for none."""
    tracked.state = {"bookmarks": {STREAM: {"until": until}}}
    with pytest.raises(MarketoBulkError, match="the state of removed_program_members"):
        tracked.run()

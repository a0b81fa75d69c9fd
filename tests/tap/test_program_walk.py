"""The whole list of programs is read a few pages a run, and is right all the same."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from marketo_bulk import RejectedError
from marketo_bulk.http.protocol import Envelope, Request
from marketo_bulk.metadata import programs
from marketo_bulk.metadata.programs import BEGINNING, Page, Place, Updates, iter_assets, iter_pages
from marketo_bulk.timestamps import format_timestamp
from tap_marketo_bulk.streams.instance_memory import InstanceMemory
from tap_marketo_bulk.streams.remembered import listed_programs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

BEGIN = datetime(2026, 6, 15, 12, tzinfo=timezone.utc)
TEN_MINUTES, HOUR, DAY = timedelta(minutes=10), timedelta(hours=1), timedelta(days=1)
PAGE, PAGE_OVERLAP = 20, 2
PROGRAMS = 300
PAGES = 18
OLD = BEGIN - 400 * DAY


class Instance:
    """Programs in Marketo's order, each with the moment of its update; and who asks for them."""

    def __init__(self, folder: Path, programs: int = PROGRAMS) -> None:
        self.now = BEGIN
        self.updated = dict.fromkeys(range(1, programs + 1), OLD)
        self.hidden: set[int] = set()
        self.calls: list[str] = []
        self.refused: set[str] = set()
        self.kept = folder / "instance.json"
        self._folder = folder

    def run(self, after: timedelta) -> list[str]:
        """Let a run list the programs, some time later; return its calls."""
        self.now += after
        self.calls = []
        memory = InstanceMemory(self._folder, ["host", "id"])
        self.listed = [int(each["id"]) for each in listed_programs(self, memory, [])]  # type: ignore[arg-type]
        return self.calls

    def runs(self, every: timedelta, span: timedelta) -> Iterator[list[str]]:
        """Yield the calls of runs, one after the other."""
        for _ in range(span // every):
            yield self.run(every)

    def delete(self, ids: Iterable[int]) -> None:
        """Let programs be gone."""
        for program_id in ids:
            del self.updated[program_id]

    @property
    def is_complete(self) -> bool:
        """Whether no program is missing from the list of the last run, or there twice."""
        return len({*self.listed}) == len(self.listed) and {*self.updated} <= {*self.listed}

    # -- what the client has ----------------------------------------------------------------

    def server_now(self) -> datetime:
        """Return Marketo's time."""
        return self.now

    def iter_programs(self, ids: Sequence[int] = ()) -> Iterator[dict[str, object]]:
        """Yield programs."""
        for first in range(0, max(1, len(ids)), PAGE):
            yield from iter_assets(iter_pages(self._fetch, ids[first : first + PAGE]))

    def iter_updated_programs(self, since: datetime, now: datetime) -> Iterator[dict[str, object]]:
        """Yield programs."""
        return iter_assets(iter_pages(self._fetch, updates=Updates(since, now)))

    def iter_program_pages(
        self, place: Place = BEGINNING, seen: Iterable[int] = ()
    ) -> Iterator[Page]:
        """Yield pages."""
        return iter_pages(self._fetch, place=place, seen=seen)

    def _fetch(self, request: Request) -> Envelope:
        query = dict(request.query)
        kind = "ids" if "filterValues" in query else "page"
        kind = "updates" if "earliestUpdatedAt" in query else kind
        if kind in self.refused:
            self.refused.discard(kind)
            raise RejectedError("refused")
        self.calls.append(kind)
        since = query.get("earliestUpdatedAt", "")
        wanted = query.get("filterValues")
        found = [
            program_id
            for program_id, updated in self.updated.items()
            if format_timestamp(updated) >= since
            and (wanted is None or str(program_id) in wanted.split(","))
        ]
        offset = int(query["offset"])
        page = [i for i in found[offset : offset + PAGE] if i not in self.hidden]
        return Envelope("list programs", result=tuple({"id": program_id} for program_id in page))


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a list of hundreds have as many pages as one of thousands."""
    monkeypatch.setattr(programs, "PROGRAM_PAGE_MAX", PAGE)
    monkeypatch.setattr(programs, "PROGRAM_PAGE_OVERLAP", PAGE_OVERLAP)


@pytest.fixture
def instance(tmp_path: Path) -> Instance:
    """Return an instance whose programs have been listed."""
    found = Instance(tmp_path)
    assert found.run(timedelta()) == ["page"] * PAGES
    return found


@pytest.mark.parametrize(
    ("every", "most"),
    [(TEN_MINUTES, 1), (HOUR, 2), (3 * HOUR, 6)],
    ids=["10 minutes", "hour", "3 hours"],
)
def test_no_run_reads_more_pages_than_its_share(
    instance: Instance, every: timedelta, most: int
) -> None:
    """Whole lists are read within a day all the same, and not much more often."""
    calls = list(instance.runs(every, 5 * DAY))
    assert max(each.count("page") for each in calls) == most
    assert {(each.count("updates"), each.count("ids")) for each in calls} == {(1, 0)}
    assert 5 <= sum(each.count("page") for each in calls) / PAGES <= 12
    assert instance.is_complete


@pytest.mark.parametrize("every", [DAY, 3 * DAY], ids=["day", "3 days"])
def test_runs_a_day_apart_read_the_whole_list(instance: Instance, every: timedelta) -> None:
    """Nothing is left of what they knew."""
    assert list(instance.runs(every, 3 * every)) == [["page"] * PAGES] * 3


def test_a_pause_of_days_ends_with_a_whole_list(instance: Instance) -> None:
    """A walk that it has broken off is over."""
    list(instance.runs(TEN_MINUTES, 15 * HOUR))
    instance.delete([1])
    assert instance.run(2 * DAY) == ["page"] * PAGES
    assert 1 not in instance.listed
    assert "page" not in instance.run(TEN_MINUTES)


def test_a_pause_of_hours_is_made_up_for(instance: Instance) -> None:
    """What is owed of the list since is read at once."""
    list(instance.runs(TEN_MINUTES, 12 * HOUR))
    calls = instance.run(6 * HOUR)
    assert 10 < calls.count("page") < PAGES
    list(instance.runs(TEN_MINUTES, 5 * DAY))
    assert instance.is_complete


@pytest.mark.parametrize("every", [TEN_MINUTES, 7 * HOUR], ids=str)
@pytest.mark.parametrize("program_id", [1, PROGRAMS])
@pytest.mark.parametrize("hours", [1, 15])
def test_a_deleted_program_is_forgotten_within_a_day(
    instance: Instance, every: timedelta, program_id: int, hours: int
) -> None:
    """Whether the walk has been past it or not; no other is."""
    list(instance.runs(every, max(every, hours * HOUR)))
    instance.delete([program_id])
    list(instance.runs(every, DAY))
    assert program_id not in instance.listed
    assert instance.is_complete


def test_those_not_seen_are_asked_for_by_their_ids(instance: Instance) -> None:
    """As many in a call as a page has."""
    list(instance.runs(TEN_MINUTES, 15 * HOUR))
    # The walk is half through: these shift ten others, eight of them beyond what pages overlap.
    instance.delete(range(1, 11))
    calls = [call for each in instance.runs(TEN_MINUTES, 5 * HOUR) for call in each]
    assert calls.count("ids") == 1
    assert instance.is_complete
    assert len(instance.listed) == PROGRAMS
    calls = [call for each in instance.runs(TEN_MINUTES, 11 * HOUR) for call in each]
    assert calls.count("ids") == 1
    assert {*instance.listed} == {*instance.updated}


def test_programs_that_move_to_where_the_walk_has_been_are_not_lost(instance: Instance) -> None:
    """However many are deleted before them, or the whole list is in another order."""
    dice = Random(1)
    for _ in instance.runs(HOUR, 3 * DAY):
        assert instance.is_complete
        first = min(instance.updated)
        instance.delete(range(first, first + 3))
        order = list(instance.updated)
        dice.shuffle(order)
        instance.updated = dict.fromkeys(order, OLD)


@pytest.mark.parametrize("program_id", [1, PROGRAMS])
def test_a_program_that_becomes_visible_is_found_within_a_day(
    instance: Instance, program_id: int
) -> None:
    """Nothing says that it was updated."""
    instance.hidden = {program_id}
    instance.run(2 * DAY)
    assert program_id not in instance.listed
    list(instance.runs(TEN_MINUTES, 15 * HOUR))
    instance.hidden = set()
    list(instance.runs(TEN_MINUTES, DAY))
    assert program_id in instance.listed


def test_a_list_with_short_pages_takes_as_many_as_the_last_one(tmp_path: Path) -> None:
    """There are more of them than programs account for: none is left to the last moment."""
    instance = Instance(tmp_path)
    instance.hidden = {i for i in instance.updated if i % 4}
    pages = instance.run(timedelta()).count("page")
    assert pages > 2 * PROGRAMS / 4 / PAGE
    calls = list(instance.runs(HOUR, 5 * DAY))
    assert max(each.count("page") for each in calls) <= pages / 10 + 1


@pytest.mark.parametrize("kind", ["page", "ids", "updates"])
def test_what_marketo_refuses_is_made_up_for_by_a_whole_list(
    instance: Instance, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Each of the three calls may be."""
    list(instance.runs(HOUR, 5 * HOUR))
    instance.delete([1])
    instance.refused = {kind}
    list(instance.runs(HOUR, 15 * HOUR))
    assert not instance.refused
    assert 1 not in instance.listed
    assert "so all are listed" in caplog.text
    assert instance.is_complete


def test_what_an_earlier_version_kept_is_gone_on_with(instance: Instance) -> None:
    """It knew of no walk, and not how many pages a list has."""
    content = json.loads(instance.kept.read_text(encoding="utf-8"))
    del content["entries"]["programs"]["pages"]
    instance.kept.write_text(json.dumps(content), encoding="utf-8")
    calls = list(instance.runs(TEN_MINUTES, 2 * DAY))
    assert max(each.count("page") for each in calls) == 1


@pytest.mark.parametrize(
    "damage",
    [
        {"walk": 3},
        {"walk": {}},
        {"walk": {"begun": "yesterday"}},
        {"walk": {"begun": "2026-06-15T12:00:00Z", "numbers": [1], "seen": []}},
        {"walk": {"begun": "2026-06-15T12:00:00Z", "numbers": [1, -1, 0], "seen": []}},
        {"walk": {"begun": "2026-06-15T12:00:00Z", "numbers": [1, 0, 0], "seen": ["1"]}},
        {"pages": None},
        {"pages": True},
    ],
    ids=str,
)
def test_a_walk_that_cannot_be_read_is_none(instance: Instance, damage: dict[str, Any]) -> None:
    """The whole list is read."""
    content = json.loads(instance.kept.read_text(encoding="utf-8"))
    content["entries"]["programs"] |= damage
    instance.kept.write_text(json.dumps(content), encoding="utf-8")
    assert instance.run(TEN_MINUTES) == ["page"] * PAGES


@given(st.integers(0, 10**6))
@settings(
    max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
def test_whatever_happens_none_is_lost_and_none_stays_for_longer_than_a_day(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    """Runs at any distance; programs are made, deleted and moved about."""
    dice = Random(seed)
    instance = Instance(tmp_path_factory.mktemp("pipeline"), dice.choice((0, 3, 15, 20, 70)))
    deleted_at: dict[int, datetime] = {}
    gaps = dice.choice(((TEN_MINUTES,), (HOUR,), (TEN_MINUTES, HOUR, 7 * HOUR, 13 * HOUR, 2 * DAY)))
    for _ in range(60):
        instance.run(dice.choice(gaps))
        assert instance.is_complete
        stale = {*instance.listed} - {*instance.updated}
        assert all(instance.now - deleted_at[i] < DAY for i in stale)
        if dice.random() < 0.3:
            gone = dice.sample(
                list(instance.updated), min(len(instance.updated), dice.randrange(9))
            )
            instance.delete(gone)
            deleted_at |= dict.fromkeys(gone, instance.now)
        if dice.random() < 0.3:
            begin = max(*instance.updated, *deleted_at, 0, 0) + 1
            new = dict.fromkeys(range(begin, begin + dice.randrange(9)), instance.now)
            front = dice.random() < 0.5
            instance.updated = {**new, **instance.updated} if front else {**instance.updated, **new}

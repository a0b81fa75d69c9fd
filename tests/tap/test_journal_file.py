"""Journal file: a death between any two writes loses no job, and the price of a job is bounded."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tap_marketo_bulk.streams.leads import Leads
from tap_marketo_bulk.streams.program_members import ProgramMembers
from tap_marketo_bulk.sync.job_journal import JobJournal
from tap_marketo_bulk.sync.jobs_in_flight import JobInFlight
from tap_marketo_bulk.sync.windows import Window

if TYPE_CHECKING:
    from pathlib import Path

    from singer_marketo.state_folder import Folder

NAMES = {each.names.stream: each.names for each in (ProgramMembers, Leads)}
STREAMS = tuple(NAMES)
NOW = datetime(2026, 9, 1, tzinfo=timezone.utc)
IDS = tuple("abcd")


class DeadError(BaseException):
    """The process is gone."""


@dataclass
class Store:
    """A store that cannot append, notes what is written, and whose writer may die."""

    files: dict[str, str] = field(default_factory=dict)
    writes_left: int | None = None
    written: int = 0
    writes: int = 0

    def at(self, name: str) -> Folder:
        """Return a path in it."""
        return Place(self, name)


@dataclass
class Place:
    """A path in a store."""

    store: Store
    name: str

    def __truediv__(self, name: str) -> Place:
        return Place(self.store, f"{self.name}/{name}")

    def mkdir(self, *, parents: bool = False, exist_ok: bool = False) -> None:
        """Do nothing: a store has no folders."""

    def read_text(self, encoding: str = "utf-8") -> str:
        """Return its content."""
        del encoding
        try:
            return self.store.files[self.name]
        except KeyError:
            raise FileNotFoundError(self.name) from None

    def write_text(self, data: str, encoding: str = "utf-8") -> int:
        """Replace its content, or die before that."""
        del encoding
        if self.store.writes_left is not None:
            if not self.store.writes_left:
                raise DeadError
            self.store.writes_left -= 1
        self.store.files[self.name] = data
        self.store.written += len(data)
        self.store.writes += 1
        return len(data)


def job(export_id: str, scope: int | None = None) -> JobInFlight:
    """Return a job; those of two ids are for two scopes."""
    first = 10 * IDS.index(export_id) if scope is None else scope
    window = Window(NOW - timedelta(days=31), NOW)
    return JobInFlight(export_id, tuple(range(first, first + 10)), "0123456789abcdef", window)


streams, ids = st.sampled_from(STREAMS), st.sampled_from(IDS)
steps = st.one_of(
    st.tuples(st.just("note"), streams, ids),
    st.tuples(st.just("note_written"), streams, ids),
    st.tuples(st.just("keep"), streams, st.lists(ids, max_size=3)),
    st.tuples(st.just("reopen"), st.none(), st.none()),
)


def step(journal: JobJournal, store: Store, name: str, stream: str, argument: Any) -> JobJournal:
    """Take one step of a run, or begin the next run."""
    if name == "reopen":
        return JobJournal(store.at("journal"))
    if name == "note":
        journal.note(NAMES[stream], job(argument))
    elif name == "keep":
        journal.keep(NAMES[stream], [job(each) for each in argument])
    else:
        journal.note_written(stream, argument)
    return journal


Told = dict[str, tuple[set[str], frozenset[str]]]


def told(journal: JobJournal) -> Told:
    """Return what a journal knows: the jobs by stream, and those whose records are written."""
    return {
        stream: ({each["exportId"] for each in journal.jobs(stream)}, journal.written(stream))
        for stream in STREAMS
    }


@pytest.mark.slow
@settings(max_examples=40)
@given(st.lists(steps, min_size=5, max_size=15))
def test_a_death_between_two_writes_loses_nothing_noted(taken: list[tuple[str, str, Any]]) -> None:
    """The next run knows every job that was noted, and takes none for written that is not."""
    store, moments = Store(), [told(JobJournal(Store().at("journal")))]
    journal = JobJournal(store.at("journal"))
    for each in taken:
        journal = step(journal, store, *each)
        moments.append(told(journal))
        assert told(JobJournal(store.at("journal"))) == moments[-1]
    for writes in range(store.writes):
        hold_that_a_death_loses_nothing(taken, moments, writes)


def hold_that_a_death_loses_nothing(
    taken: list[tuple[str, str, Any]], moments: list[Told], writes: int
) -> None:
    """Die after a number of writes, and compare with what the steps before and at it had noted."""
    store, at = Store(writes_left=writes), 0
    journal = JobJournal(store.at("journal"))
    with contextlib.suppress(DeadError):
        for each in taken:
            journal = step(journal, store, *each)
            at += 1
    found = told(JobJournal(Store(dict(store.files)).at("journal")))
    for stream in STREAMS:
        (noted, done), (then, done_then) = moments[at][stream], moments[at + 1][stream]
        # The step it died in may be taken or not; what it was to drop may be there once more.
        assert noted & then <= found[stream][0]
        assert found[stream][1] & then <= done | done_then


@pytest.mark.parametrize("jobs", [250, 1_000])
def test_a_job_costs_no_more_the_longer_a_run_is(jobs: int) -> None:
    """Bytes written, for each job that is made and written, stay below those of 200 entries."""
    store = Store()
    journal = JobJournal(store.at("journal"))
    names = NAMES[STREAMS[0]]
    for number in range(jobs):
        journal.note(names, job(f"{number:036}", number))
        if number >= 10:
            journal.note_written(STREAMS[0], f"{number - 10:036}")
    size = len(str(job("0" * 36, jobs).to_state(names)))
    assert len(JobJournal(store.at("journal")).jobs(STREAMS[0])) == jobs
    assert store.written / jobs < 200 * size


def test_a_job_made_again_takes_the_place_of_the_first(tmp_path: Path) -> None:
    """The next run would take over both."""
    journal, names = JobJournal(tmp_path), NAMES[STREAMS[0]]
    for export_id, scope in (("a", 1), ("b", 50), ("c", 1)):
        journal.note(names, job(export_id, scope))
    for each in (journal, JobJournal(tmp_path)):
        assert [entry["exportId"] for entry in each.jobs(STREAMS[0])] == ["b", "c"]

"""What is skipped is only later: whatever runs, lists and tellers do, no change is lost."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketo_bulk import ConfigurationError
from tap_marketo_bulk.streams.program_members import ProgramMembers
from tap_marketo_bulk.sync.choice import MARGIN, OVERLAP, Altered, Choice, Standing
from tap_marketo_bulk.sync.due import PACE_PERCENT, due_scopes
from tap_marketo_bulk.sync.look import CHANGES, Look, merged, shared, without
from tap_marketo_bulk.sync.state import Bookmarks, read_bookmarks

NAMES = ProgramMembers.names
BEGIN = datetime(2026, 11, 1, tzinfo=timezone.utc)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
FULL_CHECK = 7 * DAY
SETTLING = MINUTE
PROMPT = OVERLAP - 3 * MINUTE
"""What is told this soon is found by the next look, whenever that is."""


@dataclass
class Change:
    """A change of a program; it is told `delay` later, or never."""

    program_id: int
    at: datetime
    delay: timedelta | None


@dataclass
class History:
    """Runs of many kinds over a few programs, with the STATE that each hands on."""

    dice: Random
    now: datetime = BEGIN
    state: dict[str, Any] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    programs: list[int] = field(default_factory=lambda: list(range(1001, 1013)))
    met: Counter[str] = field(default_factory=Counter)

    def let_pass(self, span: timedelta) -> None:
        """Let time pass in which programs change and come into being."""
        for _ in range(self.dice.choice((0, 1, 2, 6))):
            delay = self.dice.choice((0, 0, 5, 57, 100, 3000, None))
            self.changes.append(
                Change(
                    self.dice.choice(self.programs),
                    self.now + self.dice.random() * span,
                    None if delay is None else min(delay * MINUTE, max(PROMPT, delay * MINUTE)),
                )
            )
        if self.dice.random() < 0.1:
            self.programs.append(self.programs[-1] + self.dice.choice((1, 1, 3)))
        self.now += span

    def run(self, *, calm: bool = False) -> None:
        """Run once: as a rule whole, and sometimes cut short, narrowed, or with nobody to tell."""
        kind = "calm" if calm else self.dice.choice(KINDS)
        self.met[kind] += 1
        listed, lists_all = self._listed("calm" if calm else self.dice.choice(LISTS))
        end = self.now - SETTLING
        segments = read_bookmarks(self.state, NAMES)
        bookmarks = Bookmarks(NAMES, segments, listed, lists_all=lists_all)
        standing = Standing(
            end,
            FULL_CHECK,
            listed,
            dict(bookmarks.marks),
            segments,
            lists_all,
            Look.from_state(self.state, NAMES),
            batch=3,
        )
        choice = self._choice(standing, kind)
        read = sorted(choice.read)
        is_whole = kind != "cut short"
        if not is_whole:
            read = self.dice.sample(read, self.dice.randrange(len(read) + 1))
        for program_id in read:
            bookmarks.move([program_id], max(end, bookmarks.marks.get(program_id, end)))
        look = choice.after if is_whole else standing.look
        written = bookmarks.to_state(())
        if look is not None and kind != "another version":
            written[CHANGES] = look.to_state()
        # Meltano merges the state of a run that failed into the stored one, key by key.
        self.state = {**self.state, **written} if not is_whole else written
        if is_whole:
            self._check(choice, {p: bookmarks.marks[p] for p in listed}, end)

    def _listed(self, kind: str) -> tuple[frozenset[int], bool]:
        self.met[kind] += 1
        few = frozenset(self.dice.sample(self.programs, self.dice.randrange(1, 5)))
        if kind == "narrowed":
            return few, False
        return frozenset(self.programs) - (few if kind == "short list" else frozenset()), True

    def _choice(self, standing: Standing, kind: str) -> Choice:
        if kind in {"another version", "nobody tells"} or standing.since is None:
            return standing.everything() if standing.since is not None else standing.choose({})
        told: dict[int, datetime] = {}
        for change in self.changes:
            is_told = change.delay is not None and change.at + change.delay <= self.now
            if is_told and change.at >= standing.since:
                told[change.program_id] = max(change.at, told.get(change.program_id, change.at))
        self.met["skipped"] += len(standing.listed - standing.choose(told).read)
        return standing.choose(told)

    def _check(self, choice: Choice, marks: dict[int, datetime], end: datetime) -> None:
        for program_id, mark in marks.items():
            assert end - mark < FULL_CHECK, (program_id, mark)
        for change in self.changes:
            prompt = change.delay is not None and change.delay <= PROMPT
            if prompt and change.at + (change.delay or MINUTE) <= self.now and change.at <= end:
                mark = marks.get(change.program_id, end)
                assert mark >= change.at, (change, mark, choice)


KINDS = ("usual", "usual", "usual", "cut short", "nobody tells", "another version")
LISTS = ("whole", "whole", "narrowed", "short list")


def play(seed: int) -> History:
    """Return the history of a seed, played to its end."""
    dice = Random(seed)
    history = History(dice)
    if dice.random() < 0.3:
        history.state = {"replication_key_value": "2026-10-31T00:00:00Z"}
    for _ in range(dice.randrange(2, 25)):
        gap = dice.choice((MINUTE, 10 * MINUTE, 10 * MINUTE, 60 * MINUTE, DAY, 3 * DAY, 20 * DAY))
        history.let_pass(gap * (0.5 + dice.random()))
        history.run()
    history.now += FULL_CHECK
    history.run(calm=True)
    return history


@given(st.integers(0, 2**40))
def test_no_change_is_lost_whatever_runs_do(seed: int) -> None:
    """What is told in time is read by the run after it; all else within the full check."""
    history = play(seed)
    bookmarks = Bookmarks(NAMES, read_bookmarks(history.state, NAMES), history.programs)
    end = history.now - SETTLING
    assert all(bookmarks.marks[c.program_id] >= c.at for c in history.changes if c.at <= end)


def test_histories_meet_what_they_are_for() -> None:
    """A kind that is never met would prove nothing."""
    met: Counter[str] = Counter()
    for seed in range(30):
        met += play(seed).met
    assert all(met[kind] > 10 for kind in (*KINDS, *LISTS, "skipped"))


def standing(**changed: Any) -> Standing:
    """Return where three programs stand, that were all read an hour ago."""
    marks = {1: BEGIN, 2: BEGIN, 3: BEGIN}
    plain = {
        "end": BEGIN + timedelta(hours=1),
        "full_check": FULL_CHECK,
        "listed": frozenset(marks),
        "marks": marks,
        "look": Look(BEGIN),
    }
    return Standing(**{**plain, **changed})


def test_what_nobody_names_is_skipped() -> None:
    """A quiet run reads nothing."""
    choice = standing().choose({})
    assert (choice.read, choice.after) == (frozenset(), Look(BEGIN + timedelta(hours=1)))


@pytest.mark.parametrize(
    ("seconds", "is_read"), [(1, True), (0, True), (-9, True), (-10, False), (-3000, False)]
)
def test_what_was_told_before_the_bookmark_is_read_already(
    seconds: int,
    is_read: bool,  # noqa: FBT001
) -> None:
    """The overlap names again what the last run has read; that costs no job."""
    choice = standing().choose({2: BEGIN + timedelta(seconds=seconds)})
    assert choice.named == ({2} if is_read else set())


def test_a_program_without_a_bookmark_is_read() -> None:
    """A new program is named by nothing."""
    assert standing(listed=frozenset({1, 2, 3, 4})).choose({}).read == {4}


def test_an_altered_program_is_read_whole() -> None:
    """Its records show its name, and no record says that it was changed."""
    choice = standing(altered=Altered(frozenset({2, 99}), frozenset({3}))).choose({})
    assert (set(choice.whole), set(choice.read)) == ({2}, {2, 3})


def test_a_program_under_way_is_read() -> None:
    """It has a job in Marketo, which would be cancelled otherwise."""
    assert standing(under_way=frozenset({3, 8})).choose({}).read == {3}


@pytest.mark.parametrize("look", [None, Look(BEGIN - 8 * DAY), Look(BEGIN + DAY)])
def test_without_a_look_to_go_on_from_the_bookmarks_say_since_when(look: Look | None) -> None:
    """None, an old one, and one ahead of the clock: what was read before is not asked for."""
    found = standing(look=look, marks={1: BEGIN - 8 * DAY, 2: BEGIN, 3: BEGIN})
    assert (found.since, set(found.choose({}).due)) == (BEGIN - MARGIN, {1})


def test_a_state_older_than_the_full_check_makes_everything_due() -> None:
    """There is nothing to ask then."""
    found = standing(end=BEGIN + 8 * DAY)
    assert (found.since, set(found.choose({}).due)) == (None, {1, 2, 3})


def test_some_programs_are_due_before_their_time() -> None:
    """Otherwise all of them would be due in one run."""
    end = BEGIN + 6 * DAY
    found = standing(end=end, look=Look(end - MINUTE), batch=1)
    assert (found.overdue, len(found.choose({}).due)) == (frozenset(), 2)


def test_a_program_named_while_it_was_not_listed_is_read_once_it_is() -> None:
    """Its bookmark alone would not tell."""
    segments = read_bookmarks(
        {"program_bookmarks": [{"updatedAt": "2026-11-01T00:00:00Z", "programIds": "1-3"}]}, NAMES
    )
    narrowed = standing(
        listed=frozenset({1}), marks={1: BEGIN}, segments=segments, lists_all=False
    ).choose({2: BEGIN + MINUTE})
    assert (narrowed.read, narrowed.after) == (
        frozenset(),
        Look(BEGIN + timedelta(hours=1), ((2, 2),)),
    )
    assert standing(look=narrowed.after).choose({}).due == {2}


@pytest.mark.parametrize(
    ("look", "mark", "unread"),
    [
        # Nobody has asked what happened between its bookmark and the oldest of those listed.
        (None, "2026-10-31T12:00:00Z", ((2, 2),)),
        (None, "2026-11-01T00:00:00Z", ()),
        # The look has asked.
        (Look(BEGIN), "2026-10-31T12:00:00Z", ()),
        # It is too old to go on from.
        (Look(BEGIN - 8 * DAY), "2026-10-31T12:00:00Z", ((2, 2),)),
    ],
)
def test_a_look_does_not_vouch_for_what_it_has_not_asked(
    look: Look | None, mark: str, unread: tuple[tuple[int, int], ...]
) -> None:
    """A program that was not listed may have changed before the look began."""
    entries = [
        {"updatedAt": "2026-11-01T00:00:00Z", "programIds": "1,3"},
        {"updatedAt": mark, "programIds": "2"},
    ]
    found = standing(
        listed=frozenset({1, 3}),
        marks={1: BEGIN, 3: BEGIN},
        segments=read_bookmarks({"program_bookmarks": entries}, NAMES),
        look=look,
    ).choose({})
    assert found.after == Look(BEGIN + timedelta(hours=1), unread)


@given(
    st.integers(1, 120), st.sampled_from([10 * MINUTE, 60 * MINUTE, DAY, 3 * DAY]), st.integers(0)
)
def test_due_reads_are_spread_evenly(total: int, gap: timedelta, seed: int) -> None:
    """From any start no program waits too long, and from an even one no run is the big one."""
    dice = Random(seed)
    end = BEGIN
    marks = {i: BEGIN - dice.random() * FULL_CHECK for i in range(total)}
    even = -(-(total * gap * PACE_PERCENT) // (100 * FULL_CHECK))
    for number in range(60):
        end += gap
        due = due_scopes(marks, end, total=total, full_check=FULL_CHECK, batch=10)
        assert all(end - mark < FULL_CHECK for i, mark in marks.items() if i not in due)
        if number * gap > 2 * FULL_CHECK:
            assert len(due) <= even + 10
        marks.update(dict.fromkeys(due, end))


def test_3000_programs_every_ten_minutes_cost_one_job_every_third_run() -> None:
    """All of them were read at once, at first."""
    marks = dict.fromkeys(range(3000), BEGIN)
    sizes = []
    for number in range(1, 151):
        end = BEGIN + number * 10 * MINUTE
        due = due_scopes(marks, end, total=3000, full_check=FULL_CHECK, batch=10)
        sizes.append(len(due))
        marks.update(dict.fromkeys(due, end))
    assert set(sizes) == {0, 10}
    assert sum(sizes[100:]) == 170


@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 9)).map(lambda r: (r[0], sum(r)))),
    st.sets(st.integers(0, 80)),
)
def test_runs_of_ids_are_sets(runs: list[tuple[int, int]], ids: set[int]) -> None:
    """Merged and lessened, they hold what the sets would."""
    full = {i for first, last in runs for i in range(first, last + 1)}
    look = Look(BEGIN, tuple(merged(runs)))
    assert {i for i in range(90) if not look.vouches_for(i)} == full
    less = {i for first, last in without(runs, ids) for i in range(first, last + 1)}
    assert less == full - ids
    both = {
        i for first, last in shared(runs, [(i, i) for i in ids]) for i in range(first, last + 1)
    }
    assert both == full & ids


def test_a_look_goes_through_state() -> None:
    """Both keys are always there."""
    look = Look(BEGIN, ((2, 2), (7, 9)))
    assert look.to_state() == {"until": "2026-11-01T00:00:00Z", "unread": "2,7-9"}
    assert Look.from_state({CHANGES: look.to_state()}, NAMES) == look
    assert Look.from_state({CHANGES: Look(BEGIN).to_state()}, NAMES) == Look(BEGIN)


@pytest.mark.parametrize(
    "entry", [None, [], {"until": "yesterday", "unread": ""}, {"until": "2026-11-01T00:00:00Z"},
              {"until": "2026-11-01T00:00:00Z", "unread": "x"}]
)  # fmt: skip
def test_a_look_that_does_not_parse_is_an_error(entry: object) -> None:
    """It is not taken for none: somebody meant something by it."""
    with pytest.raises(ConfigurationError, match="changes in the state of program_members"):
        Look.from_state({CHANGES: entry}, NAMES)

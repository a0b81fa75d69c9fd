"""Simulation: a schedule carried out, run after run, with a target's table and its STATE."""

from __future__ import annotations

import contextlib
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from marketo_bulk import MarketoBulkError
from marketo_bulk.errors import DailyQuotaExceededError
from singer_marketo.several import SeveralError
from tests.simulation import oracle
from tests.simulation.outcomes import MEMORY, PlayedSchedules
from tests.simulation.process import STREAM, Process, discover, jobs_of
from tests.simulation.program_menu import is_chosen
from tests.simulation.schedule import DAY, START, Run, Schedule, stamp
from tests.simulation.stream_catalog import StreamCatalog
from tests.simulation.stream_oracle import StreamOracle
from tests.simulation.stream_tables import StreamTables
from tests.simulation.world import QUEUED, World

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.simulation.process import Result

QUEUE_IS_FULL = "1029"
QUIET_RUNS = 4

# What trouble may cost. Each job is created three times before its run gives up, and a run cut
# short leaves five in the queue at most unless told otherwise, which the next may not take over.
# A creation that is answered with an error, and asked for again, may have made a job each time.
JOBS_FACTOR = 3
JOBS_PER_CUT = 5
# The next run begins anew: a token, two descriptions, the programs, and the jobs taken over. A
# fault costs a few repetitions. Polls do not count, nor does asking for a place in a full queue:
# their number is a matter of how long jobs take, and others stay.
CALLS_FACTOR = 2
CALLS_PER_TROUBLE = 10


@dataclass
class Outcome(PlayedSchedules):
    """What became of a schedule of the tap."""

    jobs: int = 0
    creations_refused: int = 0
    refreshes: int = 0
    seen: Counter[str] = field(default_factory=Counter)
    """What has happened on the way, so that nothing is thought to be tried that never was."""


class Simulation:
    """One world and one table, from the first run of a schedule to the last clean one."""

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self.world = World(schedule.world, START)
        self._begun_at = self.world.clock.now()
        self._table: dict[tuple[int, int], dict[str, Any]] = {}
        self._state: dict[str, Any] = {}
        self._orphans: set[str] = set()
        self._thrown_away: set[str] = set()
        self._refresh_due = False
        self._read_at: str | None = None
        """When another tap has read everything, while its bookmark is still to be taken over."""
        self._excused: list[tuple[str, str]] = []
        self._others = _Others(schedule.config, self.world) if self.world.streams else None
        self.outcome = Outcome()

    def play(self) -> Outcome:
        """Carry the schedule out and judge it."""
        world, schedule = self.world, self._schedule
        for event in schedule.events:
            moment = self._begun_at + timedelta(seconds=event["at"])
            world.clock.plan(moment, partial(world.happen, event))
        try:
            for number, run in enumerate(schedule.runs):
                self._pass_until(run.at)
                world.arm(run.faults)
                self._run(run, number)
            self._finish()
        finally:
            world.close()
        return self.outcome

    def _finish(self) -> None:
        """Wait until the world is calm, run once more, and compare."""
        outcome, world = self.outcome, self.world
        world.calm_down()
        world.clear_queue(keep=jobs_of(self._state))
        self._pass_quiet_time()
        result = self._last_run(len(self._schedule.runs))
        outcome.days = (world.clock.now() - self._begun_at) / timedelta(days=1)
        outcome.jobs = world.created
        asked = world.application.requests
        outcome.polls = len(asked.of("export.status")) + len(asked.of("export.list"))
        asked_for_place = asked.of("export.enqueue")
        outcome.polls += sum(call.error_code == QUEUE_IS_FULL for call in asked_for_place)
        outcome.creations_refused = sum(bool(c.error_code) for c in asked.of("export.create"))
        # Nor has anybody a job of which Marketo's answer was lost.
        outcome.creations_refused += len(world.undelivered)
        outcome.disturbances = world.disturbances
        outcome.seen += world.happened
        if result.error is not None:
            self._find(f"the last run, with nothing in its way, failed: {result.error!r}")
            return
        if jobs_of(self._state):
            self._find(f"the last run left jobs in its STATE: {jobs_of(self._state)}")
        # One that is stuck goes on for ever where the STATE that named it was thrown away.
        if left := world.live_jobs(QUEUED) - self._thrown_away:
            self._find(f"jobs left running that nobody owns: {left}")
        config = self._schedule.config
        for finding in oracle.beyond_limits(world, config):
            self._find(finding)
        for difference in oracle.differences(self._table, world, config, self._excused):
            self._find(difference)
        if self._others is not None:
            for difference in self._others.differences(self._state):
                self._find(difference)
            outcome.seen += self._others.seen

    def _pass_quiet_time(self) -> None:
        """Let two days pass; where runs choose, all of the full check, with runs on the way."""
        days = self._schedule.config.get("full_check_days")
        if days is None:
            self._pass_until(self._schedule.ends_at + 2 * DAY)
            return
        for quarter in range(1, QUIET_RUNS + 1):
            self._pass_until(self._schedule.ends_at + quarter * days * DAY / QUIET_RUNS)
            self._run(Run(at=0), len(self._schedule.runs) + 50 + quarter)
        self._pass_until(self._schedule.ends_at + days * DAY + 10 * DAY / QUIET_RUNS)

    def _last_run(self, number: int) -> Result:
        taken_over = jobs_of(self._state)
        result = self._run(Run(at=0), number)
        for again in range(len(taken_over)):
            # Each job from the bad times may fail one run more.
            if isinstance(result.error, MarketoBulkError):
                result = self._run(Run(at=0), number + 1 + again)
        if self._refresh_due:
            result = self._run(Run(at=0), number + 1 + len(taken_over))
        if self._others is not None and self._others.oracle.is_behind(result, self._state):
            # Jobs of a first load that were taken over: what changed since is for the next run.
            self.outcome.seen["first load of leads a run behind"] += 1
            result = self._run(Run(at=0), number + 2 + len(taken_over))
        return result

    def _run(self, run: Run, number: int) -> Result:
        """Run the tap once, judge the run, and hand what it wrote to the target."""
        world, outcome = self.world, self.outcome
        config = {**self._schedule.config, **run.config}
        if self._refresh_due:
            self._begin_anew()
        if run.ahead is not None:
            self._follow_another_tap(run.ahead)
        known = jobs_of(self._state)
        process = Process(world, run.kill, self._orphans - known)
        programs = set(world.store.programs)
        others, remembered = self._others, world.remembered
        known_programs = set() if remembered is None else remembered.programs
        seconds = (world.clock.now() - self._begun_at).total_seconds()
        catalog = None if others is None else others.catalog.at(seconds)
        result = process.run(config, self._state, self._schedule.seed * 100 + number, catalog)
        outcome.runs += 1
        if remembered is not None:
            outcome.seen["walk of the list of programs handed on"] += remembered.is_walked
            lost = known_programs & set(world.store.programs) - remembered.programs
            if lost and remembered.kept.text and not _hides_programs(self._schedule):
                self._find(f"run {number}: programs forgotten that are there: {sorted(lost)}")
        outcome.interrupted += result.error is not None
        outcome.seen["job handed on by STATE"] += len(known)
        outcome.seen[f"run ended by {type(result.error).__name__}"] += result.error is not None
        outcome.calls += len(result.starts)
        outcome.steps += result.steps
        for finding in oracle.judge(result, self._state, world, config):
            self._find(f"run {number}: {finding}")
        if others is not None:
            for finding in others.oracle.judge(result, self._state):
                self._find(f"run {number}: {finding}")
        self._commit(result, run, number)
        self._judge_age(result, run, number)
        wanted = programs & set(config.get("program_ids") or programs)
        self._excuse(result, wanted & set(world.store.programs))
        self._refresh_due = result.said_to_refresh
        outcome.seen["told to read everything once more"] += result.said_to_refresh
        outcome.seen["run about less than the others"] += bool(run.config)
        return result

    def _judge_age(self, result: Result, run: Run, number: int) -> None:
        """Judge whether a row is older than the full check, after a run that has come to its end.

        Only those runs are judged that saw all programs, and whose STATE the next one has.
        """
        config = self._schedule.config
        whole = result.complete and run.state == "last" and not run.config
        if "full_check_days" not in config or not whole or result.said_to_refresh:
            return
        # A short list may lie in wait for longer than the run it was meant for.
        is_calm = number >= len(self._schedule.runs)
        is_short = not is_calm and any(map(_shortens_list, self._schedule.runs))
        if self._read_at is not None or is_short:
            return
        world = self.world
        late = timedelta(days=config["full_check_days"], seconds=180 + abs(world.date_skew))
        outdated = oracle.outdated(
            self._table, world, config, self._excused, stamp(result.begun_at - late)
        )
        for finding in outdated:
            self._find(f"run {number}: {finding}")
        bookmark = self._state.get("bookmarks", {}).get(STREAM, {})
        if "changes" in bookmark:
            self.outcome.seen["look handed on by STATE"] += 1
            self.outcome.seen["programs skipped"] += len(bookmark["program_bookmarks"]) > 1

    def _excuse(self, result: Result, lasting: set[int]) -> None:
        """Excuse what changed since another tap has read, up to where this one believed it.

        That is where a run ends whose clock is past a minute since; it has no way to tell. Of
        programs that are gone by then a run has no bookmark; `lasting` are the others that it was
        asked for. Nor has a run that reads up to a moment before the bookmark.
        """
        if self._read_at is None:
            return
        believed = next(oracle.bookmarks_written(result), None)
        if believed is not None:
            self._excused.append((self._read_at, believed))
        elif (
            result.complete
            and lasting
            and self._read_from(result)
            and not any(map(_shortens_list, self._schedule.runs))
        ):
            self._find("a run left the bookmark of another tap as it was")
        if "program_bookmarks" in self._state.get("bookmarks", {}).get(STREAM, {}):
            self._read_at = None

    def _read_from(self, result: Result) -> bool:
        """Whether a run, which reads up to a minute ago, has something to read after STATE's."""
        mark = self._state["bookmarks"][STREAM]["replication_key_value"]
        skew = timedelta(seconds=self.world.date_skew - 60)
        return bool(mark < stamp(result.begun_at + skew))

    def _begin_anew(self) -> None:
        """Do what the tap has asked for: a full refresh, without STATE."""
        self._thrown_away |= jobs_of(self._state)
        self._orphans |= self._thrown_away
        self._state = {}
        self._read_at = None
        self._excused.clear()
        self.outcome.refreshes += 1
        if self._others is not None:
            self._others.oracle.begin_anew()

    def _follow_another_tap(self, seconds: float) -> None:
        """Take the bookmark of a tap that has read everything, by a clock that was ahead."""
        self._orphans |= jobs_of(self._state)
        config, world = self._schedule.config, self.world
        self._table = {
            key: member
            for key, member in world.diary.members().items()
            if oracle.is_wanted(key, member, config)
            and is_chosen(world.store.programs[key[1]], config)
        }
        mark = world.clock.now() + timedelta(seconds=seconds + world.date_skew)
        bookmark = {"replication_key": "updatedAt", "replication_key_value": stamp(mark)}
        self._state = {"bookmarks": {STREAM: bookmark}}
        # It has no margin for changes that show up late.
        self._read_at = stamp(world.clock.now() - timedelta(seconds=60))
        self._excused.clear()
        if self._others is not None:
            self._others.oracle.begin_anew()
        self.outcome.seen["bookmark of another tap, ahead of the clock"] += 1

    def _commit(self, result: Result, run: Run, number: int) -> None:
        """Load what the target got; what it has not confirmed may be there in part."""
        messages = result.messages
        states = [i for i, message in enumerate(messages) if message["type"] == "STATE"]
        if run.state == "before":
            states = states[:-1]
            self.outcome.seen["restart from the STATE before the last"] += bool(states)
        confirmed = states[-1] + 1 if states else 0
        rest = messages[confirmed:]
        loaded = messages[:confirmed] + rest[: round(len(rest) * run.kept)]
        for message in loaded:
            if message["type"] == "RECORD" and message["stream"] == STREAM:
                record = message["record"]
                self._table[record["leadId"], record["programId"]] = record
        if states:
            self._state = messages[states[-1]]["value"]
        if self._others is not None:
            self._others.load(loaded, result, self._state)
        left = self.world.owned_jobs() - jobs_of(self._state) - self._orphans
        most = self._schedule.config.get("max_queued_jobs", oracle.MAX_QUEUED_DEFAULT)
        if result.killed:
            # What it has begun since the STATE it wrote last ends in Marketo without a reader.
            self.outcome.seen["job nobody knows of after a kill"] += len(left)
        # Who has no calls or no permission left cannot cancel what nobody comes back for.
        has_budget = "daily_calls_budget" in run.config
        is_forbidden = bool(self.world.application.world.options.missing_permissions)
        leaves_some = result.killed or has_budget or is_forbidden or _has_no_calls_left(result)
        # One made again waits for its place without taking one, or costing anything.
        counted = left & self.world.queued_jobs() if result.killed else left
        if run.state == "last" and len(counted) > (most if leaves_some else 0):
            self._find(f"run {number}: nobody will come back for {len(left)} jobs in Marketo")
        self._orphans |= left

    def _pass_until(self, at: float) -> None:
        moment = self._begun_at + timedelta(seconds=at)
        self.world.clock.advance((moment - self.world.clock.now()).total_seconds())

    def _find(self, what: str) -> None:
        self.outcome.findings.append(what)


class _Others:
    """The streams beside members: their tables, and what is to be in them."""

    def __init__(self, config: Mapping[str, Any], world: World) -> None:
        self.catalog = StreamCatalog(
            discover(world, config), world.streams, has_programs=world.has_programs_stream
        )
        self.oracle = StreamOracle(world, config, self.catalog)
        self._tables = StreamTables()
        world.noted = self.oracle.note
        self.seen = Counter({"field selected later": int("new_field" in world.streams)})

    def load(
        self, messages: list[dict[str, Any]], result: Result, state: Mapping[str, Any]
    ) -> None:
        """Take what the target got of a run, and the STATE that is left of it."""
        self._tables.load(messages)
        self.oracle.committed(result, state)
        self.seen["run in which streams have failed"] += isinstance(result.error, SeveralError)
        for message in messages:
            if message["type"] == "RECORD" and message["stream"] != STREAM:
                self.seen[f"record of {message['stream']}"] += 1

    def differences(self, state: Mapping[str, Any]) -> Iterator[str]:
        """Yield how the tables differ in the end from what the emulator has."""
        return self.oracle.differences(self._tables, state)


def _has_no_calls_left(result: Result) -> bool:
    """Return whether a run has met the day's quota of calls."""
    error = result.error
    errors = error.errors if isinstance(error, SeveralError) else (error,)
    return any(isinstance(each, DailyQuotaExceededError) and each.is_of_calls for each in errors)


def _shortens_list(run: Run) -> bool:
    """Return whether a run may see no program, and therefore no bookmark."""
    return any("drop" in f and f["operation"] == "programs.browse" for f in run.faults)


def _hides_programs(schedule: Schedule) -> bool:
    """Return whether answers about programs may be other than Marketo's, or be hours apart.

    Where a run waits for the next day's calls, a whole list is cut by what is deleted meanwhile.
    """
    faults = [fault for run in schedule.runs for fault in run.faults]
    waits = any(event["do"] == "calls" for event in schedule.events)
    return waits or any(f.get("operation") in {"*", "programs.browse"} for f in faults)


def play(schedule: Schedule) -> Outcome:
    """Carry a schedule out, by way of JSON: nothing but what can be written down may matter."""
    schedule = Schedule.from_json(schedule.to_json())
    with _directories_in_memory():
        return Simulation(schedule).play()


@contextlib.contextmanager
def _directories_in_memory() -> Iterator[None]:
    """Make temporary directories where that costs nothing, if there is such a place."""
    before = tempfile.tempdir
    tempfile.tempdir = MEMORY or before
    try:
        yield
    finally:
        tempfile.tempdir = before


def excess(schedule: Schedule, outcome: Outcome) -> list[str]:
    """Return what all that went wrong has cost beyond the stated factors.

    They are measured against the same schedule left in peace, with members changing as they do.
    """
    peace = play(schedule.undisturbed())
    found = list(peace.findings)
    jobs = JOBS_FACTOR * peace.jobs + JOBS_PER_CUT * outcome.interrupted
    jobs += outcome.creations_refused
    # Whoever is told to reads everything once more.
    jobs += peace.jobs * outcome.refreshes
    if outcome.jobs > jobs:
        found.append(f"{outcome.jobs} jobs, more than {jobs}; {peace.jobs} in peace")
    trouble = outcome.interrupted + outcome.disturbances
    calls = CALLS_FACTOR * (peace.calls - peace.polls) + CALLS_PER_TROUBLE * trouble
    calls += (peace.calls - peace.polls) * outcome.refreshes
    if outcome.calls - outcome.polls > calls:
        found.append(f"{outcome.calls - outcome.polls} calls but for polls, more than {calls}")
    return found

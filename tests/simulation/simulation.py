"""Simulation: a schedule carried out, run after run, with a target's table and its STATE."""

from __future__ import annotations

import contextlib
import tempfile
from collections import Counter
from dataclasses import dataclass, field, fields
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from marketo_bulk import MarketoBulkError
from tests.simulation import oracle
from tests.simulation.described import described
from tests.simulation.process import STREAM, Process, jobs_of
from tests.simulation.schedule import DAY, START, Run, Schedule
from tests.simulation.world import QUEUED, World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.simulation.process import Result

MEMORY = Path("/dev/shm")
QUEUE_IS_FULL = "1029"

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
class Outcome:
    """What became of a schedule; `findings` say what should not have."""

    findings: list[str] = field(default_factory=list)
    runs: int = 0
    interrupted: int = 0
    calls: int = 0
    polls: int = 0
    """Those of the calls that only waited: for a job, or for a place in the queue."""
    jobs: int = 0
    creations_refused: int = 0
    steps: int = 0
    days: float = 0.0
    disturbances: int = 0
    seen: Counter[str] = field(default_factory=Counter)
    """What has happened on the way, so that nothing is thought to be tried that never was."""

    def add(self, other: Outcome) -> None:
        """Add what another came to."""
        for count in fields(self):
            both = getattr(self, count.name) + getattr(other, count.name)
            setattr(self, count.name, both)


class Simulation:
    """One world and one table, from the first run of a schedule to the last clean one."""

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self.world = World(schedule.world, START)
        self._begun_at = self.world.clock.now()
        self._table: dict[tuple[int, int], dict[str, Any]] = {}
        self._state: dict[str, Any] = {}
        self._orphans: set[str] = set()
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
        self._pass_until(self._schedule.ends_at + 2 * DAY)
        number = len(self._schedule.runs)
        taken_over = jobs_of(self._state)
        result = self._run(Run(at=0), number)
        for again in range(len(taken_over)):
            # Each job from the bad times may fail one run more.
            if isinstance(result.error, MarketoBulkError):
                result = self._run(Run(at=0), number + 1 + again)
        outcome.days = (world.clock.now() - self._begun_at) / timedelta(days=1)
        outcome.jobs = world.created
        asked = world.application.requests
        outcome.polls = len(asked.of("export.status")) + len(asked.of("export.list"))
        asked_for_place = asked.of("export.enqueue")
        outcome.polls += sum(call.error_code == QUEUE_IS_FULL for call in asked_for_place)
        outcome.creations_refused = sum(bool(c.error_code) for c in asked.of("export.create"))
        outcome.disturbances = world.disturbances
        outcome.seen += world.happened
        if result.error is not None:
            self._find(f"the last run, with nothing in its way, failed: {result.error!r}")
            return
        if jobs_of(self._state):
            self._find(f"the last run left jobs in its STATE: {jobs_of(self._state)}")
        if world.live_jobs(QUEUED):
            self._find(f"jobs left running that nobody owns: {world.live_jobs(QUEUED)}")
        config = self._schedule.config
        for finding in oracle.beyond_limits(world, config):
            self._find(finding)
        for difference in oracle.differences(self._table, world, config):
            self._find(difference)

    def _run(self, run: Run, number: int) -> Result:
        """Run the tap once, judge the run, and hand what it wrote to the target."""
        world, outcome = self.world, self.outcome
        config = self._schedule.config
        known = jobs_of(self._state)
        process = Process(world, run.kill, self._orphans - known)
        result = process.run(config, self._state, seed=self._schedule.seed * 100 + number)
        outcome.runs += 1
        outcome.interrupted += result.error is not None
        outcome.seen["job handed on by STATE"] += len(known)
        outcome.seen[f"run ended by {type(result.error).__name__}"] += result.error is not None
        outcome.calls += len(result.starts)
        outcome.steps += result.steps
        for finding in oracle.judge(result, self._state, world, config):
            self._find(f"run {number}: {finding}")
        self._commit(result, run, number)
        return result

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
        left = self.world.owned_jobs() - jobs_of(self._state) - self._orphans
        most = self._schedule.config.get("max_queued_jobs", oracle.MAX_QUEUED_DEFAULT)
        if result.killed:
            # What it has begun since the STATE it wrote last ends in Marketo without a reader.
            self.outcome.seen["job nobody knows of after a kill"] += len(left)
        if run.state == "last" and len(left) > (most if result.killed else 0):
            self._find(f"run {number}: nobody will come back for {len(left)} jobs in Marketo")
        self._orphans |= left

    def _pass_until(self, at: float) -> None:
        moment = self._begun_at + timedelta(seconds=at)
        self.world.clock.advance((moment - self.world.clock.now()).total_seconds())

    def _find(self, what: str) -> None:
        self.outcome.findings.append(what)


def play(schedule: Schedule) -> Outcome:
    """Carry a schedule out, by way of JSON: nothing but what can be written down may matter."""
    schedule = Schedule.from_json(schedule.to_json())
    with _directories_in_memory(), described(schedule.world["described"]):
        return Simulation(schedule).play()


@contextlib.contextmanager
def _directories_in_memory() -> Iterator[None]:
    """Make temporary directories where that costs nothing, if there is such a place."""
    before = tempfile.tempdir
    if MEMORY.is_dir():
        tempfile.tempdir = str(MEMORY)
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
    if outcome.jobs > jobs:
        found.append(f"{outcome.jobs} jobs, more than {jobs}; {peace.jobs} in peace")
    trouble = outcome.interrupted + outcome.disturbances
    calls = CALLS_FACTOR * (peace.calls - peace.polls) + CALLS_PER_TROUBLE * trouble
    if outcome.calls - outcome.polls > calls:
        found.append(f"{outcome.calls - outcome.polls} calls but for polls, more than {calls}")
    return found

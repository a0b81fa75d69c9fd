"""Target simulation: a schedule carried out, run after run, with a tap that goes on from STATE."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from marketo_bulk import MarketoBulkError
from marketo_bulk.limits import CALLS_PER_WINDOW_DEFAULT, RATE_WINDOW_SECONDS
from target_marketo_bulk.outcomes.reject_limits import TooManyRejectsError
from tests.simulation.outcomes import MEMORY, PlayedSchedules
from tests.simulation.schedule import DAY, START, Run, Schedule
from tests.target_simulation.import_world import ImportWorld
from tests.target_simulation.ledger import Ledger
from tests.target_simulation.rows import rows_of
from tests.target_simulation.target_process import TargetProcess

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.target_simulation.target_process import Result

ROUNDING_SECONDS = 0.01
LYING = frozenset({"import.failures", "import.warnings", "import.job", "*", "import.*"})
"""Operations whose faults can make Marketo's own counts, or reports, disagree with its leads."""


@dataclass
class Outcome(PlayedSchedules):
    """What became of a schedule of the target."""

    killed: int = 0
    repeated: int = 0
    """Runs after which the tap goes on from an earlier STATE than the last."""
    imports: int = 0
    late: int = 0
    """Imports nobody could wait for."""
    records: int = 0


class TargetSimulation:
    """One world and one tap, from the first run of a schedule to the last clean one."""

    def __init__(self, schedule: Schedule, directory: Path) -> None:
        self._schedule = schedule
        self._directory = directory
        self._messages = schedule.world["messages"]
        self._world = ImportWorld(schedule.world, START, schedule.config)
        clears = schedule.world["options"].get("blank_import_cell") == "clear"
        rows = rows_of(self._messages, schedule.config, clears=clears)
        self._ledger = Ledger(rows, self._world, directory)
        self._begun_at = self._world.clock.now()
        self._position = 0
        self._may_lie = False
        self.outcome = Outcome(records=len(rows))

    def play(self) -> Outcome:
        """Carry the schedule out and judge it."""
        world, schedule = self._world, self._schedule
        for event in schedule.events:
            moment = self._begun_at + timedelta(seconds=event["at"])
            world.clock.plan(moment, partial(world.happen, event))
        ends = [i for i, message in enumerate(self._messages) if message["type"] == "END"]
        try:
            for number, run in enumerate(schedule.runs):
                self._pass_until(run.at)
                world.arm(run.faults)
                self._may_lie |= any(f.get("operation", "*") in LYING for f in run.faults)
                self._run(run, self._messages[: ends[number]] if ends[number:] else self._messages)
            self._finish()
        finally:
            world.close()
        return self.outcome

    def _finish(self) -> None:
        """Wait until the world is calm, run once more, and compare."""
        outcome, world = self.outcome, self._world
        world.calm_down()
        self._may_lie = False
        self._pass_until(self._schedule.ends_at + 2 * DAY)
        while world.live_uploads():
            world.clock.advance(DAY)
        begun_at = world.clock.now().isoformat()
        result = self._run(Run(at=0), self._messages)
        outcome.days = (world.clock.now() - self._begun_at) / timedelta(days=1)
        outcome.imports = len(world.upload_log.uploads)
        outcome.late = sum(not upload.is_known for upload in world.upload_log.uploads)
        outcome.polls = len(world.application.requests.of("import.status"))
        outcome.disturbances = world.disturbances
        outcome.findings += world.upload_log.findings
        if result.error is not None and not isinstance(result.error, TooManyRejectsError):
            self._find(f"the last run, with nothing in its way, failed: {result.error!r}")
            return
        if self._position != len(self._messages):
            self._find(f"the last STATE is {self._position} of {len(self._messages)}")
        for path in self._directory.glob("imports-*"):
            # That of an earlier run stays, if all of it was over and nothing has been sent since.
            if any(_left_open(path.read_text(), begun_at)):
                self._find(f"the last run left a journal: {path.read_text()}")
        outcome.findings += self._ledger.faults_of_rows()
        outcome.findings += self._ledger.differences()

    def _run(self, run: Run, messages: list[dict[str, object]]) -> Result:
        """Run the target once, judge the run, and take over its STATE."""
        world, outcome = self._world, self.outcome
        start = self._position
        # Two runs of the same second would be told apart by chance alone.
        world.clock.advance(1)
        world.run = outcome.runs
        self._ledger.begin_run()
        process = TargetProcess(world, self._directory, run.kill, partial(self._on_state, start))
        seed = self._schedule.seed * 100 + outcome.runs
        result = process.run(self._schedule.config, messages, start, seed)
        for finding in self._judge(result):
            self._find(f"run {outcome.runs}: {finding}")
        outcome.runs += 1
        world.end_run()
        outcome.interrupted += result.error is not None
        outcome.killed += result.killed
        outcome.calls += len(result.starts)
        outcome.steps += result.steps
        is_repeated = run.state == "before" and bool(result.states)
        outcome.repeated += is_repeated
        states = result.states[:-1] if is_repeated else result.states
        self._position = max([start, *states])
        return result

    def _on_state(self, start: int, position: int, sent: int) -> None:
        missing = self._ledger.unaccounted(start, position)
        if missing:
            self._find(f"STATE {position} came out before {missing} were settled")

    def _judge(self, result: Result) -> Iterator[str]:
        error = result.error
        if not isinstance(error, (MarketoBulkError, SystemExit, type(None))) and not result.killed:
            yield f"it failed with {error!r}"
        if sorted(result.states) != result.states:
            yield f"STATE went back: {result.states}"
        yield from self._too_fast(result.starts)
        yield from self._forgotten()
        if not self._may_lie:
            yield from self._ledger.nameless()
            if error is None or isinstance(error, TooManyRejectsError):
                yield from self._miscounted(result)

    def _too_fast(self, starts: list[float]) -> Iterator[str]:
        most = self._schedule.config.get("calls_per_20_seconds", CALLS_PER_WINDOW_DEFAULT)
        for first, later in zip(starts, starts[most:], strict=False):
            if later - first < RATE_WINDOW_SECONDS - ROUNDING_SECONDS:
                yield f"{most + 1} calls in {later - first:.1f} s"
                return

    def _forgotten(self) -> Iterator[str]:
        """Yield the imports that are running, and that no later run will wait for."""
        journals = b"".join(path.read_bytes() for path in self._directory.glob("imports-*"))
        for upload in self._world.live_uploads():
            if upload.is_known and f'"{upload.job.batch_id}"'.encode() not in journals:
                yield f"import {upload.job.batch_id} is running, and nobody owns it"

    def _miscounted(self, result: Result) -> Iterator[str]:
        counts = result.counts
        if counts["records"] != sum(counts[name] for name in counts if name != "records"):
            yield f"the summary does not add up: {dict(counts)}"

    def _pass_until(self, at: float) -> None:
        moment = self._begun_at + timedelta(seconds=at)
        self._world.clock.advance((moment - self._world.clock.now()).total_seconds())

    def _find(self, what: str) -> None:
        self.outcome.findings.append(what)


def play(schedule: Schedule) -> Outcome:
    """Carry a schedule out, by way of JSON: nothing but what can be written down may matter."""
    with tempfile.TemporaryDirectory(prefix="target-simulation-", dir=MEMORY) as name:
        return TargetSimulation(Schedule.from_json(schedule.to_json()), Path(name)).play()


def excess(schedule: Schedule, outcome: Outcome) -> list[str]:
    """Return what all that went wrong has cost beyond measure.

    No run makes more imports than it takes to load everything in peace, but for one more for each
    fault: a schedule may have as many times those of the same schedule left in peace as runs were
    cut short, or began from an earlier STATE than the last, and once more; and one for each of
    these and each fault. Calls, but for polls, whose number is a matter of how long imports take:
    the same, with ten for each, and ten for all.
    """
    peace = play(schedule.undisturbed())
    found = list(peace.findings)
    trouble = outcome.interrupted + outcome.disturbances
    times = 1 + outcome.interrupted + outcome.repeated
    imports = times * peace.imports + trouble
    if outcome.imports > imports:
        found.append(f"{outcome.imports} imports, more than {imports}; {peace.imports} in peace")
    calls = times * (peace.calls - peace.polls) + 10 * (1 + trouble)
    if outcome.calls - outcome.polls > calls:
        found.append(f"{outcome.calls - outcome.polls} calls but for polls, more than {calls}")
    return found


def _left_open(journal: str, begun_at: str) -> Iterator[str]:
    """Yield the lines about uploads and imports of which no later line says the end.

    An upload from before the last run, of which no answer came, is over by then without a line.
    """
    lines = [json.loads(line) for line in journal.splitlines()]
    for number, line in enumerate(lines):
        if line["event"] == "sending" and line.get("sent_at", line["time"]) < begun_at:
            continue
        name = {"sending": "upload", "accepted": "batch_id"}.get(line["event"])
        if name and not any(later.get(name) == line[name] for later in lines[number + 1 :]):
            yield str(line)

"""Process: one run of the tap in this process, which can be told to stop or die at any step."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import sys
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

from marketo_bulk import MarketoBulk, MarketoBulkError, Timing
from marketo_bulk.connection_settings import connection_from
from tap_marketo_bulk.tap import TapMarketoBulk
from tap_marketo_bulk.writer import LineWriter
from tests.simulation.world import EndlessError
from tests.simulation.wsgi_transport import WsgiSession

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.simulation.world import World

STEPS_MAX = 10_000
TERMINATED = 143
BASE_URL = "http://127.0.0.1:9"
STREAM = "program_members"
STATE = b'{"type":"STATE"'


class KilledError(BaseException):
    """The process is gone; nothing it does from here on has any effect."""


@dataclass
class Result:
    """What a run left behind: its complete lines, and how it ended."""

    messages: list[dict[str, Any]]
    error: BaseException | None
    steps: int = 0
    killed: bool = False
    """It had no chance to say anything more."""
    starts: list[float] = field(default_factory=list)
    """When its calls began."""
    queued_most: int = 0
    unowned: int = 0
    """The most jobs alive in Marketo that a STATE, as it was written, did not name."""

    @property
    def complete(self) -> bool:
        """Whether it ended well."""
        return self.error is None


class Process:
    """A run of the tap against a world. `kill` is that of `schedule.Run`."""

    def __init__(self, world: World, kill: Mapping[str, Any] | None, orphans: set[str]) -> None:
        self._world = world
        self._kill = kill
        self._orphans = orphans
        self._matched = 0
        self._dead = False
        self._output = bytearray()
        self._result = Result([], None)
        self._tap: TapMarketoBulk | None = None

    def run(self, config: Mapping[str, Any], state: Mapping[str, Any], seed: int) -> Result:
        """Run until the end, one way or another."""
        result = self._result
        with _stdout(self), no_logs():
            try:
                self._sync(config, state, seed)
            except (MarketoBulkError, SystemExit, KilledError, EndlessError) as error:
                result.error = error
            except Exception as error:  # noqa: BLE001  # a finding, to be judged by the oracle
                result.error = error
        result.killed = self._dead
        lines = bytes(self._output).split(b"\n")[:-1]
        result.messages = [json.loads(line) for line in lines]
        return result

    def _sync(self, config: Mapping[str, Any], state: Mapping[str, Any], seed: int) -> None:
        clock = self._world.clock
        tap = TapMarketoBulk(
            config={
                "base_url": BASE_URL,
                "client_id": self._world.emulator.client_id,
                "client_secret": self._world.emulator.client_secret,
                **config,
            },
            state=json.loads(json.dumps(state)),
            setup_mapper=False,
        )
        self._tap = tap
        tap.client = MarketoBulk.connect(  # fills the cached property
            connection_from(tap.config),
            clock=clock.monotonic,
            sleep=self._sleep,
            random=Random(seed).random,
            session=WsgiSession(self._world.serve, clock.monotonic, self._step_call),
        )
        tap.timing = Timing(clock.monotonic, self._wait)
        with tap.client:
            tap.setup_mapper()
            if not self._world.has_programs_stream:
                tap.streams["programs"].metadata.root.selected = False
            tap.sync_all()

    # -- where time passes ----------------------------------------------------------------------

    def _step_call(self, place: str, path: str) -> None:
        self._world.clock.advance(self._world.latency_seconds)
        if place == "send" and not path.startswith("/identity/"):
            self._result.starts.append(self._world.clock.monotonic())
        if place == "reply" and path.endswith("/enqueue.json"):
            self._count_queued()
        self.step(place)
        if place == "reply":
            self._world.delivered()

    def _sleep(self, seconds: float) -> None:
        self.step("sleep")
        self._world.clock.sleep(seconds)

    def _wait(self, seconds: float) -> None:
        self.step("wait")
        self._world.clock.sleep(seconds)

    def _count_queued(self) -> None:
        queued = self._world.queued_jobs() - self._orphans - self._world.disowned_jobs()
        self._result.queued_most = max(self._result.queued_most, len(queued))

    # -- where it dies --------------------------------------------------------------------------

    def step(self, place: str) -> None:
        """Count a step, and die if it is the one."""
        if self._dead:
            raise KilledError
        self._result.steps += 1
        if self._result.steps > STEPS_MAX:
            raise EndlessError(f"no end after {STEPS_MAX} steps")
        if self._is_last(place):
            if self._kill is not None and self._kill["how"] == "kill":
                self._dead = True
                raise KilledError
            self._terminate()

    def _is_last(self, place: str) -> bool:
        kill = self._kill
        if kill is None or kill["place"] not in {"any", place}:
            return False
        self._matched += 1
        return bool(self._matched == kill["step"])

    def _terminate(self) -> None:
        """Do what the tap's handler of SIGTERM does, but for the process's own end."""
        writer = None if self._tap is None else self._tap.message_writer
        if not (isinstance(writer, LineWriter) and writer.defer(_exit)):
            _exit()

    # -- stdout ---------------------------------------------------------------------------------

    @property
    def buffer(self) -> Process:
        """Return what stands in for the buffer of stdout."""
        return self

    def write(self, lines: bytes | bytearray) -> int:
        """Take lines; who dies here leaves half of them."""
        try:
            self.step("write")
        except KilledError:
            if self._kill is not None and self._matched == self._kill["step"]:
                self._matched += 1
                self._output += lines[: int(len(lines) * self._kill["cut"])]
            raise
        self._output += lines
        if lines.startswith(STATE):
            self._count_unowned(jobs_of(json.loads(bytes(lines))["value"]))
        return len(lines)

    def _count_unowned(self, named: set[str]) -> None:
        unowned = self._world.owned_jobs() - self._orphans - named
        self._result.unowned = max(self._result.unowned, len(unowned))

    def flush(self) -> None:
        """Keep nothing back."""

    def fileno(self) -> int:
        """Be no file, as any stdout that is kept in memory."""
        raise io.UnsupportedOperation("no descriptor")


def jobs_of(state: Mapping[str, Any]) -> set[str]:
    """Return the ids of the jobs that a state names."""
    bookmark = state.get("bookmarks", {}).get(STREAM, {})
    return {job["exportId"] for job in bookmark.get("export_jobs", ())}


def _exit() -> None:
    sys.exit(TERMINATED)


@contextlib.contextmanager
def _stdout(process: Process) -> Iterator[None]:
    before = sys.stdout
    sys.stdout = process
    try:
        yield
    finally:
        sys.stdout = before


@contextlib.contextmanager
def no_logs() -> Iterator[None]:
    """Write no log line, whatever the level."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)

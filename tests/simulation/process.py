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

from typing_extensions import override

from marketo_bulk import Clock, MarketoBulk, MarketoBulkError
from singer_marketo.settings import connection_from
from tap_marketo_bulk.output.writer import LineWriter
from tap_marketo_bulk.sync import asked
from tap_marketo_bulk.tap import TapMarketoBulk
from tests.simulation.dying import KilledError, Mortal
from tests.simulation.world import EndlessError
from tests.simulation.wsgi_transport import WsgiSession

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from tests.simulation.world import World

TERMINATED = 143
ACCESS_DENIED = "603"
_ACTIVITIES = "/bulk/v1/activities"
BASE_URL = "http://127.0.0.1:9"
STREAM = "program_members"
STATE = b'{"type":"STATE"'


@dataclass
class Result:
    """What a run left behind: its complete lines, and how it ended."""

    messages: list[dict[str, Any]]
    error: BaseException | None
    begun_at: datetime
    steps: int = 0
    killed: bool = False
    """It had no chance to say anything more."""
    starts: list[float] = field(default_factory=list)
    """When its calls began."""
    queued_most: int = 0
    said_to_refresh: bool = False
    """It has warned that it asks for more than the run before, so that rows never come."""
    unowned: int = 0
    """The most jobs alive in Marketo that a STATE, as it was written, did not name."""

    @property
    def complete(self) -> bool:
        """Whether it ended well."""
        return self.error is None


class Process(Mortal):
    """A run of the tap against a world. `kill` is that of `schedule.Run`."""

    def __init__(self, world: World, kill: Mapping[str, Any] | None, orphans: set[str]) -> None:
        super().__init__(kill)
        self._world = world
        self._orphans = orphans
        self._output = bytearray()
        self._result = Result([], None, begun_at=world.clock.now())
        self._tap: TapMarketoBulk | None = None
        self._handed_on: set[str] = set()

    def run(
        self,
        config: Mapping[str, Any],
        state: Mapping[str, Any],
        seed: int,
        catalog: dict[str, Any] | None = None,
    ) -> Result:
        """Run until the end, one way or another."""
        result = self._result
        self._handed_on = jobs_of(state)
        with _stdout(self), no_logs(), self._hearing(), self._remembering():
            try:
                self._sync(config, state, seed, catalog)
            except (MarketoBulkError, SystemExit, KilledError, EndlessError) as error:
                result.error = error
            except Exception as error:  # noqa: BLE001  # a finding, to be judged by the oracle
                result.error = error
        result.killed, result.steps = self.is_dead, self.steps
        lines = bytes(self._output).split(b"\n")[:-1]
        result.messages = [json.loads(line) for line in lines]
        return result

    def _sync(
        self,
        config: Mapping[str, Any],
        state: Mapping[str, Any],
        seed: int,
        catalog: dict[str, Any] | None,
    ) -> None:
        clock = self._world.clock
        tap = TapMarketoBulk(
            config=settings_for(self._world, config),
            catalog=catalog,
            state=json.loads(json.dumps(state)),
            setup_mapper=False,
        )
        self._tap = tap
        tap.client = MarketoBulk.connect(  # fills the cached property
            connection_from(tap.config),
            clock=Clock(clock.monotonic, self._sleep, Random(seed).random),
            session=WsgiSession(self._world.serve, clock.monotonic, self._step_call),
        )
        tap.clock = Clock(clock.monotonic, self._wait, moves_by_sleep=True)
        if self._world.remembered is not None:
            self._world.remembered.hand_to(tap)
        with tap.client:
            tap.setup_mapper()
            if catalog is None and not self._world.has_programs_stream:
                tap.streams["programs"].metadata.root.selected = False
            tap.sync_all()

    def _remembering(self) -> contextlib.AbstractContextManager[None]:
        remembered = self._world.remembered
        return contextlib.nullcontext() if remembered is None else remembered.pages()

    @contextlib.contextmanager
    def _hearing(self) -> Iterator[None]:
        """Take note of the warning that an operator would act on."""

        def hear(*_: object) -> None:
            self._result.said_to_refresh = True

        asked.logger.warning = hear  # type: ignore[method-assign,assignment]
        try:
            yield
        finally:
            del asked.logger.warning

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
        if self._world.streams:
            queued -= self._out_of_reach(queued)
        self._result.queued_most = max(self._result.queued_most, len(queued))

    def _out_of_reach(self, jobs: set[str]) -> set[str]:
        """Return the jobs of which this run cannot know whether they go on.

        They are of a kind of which it may see nothing; or of an earlier run and of a kind of which
        it has been told nothing, because their stream has failed before its plan was made.
        """
        log, known = self._world.application.requests, self._world.application.world.exports.jobs
        calls = [call for call in log if call.started_at >= self._result.begun_at]
        told = {_object_path(call.path) for call in calls if not call.error_code}
        refused = {_object_path(call.path) for call in calls if call.error_code == ACCESS_DENIED}
        if any(call.operation == "activities.types" and call.error_code for call in calls):
            # What asks for activities to learn which programs changed says nothing of the stream's.
            told.discard(_ACTIVITIES)
        paths = {job: f"/bulk/v1/{known[job].kind}" for job in jobs}
        return {
            job
            for job, path in paths.items()
            if path in refused or (job in self._handed_on and path not in told)
        }

    # -- where it dies --------------------------------------------------------------------------

    @override
    def terminate(self) -> None:
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
            if self.kill is not None and self.matched == self.kill["step"]:
                self.matched += 1
                self._output += lines[: int(len(lines) * self.kill["cut"])]
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


def _object_path(path: str) -> str:
    """Return the part of the path of a call about exports that says of what."""
    return path.partition("/export")[0]


def settings_for(world: World, config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a tap that talks to the emulator of a world."""
    return {
        "base_url": BASE_URL,
        "client_id": world.emulator.client_id,
        "client_secret": world.emulator.client_secret,
        **config,
    }


def discover(world: World, config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the catalog of an instance in which nothing has gone wrong yet."""
    clock = world.clock
    tap = TapMarketoBulk(config=settings_for(world, config), setup_mapper=False)
    tap.client = MarketoBulk.connect(
        connection_from(tap.config),
        clock=Clock(clock.monotonic, clock.sleep, Random(0).random),
        session=WsgiSession(world.serve, clock.monotonic, lambda _place, _path: None),
    )
    with tap.client, no_logs():
        return tap.catalog_dict


def jobs_of(state: Mapping[str, Any]) -> set[str]:
    """Return the ids of the jobs that a state names."""
    bookmarks = state.get("bookmarks", {}).values()
    return {job["exportId"] for mark in bookmarks for job in mark.get("export_jobs", ())}


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

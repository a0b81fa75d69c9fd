"""Target process: one run of the target in this process, which can be told to stop or die."""

from __future__ import annotations

import contextlib
import json
import signal
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property, lru_cache, partial
from random import Random
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from marketo_bulk import Clock, MarketoBulk
from singer_marketo.settings import connection_from
from target_marketo_bulk.load import Load
from target_marketo_bulk.records.line_reader import LineReader
from target_marketo_bulk.records.validator import PlainFirstValidator
from target_marketo_bulk.sending.journal import Journal
from target_marketo_bulk.settings import ImportSettings
from target_marketo_bulk.sinks import ImportSink
from target_marketo_bulk.target import TargetMarketoBulk
from tests.simulation.dying import KilledError, Mortal
from tests.simulation.process import BASE_URL, no_logs
from tests.simulation.world import EndlessError
from tests.simulation.wsgi_transport import WsgiSession
from tests.target_simulation.messages import encoded, lines_from

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    import requests

    from tests.target_simulation.import_world import ImportWorld
    from tests.target_simulation.messages import Message

BOUNDARY = "boundary" * 4
IDLE_SECONDS = 10.0
"""How often a silent tap has the target look around; more often would only take longer."""


@dataclass
class Result:
    """What a run left behind, but for what is on disk."""

    error: BaseException | None = None
    states: list[int] = field(default_factory=list)
    """The positions of the STATE messages that came out."""
    sent: int = 0
    """The position up to which the tap got rid of its messages."""
    steps: int = 0
    killed: bool = False
    starts: list[float] = field(default_factory=list)
    """When its calls began."""
    counts: Counter[str] = field(default_factory=Counter)
    """The numbers of its summary."""


class TargetProcess(Mortal):
    """A run of the target against a world. `kill` is that of `schedule.Run`."""

    def __init__(
        self,
        world: ImportWorld,
        directory: Path,
        kill: Mapping[str, Any] | None,
        on_state: Callable[[int, int], object],
    ) -> None:
        super().__init__(kill)
        self.world = world
        self._directory = directory
        self._on_state = on_state
        self._disk: dict[str, bytes] = {}
        self._target: SimulatedTarget | None = None
        self.result = Result()

    def run(
        self, config: Mapping[str, Any], messages: Sequence[Message], position: int, seed: int
    ) -> Result:
        """Run until the end, one way or another."""
        with _signals_kept(), no_logs():
            settings = {
                "base_url": BASE_URL,
                "client_id": self.world.emulator.client_id,
                "client_secret": self.world.emulator.client_secret,
                "rejects_path": str(self._directory),
                **config,
            }
            target = self._target = SimulatedTarget(settings, self, seed)
            try:
                target.listen(Feed(self, messages, position))  # type: ignore[arg-type]
            except (Exception, SystemExit, KilledError, EndlessError) as error:  # noqa: BLE001  # to be judged
                self.result.error = error
            if self.is_dead:
                self._bury(target, self._disk)
        self.result.steps = self.steps
        self._count(target.load)
        return self.result

    def _count(self, load: Load) -> None:
        tally, counts = load.tally, self.result.counts
        for name in ("records", "replaced", "deletions", "imported", "unknown"):
            counts[name] = getattr(tally, name)
        counts["rejected"] = load.log.rejected_rows

    def _bury(self, target: SimulatedTarget, disk: Mapping[str, bytes]) -> None:
        """Give back what the dead process held, and leave on disk what was there as it died."""
        self.result.killed = True
        for _ in range(2):
            with contextlib.suppress(KilledError):
                target.load.abandon()
        for path in self._directory.iterdir():
            path.unlink()
        for name, content in disk.items():
            (self._directory / name).write_bytes(content)

    # -- where time passes ----------------------------------------------------------------------

    def step_call(self, place: str, path: str) -> None:
        """Let a call take its time."""
        self.world.clock.advance(self.world.latency_seconds)
        if place == "send" and not path.startswith("/identity/"):
            self.result.starts.append(self.world.clock.monotonic())
        self.step(place)

    def sleep(self, seconds: float) -> None:
        """Wait, as the client does between calls and the target between polls."""
        self.step("sleep" if seconds < IDLE_SECONDS / 2 else "wait")
        self.world.clock.sleep(seconds)

    def emit(self, line: str) -> None:
        """Take a line of standard output."""
        if self.is_dead:
            return
        self.step("write")
        position = json.loads(line)["position"]
        self.result.states.append(position)
        self._on_state(position, self.result.sent)

    # -- where it dies --------------------------------------------------------------------------

    @override
    def last_breath(self) -> None:
        self._disk = {path.name: path.read_bytes() for path in self._directory.iterdir()}

    @override
    def terminate(self) -> None:
        """Do what SIGTERM does."""
        if self._target is not None:
            self._target.terminate()


class UploadSession(WsgiSession):
    """Reads the body of an upload, as a socket would, before it hands it over.

    The boundary of its parts is always the same one: the emulator's parser compiles expressions
    for each, which took a tenth of the time.
    """

    @override
    def request(self, method: Any, url: Any, *_: Any, **more: Any) -> requests.Response:
        body = more["data"]
        if hasattr(body, "read"):
            kind, _, boundary = more["headers"]["Content-Type"].partition("boundary=")
            content = b"".join(iter(partial(body.read, 1 << 16), b""))
            more["data"] = content.replace(boundary.encode(), BOUNDARY.encode())
            more["headers"] = {**more["headers"], "Content-Type": f"{kind}boundary={BOUNDARY}"}
        return super().request(method, url, **more)


_SCHEMAS_CHECKED: dict[str, Any] = {}


class SimulatedSink(ImportSink):
    """A sink that does not have the same few schemas checked again and again."""

    @override
    def get_validator(self) -> PlainFirstValidator | None:
        self._plain_validator = _validator_of(json.dumps(self.schema, sort_keys=True))
        return self._plain_validator


@lru_cache
def _validator_of(schema: str) -> PlainFirstValidator:
    return PlainFirstValidator(json.loads(schema))


class SimulatedJournal(Journal):
    """A journal whose process may die before and after each of its lines."""

    def __init__(self, process: TargetProcess, *arguments: Any, **more: Any) -> None:
        self._process = process
        super().__init__(*arguments, **more)

    @override
    def _write(self, entry: Mapping[str, object]) -> None:
        self._process.step("journal")
        super()._write(entry)
        self._process.world.journaled(entry)
        self._process.step("journal")


class FeedReader(LineReader):
    """Reads a feed."""

    @override
    def _chunks_of(self, source: Any, wake_descriptor: int) -> Iterator[list[Any]]:
        feed: Feed = source
        return feed.chunks()


class SimulatedTarget(TargetMarketoBulk):
    """The target, with the world's clock, transport and input in place of the machine's."""

    default_sink_class = SimulatedSink
    line_reader_class = FeedReader

    def __init__(self, config: Mapping[str, Any], process: TargetProcess, seed: int) -> None:
        self._simulation = process
        self._seed = seed
        super().__init__(config=dict(config))
        # The same few schemas come in every run: checked once, they are known to each.
        self._schemas = _SCHEMAS_CHECKED

    @cached_property
    @override
    def load(self) -> Load:
        process = self._simulation
        clock = process.world.clock
        return Load(
            ImportSettings.parse(self.config),
            connection_from(self.config),
            emit_state=process.emit,
            check_signals=self._leave_if_told,
            clock=Clock(
                clock.monotonic, process.sleep, Random(self._seed).random, moves_by_sleep=True
            ),
            now=clock.now,
            connect=partial(
                MarketoBulk.connect,
                session=UploadSession(process.world.serve, clock.monotonic, process.step_call),
            ),
            open_journal=partial(SimulatedJournal, process),
        )

    def terminate(self) -> None:
        """Do what SIGTERM does."""
        self._handle_termination(signal.SIGTERM, None)


class Feed:
    """What the tap writes from a position on."""

    def __init__(self, process: TargetProcess, messages: Sequence[Message], position: int) -> None:
        self._process = process
        self._messages = messages
        self._position = position

    def chunks(self) -> Iterator[list[bytes]]:
        """Yield lines as they arrive, and none while the tap is silent."""
        size = self._process.world.chunk
        lines: list[bytes] = []
        for position, message in lines_from(self._messages, self._position):
            if message["type"] == "SILENCE":
                yield self._handed_over(lines)
                lines = []
                yield from self._silence(message["seconds"])
                continue
            lines.append(encoded(message))
            self._process.result.sent = position
            if len(lines) >= size:
                yield self._handed_over(lines)
                lines = []
        yield self._handed_over(lines)

    def _handed_over(self, lines: list[bytes]) -> list[bytes]:
        self._process.step("read")
        self._process.world.clock.advance(0.01)
        return lines

    def _silence(self, seconds: float) -> Iterator[list[bytes]]:
        until = self._process.world.clock.monotonic() + seconds
        while (left := until - self._process.world.clock.monotonic()) > 0:
            self._process.step("read")
            self._process.world.clock.sleep(min(left, IDLE_SECONDS))
            yield []


@contextlib.contextmanager
def _signals_kept() -> Iterator[None]:
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)

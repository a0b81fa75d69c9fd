"""Measures the schedule: how close a sync comes to what Marketo's two workers allow, and its calls.

    python benchmarks/bench_jobs.py

Prints a table. A case is a whole run of the tap, with its own pacing and settings, against the
emulator; both live on one clock that moves only when somebody waits, so hours cost seconds. Each
call takes `LATENCY_SECONDS` of it. While the target does not read, the exports go on: the steps of
their thread are taken by the reader's, which has nothing else to do.

`two workers` is the bound: half of what all jobs take together, or what the longest takes. `last
file` is when the last file was there and verified, and `ratio` what lies between the two; the run
goes on for as long as the target reads.
"""

from __future__ import annotations

import contextlib
import io
import logging
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import accumulate
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, TypeVar

import requests
from typing_extensions import Self, override

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from marketo_bulk import (  # noqa: E402
    Clock,
    ExportScheduler,
    FieldDescription,
    FinishedExport,
    MarketoBulk,
    custom_object,
)
from marketo_emulator import Emulator, Options, VirtualClock  # noqa: E402
from singer_marketo.settings import connection_from  # noqa: E402
from tap_marketo_bulk.streams.activities import Activities  # noqa: E402
from tap_marketo_bulk.streams.description import StreamDescription  # noqa: E402
from tap_marketo_bulk.streams.fields import Fields  # noqa: E402
from tap_marketo_bulk.streams.leads import Leads  # noqa: E402
from tap_marketo_bulk.streams.program_members import ProgramMembers  # noqa: E402
from tap_marketo_bulk.sync import run as sync_run  # noqa: E402
from tap_marketo_bulk.sync.names import StreamNames  # noqa: E402
from tap_marketo_bulk.tap import TapMarketoBulk  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from marketo_emulator.exports.job import ExportJob
    from marketo_emulator.wire.request_log import LoggedRequest

LATENCY_SECONDS = 0.3
POLL_SECONDS = 60.0
WORKERS = 2
FIRST_PROGRAM = 1001
WIRE_TIME = "%Y-%m-%dT%H:%M:%SZ"
TITLE = (
    "                                         jobs    last     two   ratio    run    most  calls"
    " status +   looks\n"
    "                                                 file  workers          over  queued      "
    " list calls  most"
)


@dataclass(frozen=True, slots=True)
class Case:
    """A sync to be measured. Units: seconds, of the virtual clock.

    `job_seconds` says how long a job takes. `others_hold` places of the queue are taken all the
    time. `target_busy` says how long the target reads nothing after the n-th file, from 1 on.
    """

    name: str
    job_seconds: Callable[[Random], float]
    programs: int = 3000
    windows: int = 1
    config: Mapping[str, Any] = field(default_factory=dict)
    others_hold: int = 0
    target_busy: Callable[[int], float] = lambda _: 0.0
    days_of_others: int = 0
    """How many days all but members have to catch up with, a day to a job."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a run took. `files_seconds` is when the last file was there and verified."""

    jobs: int
    bound_seconds: float
    files_seconds: float
    run_seconds: float
    queued_most: int
    calls: int
    status_calls: int
    list_calls: int
    looks_most: int
    """Status calls for one job within one poll interval."""

    @property
    def ratio(self) -> float:
        """How much longer than two workers need."""
        return self.files_seconds / self.bound_seconds


def even(seconds: float) -> Callable[[Random], float]:
    """Return a length that is the same for all jobs, but for a tenth up or down."""
    return lambda random: seconds * random.uniform(0.9, 1.1)


def uneven(shortest: float, longest: float) -> Callable[[Random], float]:
    """Return lengths spread over orders of magnitude: most are short and few are long."""
    return lambda random: shortest * (longest / shortest) ** random.random()


CASES = (
    Case("3,000 programs, incremental", even(60)),
    Case(
        "one program over 24 windows",
        even(120),
        programs=1,
        windows=24,
        # No window lies before a program was made.
        config={"window_days": 3},
    ),
    Case("300 jobs of 20 s to 30 min", uneven(20, 1800)),
    Case(
        "target stops for 20 min every 20 files",
        even(90),
        target_busy=lambda n: 0 if n % 20 else 1200,
    ),
    Case("target reads nothing for 3 h", even(60), target_busy=lambda n: 10_800 if n == 1 else 0),
    Case("others hold 5 places", uneven(20, 1800), others_hold=5),
    Case(
        "others hold 5 places, we want 8",
        uneven(20, 1800),
        others_hold=5,
        config={"max_queued_jobs": 8},
    ),
    Case("jobs of 30 s", even(30)),
    Case("jobs of 10 s", even(10)),
    Case(
        "four streams of 80 jobs each",
        even(60),
        programs=800,
        config={"window_days": 1},
        # A bookmark of leads that is older than 90 days would not be believed.
        days_of_others=80,
    ),
)


class SelectedLeads(Leads):
    """The leads, selected without a catalog."""

    is_selected = True


class SelectedActivities(Activities):
    """The activities, selected without a catalog."""

    is_selected = True


class Cars(StreamDescription):
    """The custom object of the emulator, as a stream."""

    names = StreamNames(stream="cars", bookmark="updatedAt", record="car")
    object = custom_object("car_c")
    keys = {"marketoGUID": "string"}  # noqa: RUF012
    is_selected = True

    @override
    def fields(self) -> Fields:
        guid = FieldDescription("marketoGUID", "Marketo GUID", "string")
        return Fields((guid, FieldDescription("updatedAt", "Updated At", "datetime")), self.keys)


class TapWithFour(TapMarketoBulk):
    """The tap with four streams of bulk export."""

    exports_listed = (ProgramMembers, SelectedLeads, SelectedActivities, Cars)


class Watch:
    """The emulator's clock as a monotonic one; sleeping moves it at once."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self._began_at = emulator.clock.now()

    def __call__(self) -> float:
        """Return the seconds since the beginning."""
        return self.seconds_of(self._emulator.clock.now())

    def seconds_of(self, moment: datetime) -> float:
        """Return a moment of the emulator's as seconds since the beginning."""
        return (moment - self._began_at).total_seconds()

    def for_client(self) -> Clock:
        """Return it as the client takes it, with dice that show the middle."""
        return Clock(self, self.sleep, lambda: 0.5, moves_by_sleep=True)

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self._emulator.advance(max(seconds, 0.001))


class LatentSession(requests.Session):
    """A session whose every call takes its time."""

    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self._watch = watch

    @override
    def request(self, *args: Any, **more: Any) -> requests.Response:
        self._watch.sleep(LATENCY_SECONDS)
        return super().request(*args, **more)


class GoingOn(ExportScheduler[Any]):
    """A scheduler whose thread's steps can be taken while the reader is busy."""

    current: GoingOn
    files_written = 0

    @override
    def __enter__(self) -> Self:
        GoingOn.current = self
        return super().__enter__()

    @override
    def release(self, finished: FinishedExport[Any]) -> None:
        super().release(finished)
        self.files_written += 1

    def go_on(self, watch: Watch, seconds: float) -> None:
        """Do for so long what the thread of the exports would."""
        until = watch() + seconds
        while (left := until - watch()) > 0:
            watch.sleep(min(left, self._advance()))


class Target:
    """What stands in for stdout: it reads, but for the stretches in which it does not."""

    def __init__(self, case: Case, watch: Watch) -> None:
        self._case = case
        self._watch = watch
        self._files = 0
        self._files_before = -1

    @property
    def buffer(self) -> Self:
        """Return what stands in for the buffer of stdout."""
        return self

    def write(self, lines: bytes | bytearray) -> int:
        """Take lines; the first records of a file may have to wait."""
        if b'"RECORD"' in lines[:20] and GoingOn.current.files_written != self._files_before:
            self._files_before = GoingOn.current.files_written
            self._files += 1
            GoingOn.current.go_on(self._watch, self._case.target_busy(self._files))
        return len(lines)

    def flush(self) -> None:
        """Keep nothing back."""

    def fileno(self) -> int:
        """Be no file."""
        raise io.UnsupportedOperation("no descriptor")


AnyTarget = TypeVar("AnyTarget", bound=Target)


def run(case: Case) -> Found:
    """Return what a case takes."""
    with played(case, Target) as (emulator, watch, _):
        return _found(emulator, watch)


@contextlib.contextmanager
def played(case: Case, kind: type[AnyTarget]) -> Iterator[tuple[Emulator, Watch, AnyTarget]]:
    """Run a case, and give what is left of it: the emulator, its watch and the target."""
    options = Options(daily_export_bytes=10**12)
    random = Random(1)  # noqa: S311 - the same jobs in every run
    with Emulator(
        programs=0,
        members=0,
        job_seconds=lambda _: case.job_seconds(random),
        options=options,
        clock=VirtualClock(),
    ) as emulator:
        emulator.store.fill(case.programs, 10 * case.programs + 1000)
        emulator.others_use(queued_exports=case.others_hold, seconds=10**7)
        watch = Watch(emulator)
        target = kind(case, watch)
        with _stdout(target), _scheduler():
            _sync(case, emulator, watch)
        yield emulator, watch, target


def _sync(case: Case, emulator: Emulator, watch: Watch) -> None:
    window = timedelta(days=case.config.get("window_days", 31))
    begun_before = timedelta(days=1) if case.days_of_others else window - timedelta(hours=1)
    start = emulator.clock.now() - (case.windows - 1) * window - begun_before
    bookmark = start.strftime(WIRE_TIME)
    begun = emulator.clock.now() - timedelta(days=case.days_of_others)
    other = {"replication_key_value": begun.strftime(WIRE_TIME)}
    programs = f"{FIRST_PROGRAM}-{FIRST_PROGRAM + case.programs - 1}"
    members = {
        "replication_key": "updatedAt",
        "replication_key_value": bookmark,
        "program_bookmarks": [{"updatedAt": bookmark, "programIds": programs}],
    }
    config = {
        "base_url": emulator.base_url,
        "client_id": emulator.client_id,
        "client_secret": emulator.client_secret,
        **case.config,
    }
    kind = TapWithFour if case.days_of_others else TapMarketoBulk
    marks = {"program_members": members, **dict.fromkeys(("leads", "activities", "cars"), other)}
    tap = kind(config=config, state={"bookmarks": marks}, setup_mapper=False)
    with LatentSession(watch) as session:
        session.trust_env = False
        tap.client = MarketoBulk.connect(  # fills the cached property
            connection_from(tap.config),
            clock=watch.for_client(),
            session=session,
        )
        tap.clock = watch.for_client()
        tap.setup_mapper()
        tap.sync_all()


def _found(emulator: Emulator, watch: Watch) -> Found:
    jobs = emulator.jobs
    lengths = [
        (job.finished_at - job.started_at).total_seconds()
        for job in jobs
        if job.started_at and job.finished_at
    ]
    log = [entry for entry in emulator.requests if not entry.operation.startswith("identity")]
    # A call whose token had run out is made again, and was no look.
    statuses = [e for e in log if e.operation == "export.status" and not e.error_code]
    files = [entry for entry in log if entry.operation == "export.file"]
    return Found(
        jobs=len(jobs),
        bound_seconds=max(sum(lengths) / WORKERS, *lengths),
        files_seconds=watch.seconds_of(max(entry.finished_at for entry in files)),
        run_seconds=watch(),
        queued_most=_most_at_once(jobs),
        calls=len(log),
        status_calls=len(statuses),
        list_calls=sum(entry.operation == "export.list" for entry in log),
        looks_most=_looks_most(statuses),
    )


def _most_at_once(jobs: Sequence[ExportJob]) -> int:
    """Return how many of the jobs were queued or at work at the same time."""
    steps = [step for job in jobs for step in ((job.queued_at, 1), (job.finished_at, -1))]
    return max(accumulate(change for _, change in sorted(steps)))


def _looks_most(statuses: Sequence[LoggedRequest]) -> int:
    looks: dict[str, list[datetime]] = defaultdict(list)
    for entry in statuses:
        looks[entry.path].append(entry.started_at)
    interval = timedelta(seconds=POLL_SECONDS)
    return max(
        sum(first <= other < first + interval for other in moments)
        for moments in looks.values()
        for first in moments
    )


@contextlib.contextmanager
def _stdout(target: Target) -> Iterator[None]:
    before: Any = sys.stdout
    sys.stdout = target
    try:
        yield
    finally:
        sys.stdout = before


@contextlib.contextmanager
def _scheduler() -> Iterator[None]:
    before: Any = sync_run.ExportScheduler  # type: ignore[attr-defined]
    sync_run.ExportScheduler = GoingOn  # type: ignore[attr-defined]
    try:
        yield
    finally:
        sync_run.ExportScheduler = before  # type: ignore[attr-defined]


def main() -> None:
    """Measure and print."""
    logging.disable(logging.CRITICAL)
    print(TITLE)
    for case in CASES:
        found = run(case)
        print(
            f"{case.name:<40} {found.jobs:>4} {_hours(found.files_seconds)} "
            f"{_hours(found.bound_seconds)} {found.ratio:>5.3f} {_hours(found.run_seconds)} "
            f"{found.queued_most:>6} {found.calls:>5} "
            f"{found.status_calls:>5} + {found.list_calls:<4} {found.looks_most:>5}",
            flush=True,
        )


def _hours(seconds: float) -> str:
    return f"{seconds / 3600:5.2f} h"


if __name__ == "__main__":
    main()

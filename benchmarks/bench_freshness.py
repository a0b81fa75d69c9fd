"""Measures how fresh members are: 3,000 programs, some of which change between two runs.

    python benchmarks/bench_freshness.py [--only TEXT] [--write]

Prints a table; `--write` keeps it in `freshness.json`. A case is a schedule of whole runs of the
tap against the emulator, on the virtual clock of `bench_jobs.py`. Before the first run, bookmarks
are spread over the full check, as they are once a pipeline has run for a week. That run is not
counted: it fills what such a pipeline keeps beside STATE. Changes fall evenly between two runs, one
member of each program that changes. `fresh` is the time from a change to its record.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import tempfile
from collections import Counter
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from typing_extensions import override

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.bench_jobs import (  # noqa: E402
    FIRST_PROGRAM,
    WIRE_TIME,
    LatentSession,
    Watch,
    even,
)
from marketo_bulk import MarketoBulk  # noqa: E402
from marketo_emulator import Emulator, Options, VirtualClock  # noqa: E402
from singer_marketo.settings import connection_from  # noqa: E402
from tap_marketo_bulk.tap import TapMarketoBulk  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from typing_extensions import Self

PROGRAMS = 3000
MEMBERS = 10
CHANGED = (0, 5, 150, 3000)
MINUTE, HOUR, DAY = 60, 3600, 86_400
SCHEDULES = {"10 minutes": 10 * MINUTE, "hour": HOUR, "day": DAY}
FULL_CHECK = 7 * DAY
DAYS = 14.0
HEAVY = dict.fromkeys((("10 minutes", 150), ("10 minutes", 3000), ("hour", 3000)), 2.0)
RESULTS = Path(__file__).parent / "freshness.json"


@dataclass(frozen=True, slots=True)
class Case:
    """A schedule. Units: seconds."""

    every: str
    changed: int
    mode: str
    days: float

    @property
    def interval(self) -> int:
        """How long it is from one run to the next."""
        return SCHEDULES[self.every]


@dataclass(frozen=True, slots=True)
class Found:
    """What a schedule takes. Units: minutes, and megabytes of export files."""

    every: str
    changed: int
    mode: str
    runs: int
    days: float
    run_minutes: float
    run_minutes_most: float
    jobs: float
    calls: float
    calls_most: int
    calls_a_day: float
    megabytes_a_day: float
    fresh_median: float | None
    fresh_95: float | None
    fresh_worst: float | None


def cases() -> list[Case]:
    """Return what is measured: days of each schedule.

    Where runs follow one another without a pause, fewer: each run is like the one before.
    """
    found = []
    for every in SCHEDULES:
        found += [Case(every, n, "activities", HEAVY.get((every, n), DAYS)) for n in CHANGED]
        found.append(Case(every, PROGRAMS, "all", HEAVY.get((every, PROGRAMS), DAYS)))
    return found


class Changes:
    """What changes meanwhile, at its moment; and when the record of it comes."""

    def __init__(self, emulator: Emulator, watch: AgendaWatch, random: Random) -> None:
        self._emulator = emulator
        self._watch = watch
        self._random = random
        self._open: dict[tuple[int, int], float] = {}
        self.latencies: list[float] = []

    def plan(self, case: Case, begin: float) -> None:
        """Let programs change between a moment and one interval later."""
        for number in self._random.sample(range(PROGRAMS), case.changed):
            moment = begin + self._random.random() * case.interval
            self._watch.plan(moment, lambda p=FIRST_PROGRAM + number: self._change(p))  # type: ignore[misc]

    def _change(self, program_id: int) -> None:
        members = self._emulator.store.member_rows[program_id]
        lead_id = self._random.choice(list(members))
        now = self._watch()
        self._emulator.store.change_member(program_id, lead_id, registrationCode=f"at {now}")
        self._open.setdefault((lead_id, program_id), now)

    def seen(self, record: dict[str, Any]) -> None:
        """Take note of a record; it may be of before the change."""
        key = record["leadId"], record["programId"]
        changed_at = self._open.get(key)
        code = record["registrationCode"] or ""
        if changed_at is not None and code.startswith("at ") and float(code[3:]) >= changed_at:
            del self._open[key]
            self.latencies.append(self._watch() - changed_at)


class AgendaWatch(Watch):
    """A watch on whose way things happen at their moment."""

    def __init__(self, emulator: Emulator) -> None:
        super().__init__(emulator)
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._number = 0

    def plan(self, moment: float, action: Callable[[], None]) -> None:
        """Let something happen at a moment."""
        self._number += 1
        self._agenda.append((moment, -self._number, action))
        self._agenda.sort(reverse=True, key=lambda entry: entry[:2])

    @override
    def sleep(self, seconds: float) -> None:
        until = self() + max(seconds, 0.001)
        while self._agenda and self._agenda[-1][0] <= until:
            moment, _, action = self._agenda.pop()
            super().sleep(max(moment - self(), 0.001))
            action()
        if self() < until:
            super().sleep(until - self())


class Reader:
    """What stands in for stdout: a target that keeps STATE and looks at every record."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes
        self.state: dict[str, Any] = {}

    @property
    def buffer(self) -> Self:
        """Return what stands in for the buffer of stdout."""
        return self

    def write(self, lines: bytes | bytearray) -> int:
        """Take lines."""
        for line in bytes(lines).splitlines():
            if line.startswith(b'{"type":"STATE"'):
                self.state = json.loads(line)["value"]
            elif line.startswith(b'{"type":"RECORD","stream":"program_members"'):
                self._changes.seen(json.loads(line)["record"])
        return len(lines)

    def flush(self) -> None:
        """Keep nothing back."""

    def fileno(self) -> int:
        """Be no file."""
        raise OSError("no descriptor")


def run(case: Case) -> Found:
    """Return what a schedule takes."""
    random = Random(1)  # noqa: S311 - the same changes in every run
    minute = even(60)
    with (
        tempfile.TemporaryDirectory() as folder,
        Emulator(
            programs=0,
            members=0,
            job_seconds=lambda _: minute(random),
            options=Options(daily_export_bytes=10**12, daily_calls=10**9),
            clock=VirtualClock(),
        ) as emulator,
    ):
        emulator.store.fill(PROGRAMS, 0)
        for program_id in emulator.store.programs:
            for lead_id in range(1, MEMBERS + 1):
                emulator.store.add_member(program_id, lead_id, registrationCode="")
        emulator.advance(FULL_CHECK + HOUR)
        emulator.store.log.history = tuple
        emulator.store.log._events.clear()  # noqa: SLF001  # what came before nobody asks for
        watch = AgendaWatch(emulator)
        changes = Changes(emulator, watch, random)
        reader = Reader(changes)
        reader.state = _spread_state(emulator, case)
        config = {
            "base_url": emulator.base_url,
            "client_id": emulator.client_id,
            "client_secret": emulator.client_secret,
            "job_journal": folder,
            "changed_programs": case.mode,
        }
        return _played(case, emulator, watch, reader, changes, config)


def _spread_state(emulator: Emulator, case: Case) -> dict[str, Any]:
    """Return the STATE of a pipeline that has run for a week."""
    now = emulator.clock.now() - timedelta(minutes=1)
    latest = (now - timedelta(seconds=case.interval)).strftime(WIRE_TIME)
    marks: dict[str, list[int]] = {}
    for number in range(PROGRAMS):
        age = case.interval + (FULL_CHECK - case.interval) * 0.999 * number // PROGRAMS
        mark = (now - timedelta(seconds=age)).strftime(WIRE_TIME)
        marks.setdefault(latest if case.mode == "all" else mark, []).append(FIRST_PROGRAM + number)
    return {
        "bookmarks": {
            "program_members": {
                "replication_key": "updatedAt",
                "replication_key_value": min(marks),
                "program_bookmarks": [
                    {"updatedAt": mark, "programIds": ",".join(map(str, ids))}
                    for mark, ids in sorted(marks.items())
                ],
                "changes": {"until": latest, "unread": ""},
            }
        }
    }


def _played(
    case: Case,
    emulator: Emulator,
    watch: AgendaWatch,
    reader: Reader,
    changes: Changes,
    config: dict[str, Any],
) -> Found:
    lengths: list[float] = []
    calls: list[int] = []
    jobs: list[int] = []
    _sync(config, reader, watch)
    first = begin = watch()
    earlier = len(emulator.jobs)
    changes.plan(case, begin)
    while begin - first < case.days * DAY:
        watch.sleep(max(begin + case.interval - watch(), 0.001))
        begin += case.interval * max(1, int((watch() - begin) / case.interval))
        changes.plan(case, watch())
        before, made, asked = watch(), len(emulator.jobs), len(emulator.requests)
        _sync(config, reader, watch)
        lengths.append(watch() - before)
        jobs.append(len(emulator.jobs) - made)
        calls.append(
            sum(not r.operation.startswith("identity") for r in list(emulator.requests)[asked:])
        )
    days = (watch() - first) / DAY
    sizes = sum(job.file.size_bytes for job in emulator.jobs[earlier:] if job.file)
    latencies = sorted(changes.latencies)
    return Found(
        every=case.every,
        changed=case.changed,
        mode=case.mode,
        runs=len(calls),
        days=round(days, 1),
        run_minutes=_minutes(sorted(lengths)[len(lengths) // 2]),
        run_minutes_most=_minutes(max(lengths)),
        jobs=round(sum(jobs) / len(jobs), 1),
        calls=round(sum(calls) / len(calls), 1),
        calls_most=max(calls),
        calls_a_day=round(sum(calls) / days),
        megabytes_a_day=round(sizes / 1e6 / days, 2),
        fresh_median=_at(latencies, 0.5),
        fresh_95=_at(latencies, 0.95),
        fresh_worst=_at(latencies, 1.0),
    )


def _sync(config: dict[str, Any], reader: Reader, watch: AgendaWatch) -> None:
    tap = TapMarketoBulk(
        config=config, state=json.loads(json.dumps(reader.state)), setup_mapper=False
    )
    before: Any = sys.stdout
    sys.stdout = reader
    try:
        with LatentSession(watch) as session:
            session.trust_env = False
            tap.client = MarketoBulk.connect(
                connection_from(tap.config), clock=watch.for_client(), session=session
            )
            tap.clock = watch.for_client()
            tap.setup_mapper()
            tap.streams["programs"].metadata.root.selected = False
            tap.sync_all()
    finally:
        sys.stdout = before


def _minutes(seconds: float) -> float:
    return round(seconds / MINUTE, 1)


def _at(ascending: Sequence[float], share: float) -> float | None:
    if not ascending:
        return None
    return _minutes(ascending[min(int(len(ascending) * share), len(ascending) - 1)])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", default="")
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    logging.disable(logging.CRITICAL)
    known = {}
    if RESULTS.exists():
        known = {_key(each): each for each in json.loads(RESULTS.read_text())}
    for case in cases():
        name = f"{case.mode} {case.changed} every {case.every}"
        if arguments.only in name:
            found = asdict(run(case))
            known[_key(found)] = found
            print(json.dumps(found), flush=True)
            if arguments.write:
                order = Counter({_key(asdict(c)): -n for n, c in enumerate(cases())})
                entries = sorted(known.values(), key=lambda each: -order[_key(each)])
                RESULTS.write_text(json.dumps(entries, indent=1) + "\n")


def _key(entry: dict[str, Any]) -> tuple[str, int, str]:
    return entry["every"], entry["changed"], entry["mode"]


if __name__ == "__main__":
    main()

"""Measures whole syncs over HTTP: what grows with programs, windows and files that wait.

    python benchmarks/bench_programs.py [--programs 1000 10000 30000] [--years 1 4 12]

Prints a table, and keeps the curves. Each case is a sync in a process of its own, journal of jobs
included, against the emulator in this one, which answers at once. What counts is the processor
time of that process from the first call of the sync on, by export job: that of 20 members included.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from curve import Curve, keep
from measurement import ENVIRONMENT, FOLDER

sys.path.insert(0, str(FOLDER.parent))

from marketo_emulator import Emulator, Options

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAMS = (1_000, 3_000, 10_000, 30_000)
YEARS = (1, 4, 12)
WAITING = (0, 100, 290)
WAITING_PROGRAMS = 3_000
WINDOW_PROGRAMS = 300
MEMBERS_A_PROGRAM = 2
SETTLED_SECONDS = 120.0
DAYS_A_YEAR = 365
WINDOW_DAYS = 31
WIRE_TIME = "%Y-%m-%dT%H:%M:%SZ"
NO_LIMITS = Options(
    max_calls_per_window=10**9,
    max_concurrent_calls=10**6,
    daily_export_bytes=10**12,
    daily_calls=10**9,
)


@dataclass(frozen=True, slots=True)
class Case:
    """A sync to be measured. With `gaps` every other program id is missing."""

    programs: int
    gaps: bool = False
    days: int = WINDOW_DAYS - 1
    files_waiting: int = 0

    def measured(self) -> dict[str, float]:
        """Return what a sync of it took."""
        every = 2 if self.gaps else 1
        programs = self.programs * every
        with Emulator(
            programs=programs,
            members=programs * MEMBERS_A_PROGRAM,
            job_seconds=0.0,
            options=NO_LIMITS,
        ) as emulator:
            self._prepare(emulator)
            with tempfile.TemporaryDirectory() as journal:
                order = json.dumps(self._order(emulator, journal))
                done = subprocess.run(
                    [sys.executable, str(FOLDER / "tap_programs.py")],
                    input=order,
                    stdout=subprocess.PIPE,
                    env=ENVIRONMENT,
                    check=True,
                    text=True,
                )
            found: dict[str, float] = json.loads(done.stdout)
            found["jobs"] = len(emulator.jobs)
            return found

    def _prepare(self, emulator: Emulator) -> None:
        store = emulator.store
        if self.gaps:
            for program_id in sorted(store.programs)[1::2]:
                store.remove_program(program_id)
        long_ago = int((emulator.clock.now() - timedelta(days=self.days + 1)).timestamp())
        for program_id, program in store.programs.items():
            store.programs[program_id] = replace(program, created_at=long_ago)
        store.touch_members(MEMBERS_A_PROGRAM * self.programs, seed=1)
        emulator.advance(SETTLED_SECONDS)

    def _order(self, emulator: Emulator, journal: str) -> dict[str, Any]:
        ids = sorted(emulator.store.programs)
        start = (emulator.clock.now() - timedelta(days=self.days)).strftime(WIRE_TIME)
        text = ",".join(map(str, ids)) if self.gaps else f"{ids[0]}-{ids[-1]}"
        bookmark = {
            "replication_key": "updatedAt",
            "replication_key_value": start,
            "program_bookmarks": [{"updatedAt": start, "programIds": text}],
        }
        return {
            "config": {
                "base_url": emulator.base_url,
                "client_id": emulator.client_id,
                "client_secret": emulator.client_secret,
                "poll_interval_seconds": 0.01,
            },
            "state": {"bookmarks": {"program_members": bookmark}},
            "files_waiting": self.files_waiting,
            "journal": journal,
        }


def by_programs(counts: list[int]) -> Iterator[Curve]:
    """Yield what syncs cost by the number of programs, without and with gaps."""
    for name, gaps in (("dense ids", False), ("every other id", True)):
        found = {count: Case(count, gaps=gaps).measured() for count in counts}
        most = max(each["megabytes"] for each in found.values())
        jobs = tuple((n, _milliseconds(each)) for n, each in found.items())
        plans = tuple((n, each["plan_seconds"]) for n, each in found.items())
        shares = tuple((n, _state_percent(each)) for n, each in found.items())
        yield Curve("Tap: an export job", "ms CPU", "programs", name, jobs, most)
        yield Curve("Tap: planning", "s CPU", "programs", name, plans, aim=0.1)
        yield Curve("Tap: STATE", "% of records", "programs", name, shares, aim=10.0)


def by_years(years: list[int]) -> Iterator[Curve]:
    """Yield what a job costs by the years a first load goes back."""
    found = {n: Case(WINDOW_PROGRAMS, days=n * DAYS_A_YEAR).measured() for n in years}
    jobs = tuple((each["jobs"], _milliseconds(each)) for each in found.values())
    most = max(each["megabytes"] for each in found.values())
    name = f"to {years[-1]} years"
    yield Curve("Tap: a job of a first load", "ms CPU", "jobs", name, jobs, most)


def by_waiting(counts: tuple[int, ...]) -> Iterator[Curve]:
    """Yield what a job costs by the files that wait for the target."""
    found = {n: Case(WAITING_PROGRAMS, gaps=True, files_waiting=n).measured() for n in counts}
    jobs = tuple((n, _milliseconds(each)) for n, each in found.items())
    name = f"{WAITING_PROGRAMS:,} programs"
    yield Curve("Tap: a job while files wait", "ms CPU", "files waiting", name, jobs)


def _milliseconds(found: dict[str, float]) -> float:
    return round(found["sync_seconds"] / found["jobs"] * 1e3, 2)


def _state_percent(found: dict[str, float]) -> float:
    return round(found["state_bytes"] / found["record_bytes"] * 100, 2)


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--programs", type=int, nargs="+", default=list(PROGRAMS))
    parser.add_argument("--years", type=int, nargs="+", default=list(YEARS))
    options = parser.parse_args()
    for curves in (by_programs(options.programs), by_years(options.years), by_waiting(WAITING)):
        for curve in curves:
            keep([curve])
            print("\n".join(curve.rows()), flush=True)


if __name__ == "__main__":
    main()

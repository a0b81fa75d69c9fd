"""Playing: many schedules side by side, or one of them, and what should not have happened."""

# ruff: noqa: T201  # its findings are for whoever runs it

from __future__ import annotations

import argparse
import gc
import re
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.simulation.schedule import Schedule

COMPARED_EVERY = 16
PROGRESS_EVERY = 5_000
KIND_CHARACTERS = 24


@dataclass(frozen=True)
class Player:
    """How the schedules of one plugin are drawn, played, compared with peace, and made smaller.

    Its functions are those of modules, because it goes to other processes. `block` is how many
    schedules go there at once; `outcome` makes an outcome with `findings` and `add()`.
    """

    draw: Callable[[int], Schedule]
    play: Callable[[Schedule], Any]
    excess: Callable[[Schedule, Any], list[str]]
    shrunk: Callable[[Schedule, Callable[[Schedule], bool]], Schedule]
    outcome: Callable[[], Any]
    block: int

    def play_block(self, first: int, count: int) -> list[tuple[int, Any]]:
        """Play the schedules of some seeds; every sixteenth once more, in peace, to compare."""
        played = []
        for seed in range(first, first + count):
            schedule = self.draw(seed)
            outcome = self.play(schedule)
            if seed % COMPARED_EVERY == 0:
                outcome.findings += self.excess(schedule, outcome)
            played.append((seed, outcome))
        return played

    def soak(self, first: int, count: int, processes: int) -> tuple[Any, int, float]:
        """Play many schedules, print how it goes; return total, how many failed, and seconds."""
        begun, done, failed = time.monotonic(), 0, 0
        total = self.outcome()
        firsts = range(first, first + count, self.block)
        counts = [min(self.block, first + count - start) for start in firsts]
        with ProcessPoolExecutor(processes, initializer=_collect_seldom) as pool:
            for played in pool.map(self.play_block, firsts, counts):
                for seed, outcome in played:
                    done += 1
                    total.add(outcome)
                    if outcome.findings:
                        failed += 1
                        print(f"seed {seed}: {'; '.join(outcome.findings)[:500]}", flush=True)
                    if done % PROGRESS_EVERY == 0 or done == count:
                        seconds = time.monotonic() - begun
                        print(
                            f"{done:,} schedules in {seconds:,.0f} s, {failed} failed", flush=True
                        )
        return total, failed, time.monotonic() - begun

    def main(self, description: str, report: Callable[[Any, int, int, float], None]) -> int:
        """Do what the command line says; `report` prints total, count, failed and seconds."""
        parser = argparse.ArgumentParser(description=description.partition("\n")[0])
        parser.add_argument("--schedules", type=int, default=100_000)
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--processes", type=int, default=2)
        parser.add_argument("--replay", type=int)
        parser.add_argument("--shrink", type=int)
        arguments = parser.parse_args()
        if arguments.replay is not None:
            schedule = self.draw(arguments.replay)
            outcome = self.play(schedule)
            print(schedule.to_json())
            print(outcome)
            return bool(outcome.findings)
        if arguments.shrink is not None:
            smallest = self._smallest(self.draw(arguments.shrink))
            print(smallest.to_json())
            print(self.play(smallest).findings)
            return 0
        count = arguments.schedules
        total, failed, seconds = self.soak(arguments.seed, count, arguments.processes)
        report(total, count, failed, seconds)
        return bool(failed)

    def _smallest(self, schedule: Schedule) -> Schedule:
        """Return the smallest schedule with a finding of the kind of one that this one has."""
        kinds = set(map(_kind, self.play(schedule).findings))
        return self.shrunk(
            schedule, lambda smaller: bool(kinds & set(map(_kind, self.play(smaller).findings)))
        )


def _kind(finding: str) -> str:
    """Return how a finding begins, whichever run and record it is about."""
    return re.sub(r"\d+", "", finding)[:KIND_CHARACTERS]


def _collect_seldom() -> None:
    """Look for garbage less often: a tenth of the time went into that."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)

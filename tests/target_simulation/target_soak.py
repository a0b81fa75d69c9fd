"""Plays many schedules of the target, or one, and says what should not have happened.

    python tests/target_simulation/target_soak.py [--schedules 100000] [--seed 0] [--processes 2]
    python tests/target_simulation/target_soak.py --replay SEED
    python tests/target_simulation/target_soak.py --shrink SEED

The schedules are those of `seed`, `seed + 1` and so on; the same seed is the same schedule for
ever. `--shrink` prints the smallest schedule that still fails, as JSON.
"""

# ruff: noqa: T201  # its findings are for whoever runs it

from __future__ import annotations

import argparse
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.simulation.soak import PROGRESS_EVERY, collect_seldom  # the path comes first
from tests.target_simulation.schedules import draw_schedule
from tests.target_simulation.target_shrinking import shrunk
from tests.target_simulation.target_simulation import Outcome, excess, play

BLOCK = 50
COMPARED_EVERY = 16


def play_block(first: int, count: int) -> list[tuple[int, Outcome]]:
    """Play the schedules of some seeds; every sixteenth once more, in peace, to compare."""
    played = []
    for seed in range(first, first + count):
        schedule = draw_schedule(seed)
        outcome = play(schedule)
        if seed % COMPARED_EVERY == 0:
            outcome.findings += excess(schedule, outcome)
        played.append((seed, outcome))
    return played


def soak(first: int, count: int, processes: int) -> int:
    """Play many schedules and print what they come to; return how many fail."""
    begun, done, failed = time.monotonic(), 0, 0
    total = Outcome()
    blocks = [(s, min(BLOCK, first + count - s)) for s in range(first, first + count, BLOCK)]
    with ProcessPoolExecutor(processes, initializer=collect_seldom) as pool:
        for played in pool.map(play_block, *zip(*blocks, strict=True)):
            for seed, outcome in played:
                done += 1
                total.add(outcome)
                if outcome.findings:
                    failed += 1
                    print(f"seed {seed}: {'; '.join(outcome.findings)[:500]}", flush=True)
                if done % PROGRESS_EVERY == 0:
                    seconds = time.monotonic() - begun
                    print(f"{done:,} schedules in {seconds:,.0f} s, {failed} failed", flush=True)
    seconds = time.monotonic() - begun
    print(
        f"{count:,} schedules, {failed} failed: {total.days:,.0f} days and {total.runs:,} runs in "
        f"{seconds:,.0f} s, {total.interrupted:,} of them cut short, {total.killed:,} by SIGKILL; "
        f"{total.records:,} records, {total.imports:,} imports, {total.late:,} of them unknown to "
        f"the target, {total.calls:,} calls, {total.disturbances:,} faults"
    )
    return failed


def main() -> int:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--schedules", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--replay", type=int)
    parser.add_argument("--shrink", type=int)
    arguments = parser.parse_args()
    if arguments.replay is not None:
        schedule = draw_schedule(arguments.replay)
        outcome = play(schedule)
        print(schedule.to_json())
        print(asdict(outcome))
        return bool(outcome.findings)
    if arguments.shrink is not None:
        smallest = shrunk(draw_schedule(arguments.shrink), lambda s: bool(play(s).findings))
        print(smallest.to_json())
        print(play(smallest).findings)
        return 0
    return bool(soak(arguments.seed, arguments.schedules, arguments.processes))


if __name__ == "__main__":
    sys.exit(main())

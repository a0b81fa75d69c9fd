"""Plays many schedules, or one of them, and says what should not have happened.

    python tests/simulation/soak.py [--schedules 100000] [--seed 0] [--processes 2]
    python tests/simulation/soak.py --replay SEED
    python tests/simulation/soak.py --shrink SEED

The schedules are those of `seed`, `seed + 1` and so on; the same seed is the same schedule for
ever. `--shrink` prints the smallest schedule that still fails, as JSON.
"""

# ruff: noqa: T201  # its findings are for whoever runs it

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.simulation.playing import Player  # the path comes first
from tests.simulation.schedule import draw_schedule
from tests.simulation.shrinking import shrunk
from tests.simulation.simulation import Outcome, excess, play

BLOCK = 100
PLAYER = Player(draw_schedule, play, excess, shrunk, Outcome, BLOCK)
play_block = PLAYER.play_block


def report(total: Outcome, _count: int, _failed: int, _seconds: float) -> None:
    """Print what all schedules came to."""
    print(
        f"{total.days:,.0f} days and {total.runs:,} runs, {total.interrupted:,} of them cut short; "
        f"{total.jobs:,} export jobs, {total.calls:,} calls, {total.disturbances:,} faults"
    )
    for what, times in sorted(total.seen.items()):
        print(f"{times:>10,} {what}")


if __name__ == "__main__":
    sys.exit(PLAYER.main(__doc__ or "", report))

"""Plays many schedules of the target, or one, and says what should not have happened.

    python tests/target_simulation/target_soak.py [--schedules 100000] [--seed 0] [--processes 2]
    python tests/target_simulation/target_soak.py --replay SEED
    python tests/target_simulation/target_soak.py --shrink SEED

The schedules are those of `seed`, `seed + 1` and so on; the same seed is the same schedule for
ever. `--shrink` prints the smallest schedule that still fails, as JSON.
"""

# ruff: noqa: T201  # its findings are for whoever runs it

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.simulation.playing import Player  # the path comes first
from tests.target_simulation.schedules import draw_schedule
from tests.target_simulation.target_shrinking import shrunk
from tests.target_simulation.target_simulation import Outcome, excess, play

BLOCK = 50
PLAYER = Player(draw_schedule, play, excess, shrunk, Outcome, BLOCK)
play_block = PLAYER.play_block


def report(total: Outcome, count: int, failed: int, seconds: float) -> None:
    """Print what all schedules came to."""
    print(
        f"{count:,} schedules, {failed} failed: {total.days:,.0f} days and {total.runs:,} runs in "
        f"{seconds:,.0f} s, {total.interrupted:,} of them cut short, {total.killed:,} by SIGKILL; "
        f"{total.records:,} records, {total.imports:,} imports, {total.late:,} of them unknown to "
        f"the target, {total.calls:,} calls, {total.disturbances:,} faults"
    )


if __name__ == "__main__":
    sys.exit(PLAYER.main(__doc__ or "", report))

"""Outcomes: what became of schedules, and where they are played."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path

from typing_extensions import Self

_MEMORY = Path("/dev/shm")
MEMORY = str(_MEMORY) if _MEMORY.is_dir() else None
"""Where directories cost nothing, if there is such a place."""


@dataclass
class PlayedSchedules:
    """What became of one schedule, or of several; `findings` say what should not have."""

    findings: list[str] = field(default_factory=list)
    runs: int = 0
    interrupted: int = 0
    calls: int = 0
    polls: int = 0
    """Those of the calls that only waited: for a job, or for a place in the queue."""
    steps: int = 0
    days: float = 0.0
    disturbances: int = 0

    def add(self, other: Self) -> None:
        """Add what another came to."""
        for count in fields(self):
            both = getattr(self, count.name) + getattr(other, count.name)
            setattr(self, count.name, both)

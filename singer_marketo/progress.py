"""Progress: how far a run is, in numbers and in one line."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from singer_sdk.metrics import Point

if TYPE_CHECKING:
    from collections.abc import Mapping

MEGABYTE = 1_000_000
MINUTE = 60
HOUR = 3_600
FEW_SECONDS = 90


class ProgressMetric(str, enum.Enum):
    """The figures of a snapshot, beside the SDK's `Metric`."""

    JOBS = "progress_jobs"
    JOBS_TOTAL = "progress_jobs_total"
    ROWS = "progress_rows"
    BYTES = "progress_bytes"
    SECONDS = "progress_seconds"
    SECONDS_LEFT = "progress_seconds_left"


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run stands.

    Units: bytes of files, seconds since the run began. `jobs` are those whose rows are written,
    of `jobs_total` as far as is known; `states` counts those under way by what they wait for.
    """

    jobs: int
    jobs_total: int
    rows: int
    bytes: int
    seconds: float
    states: Mapping[str, int] = field(default_factory=dict)

    @property
    def seconds_left(self) -> float | None:
        """How long the rest takes if it goes on as before; None before the first job is done."""
        if not self.jobs or self.jobs >= self.jobs_total:
            return None
        return self.seconds / self.jobs * (self.jobs_total - self.jobs)

    def line(self) -> str:
        """Return all of it for a person."""
        parts = [
            f"{self.jobs:,} of {self.jobs_total:,} jobs",
            f"{self.rows:,} rows",
            f"{self.bytes / MEGABYTE:,.0f} MB",
        ]
        left = self.seconds_left
        if left is not None:
            parts.append(f"about {_duration(left)} left")
        return ", ".join(parts)

    def states_line(self) -> str:
        """Return how many jobs stand where, for a person."""
        return ", ".join(f"{count} {state}" for state, count in self.states.items() if count)

    def points(self, stream: str) -> list[Point[float]]:
        """Return the same figures as metrics of the SDK's kind."""
        left = self.seconds_left
        values: dict[ProgressMetric, float] = {
            ProgressMetric.JOBS: self.jobs,
            ProgressMetric.JOBS_TOTAL: self.jobs_total,
            ProgressMetric.ROWS: self.rows,
            ProgressMetric.BYTES: self.bytes,
            ProgressMetric.SECONDS: round(self.seconds, 3),
        }
        if left is not None:
            values[ProgressMetric.SECONDS_LEFT] = round(left, 3)
        tags = {"stream": stream}
        return [
            Point("gauge", metric, value, tags)  # type: ignore[arg-type]  # an enum like the SDK's
            for metric, value in values.items()
        ]


def _duration(seconds: float) -> str:
    """Return a length of time, as precise as an estimate deserves."""
    if seconds < FEW_SECONDS:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / MINUTE)
    hours, rest = divmod(minutes, HOUR // MINUTE)
    if not hours:
        return f"{minutes} min"
    return f"{hours} h {rest} min" if rest else f"{hours} h"

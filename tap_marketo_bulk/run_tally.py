"""Run tally: what a run has done, for its closing line and its metrics."""

from __future__ import annotations

import contextlib
import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from marketo_bulk.limits import EXPORT_DAILY_QUOTA_BYTES
from singer_sdk.metrics import Point

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

MEGABYTE = 1_000_000


class ExportMetric(str, enum.Enum):
    """Our names beside the SDK's `Metric`."""

    RECORDS = "export_record_count"
    WINDOWS = "export_window_count"
    JOBS = "export_job_count"
    FILES = "export_file_count"
    BYTES = "export_file_bytes"
    CALLS = "marketo_call_count"
    WAITING = "export_waiting_seconds"
    WORKING = "export_working_seconds"


@dataclass(slots=True)
class RunTally:
    """Counts of one run. A window is a stretch of time, whatever the number of its jobs.

    Units: seconds of `clock`, bytes as Marketo counts them.
    """

    clock: Callable[[], float]
    started_at: float
    records: int = 0
    jobs: int = 0
    files: int = 0
    file_bytes: int = 0
    waiting_seconds: float = 0.0
    _windows: set[Hashable] = field(default_factory=set)

    @classmethod
    def begin(cls, clock: Callable[[], float]) -> RunTally:
        """Return an empty tally of a run that begins now."""
        return cls(clock, clock())

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        """Count the time inside as waiting for Marketo."""
        before = self.clock()
        try:
            yield
        finally:
            self.waiting_seconds += self.clock() - before

    def add(self, window: Hashable, records: int, size_bytes: int | None) -> None:
        """Count a piece of work whose records are all written; without size there was no file."""
        self._windows.add(window)
        self.records += records
        if size_bytes is not None:
            self.files += 1
            self.file_bytes += size_bytes

    def values(self, calls: int) -> dict[ExportMetric, float]:
        """Return what the metrics carry."""
        total = self.clock() - self.started_at
        return {
            ExportMetric.RECORDS: self.records,
            ExportMetric.WINDOWS: len(self._windows),
            ExportMetric.JOBS: self.jobs,
            ExportMetric.FILES: self.files,
            ExportMetric.BYTES: self.file_bytes,
            ExportMetric.CALLS: calls,
            ExportMetric.WAITING: round(self.waiting_seconds, 3),
            ExportMetric.WORKING: round(total - self.waiting_seconds, 3),
        }

    def points(self, calls: int, stream: str) -> list[Point[float]]:
        """Return the metrics of the run."""
        tags = {"stream": stream}
        return [
            Point("counter", metric, value, tags)  # type: ignore[arg-type]  # an enum like the SDK's
            for metric, value in self.values(calls).items()
        ]

    def line(self, calls: int) -> str:
        """Return the closing line."""
        quota = EXPORT_DAILY_QUOTA_BYTES / MEGABYTE
        worked = self.clock() - self.started_at - self.waiting_seconds
        return (
            f"{self.records} records, {len(self._windows)} windows, {self.jobs} export jobs, "
            f"{self.files} files, "
            f"{self.file_bytes / MEGABYTE:.1f} MB of the day's {quota:.0f} MB, {calls} API calls, "
            f"{self.waiting_seconds:.0f} s waiting for Marketo, {worked:.0f} s working"
        )

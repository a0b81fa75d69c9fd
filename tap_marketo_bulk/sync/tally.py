"""Run tally: what a run has done, for its closing line and its metrics."""

from __future__ import annotations

import contextlib
import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from singer_sdk.metrics import Point

from marketo_bulk.limits import EXPORT_DAILY_QUOTA_BYTES
from singer_marketo.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence

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
    pieces: int = 0
    """Pieces of work whose records are all written, each done by one job."""
    records: int = 0
    jobs: int = 0
    files: int = 0
    file_bytes: int = 0
    waiting_seconds: float = 0.0
    coverage: str = ""
    """What was read of all scopes, in a run that does not read all of them."""
    _windows: set[Hashable] = field(default_factory=set)
    _paused_at: float = 0.0

    @classmethod
    def begin(cls, clock: Callable[[], float]) -> RunTally:
        """Return an empty tally of a run that begins now."""
        return cls(clock, clock())

    def pause(self) -> None:
        """Let what follows be no part of the run, until it goes on."""
        self._paused_at = self.clock()

    def go_on(self) -> None:
        """End a pause."""
        self.started_at += self.clock() - self._paused_at

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
        self.pieces += 1
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
        coverage = f"; {self.coverage}" if self.coverage else ""
        return (
            f"{self.records} records, {len(self._windows)} windows, {self.jobs} export jobs, "
            f"{self.files} files, "
            f"{self.file_bytes / MEGABYTE:.1f} MB of the day's {quota:.0f} MB, {calls} API calls, "
            f"{self.waiting_seconds:.0f} s waiting for Marketo, {worked:.0f} s working"
            f"{coverage}"
        )


def progress_of(
    tallies: Sequence[RunTally], *, planned: int, states: Mapping[str, int]
) -> Progress:
    """Return how far a sync is, with the jobs still planned and those under way by state."""
    pieces = sum(tally.pieces for tally in tallies)
    return Progress(
        jobs=pieces,
        jobs_total=pieces + sum(states.values()) + planned,
        rows=sum(tally.records for tally in tallies),
        bytes=sum(tally.file_bytes for tally in tallies),
        seconds=max(tally.clock() - tally.started_at for tally in tallies),
        states={**states, "planned": planned},
    )


def closing_line(tallies: Sequence[RunTally], calls: int) -> str:
    """Return the closing line of a sync of several streams."""
    quota = EXPORT_DAILY_QUOTA_BYTES / MEGABYTE
    size = sum(tally.file_bytes for tally in tallies) / MEGABYTE
    return (
        f"{len(tallies)} streams of bulk export: {sum(t.records for t in tallies)} records, "
        f"{sum(t.jobs for t in tallies)} export jobs, {sum(t.files for t in tallies)} files, "
        f"{size:.1f} MB of the day's {quota:.0f} MB, {calls} API calls"
    )

"""Measures the time line of one run: what each job waits for, from its creation to its records.

The run is one of `bench_jobs`: a sync on a virtual clock, against the emulator.
`python benchmarks/run.py --parts h` keeps it, and `python benchmarks/pictures.py` draws it.
"""

from __future__ import annotations

import logging
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from typing_extensions import override

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.bench_jobs import WORKERS, Case, Target, Watch, played, uneven
from marketo_emulator.exports.filters import MemberFilter
from marketo_emulator.exports.request import MembersWithLeads

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from marketo_emulator import Emulator
    from marketo_emulator.exports.job import ExportJob

CASE = Case("a time line", uneven(40, 400), programs=140, target_busy=lambda _: 25.0)
"""Fourteen jobs, and a target that takes 25 s for a file."""


@dataclass(frozen=True, slots=True)
class JobTimes:
    """When a job of the run came how far, in seconds since the first one was created."""

    worker: int
    created: float
    queued: float
    started: float
    finished: float
    downloaded: float
    written: float


class NotingTarget(Target):
    """A target that notes when the records of a program were last written."""

    def __init__(self, case: Case, watch: Watch) -> None:
        super().__init__(case, watch)
        self.written_at: dict[int, float] = {}

    @override
    def write(self, lines: bytes | bytearray) -> int:
        taken = super().write(lines)
        for line in bytes(lines).splitlines():
            message = msgspec.json.decode(line)
            if message["type"] == "RECORD" and message["stream"] == "program_members":
                self.written_at[message["record"]["programId"]] = self._watch()
        return taken


def measured() -> list[JobTimes]:
    """Return the times of all jobs of the run, in the order of their creation."""
    with played(CASE, NotingTarget) as (emulator, watch, target):
        ordered = sorted(emulator.jobs, key=lambda job: job.created_at)
        began = watch.seconds_of(ordered[0].created_at)
        workers = _workers(ordered)
        return [
            _times(job, workers[job.export_id], began, emulator, watch, target) for job in ordered
        ]


def as_entries(times: Sequence[JobTimes]) -> list[dict[str, float]]:
    """Return them as they are kept, to the second."""
    return [{name: round(value) for name, value in asdict(job).items()} for job in times]


def _times(
    job: ExportJob,
    worker: int,
    began: float,
    emulator: Emulator,
    watch: Watch,
    target: NotingTarget,
) -> JobTimes:
    def since(moment: datetime | None) -> float:
        return watch.seconds_of(_known(moment)) - began

    files = [
        entry.finished_at
        for entry in emulator.requests
        if entry.operation == "export.file" and job.export_id in entry.path
    ]
    source = job.request.source
    members = source.members if isinstance(source, MembersWithLeads) else source
    programs = members.program_ids if isinstance(members, MemberFilter) else ()
    return JobTimes(
        worker=worker,
        created=since(job.created_at),
        queued=since(job.queued_at),
        started=since(job.started_at),
        finished=since(job.finished_at),
        downloaded=since(max(files)),
        written=max(target.written_at.get(n, 0.0) for n in programs) - began,
    )


def _known(moment: datetime | None) -> datetime:
    if moment is None:
        raise SystemExit("a job of the run did not end")
    return moment


def _workers(jobs: Sequence[ExportJob]) -> dict[str, int]:
    """Return which of Marketo's workers had a job: the one that was free first."""
    free_at = [0.0] * WORKERS
    found = {}
    for job in sorted(jobs, key=lambda job: job.started_at or job.created_at):
        worker = min(range(WORKERS), key=lambda n: free_at[n])
        free_at[worker] = _known(job.finished_at).timestamp()
        found[job.export_id] = worker
    return found


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    for entry in as_entries(measured()):
        print(entry)

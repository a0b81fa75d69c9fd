"""Member sync: one run over the members of all programs, from the plan to the last bookmark."""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from marketo_bulk import (
    PROGRAM_MEMBERS,
    Column,
    ConfigurationError,
    ExportScheduler,
    FinishedExport,
    MarketoBulk,
    RowReader,
    RunnerOptions,
    Timing,
)

from tap_marketo_bulk.adoption import Reach, adopt_jobs
from tap_marketo_bulk.bookmarks import (
    REPLICATION_KEY,
    JobInFlight,
    read_bookmarks,
    read_jobs,
    write_state,
)
from tap_marketo_bulk.discovery import AUTOMATIC, LEAD_ID, PROGRAM_ID
from tap_marketo_bulk.member_exports import MemberExports
from tap_marketo_bulk.member_extract import MemberExtract
from tap_marketo_bulk.patient_client import PatientClient
from tap_marketo_bulk.plan import (
    PlanRules,
    Program,
    Unit,
    plan_memberships,
    plan_units,
    starting_points,
)
from tap_marketo_bulk.run_tally import RunTally
from tap_marketo_bulk.windows import floor_second, format_timestamp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from marketo_bulk import ExportJob

    from tap_marketo_bulk.settings import TapSettings

logger = logging.getLogger(__name__)

SETTLING = timedelta(seconds=60)
"""How far behind Marketo's clock the last window ends: an update may take a while to show up."""

OVER = object()
"""What `next` returns at the end, where None means something else."""

LEAVE_SECONDS = 1.5
"""How long a run that ends early waits for a call under way, which may be creating a job."""


@dataclass(frozen=True, slots=True)
class MemberSelection:
    """Which columns a run is to bring, in the order of the record."""

    columns: tuple[Column, ...]
    incremental: bool = True

    def fields(self) -> tuple[str, ...]:
        """Return the fields of a job.

        Shape: `programId` is left out, because a job over `programIds` brings that column anyway;
            `updatedAt` comes last, so that a stray CR before a line end is never data.
        """
        wanted = [c.name for c in self.columns if c.name not in {PROGRAM_ID, REPLICATION_KEY}]
        return (*wanted, REPLICATION_KEY)

    def columns_of(self, fields: Iterable[str]) -> list[Column]:
        """Return the columns that a job over `fields` brings."""
        brought = {PROGRAM_ID, *fields}
        return [column for column in self.columns if column.name in brought]


class MemberSync:
    """One run. Iterate over `extracts()`; each knows what to do once its rows are written.

    `save` receives the new state of the stream whenever it has changed.
    """

    def __init__(
        self,
        client: MarketoBulk,
        settings: TapSettings,
        selection: MemberSelection,
        state: Mapping[str, Any],
        save: Callable[[dict[str, Any]], None],
        timing: Timing,
    ) -> None:
        self._client = client
        self._settings = settings
        self._selection = selection
        self._state = state
        self._save = save
        self._timing = timing
        self._patient = PatientClient(client, timing, wait=settings.wait_for_daily_quota)
        self._bookmarks: dict[int, datetime] = {}
        self._reach: Reach | None = None
        self._exports: MemberExports | None = None
        self._scheduler: ExportScheduler[Unit] | None = None
        self._keep_jobs = True
        self.tally = RunTally.begin(timing.clock)

    def extracts(
        self, programs: Sequence[Program], directory: Path, *, keep_jobs: bool
    ) -> Iterator[MemberExtract]:
        """Run the exports of all programs and yield their files, each verified.

        With `keep_jobs`, jobs still in flight when the run ends early stay for the next one to
        take over; without, they are cancelled.
        Raises: ConfigurationError, or any MarketoBulkError that ends the run.
        """
        with self.tally.waiting():
            run_end = floor_second(self._patient.server_now() - SETTLING)
            self._exports = self._plan(programs, run_end)
        self._keep_jobs = keep_jobs
        scheduler = ExportScheduler(
            self._client,
            PROGRAM_MEMBERS,
            self._exports,
            self._scheduler_options(directory),
            self._timing,
        )
        with scheduler:
            self._scheduler = scheduler
            files = iter(scheduler)
            while True:
                with self.tally.waiting():
                    finished = next(files, OVER)
                self.tally.jobs = scheduler.jobs_taken
                if isinstance(finished, FinishedExport):
                    yield self._extract(finished, scheduler)
                elif finished is None:
                    self._save_state(scheduler)
                else:
                    return

    def leave(self) -> None:
        """End a run early: write down the jobs that go on in Marketo, or cancel them."""
        if self._scheduler is None:
            return
        self._scheduler.stop(LEAVE_SECONDS)
        self.tally.jobs = self._scheduler.jobs_taken
        if self._keep_jobs:
            self._save_state(self._scheduler)
        else:
            self._scheduler.cancel_all()

    def _extract(
        self, finished: FinishedExport[Unit], scheduler: ExportScheduler[Unit]
    ) -> MemberExtract:
        keep_from = finished.work.keep_from
        reader = RowReader(
            self._selection.columns_of(finished.request.fields),
            on_bad_value=self._settings.on_bad_value,
            source=f"export {finished.job.export_id} ({finished.work})",
            keep_from=None if keep_from is None else (REPLICATION_KEY, format_timestamp(keep_from)),
            required=AUTOMATIC,
        )
        return MemberExtract(
            finished,
            reader,
            on_written=lambda: self._complete(finished, reader, scheduler),
            on_unreadable=lambda: scheduler.release(finished),
        )

    def _complete(
        self,
        finished: FinishedExport[Unit],
        reader: RowReader,
        scheduler: ExportScheduler[Unit],
    ) -> None:
        """Move the bookmarks of a unit whose records are all written."""
        written = reader.counts.rows - reader.counts.filtered_rows
        size = None if finished.file is None else finished.file.size_bytes
        self.tally.add(finished.work.window, written, size)
        scheduler.release(finished)
        reached = self._reached(finished, scheduler)
        if reached is not None:
            self._bookmarks = {**self._bookmarks, **self._moved(finished.work, reached)}
        self._save_state(scheduler)

    # Planning ---------------------------------------------------------------------------

    def _plan(self, programs: Sequence[Program], run_end: datetime) -> MemberExports:
        settings = self._settings
        if settings.start_date is not None and settings.start_date > run_end + SETTLING:
            raise ConfigurationError(
                f"start_date {format_timestamp(settings.start_date)} lies in the future: "
                f"Marketo's clock says {format_timestamp(run_end + SETTLING)}"
            )
        exports = MemberExports(
            self._client,
            self._selection.fields(),
            settings.filters,
            deque(),
            required=frozenset({LEAD_ID, REPLICATION_KEY}),
            on_full_extract=self._full_extracts,
        )
        self._reach = Reach(run_end, SETTLING)
        units = self._units(programs, run_end, exports.digest())
        # Jobs that have a place in the queue come first: they show how many places are left.
        exports.units = deque(sorted(units, key=lambda unit: unit.is_queued, reverse=True))
        logger.info(
            "%d programs, %d export jobs planned up to %s",
            len(programs),
            len(exports.units),
            format_timestamp(run_end),
        )
        return exports

    def _units(self, programs: Sequence[Program], run_end: datetime, digest: str) -> list[Unit]:
        if not self._selection.incremental:
            return plan_memberships({p.program_id: None for p in programs})
        assert self._reach is not None  # noqa: S101  # set by the only caller
        rules = PlanRules(
            end=run_end,
            length=self._settings.window_length,
            start_date=self._settings.start_date,
            snapshot=self._settings.snapshot,
        )
        self._bookmarks = read_bookmarks(self._state, (p.program_id for p in programs))
        starts = starting_points(programs, self._bookmarks, rules)
        adoption = adopt_jobs(self._patient, read_jobs(self._state), starts, digest, self._reach)
        return plan_units(adoption.starts, rules, adoption.units)

    def _full_extracts(self, units: Sequence[Unit]) -> Sequence[Unit]:
        """Return whole memberships in place of windows, older rows to be dropped here."""
        programs = {p for unit in units for p in unit.program_ids}
        return plan_memberships(
            {p: self._bookmarks.get(p, self._settings.start_date) for p in programs}
        )

    # State ------------------------------------------------------------------------------

    def _reached(
        self, finished: FinishedExport[Unit], scheduler: ExportScheduler[Unit]
    ) -> datetime | None:
        if not self._selection.incremental or self._reach is None:
            return None
        reached = self._reach.of(finished.job, finished.work.window)
        # What is still to be written may be older, where this job had to be made again: what has
        # changed since then would be overwritten, and is to be read once more.
        later = (
            self._reach.out_of_date_from(job, unit.window)
            for unit, job in self._jobs(scheduler)
            if unit.follows(finished.work)
        )
        known = [moment for moment in later if moment is not None]
        return None if reached is None else min((reached, *known))

    def _moved(self, unit: Unit, reached: datetime) -> dict[int, datetime]:
        """Return the bookmarks that move: none goes back, and none passes over a gap."""
        standing = {p: self._bookmarks.get(p, reached) for p in unit.program_ids}
        begins = None if unit.window is None else unit.window.start
        return {
            p: max(reached, bookmark)
            for p, bookmark in standing.items()
            if begins is None or begins <= bookmark
        }

    def _save_state(self, scheduler: ExportScheduler[Unit]) -> None:
        if not self._selection.incremental or self._exports is None:
            return
        digest = self._exports.digest()
        jobs = [
            JobInFlight(job.export_id, unit.program_ids, digest, unit.window)
            for unit, job in self._jobs(scheduler)
        ]
        self._save(write_state(self._state, self._bookmarks, jobs))

    def _jobs(self, scheduler: ExportScheduler[Unit]) -> list[tuple[Unit, ExportJob]]:
        """Return the jobs whose records are still to be written, each with what it is for."""
        waiting = () if self._exports is None else tuple(self._exports.units)
        return [
            *((unit, job) for unit, _, job in scheduler.in_flight()),
            # Jobs taken over that have not had their turn yet: nobody else knows of them.
            *((unit, unit.job) for unit in waiting if unit.job is not None),
        ]

    def _scheduler_options(self, directory: Path) -> RunnerOptions:
        return RunnerOptions(
            directory=directory,
            poll_interval_seconds=self._settings.poll_interval_seconds,
            job_timeout_seconds=self._settings.job_timeout_seconds,
            max_queued_jobs=self._settings.max_queued_jobs,
            wait_for_daily_quota=self._settings.wait_for_daily_quota,
        )

"""Stream run: one stream in one sync, from its plan to its last bookmark."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, NamedTuple

from marketo_bulk import RowReader
from tap_marketo_bulk.sync.coverage import Coverage
from tap_marketo_bulk.sync.extract import ExportExtract
from tap_marketo_bulk.sync.jobs_in_flight import JobInFlight
from tap_marketo_bulk.sync.plan import Part
from tap_marketo_bulk.sync.state import write_state
from tap_marketo_bulk.sync.windows import format_timestamp

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from marketo_bulk import ExportJob, ExportRequest, ExportScheduler, FinishedExport
    from marketo_bulk.reader.text_decoder import Counts
    from tap_marketo_bulk.settings import TapSettings
    from tap_marketo_bulk.sync.plan import Unit
    from tap_marketo_bulk.sync.prepared import PreparedStream
    from tap_marketo_bulk.sync.run import SyncRun
    from tap_marketo_bulk.sync.windows import Window

logger = logging.getLogger(__name__)


class UnwrittenJob(NamedTuple):
    """A job whose records are still to be written, and the selected fields it does not bring."""

    unit: Unit
    job: ExportJob
    without: tuple[str, ...]


class StreamRun:
    """One stream in one sync: its files as extracts, its bookmarks and its state."""

    def __init__(
        self,
        sync: SyncRun,
        stream: PreparedStream,
        scheduler: ExportScheduler[Unit],
        settings: TapSettings,
    ) -> None:
        self._sync = sync
        self._scheduler = scheduler
        self._on_bad_value = settings.on_bad_value
        self._selection = stream.selection
        self._plan = stream.plan
        self._bookmarks = stream.plan.bookmarks
        self._requests = stream.requests
        self._digests = stream.digests
        self._journal = stream.journal
        self.names = stream.spec.names
        self.tally = stream.tally
        self._has_said = stream.plan.is_taken_back
        choice = stream.plan.choice
        self._coverage = None if choice is None else Coverage(choice, stream.plan)
        self._note_coverage()

    @property
    def keeps_jobs(self) -> bool:
        """Whether jobs in flight are left to the next run when this one ends early."""
        return self._selection.keeps_jobs

    @property
    def planned(self) -> int:
        """How many pieces of work have no job yet."""
        return len(self._requests.units)

    def extracts(self) -> Iterator[ExportExtract]:
        """Yield the files of the stream, each verified; each knows what to do once it is written.

        Raises: any MarketoBulkError that ends the run.
        """
        files = self._scheduler.files_of(self.names.stream, self._sync.meanwhile)
        while True:
            with self.tally.waiting():
                try:
                    finished = next(files)
                except StopIteration:
                    break
                finally:
                    self.count_jobs()
            if finished is None:
                self._sync.save()
            else:
                yield self._extract(finished)
        if self._coverage is not None:
            self._coverage.complete()
            self._sync.save()

    def count_jobs(self) -> None:
        """Take over how many jobs there were."""
        self.tally.jobs = self._scheduler.jobs_taken(self.names.stream)

    def written(self, finished: FinishedExport[Unit], counts: Counts) -> None:
        """Move the bookmarks of a unit whose records are all written."""
        size = None if finished.file is None else finished.file.size_bytes
        self.tally.add(finished.work.window, counts.rows - counts.filtered_rows, size)
        self._scheduler.release(finished)
        self._move(finished)
        if self._journal is not None:
            self._journal.note_written(self.names.stream, finished.job.export_id)
        self._sync.save(size or 0)

    def meanwhile(self) -> None:
        """Let STATE be written that is due while a long file is."""
        self._sync.meanwhile()

    def unreadable(self, finished: FinishedExport[Unit]) -> None:
        """Forget a job whose file cannot be read: the next run would stop there, too."""
        self._scheduler.release(finished)

    def jobs(self) -> list[JobInFlight]:
        """Return the jobs whose records are not all written yet."""
        return [self._in_flight(unit, job, left) for unit, job, left in self._unwritten()]

    def note(self, jobs: Iterable[JobInFlight]) -> None:
        """Note in the journal, if there is one, which jobs are in flight.

        Shape: a job that is being made meanwhile is to be noted after that.
        """
        if self._journal is not None:
            self._journal.keep(self.names, jobs)

    def note_job(self, unit: Unit, request: ExportRequest, job: ExportJob) -> None:
        """Note in the journal, if there is one, a job that has just been made."""
        if self._journal is not None:
            without = self._requests.left_out(request)
            self._journal.note(self.names, self._in_flight(unit, job, without))

    def state(self) -> dict[str, Any] | None:
        """Return the state of the stream; None if it keeps none, or has nothing to say yet."""
        if not self._selection.incremental:
            return None
        jobs = self.jobs()
        self._has_said = self._has_said or bool(jobs) or self is self._sync.reading
        if not self._has_said:
            return None
        state = write_state(self._plan.state, self._bookmarks, jobs) | self._plan.walk.to_state()
        if self._coverage is not None:
            self._coverage.put_into(state)
        return state

    def _extract(self, finished: FinishedExport[Unit]) -> ExportExtract:
        keep_from = finished.work.keep_from
        reader = RowReader(
            self._selection.columns_of(finished.request.fields),
            on_bad_value=self._on_bad_value,
            source=f"export {finished.job.export_id} ({finished.work})",
            keep_from=(
                None if keep_from is None else (self.names.bookmark, format_timestamp(keep_from))
            ),
            required=self._selection.never_null.union(self._selection.keys),
        )
        return ExportExtract(self, finished, reader, self._selection.checks)

    def _in_flight(self, unit: Unit, job: ExportJob, without: tuple[str, ...]) -> JobInFlight:
        return JobInFlight(
            job.export_id,
            unit.scope,
            self._digests(without, unit.only),
            unit.window,
            without,
            "" if unit.part is Part.NEWS or unit.window is None else unit.date_filter,
        )

    # Bookmarks --------------------------------------------------------------------------

    def _move(self, finished: FinishedExport[Unit]) -> None:
        """Move the bookmarks of a unit that is written, and what else STATE says."""
        if not self._selection.incremental:
            return
        unit, walk = finished.work, self._plan.walk
        reached = self._reached(finished, unit.window)
        if unit.part is not Part.NEWS:
            walk.written(unit, self._reached(finished, None), reached, self._bookmarks)
        elif reached is not None:
            walk.refused_at = None
            self._move_bookmarks(unit, reached)

    def _reached(self, finished: FinishedExport[Unit], window: Window | None) -> datetime | None:
        reach = self._plan.reach
        reached = reach.of(finished.job, window)
        # What is still to be written may be older, where this job had to be made again: what has
        # changed since then would be overwritten, and is to be read once more.
        later = (
            reach.out_of_date_from(job, unit.window)
            for unit, job, _ in self._unwritten()
            if unit.follows(finished.work)
        )
        known = [moment for moment in later if moment is not None]
        return None if reached is None else min((reached, *known))

    def _move_bookmarks(self, unit: Unit, reached: datetime) -> None:
        """Move the bookmarks of a unit: none goes back, and none passes over a gap."""
        begins = None if unit.window is None else unit.window.start
        for scope_id in unit.scope:
            bookmark = self._bookmarks.marks.get(scope_id, reached)
            if begins is None or begins <= bookmark:
                self._bookmarks.move([scope_id], max(reached, bookmark))
                if self._coverage is not None:
                    self._coverage.note_written([scope_id])
        self._note_coverage()

    def _note_coverage(self) -> None:
        if self._coverage is not None:
            self.tally.coverage = self._coverage.line

    def _unwritten(self) -> list[UnwrittenJob]:
        left_out = self._requests.left_out
        return [
            *(
                UnwrittenJob(unit, job, left_out(request))
                for unit, request, job in self._scheduler.in_flight(self.names.stream)
            ),
            # Jobs taken over that have not had their turn yet: nobody else knows of them.
            *(
                UnwrittenJob(unit, unit.job, unit.without)
                for unit in self._requests.taken_over()
                if unit.job is not None
            ),
        ]

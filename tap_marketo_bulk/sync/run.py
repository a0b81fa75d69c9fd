"""Sync run: all export streams of a sync, one queue of jobs, one file after another."""

from __future__ import annotations

import contextlib
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from marketo_bulk import (
    Clock,
    ConfigurationError,
    ExportScheduler,
    MarketoBulk,
    MarketoBulkError,
    RunnerOptions,
)
from marketo_bulk.errors import one_line
from tap_marketo_bulk.sync.prepared import (
    FoundStream,
    PreparedStream,
    StreamOrder,
    find_stream,
    prepare,
)
from tap_marketo_bulk.sync.state_pace import StatePace
from tap_marketo_bulk.sync.stream_run import StreamRun
from tap_marketo_bulk.sync.tally import RunTally, progress_of
from tap_marketo_bulk.sync.times import RunTimes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from marketo_bulk import ExportJob, ExportRequest
    from marketo_bulk.http.budget import Budget
    from marketo_bulk.scheduling.places import Places
    from marketo_bulk.scheduling.work import Phase
    from singer_marketo.progress import Progress
    from tap_marketo_bulk.settings import TapSettings
    from tap_marketo_bulk.sync.extract import ExportExtract
    from tap_marketo_bulk.sync.plan import Unit

    Save = Callable[[Mapping[str, dict[str, Any]]], int]

LEAVE_SECONDS = 1.5
"""How long a run that ends early waits for a call under way, which may be creating a job."""


class SyncRun:
    """All export streams of one sync. They are written one after another, in their order.

    Jobs of later streams are queued while an earlier one is written. `save` receives, by stream,
    the states there are, and returns the bytes of the STATE it made of them.
    """

    def __init__(
        self,
        client: MarketoBulk,
        settings: TapSettings,
        streams: Sequence[PreparedStream],
        clock: Clock,
        save: Save,
        options: RunnerOptions,
        unplanned: Mapping[str, MarketoBulkError] | None = None,
    ) -> None:
        self._save = save
        self._pace = StatePace(clock.now)
        self._unplanned = dict(unplanned or {})
        """Why there is no plan for a stream that shares the run; none of its jobs are in it."""
        jobs = [u.job for stream in streams for u in stream.plan.units if u.job is not None]
        made = [job.created_at for job in jobs if job.created_at is not None]
        self.oldest_taken_over = min(made, default=None)
        """When the oldest job was made that an earlier sync has left and this one reads."""
        # From here on they are the scheduler's own.
        options.places.free(job.export_id for job in jobs)
        self._scheduler: ExportScheduler[Unit] = ExportScheduler(
            client,
            {stream.spec.names.stream: stream.requests for stream in streams},
            options,
            clock,
            note_job=self._note_job,
        )
        self._runs = [StreamRun(self, stream, self._scheduler, settings) for stream in streams]
        self._left = list(self._runs)
        self._is_taken_back = any(stream.plan.is_taken_back for stream in streams)
        self.reading = self._runs[0]
        """The run of the stream that is written now, or was last."""

    def __contains__(self, stream: str) -> bool:
        """Whether a stream is still to be read."""
        return stream in self._unplanned or any(run.names.stream == stream for run in self._left)

    @property
    def is_over(self) -> bool:
        """Whether every stream has been read."""
        return not self._left

    @property
    def runs(self) -> Sequence[StreamRun]:
        """All streams, in their order."""
        return self._runs

    def start(self) -> None:
        """Let jobs be created from now on; those taken over are noted.

        Raises: DiskError, before there is a job, if no file can be written.
        """
        self._note()
        self._scheduler.__enter__()

    def extracts(self, stream: str) -> Iterator[ExportExtract]:
        """Yield the files of a stream, each verified.

        Raises: any MarketoBulkError that ends the run, or that of the stream.
        """
        if stream in self._unplanned:
            raise self._unplanned.pop(stream)
        self.reading = next(run for run in self._left if run.names.stream == stream)
        self._left.remove(self.reading)
        self.reading.tally.go_on()
        if self._is_taken_back:
            # There may be nothing to do for these streams, and no STATE because of it.
            self._is_taken_back = False
            self._write_state()
        yield from self.reading.extracts()
        if self._pace.has_news:
            self._write_state()
        if self.is_over:
            self._scheduler.close()

    def save(self, size_bytes: int = 0) -> None:
        """Take note that jobs or bookmarks have changed; write STATE once it is due.

        `size_bytes` is the size of the file whose records have been written, if it is that.
        """
        self._pace.has_news = True
        self._pace.add(size_bytes)
        if not self._pace.due_in():
            self._write_state()

    def meanwhile(self) -> float:
        """Take note of jobs that have come, and write STATE if it is due.

        Shape: returns the seconds until it will be.
        """
        if self._scheduler.take_jobs_changed():
            self.save()
        elif not self._pace.due_in():
            self._write_state()
        return self._pace.due_in()

    def progress(self) -> Progress:
        """Return how far the sync is; may be asked from any thread."""
        phases: Counter[Phase] = Counter()
        for run in self._runs:
            phases.update(self._scheduler.phases(run.names.stream))
        return progress_of(
            [run.tally for run in self._runs],
            planned=sum(run.planned for run in self._runs),
            states={phase.value: count for phase, count in phases.items()},
        )

    def failures(self) -> Iterator[tuple[str, MarketoBulkError]]:
        """Yield the streams that have failed before their turn, each with its error."""
        yield from self._unplanned.items()
        for run in self._left:
            error = self._scheduler.failure_of(run.names.stream)
            if error is not None:
                yield run.names.stream, error

    def give_up(self) -> None:
        """Go on without the stream being read: its jobs are for the next run, or cancelled."""
        self.reading.count_jobs()
        cancels = not self.reading.keeps_jobs
        self._scheduler.give_up(self.reading.names.stream, cancels=cancels)
        self._write_state()

    def leave(self) -> None:
        """End a run early: write down the jobs that go on in Marketo, or cancel them."""
        self._scheduler.stop(LEAVE_SECONDS)
        self.reading.count_jobs()
        self._note()
        self.cancel_jobs()
        self._write_state()

    def cancel_jobs(self) -> None:
        """Cancel the jobs that no other run will take over; those that go on stay noted."""
        kept_by_none = [run for run in self._runs if not run.keeps_jobs]
        if kept_by_none:
            left = self._scheduler.cancel([run.names.stream for run in kept_by_none])
            for run in kept_by_none:
                run.note([job for job in run.jobs() if job.export_id in left])

    def _note_job(self, unit: Unit, request: ExportRequest, job: ExportJob) -> None:
        run = next(run for run in self._runs if run.names.stream == unit.owner)
        run.note_job(unit, request, job)

    def _note(self) -> None:
        for run in self._runs:
            run.note(run.jobs())

    def _write_state(self) -> None:
        """Write down where all streams are."""
        states = {run.names.stream: state for run in self._runs if (state := run.state())}
        self._pace.said(self._save(states) if states else 0)


def begin(
    client: MarketoBulk,
    settings: TapSettings,
    orders: Sequence[StreamOrder],
    clock: Clock,
    save: Save,
    options: RunnerOptions,
) -> SyncRun:
    """Plan all streams of a sync, and return the run; all share one end.

    Raises: ConfigurationError if settings or states ask for what cannot be; what is the matter
        with the first stream, if none of them can be planned.
    """
    prepared: list[PreparedStream] = []
    unplanned: dict[str, MarketoBulkError] = {}
    times: RunTimes | None = None
    found: list[FoundStream] = []

    @contextlib.contextmanager
    def confined_to(stream: str, tally: RunTally) -> Iterator[None]:
        try:
            with tally.waiting():
                yield
        except MarketoBulkError as error:
            error.owner = stream
            if error.concerns_all or settings.stops_at_first_failure:
                raise
            unplanned[stream] = error
        finally:
            tally.pause()

    for order in orders:
        tally = RunTally.begin(clock.now)
        with confined_to(order.spec.names.stream, tally):
            scopes = order.spec.scopes()
            times = times or RunTimes.at(client.server_now())
            found.append(find_stream(order, client, settings, times, scopes, tally))
    now = clock.now()
    for each in found:
        # Before any plan is made: it may take a job of its own to make one.
        each.hold_places(options, now)
    for each in found:
        each.tally.go_on()
        with confined_to(each.order.spec.names.stream, each.tally):
            prepared.append(prepare(each, client, settings, options.places))
    if not prepared:
        raise next(iter(unplanned.values()))
    return SyncRun(client, settings, prepared, clock, save, options, unplanned)


def run_options(
    settings: TapSettings,
    places: Places,
    bytes_budget: Budget | None = None,
    *,
    limited: bool = False,
) -> RunnerOptions:
    """Return how export jobs are run, as the settings say; `limited` for a few records."""
    return RunnerOptions(
        directory=download_directory(settings),
        poll_interval_seconds=settings.poll_interval_seconds,
        job_timeout_seconds=settings.job_timeout_seconds,
        # For a few records one job is enough, if it has any.
        max_queued_jobs=1 if limited else settings.max_queued_jobs,
        bytes_budget=bytes_budget,
        stops_at_first_failure=settings.stops_at_first_failure,
        places=places,
    )


def download_directory(settings: TapSettings) -> Path:
    """Return where downloads are kept.

    Raises: ConfigurationError if there is no such place.
    """
    if settings.download_dir:
        return settings.download_dir
    try:
        return Path(tempfile.gettempdir())
    except OSError as error:
        raise ConfigurationError(
            f"download_dir is not set, and {one_line(error.strerror or str(error))}"
        ) from error

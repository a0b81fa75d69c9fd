"""Exports: what the streams of bulk export share in one sync: one run, one STATE, one way out."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from singer_sdk.singerlib import StateMessage

from marketo_bulk.errors import DiskError
from singer_marketo.progress_display import ProgressDisplay
from tap_marketo_bulk.output.writer import LineWriter
from tap_marketo_bulk.streams.export_stream import ExportStream
from tap_marketo_bulk.sync.prepared import StreamOrder
from tap_marketo_bulk.sync.run import SyncRun, begin, run_options
from tap_marketo_bulk.sync.tally import closing_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from marketo_bulk.http.budget import Budget
    from tap_marketo_bulk.sync.extract import ExportExtract
    from tap_marketo_bulk.tap import TapMarketoBulk  # noqa: TID251  # for its type alone


class Exports:
    """The run that the streams of bulk export share, from the first that is read to the last."""

    def __init__(self, tap: TapMarketoBulk) -> None:
        self._tap = tap
        self._run: SyncRun | None = None
        self._is_whole = False
        self._is_leaving = False
        self._calls_said = 0
        self.bytes_budget: Budget | None = None
        """How many bytes of files a day may have; set before the first stream is read."""
        self._display = contextlib.ExitStack()
        self.oldest_taken_over: datetime | None = None
        """When the oldest job of an earlier sync was made that this one has taken over: it may
        bring what has been told since to be gone."""

    @contextlib.contextmanager
    def whole_sync(self) -> Iterator[None]:
        """Let jobs of later streams be queued while an earlier one is written.

        What is left when a sync ends early is written down, or cancelled.
        """
        self._is_whole = True
        try:
            yield
        finally:
            self._is_whole = False
            self.leave()

    def extracts(self, stream: ExportStream) -> Iterator[ExportExtract]:
        """Yield the files of a stream, each verified."""
        run = self._run
        if run is None or stream.name not in run:
            self._leave()
            run = self._begin(stream)
        yield from run.extracts(stream.name)
        stream.has_been_read()
        self._report(run)
        if run.is_over:
            self._run = self._tap.before_exit = None
            self._display.close()
            if len(run.runs) > 1:
                tallies = [each.tally for each in run.runs]
                self._tap.logger.info("%s", closing_line(tallies, self._tap.client.calls_made))

    def give_up(self, stream: ExportStream) -> None:
        """Go on without a stream that has failed: its jobs are for the next run, or cancelled."""
        run = self._run
        if run is None or run.reading.names.stream != stream.name or run.is_over:
            self._leave()
            return
        run.give_up()
        self._report(run)

    def leave(self) -> None:
        """End a run early, if there is one, and the sync with it."""
        if self._run is not None:
            for name, error in self._run.failures():
                self._tap.failures.take(name, error)
        self._leave()

    def _leave(self) -> None:
        """End a run early, if there is one: STATE names the jobs that go on in Marketo."""
        run, self._run = self._run, None
        if run is None:
            return
        self._is_leaving = True
        self._display.close()
        try:
            run.leave()
        finally:
            self._is_leaving = False
        streams = [self._stream(each.names.stream) for each in run.runs]
        if not all(stream.state_manager.is_flushed for stream in streams):
            # Past the SDK's writer, which keeps back a STATE that has been said before, even
            # though records have come since.
            self._tap.message_writer.write_message(StateMessage(value=self._tap.state))
            for stream in streams:
                stream.state_manager.is_flushed = True
        self._report(run)

    def _begin(self, stream: ExportStream) -> SyncRun:
        tap = self._tap
        selections = {}
        for each in self._together(stream):
            selections[each] = each.selection()
            if each.is_incremental:
                each.compare_with_last_run(selections[each])
        orders = [
            StreamOrder(
                each.description,
                selection,
                each.stream_state,
                None if each.is_limited else tap.job_journal,
                is_backfilled=each.is_backfilled,
            )
            for each, selection in selections.items()
        ]
        options = run_options(
            tap.settings, tap.instance.places, self.bytes_budget, limited=stream.is_limited
        )
        self._run = run = begin(tap.client, tap.settings, orders, tap.clock, self._save, options)
        made = [m for m in (self.oldest_taken_over, run.oldest_taken_over) if m is not None]
        self.oldest_taken_over = min(made, default=None)
        tap.before_exit = run.cancel_jobs
        try:
            run.start()
        except DiskError:
            self._run = None  # there is no job yet
            raise
        # On a simulation's clock there is nobody to see it.
        if not tap.clock.moves_by_sleep:
            self._display.enter_context(ProgressDisplay(run.progress, stream.name))
        return run

    def _together(self, stream: ExportStream) -> list[ExportStream]:
        """Return the streams whose jobs share a queue, in the order in which they are read."""
        if stream.is_limited or not self._is_whole:
            return [stream]
        streams = list(self._tap.streams.values())
        later = streams[streams.index(stream) + 1 :]
        return [
            stream,
            *(
                each
                for each in later
                if isinstance(each, ExportStream) and each.selected and not each.is_limited
            ),
        ]

    def _save(self, states: Mapping[str, dict[str, Any]]) -> int:
        """Write STATE, and return its bytes."""
        with self._tap.uninterrupted():
            for name, state in states.items():
                self._stream(name).put_state(state)
            if not self._is_leaving and self._run is not None:
                self._stream(self._run.reading.names.stream).write_state()
        writer = self._tap.message_writer
        return writer.state_bytes if isinstance(writer, LineWriter) else 0

    def _report(self, run: SyncRun) -> None:
        calls = self._tap.client.calls_made
        self._stream(run.reading.names.stream).report(run.reading.tally, calls - self._calls_said)
        self._calls_said = calls

    def _stream(self, name: str) -> ExportStream:
        stream = self._tap.streams[name]
        assert isinstance(stream, ExportStream)  # noqa: S101  # the run is made of such
        return stream

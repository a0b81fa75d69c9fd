"""Load: one run's way from rows to Marketo, as the main thread sees it."""

from __future__ import annotations

import logging
import os
import secrets
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from marketo_bulk.client import MarketoBulk
from marketo_bulk.errors import MarketoBulkError
from marketo_bulk.imports import import_body_size
from marketo_bulk.limits import BULK_BODY_MAX_BYTES
from marketo_bulk.scheduler import Timing
from singer_sdk import metrics

from target_marketo_bulk.dry_run import DryRun
from target_marketo_bulk.import_file import ImportFile, Layout
from target_marketo_bulk.import_thread import ImportThread, StoppedError
from target_marketo_bulk.imports import ImportQueue
from target_marketo_bulk.journal import Journal
from target_marketo_bulk.outcomes import Outcomes
from target_marketo_bulk.preflight import DELETED_AT, ColumnCatalog, is_column
from target_marketo_bulk.rejects import RejectLog, utc_now
from target_marketo_bulk.row_format import RowFormat
from target_marketo_bulk.spool import Spool
from target_marketo_bulk.state_gate import StateGate
from target_marketo_bulk.summary import Summary
from target_marketo_bulk.tally import Tally
from target_marketo_bulk.wake_pipe import WakePipe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from marketo_bulk.connection import Connection

    from target_marketo_bulk.keys import Key, Keys
    from target_marketo_bulk.settings import ImportSettings

REAL_TIME = Timing()

WAIT_SECONDS = 0.5
"""Longest the main thread goes without looking whether it is to stop."""

logger = logging.getLogger(__name__)


class TooManyRejectsError(MarketoBulkError):
    """More rows were rejected than `max_rejected_percent` allows."""


class Load:
    """Everything between the records and Marketo.

    The main thread collects rows into files; a thread of its own sends them and waits for the
    imports. Without a connection nothing can be asked or sent, which only a dry run does.

    `timing`, `now` and `connect` are for simulations: where `timing` has a `sleep`, the main thread
    does everything itself, and sleeps where it would wait.
    """

    def __init__(
        self,
        settings: ImportSettings,
        connection: Connection | None,
        *,
        emit_state: Callable[[str], None],
        check_signals: Callable[[], None],
        timing: Timing = REAL_TIME,
        now: Callable[[], datetime] = utc_now,
        connect: Callable[..., MarketoBulk] = MarketoBulk.connect,
    ) -> None:
        self.settings = settings
        self.tally = Tally()
        self.pipe = WakePipe()
        self._check_signals = check_signals
        self._timing = timing
        self._clock = timing.clock
        self._began_at = timing.clock()
        self._now = now
        self._stop = threading.Event()
        self._instance = connection.base_url if connection else ""
        self._client = connect(connection, sleep=self._sleep) if connection else None
        self._run_id = f"{now():%Y%m%dT%H%M%SZ}-{os.getpid()}-{secrets.token_hex(2)}"
        self.log = RejectLog(Path(settings.rejects_path), self._run_id, now=now)
        self._row_format = RowFormat(settings.format)
        self._layouts: dict[frozenset[str], Layout] = {}
        self._catalog: ColumnCatalog | None = None
        self._gate = StateGate(emit_state)
        self._journal: Journal | None = None
        self._thread: ImportThread | None = None
        self._dry_run = DryRun(settings.dry_run_path, self.tally) if settings.dry_run_path else None
        self._spool = Spool(
            self._hand_over,
            limit_bytes=self._file_limit_bytes(),
            max_age_seconds=settings.max_batch_age_seconds,
            clock=self._clock,
        )
        self._is_over = False

    @property
    def catalog(self) -> ColumnCatalog:
        """The fields leads have; asked of Marketo the first time."""
        if self._catalog is None:
            description = self._client.describe_leads() if self._client else None
            self._catalog = ColumnCatalog(description, lookup_field=self.settings.lookup_field)
            self.settings = self.settings.with_lookup_field(self._catalog.lookup_field)
        return self._catalog

    def layout(self, columns: Iterable[str]) -> Layout:
        """Return the layout of a set of columns; their order is the first one asked for."""
        ordered = tuple(columns)
        names = frozenset(ordered)
        if names not in self._layouts:
            folded = [name.casefold() for name in ordered]
            lookup_index = folded.index(self.settings.lookup_field.casefold())
            self._layouts[names] = Layout(ordered, lookup_index, self._row_format)
        return self._layouts[names]

    def add(self, layout: Layout, key: Key, line: bytes) -> None:
        """Put a row on its way.

        Raises: OversizedRowError when no file can hold it.
        """
        self._spool.add(layout, key, line)

    def add_new(self, layout: Layout, keys: Keys, lines: Sequence[bytes]) -> bool:
        """Put rows on their way at once; return False, and put none, where one needs `add`."""
        return self._spool.add_new(layout, keys, lines)

    def reject(self, record: Mapping[str, Any], reason: str) -> None:
        """Report a record that will not be sent."""
        sent = {name: value for name, value in record.items() if is_column(name)}
        self.log.reject(sent, reason)

    def ignores(self, record: Mapping[str, Any]) -> bool:
        """Count a record; return True if it announces a deletion, which no import can do."""
        self.tally.records += 1
        if record.get(DELETED_AT) is None:
            return False
        if not self.tally.deletions:
            logger.warning("deletions_ignored: bulk import cannot delete leads (said once)")
        self.tally.deletions += 1
        return True

    def hold(self, state: object) -> None:
        """Take over a STATE; it is passed on when it is true, and never in a dry run."""
        if self._dry_run is None:
            self._gate.hold(state, last_unit=self._spool.last_unit)
            self._release()

    def tick(self) -> None:
        """See to everything that time, Marketo or a signal may have brought."""
        self.pipe.drain()
        self._check_signals()
        if self._thread is not None:
            while self._thread.take_turn() == 0:
                self._check_signals()
            self._thread.check()
        self._spool.close_expired()
        self._release()

    def finish(self) -> Summary:
        """Send what is left, wait until all is settled, and return the summary.

        Raises: TooManyRejectsError once everything is reported and STATE is passed on.
        """
        self._spool.close_all()
        if self._thread is not None:
            self._thread.close()
            while self._thread.is_alive:
                self._wait()
            self._thread.check()
        self._release()
        summary = self._end()
        if summary.rejected_percent > self.settings.max_rejected_percent:
            raise TooManyRejectsError(
                f"{summary.rejected} rows ({summary.rejected_percent:.2f} %) were rejected, more "
                f"than max_rejected_percent allows ({self.settings.max_rejected_percent:g} %). "
                f"They are in {self.log.rejects.path}"
            )
        return summary

    def abandon(self) -> None:
        """Break the run off: the upload in hand ends, and what is true by then is passed on."""
        if self._is_over:
            return
        self._stop.set()
        if self._thread is not None:
            self._thread.stop()
            while self._thread.is_alive:
                self._thread.join(WAIT_SECONDS)
        self._spool.discard()
        self._release()
        self._end()

    def _end(self) -> Summary:
        self._is_over = True
        self.log.close()
        if self._thread is not None:
            self._thread.join(WAIT_SECONDS)
        if self._journal is not None:
            self._journal.close()
        self.tally.replaced = self._spool.replaced_rows
        self.tally.working_seconds = self._clock() - self._began_at - self.tally.waiting_seconds
        calls = 0
        if self._client is not None:
            calls = self._client.calls_made
            self._client.close()
        summary = Summary.of(
            self.tally, self.log, calls=calls, is_dry_run=self._dry_run is not None
        )
        logger.info("summary %s", summary.as_pairs())
        logger.info("%s", summary.as_sentence())
        for point in summary.points():
            metrics.log(metrics.get_metrics_logger(), point)
        self.pipe.close()
        return summary

    def _release(self) -> None:
        for unit in self._thread.settled_units() if self._thread else ():
            self._gate.settle(unit, last_unit=self._spool.last_unit)
        if self._gate.is_holding:
            # A reject is as good as an import only once it is on disk.
            self.log.sync()
            self._gate.release()

    def _hand_over(self, file: ImportFile) -> None:
        if self._dry_run is not None:
            self._dry_run.take(file)
            return
        if self._thread is None:
            self._thread = ImportThread(
                self._new_queue,
                wake=self.pipe.wake,
                stop=self._stop,
                has_own_thread=self._timing.sleep is None,
            )
        try:
            while not self._thread.offer(file):
                self._wait()
        except BaseException:
            file.close()
            raise

    def _wait(self) -> None:
        """Wait for the thread to have news; without one, do what is due, or sleep until it is."""
        before = self._clock()
        if self._timing.sleep is None:
            self.pipe.wait(WAIT_SECONDS)
        elif self._thread is not None and (delay := self._thread.take_turn()):
            self._timing.sleep(delay)
        self.tally.waiting_seconds += self._clock() - before
        self._check_signals()
        self._release()

    def _new_queue(self, on_settled: Callable[[int], None]) -> ImportQueue:
        if self._client is None:  # pragma: no cover  # only a dry run has none
            raise AssertionError("nothing is sent without a client")
        self._journal = Journal(
            Path(self.settings.rejects_path), self._run_id, instance=self._instance, now=self._now
        )
        return ImportQueue(
            self._client,
            self.settings,
            self._journal,
            Outcomes(self._client, self.log, self.tally),
            clock=self._clock,
            on_settled=on_settled,
        )

    def _sleep(self, seconds: float) -> None:
        deadline = self._clock() + seconds
        while (left := deadline - self._clock()) > 0:
            if self._is_stopped_within(left):
                raise StoppedError
            if threading.current_thread() is threading.main_thread():
                self._check_signals()

    def _is_stopped_within(self, seconds: float) -> bool:
        if self._timing.sleep is None:
            return self._stop.wait(min(seconds, WAIT_SECONDS))
        self._timing.sleep(seconds)
        return self._stop.is_set()

    def _file_limit_bytes(self) -> int:
        frame_bytes = import_body_size(0, self.settings.format)
        return min(self.settings.max_file_size_bytes, BULK_BODY_MAX_BYTES - frame_bytes)

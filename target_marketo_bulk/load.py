"""Load: one run, from the first row to the summary, as the main thread sees it."""

from __future__ import annotations

import logging
import os
import secrets
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from singer_sdk import metrics

from marketo_bulk.client import MarketoBulk
from marketo_bulk.clock import REAL_TIME, Clock
from marketo_bulk.limits import BULK_BODY_MAX_BYTES
from singer_marketo.locations import own_path
from target_marketo_bulk.destinations import Destinations
from target_marketo_bulk.files.spool import Spool
from target_marketo_bulk.intake import Intake
from target_marketo_bulk.outcomes.outcomes import Outcomes
from target_marketo_bulk.outcomes.reject_limits import hold_reject_limits
from target_marketo_bulk.outcomes.rejects import RejectLog, utc_now
from target_marketo_bulk.outcomes.state_gate import StateGate
from target_marketo_bulk.outcomes.summary import Summary, Tally
from target_marketo_bulk.records.held_records import HeldRecords
from target_marketo_bulk.sending.call_patience import CallPatience
from target_marketo_bulk.sending.dry_run import DryRun
from target_marketo_bulk.sending.import_queue import ImportQueue
from target_marketo_bulk.sending.journal import Journal
from target_marketo_bulk.sending.means import Means
from target_marketo_bulk.sending.thread import ImportThread, StoppedError
from target_marketo_bulk.wake_pipe import WakePipe

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from marketo_bulk.http.connection import Connection
    from target_marketo_bulk.files.import_file import ImportFile
    from target_marketo_bulk.settings import ImportSettings

WAIT_SECONDS = 0.5
"""Longest the main thread goes without looking whether it is to stop."""

logger = logging.getLogger(__name__)


class Load:
    """The run between the rows and Marketo; sinks see no more of it than its `intake`.

    The main thread collects rows into files; a thread of its own sends them and waits for the
    imports. Without a connection nothing can be asked or sent, which only a dry run does.

    `clock`, `now`, `connect` and `open_journal` are for simulations: where `clock` moves by sleep,
    the main thread does everything itself, and sleeps where it would wait.
    """

    def __init__(
        self,
        settings: ImportSettings,
        connection: Connection | None,
        *,
        emit_state: Callable[[str], None],
        check_signals: Callable[[], None],
        clock: Clock = REAL_TIME,
        now: Callable[[], datetime] = utc_now,
        connect: Callable[..., MarketoBulk] = MarketoBulk.connect,
        open_journal: Callable[..., Journal] = Journal,
    ) -> None:
        self._settings = settings
        self.tally = Tally()
        self.pipe = WakePipe()
        self._check_signals = check_signals
        self._time = clock
        self._clock = clock.now
        self._began_at = clock.now()
        self._now = now
        self._open_journal = open_journal
        self._stop = threading.Event()
        self._instance = connection.base_url if connection else ""
        self._client = (
            connect(connection, clock=replace(clock, sleep=self._sleep)) if connection else None
        )
        self.call_patience = CallPatience(self._client, clock.now)
        self._run_id = f"{now():%Y%m%dT%H%M%SZ}-{os.getpid()}-{secrets.token_hex(2)}"
        self.log = RejectLog(own_path(settings.rejects_path), self._run_id, now=now)
        self._destinations = Destinations(settings, self._client)
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
        self._held = HeldRecords(self._clock)
        self.intake = Intake(
            settings, self._destinations, self._spool, self.log, self.tally, self._held
        )
        self._is_over = False

    def hold(self, state: object) -> None:
        """Take over a STATE; it is passed on when it is true, and never in a dry run."""
        self._held.release()
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
        self._held.release_old()
        self._spool.close_expired()
        self._release()

    def finish(self) -> Summary:
        """Send what is left, wait until all is settled, and return the summary.

        Raises: TooManyRejectsError once everything is reported and STATE is passed on.
        """
        self._held.release()
        self._spool.close_all()
        if self._thread is not None:
            self._thread.close()
            while self._thread.is_alive:
                self._wait()
            self._thread.check()
        self._release()
        summary = self._end()
        hold_reject_limits(summary, self._settings)
        return summary

    def abandon(self) -> None:
        """Break the run off: the upload in hand ends, and what is true by then is passed on."""
        if self._is_over:
            return
        self._stop.set()
        if self._thread is not None:
            self._thread.stop()
            while self._thread.is_alive and not self.call_patience.is_over:
                self._thread.join(WAIT_SECONDS)
        try:
            self._spool.discard()
            self._release()
        finally:
            self._end()

    def _end(self) -> Summary:
        self._is_over = True
        try:
            self.log.close()
        finally:
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
            self.tally,
            self.log,
            calls=calls,
            is_dry_run=self._dry_run is not None,
            noun=self._destinations.noun,
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
                has_own_thread=not self._time.moves_by_sleep,
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
        if not self._time.moves_by_sleep:
            self.pipe.wait(WAIT_SECONDS)
        elif self._thread is not None and (delay := self._thread.take_turn()):
            self._time.sleep(delay)
        self.tally.waiting_seconds += self._clock() - before
        self._check_signals()
        self._release()

    def _new_queue(self, on_settled: Callable[[int], None]) -> ImportQueue:
        client = self._client
        if client is None:  # pragma: no cover  # only a dry run has none
            raise AssertionError("nothing is sent without a client")
        self._journal = self._open_journal(
            own_path(self._settings.rejects_path),
            self._run_id,
            instance=self._instance,
            now=self._now,
        )
        means = Means(
            client,
            self._settings,
            self._journal,
            Outcomes(client, self.log, self.tally),
            # Nothing times out while the reset of a daily quota is waited for.
            clock=lambda: self._clock() - client.quota_wait_seconds,
        )
        return ImportQueue(means, on_settled=on_settled)

    def _sleep(self, seconds: float) -> None:
        deadline = self._clock() + seconds
        while (left := deadline - self._clock()) > 0:
            if self._is_stopped_within(left):
                raise StoppedError
            if threading.current_thread() is threading.main_thread():
                self._check_signals()

    def _is_stopped_within(self, seconds: float) -> bool:
        if not self._time.moves_by_sleep:
            return self._stop.wait(min(seconds, WAIT_SECONDS))
        self._time.sleep(seconds)
        return self._stop.is_set()

    def _file_limit_bytes(self) -> int:
        most = BULK_BODY_MAX_BYTES - self._destinations.frame_bytes
        return min(self._settings.max_file_size_bytes, most)

"""Import thread: sends and watches imports while the main thread reads."""

from __future__ import annotations

import logging
import threading
from collections import deque
from typing import TYPE_CHECKING

from marketo_bulk.errors import JobError, MarketoBulkError, RejectedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_marketo_bulk.import_file import ImportFile
    from target_marketo_bulk.imports import ImportQueue

HANDED_OVER_MAX = 2
"""Files waiting between the threads: it bounds the disk space a fast tap can fill."""

logger = logging.getLogger(__name__)


class StoppedError(Exception):
    """The run is being broken off, so no wait is worth its end."""


class ImportThread:
    """Runs an import queue in the background.

    The two threads share the files handed over, the numbers of the settled units and an error.
    """

    def __init__(
        self,
        make_queue: Callable[[Callable[[int], None]], ImportQueue],
        *,
        wake: Callable[[], None],
        stop: threading.Event,
    ) -> None:
        self._make_queue = make_queue
        self._wake = wake
        self._changed = threading.Condition()
        self._handed_over: deque[ImportFile] = deque()
        self._settled: deque[int] = deque()
        self._error: BaseException | None = None
        self._is_closing = False
        self._stop = stop
        self._thread = threading.Thread(target=self._run, name="imports", daemon=True)
        self._thread.start()

    def offer(self, file: ImportFile) -> bool:
        """Hand a file over; return False if there is no room yet.

        Raises: whatever ended the thread.
        """
        self.check()
        with self._changed:
            if len(self._handed_over) >= HANDED_OVER_MAX:
                return False
            self._handed_over.append(file)
            self._changed.notify()
        return True

    def settled_units(self) -> list[int]:
        """Return the numbers of the units settled since the last call."""
        units = []
        while self._settled:
            units.append(self._settled.popleft())
        return units

    def check(self) -> None:
        """Raise whatever ended the thread."""
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        """Say that no more files will come."""
        with self._changed:
            self._is_closing = True
            self._changed.notify()

    def stop(self) -> None:
        """Have the upload in hand finished, and nothing begun."""
        self._stop.set()
        with self._changed:
            self._changed.notify()

    @property
    def is_alive(self) -> bool:
        """Whether there is still something to wait for."""
        return self._thread.is_alive()

    def join(self, timeout_seconds: float) -> None:
        """Wait for the thread's end; files it never took are closed."""
        self._thread.join(timeout_seconds)
        if not self._thread.is_alive():
            self._discard()

    def _run(self) -> None:
        try:
            queue = self._make_queue(self._note_settled)
            try:
                self._work(queue)
            finally:
                queue.discard()
        except StoppedError:
            pass
        except Exception as error:  # noqa: BLE001  # it is raised again where it can end the run
            self._error = error
        finally:
            self._discard()
            self._wake()

    def _work(self, queue: ImportQueue) -> None:
        try:
            while self._wait_for_work(queue):
                queue.step()
        except (JobError, RejectedError):
            # Marketo can still be asked: what is complete by now counts.
            self._look_once(queue)
            raise
        if self._stop.is_set():
            self._look_once(queue)

    def _look_once(self, queue: ImportQueue) -> None:
        try:
            queue.look_once()
        except MarketoBulkError as error:
            # The run is over already, for another reason; the journal keeps what is running.
            logger.warning("last_look_failed error=%r", str(error))

    def _wait_for_work(self, queue: ImportQueue) -> bool:
        """Return True when the queue has something to do, False at the end."""
        with self._changed:
            while not self._stop.is_set():
                if self._handed_over and queue.wants_more:
                    queue.add(self._handed_over.popleft())
                    self._wake()
                delay = queue.delay()
                if delay == 0:
                    return True
                if self._is_closing and queue.is_idle and not self._handed_over:
                    return False
                self._changed.wait(delay)
        return False

    def _note_settled(self, unit: int) -> None:
        self._settled.append(unit)
        self._wake()

    def _discard(self) -> None:
        with self._changed:
            for file in self._handed_over:
                file.close()
            self._handed_over.clear()

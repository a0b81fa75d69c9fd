"""Import thread: sends and watches imports while the main thread reads."""

from __future__ import annotations

import logging
import threading
from collections import deque
from typing import TYPE_CHECKING

from marketo_bulk.errors import AbandonedError, JobError, MarketoBulkError, RejectedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from target_marketo_bulk.files.import_file import ImportFile
    from target_marketo_bulk.sending.import_queue import ImportQueue

HANDED_OVER_MAX = 2
"""Files waiting between the threads: it bounds the disk space a fast tap can fill."""

logger = logging.getLogger(__name__)


class StoppedError(Exception):
    """The run is being broken off, so no wait is worth its end."""


class ImportThread:
    """Runs an import queue in the background.

    The two threads share the files handed over, the numbers of the settled units and an error.
    Without a thread of its own (in a simulation on a virtual clock), the caller's thread takes the
    same steps, by `take_turn`.
    """

    def __init__(
        self,
        make_queue: Callable[[Callable[[int], None]], ImportQueue],
        *,
        wake: Callable[[], None],
        stop: threading.Event,
        has_own_thread: bool = True,
    ) -> None:
        self._make_queue = make_queue
        self._wake = wake
        self._changed = threading.Event()
        self._handed_over: deque[ImportFile] = deque()
        self._settled: deque[int] = deque()
        self._error: BaseException | None = None
        self._is_closing = False
        self._is_over = False
        self._stop = stop
        self._turns = self._run()
        self._thread: threading.Thread | None = None
        if has_own_thread:
            self._thread = threading.Thread(target=self._take_turns, name="imports", daemon=True)
            self._thread.start()

    def offer(self, file: ImportFile) -> bool:
        """Hand a file over; return False if there is no room yet.

        Raises: whatever ended the thread.
        """
        self.check()
        if len(self._handed_over) >= HANDED_OVER_MAX:
            return False
        self._handed_over.append(file)
        self._changed.set()
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

    def take_turn(self) -> float | None:
        """Do one thing that is due, if there is no thread that does.

        Shape: the seconds until something else is due; None if nothing will be by itself.
        """
        return next(self._turns, None) if self._thread is None else None

    def close(self) -> None:
        """Say that no more files will come."""
        self._is_closing = True
        self._changed.set()

    def stop(self) -> None:
        """Have the upload in hand finished, and nothing begun."""
        self._stop.set()
        self._changed.set()

    @property
    def is_alive(self) -> bool:
        """Whether there is still something to wait for."""
        return not self._is_over if self._thread is None else self._thread.is_alive()

    def join(self, timeout_seconds: float) -> None:
        """Wait for the thread's end; files it never took are closed."""
        if self._thread is None:
            self.take_turn()
        else:
            self._thread.join(timeout_seconds)
        if not self.is_alive:
            self._discard()

    def _take_turns(self) -> None:
        for delay in self._turns:
            self._changed.wait(delay)
            # Whatever happens from here on is seen by the next turn, or ends the wait after it.
            self._changed.clear()

    def _run(self) -> Iterator[float | None]:
        """Yield after each turn how long there is nothing to do."""
        try:
            queue = self._make_queue(self._note_settled)
            try:
                yield from self._work(queue)
            finally:
                queue.discard()
        except StoppedError:
            pass
        except AbandonedError as error:
            logger.warning("a call was given up: %s", error)
        except Exception as error:  # noqa: BLE001  # it is raised again where it can end the run
            self._error = error
        finally:
            self._is_over = True
            self._discard()
            self._wake()

    def _work(self, queue: ImportQueue) -> Iterator[float | None]:
        try:
            while not self._stop.is_set():
                self._pass_on(queue)
                delay = queue.delay()
                if delay == 0:
                    queue.step()
                elif self._is_closing and queue.is_idle and not self._handed_over:
                    return
                yield delay
        except (JobError, RejectedError):
            # Marketo can still be asked: what is complete by now counts.
            self._look_once(queue)
            raise
        self._look_once(queue)

    def _look_once(self, queue: ImportQueue) -> None:
        try:
            queue.look_once()
        except MarketoBulkError as error:
            # The run is over already, for another reason; the journal keeps what is running.
            logger.warning("the last status calls failed: %s", error)

    def _pass_on(self, queue: ImportQueue) -> None:
        if self._handed_over and queue.wants_more:
            queue.add(self._handed_over.popleft())
            self._wake()

    def _note_settled(self, unit: int) -> None:
        self._settled.append(unit)
        self._wake()

    def _discard(self) -> None:
        while self._handed_over:
            self._handed_over.popleft().close()

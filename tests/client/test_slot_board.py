"""The board between the thread that works and the one that reads, with signals in between."""

from __future__ import annotations

import random
import signal
import threading
from typing import TYPE_CHECKING

import pytest

from marketo_bulk.slot_board import SlotBoard

if TYPE_CHECKING:
    from collections.abc import Iterator

INTERRUPTIONS = 2_000
PATIENCE_SECONDS = 60.0


class ToldToStop(BaseException):
    """What the handler raises, as the tap's raises SystemExit."""


@pytest.fixture
def _raising_alarm() -> Iterator[None]:
    def raise_it(*_: object) -> None:
        raise ToldToStop

    before = signal.signal(signal.SIGALRM, raise_it)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.usefixtures("_raising_alarm")
def test_a_signal_at_any_moment_of_waiting_leaves_the_board_free_for_the_other_thread() -> None:
    """A condition variable fails this once in some hundred signals."""
    board: SlotBoard[object] = SlotBoard()
    moments = random.Random(7)
    for _ in range(INTERRUPTIONS):
        with pytest.raises(ToldToStop):  # noqa: PT012  # it may come at any of these lines
            signal.setitimer(signal.ITIMER_REAL, moments.uniform(1e-5, 5e-4))
            while True:
                board.next_readable()
                board.take_jobs_changed()
                board.wait_for_news(1e-5)
    worker = threading.Thread(target=board.tell, daemon=True)
    worker.start()
    worker.join(PATIENCE_SECONDS)
    assert not worker.is_alive()


def test_the_worker_does_not_sleep_over_what_has_moved_since_it_last_waited() -> None:
    """News that comes while it is at work would otherwise wait a whole poll interval."""
    board: SlotBoard[object] = SlotBoard()
    board.tell()
    worker = threading.Thread(target=board.wait_for_work, args=(PATIENCE_SECONDS,), daemon=True)
    worker.start()
    worker.join(PATIENCE_SECONDS / 2)
    assert not worker.is_alive()

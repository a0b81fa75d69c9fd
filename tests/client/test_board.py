"""The board between the thread that works and the one that reads, with signals in between."""

from __future__ import annotations

import random
import signal
import sys
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketo_bulk.exports.objects import PROGRAM_MEMBERS
from marketo_bulk.exports.requests import ExportRequest
from marketo_bulk.jobs import ExportJob, ExportStatus
from marketo_bulk.scheduling.board import FilesWaiting, JobBoard
from marketo_bulk.scheduling.work import Phase, Slot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from marketo_bulk.scheduling.work import Work

INTERRUPTIONS = 2_000
PATIENCE_SECONDS = 60.0


class ToldToStop(BaseException):
    """What the handler raises, as the tap's raises SystemExit."""


@pytest.fixture
def _untraced() -> Iterator[None]:
    """Coverage has a lock of its own, which a signal in the wrong moment would leave locked."""
    tracer = sys.gettrace()
    sys.settrace(None)
    yield
    sys.settrace(tracer)


@pytest.fixture
def _raising_alarm() -> Iterator[None]:
    def raise_it(*_: object) -> None:
        raise ToldToStop

    before = signal.signal(signal.SIGALRM, raise_it)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.usefixtures("_untraced", "_raising_alarm")
def test_a_signal_at_any_moment_of_waiting_leaves_the_board_free_for_the_other_thread() -> None:
    """A condition variable fails this once in some hundred signals."""
    board: JobBoard[Work] = JobBoard()
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
    board: JobBoard[Work] = JobBoard()
    board.tell()
    worker = threading.Thread(target=board.wait_for_work, args=(PATIENCE_SECONDS,), daemon=True)
    worker.start()
    worker.join(PATIENCE_SECONDS / 2)
    assert not worker.is_alive()


@dataclass(eq=False)
class Piece:
    """Work of somebody's, with a file of so many bytes."""

    owner: str
    size_bytes: int

    def follows(self, _: Piece) -> bool:
        """Follow none."""
        return False


class Played:
    """A board, and its slots in a list, through the same steps."""

    def __init__(self, pieces: list[Piece]) -> None:
        request = ExportRequest(PROGRAM_MEMBERS, ("leadId",), {})
        self.board: JobBoard[Piece] = JobBoard()
        self.left: list[Slot[Piece]] = []
        for piece in pieces:
            job = ExportJob("job", ExportStatus.COMPLETED, file_size_bytes=piece.size_bytes)
            self.left.append(Slot(piece, request, job, Phase.ENQUEUED, 0.0, 0.0))
            self.board.add(self.left[-1])

    def step(self, place: int, phase: Phase | None) -> None:
        """Let a slot come to a phase; None stands for one whose records are written."""
        slot = self.left[place % len(self.left)]
        if phase is None:
            self.board.remove(slot.work)
            self.left = [other for other in self.left if other is not slot]
        elif slot.phase is not Phase.READY:
            if phase is Phase.READY:
                self.board.put_file(slot, None)
            slot.phase = phase

    def of(self, owner: str | None) -> list[Slot[Piece]]:
        """Return the slots of an owner, or of all."""
        return [slot for slot in self.left if owner in (None, slot.work.owner)]


@given(
    pieces=st.lists(st.builds(Piece, st.sampled_from("ab"), st.integers(0, 9)), max_size=8),
    steps=st.lists(st.tuples(st.integers(0, 7), st.sampled_from([*Phase, None]))),
)
def test_the_board_counts_what_a_look_at_every_slot_would(
    pieces: list[Piece], steps: list[tuple[int, Phase | None]]
) -> None:
    """Whatever the slots have been through."""
    played = Played(pieces)
    for place, phase in steps:
        if played.left:
            played.step(place, phase)
    board = played.board
    for owner in ("a", "b"):
        assert board.of(owner) == played.of(owner)
        assert board.has(owner) == bool(played.of(owner))
    for phase in set(Phase) - {Phase.READY}:
        assert board.in_phase(phase) == [slot for slot in played.left if slot.phase is phase]
    for some in ("a", "b", None):
        sizes = [slot.size_bytes for slot in played.of(some) if not slot.in_marketo]
        assert board.files_waiting(some) == FilesWaiting(len(sizes), sum(sizes))

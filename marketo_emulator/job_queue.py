"""The job queue: first in, first out, a few at a time; moved by the clock alone (C§5.7, C§8.5)."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable


class Job(Protocol):
    """What the queue needs to know of a job."""

    queued_at: datetime | None


JobT = TypeVar("JobT", bound=Job)


class JobQueue(Generic[JobT]):
    """Jobs that wait and jobs that run.

    `start` is called when a worker takes a job and returns how many seconds it will run, or None
    if it never ends; `finish` when those are over. Both get the exact moment, which may have
    passed when they are called: nobody looked before.
    """

    def __init__(
        self,
        workers: int,
        start: Callable[[JobT, datetime], float | None],
        finish: Callable[[JobT, datetime], None],
    ) -> None:
        self._workers = workers
        self._start = start
        self._finish = finish
        self._waiting: deque[JobT] = deque()
        self._running: list[tuple[datetime | None, JobT]] = []
        self._worker_free_at: datetime | None = None
        self._held: list[tuple[datetime, int]] = []

    def length(self, now: datetime) -> int:
        """Return how many places are taken, those held by others included."""
        held = sum(places for until, places in self._held if until > now)
        return len(self._waiting) + len(self._running) + held

    def hold(self, places: int, until: datetime) -> None:
        """Let jobs of other integrations take places until then."""
        self._held.append((until, places))

    def add(self, job: JobT) -> None:
        """Put a job at the end; its `queued_at` is set."""
        self._waiting.append(job)

    def remove(self, job: JobT, now: datetime) -> None:
        """Take a cancelled job out, whether it waits or runs."""
        if job in self._waiting:
            self._waiting.remove(job)
            return
        self._running = [entry for entry in self._running if entry[1] is not job]
        self._worker_free_at = now

    def next_event_at(self) -> datetime | None:
        """Return when something will happen next, or None if nothing is bound to."""
        moments = [at for at, _ in self._running if at is not None]
        if self._waiting and len(self._running) < self._workers:
            moments.append(self._start_moment())
        return min(moments, default=None)

    def step(self) -> None:
        """Let the next event happen; there must be one."""
        at = self.next_event_at()
        for entry in self._running:
            if entry[0] is not None and entry[0] == at:
                self._running.remove(entry)
                self._worker_free_at = entry[0]
                self._finish(entry[1], entry[0])
                return
        moment = self._start_moment()
        job = self._waiting.popleft()
        seconds = self._start(job, moment)
        ends_at = None if seconds is None else moment + timedelta(seconds=seconds)
        self._running.append((ends_at, job))

    def _start_moment(self) -> datetime:
        queued_at = self._waiting[0].queued_at
        if queued_at is None:
            message = "a job in the queue has no queued_at"
            raise RuntimeError(message)
        return max(queued_at, self._worker_free_at or queued_at)

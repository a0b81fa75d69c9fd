"""The queue of jobs, by itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from marketo_emulator.job_queue import JobQueue

START = datetime(2026, 1, 1, tzinfo=timezone.utc)


@dataclass
class Job:
    """A job that runs for some seconds, or for ever."""

    name: str
    seconds: float | None
    queued_at: datetime | None = START


class Diary:
    """A queue and what happened in it, in seconds since the start."""

    def __init__(self, workers: int) -> None:
        self.entries: list[tuple[str, str, float]] = []
        self.queue: JobQueue[Job] = JobQueue(workers, self._start, self._finish)

    def _start(self, job: Job, at: datetime) -> float | None:
        self.entries.append(("start", job.name, (at - START).total_seconds()))
        return job.seconds

    def _finish(self, job: Job, at: datetime) -> None:
        self.entries.append(("finish", job.name, (at - START).total_seconds()))

    def run_until(self, seconds: float) -> None:
        """Let everything happen until then."""
        while True:
            at = self.queue.next_event_at()
            if at is None or at > START + timedelta(seconds=seconds):
                return
            self.queue.step()


def test_events_happen_in_order_with_exact_times() -> None:
    """A late look finds what an early one would have."""
    diary = Diary(workers=2)
    for name, seconds in (("a", 10), ("b", 4), ("c", 3), ("d", 1)):
        diary.queue.add(Job(name, seconds))
    diary.run_until(1000)
    assert diary.entries == [
        ("start", "a", 0), ("start", "b", 0), ("finish", "b", 4), ("start", "c", 4),
        ("finish", "c", 7), ("start", "d", 7), ("finish", "d", 8), ("finish", "a", 10),
    ]  # fmt: skip


def test_idle_worker_starts_a_job_when_it_is_queued() -> None:
    """Not when the worker became free."""
    diary = Diary(workers=1)
    diary.queue.add(Job("a", 1))
    diary.run_until(60)
    diary.queue.add(Job("b", 1, START + timedelta(seconds=60)))
    diary.run_until(1000)
    assert diary.entries[2:] == [("start", "b", 60), ("finish", "b", 61)]


def test_stuck_job_keeps_its_worker() -> None:
    """Nothing is due, however late it gets."""
    diary = Diary(workers=1)
    diary.queue.add(Job("a", None))
    diary.queue.add(Job("b", 1))
    diary.run_until(1e6)
    assert diary.entries == [("start", "a", 0)]
    assert diary.queue.length(START) == 2


def test_job_of_no_length_ends_as_it_starts() -> None:
    """Zero seconds are a valid time to run."""
    diary = Diary(workers=1)
    diary.queue.add(Job("a", 0))
    diary.run_until(0)
    assert diary.entries == [("start", "a", 0), ("finish", "a", 0)]


def test_removed_jobs_leave_their_places() -> None:
    """Whether they waited or ran."""
    diary = Diary(workers=1)
    running, waiting = Job("a", 10), Job("b", 10)
    diary.queue.add(running)
    diary.queue.add(waiting)
    diary.run_until(1)
    diary.queue.remove(waiting, START)
    diary.queue.remove(running, START)
    assert diary.queue.length(START) == 0
    assert diary.queue.next_event_at() is None


def test_held_places_count_until_their_time() -> None:
    """Others leave on time."""
    diary = Diary(workers=1)
    diary.queue.hold(3, START + timedelta(seconds=5))
    assert diary.queue.length(START + timedelta(seconds=4.9)) == 3
    assert diary.queue.length(START + timedelta(seconds=5)) == 0

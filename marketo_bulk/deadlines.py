"""Deadlines: until when each job is waited for."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Generic

from marketo_bulk.errors import JobTimeoutError
from marketo_bulk.slots import Slot, WorkT

if TYPE_CHECKING:
    from marketo_bulk.export_run import ExportRun


class Deadlines(Generic[WorkT]):
    """Sets the deadlines of jobs, and cancels what has missed its own.

    Units: moments are seconds of the run's clock.
    """

    def __init__(self, run: ExportRun[WorkT]) -> None:
        self._run = run
        self._seconds = run.options.job_timeout_seconds

    def from_now(self) -> float:
        """Return the deadline of a job that is waited for from now on."""
        return self._run.clock() + self._seconds

    def extend(self, slot: Slot[WorkT], moment: float) -> None:
        """Let a job have its full time from a moment on; no deadline becomes an earlier one."""
        slot.deadline_at = max(slot.deadline_at, moment + self._seconds)

    def check(self, slot: Slot[WorkT]) -> None:
        """Cancel a job that has missed its deadline.

        Raises: JobTimeoutError if it has.
        """
        if self._run.clock() < slot.deadline_at:
            return
        self._run.cancel(slot.job)
        raise slot.error(
            JobTimeoutError,
            f"was still {slot.job.status_text} after {self._seconds:g} s and has been cancelled",
            remedy="Run again, or raise job_timeout_seconds",
        )

    def text(self, slot: Slot[WorkT]) -> str:
        """Return the deadline of a job by Marketo's clock."""
        left = timedelta(seconds=slot.deadline_at - self._run.clock())
        return f"{self._run.client.server_now() + left:%Y-%m-%dT%H:%M:%SZ}"

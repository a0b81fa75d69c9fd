"""Reach: how far each scope has been asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from marketo_bulk import ExportJob
    from tap_marketo_bulk.sync.windows import Window


@dataclass(frozen=True, slots=True)
class Reach:
    """How far the records of a job reach: never beyond its creation less the settling margin.

    Windows end by the `Date` of Marketo's answers. Should that clock be ahead of the one changes
    are dated by, which also says when a job was created, a window reaches into the future, and
    what changes there after the job has started is not in its file.
    """

    run_end: datetime
    settling: timedelta

    def of(self, job: ExportJob, window: Window | None) -> datetime | None:
        """Return up to when the scopes of a job are complete; None if nothing says so.

        Without a window the run's end comes first for a job of this run, so that a run ends with
        one bookmark.
        """
        settled = self._settled(job)
        if window is None:
            return None if settled is None else min(self.run_end, settled)
        return window.end if settled is None else max(window.start, min(window.end, settled))

    def out_of_date_from(self, job: ExportJob, window: Window | None) -> datetime | None:
        """Return from when on changes may be missing in the file of a job; None if unknown."""
        settled = self._settled(job)
        return settled if settled is None or window is None else max(window.start, settled)

    def _settled(self, job: ExportJob) -> datetime | None:
        return None if job.created_at is None else job.created_at - self.settling

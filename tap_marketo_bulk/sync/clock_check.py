"""Clock check: what a state says of times that Marketo's clock has not reached yet."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from marketo_bulk.errors import ConfigurationError
from tap_marketo_bulk.sync.cohorts import MAX_ID
from tap_marketo_bulk.sync.id_runs import IdRuns
from tap_marketo_bulk.sync.windows import Window, format_timestamp

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from tap_marketo_bulk.sync.cohorts import Segment
    from tap_marketo_bulk.sync.jobs_in_flight import JobInFlight
    from tap_marketo_bulk.sync.names import StreamNames

logger = logging.getLogger(__name__)

AHEAD_MAX = timedelta(minutes=10)
"""How far clocks may be apart; what lies further ahead was never one."""

SHOWN_MAX = 3
SHOWN_CHARACTERS = 60


@dataclass(frozen=True, slots=True)
class ClockCheck:
    """Takes what lies behind the end of a run back to it, or refuses it.

    Whoever wrote such a bookmark has not read up to it: believed, it would hide all changes until
    then. `now` is Marketo's time.
    """

    names: StreamNames
    run_end: datetime
    now: datetime

    def bookmarks(self, segments: Sequence[Segment]) -> list[Segment]:
        """Return the bookmarks of a state, none behind the end of the run.

        Raises: ConfigurationError if one is more than `AHEAD_MAX` ahead.
        """
        self._check(
            (s.bookmark for s in segments), _named_bookmarks(segments, self.now, self.names)
        )
        end = self.run_end
        return [s if s.bookmark <= end else s._replace(bookmark=end) for s in segments]

    def jobs(self, jobs: Sequence[JobInFlight]) -> list[JobInFlight]:
        """Return the jobs of a state, none with a window that ends behind the end of the run.

        Raises: ConfigurationError if one ends more than `AHEAD_MAX` ahead.
        """
        ends = [job.window.end for job in jobs if job.window is not None]
        self._check(ends, _named_jobs(jobs, self.now))
        return [replace(job, window=self._within(job.window)) for job in jobs]

    def _within(self, window: Window | None) -> Window | None:
        if window is None or window.end <= self.run_end:
            return window
        return Window(min(window.start, self.run_end), self.run_end)

    def _check(self, moments: Iterable[datetime], named: Iterator[str]) -> None:
        latest = max(moments, default=self.now)
        if latest <= self.now:
            return
        names = list(named)
        more = len(names) - SHOWN_MAX
        shown = ", ".join(names[:SHOWN_MAX]) + (f" and {more} more" if more > 0 else "")
        clock = format_timestamp(self.now)
        if latest - self.now > AHEAD_MAX:
            raise ConfigurationError(
                f"the state of {self.names.stream} has {shown}, which lies in the future: "
                f"Marketo's clock says {clock}. Correct the state, or start again without it."
            )
        logger.warning(
            "The state of %s has %s, which lies ahead of Marketo's clock (%s): taken back to %s.",
            self.names.stream,
            shown,
            clock,
            format_timestamp(self.run_end),
        )


def _named_bookmarks(
    segments: Iterable[Segment], now: datetime, names: StreamNames
) -> Iterator[str]:
    """Yield what lies ahead, the furthest first."""
    ahead: dict[datetime, list[tuple[int, int]]] = {}
    for segment in segments:
        if segment.bookmark > now:
            ahead.setdefault(segment.bookmark, []).append((segment.first, segment.last))
    for bookmark in sorted(ahead, reverse=True):
        if ahead[bookmark] == [(0, MAX_ID)]:
            yield f"replication_key_value {format_timestamp(bookmark)}"
        else:
            ids = _cut(str(IdRuns(ahead[bookmark])))
            yield f"the bookmark {format_timestamp(bookmark)} of {names.cohorts_key} ({ids})"


def _named_jobs(jobs: Iterable[JobInFlight], now: datetime) -> Iterator[str]:
    for job in jobs:
        if job.window is not None and job.window.end > now:
            end = format_timestamp(job.window.end)
            yield f"endAt {end} of export {_cut(job.export_id)} in export_jobs"


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"

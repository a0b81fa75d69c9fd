"""Bookmarks: up to where the records of each scope have been written, kept in state."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from marketo_bulk.errors import ConfigurationError
from tap_marketo_bulk.sync.cohorts import MAX_ID, Segment, moment_in, read_cohorts
from tap_marketo_bulk.sync.id_runs import IdRuns
from tap_marketo_bulk.sync.windows import format_timestamp

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from tap_marketo_bulk.sync.jobs_in_flight import JobInFlight
    from tap_marketo_bulk.sync.names import StreamNames

REMEMBERED = timedelta(days=90)
"""How far behind the newest bookmark that of a scope may lie which a run does not list."""


def read_bookmarks(state: Mapping[str, Any], names: StreamNames) -> list[Segment]:
    """Return the bookmarks of a state, ascending by scope and disjoint.

    Shape: a state with `replication_key_value` alone is a plain bookmark and holds for every
        scope; a scope that no cohort names is new and has none.
    Raises: ConfigurationError if the state does not parse.
    """
    try:
        if names.has_scopes and names.cohorts_key in state:
            return read_cohorts(state[names.cohorts_key], names)
        if state.get("replication_key_value") is None:
            return []
        return [Segment(0, MAX_ID, moment_in(state, "replication_key_value"))]
    except ValueError as error:
        raise ConfigurationError(
            f"the state of {names.stream} is not readable: {error}. "
            "Correct it, or start again without state."
        ) from error


class Bookmarks:
    """The bookmarks of one run: those of the scopes it lists, which move, and all others.

    Shape: `marks` are those of the scopes listed. Moving a few scopes, and writing the state
        after that, costs the same however many scopes there are.
    """

    def __init__(
        self,
        names: StreamNames,
        segments: Sequence[Segment] = (),
        scopes: Iterable[int] = (),
        *,
        lists_all: bool = True,
    ) -> None:
        """Take what `read_bookmarks` returned, and the scopes of the run.

        `lists_all` says whether these are all there are. What a scope had that is not
        among them is kept until it lies `REMEMBERED` behind: a list may be short once.
        """
        self.names = names
        self.marks: dict[int, datetime] = {}
        listed = sorted(set(scopes))
        keeps = _Keeping(segments, lists_all=lists_all)
        kept = {bookmark: keeps(bookmark) for bookmark in {s.bookmark for s in segments}}
        runs: defaultdict[datetime, list[tuple[int, int]]] = defaultdict(list)
        end = 0
        for first, last, bookmark in segments:
            begin = bisect_left(listed, first, end)
            end = begin
            while end < len(listed) and listed[end] <= last:
                self.marks[listed[end]] = bookmark
                end += 1
            if kept[bookmark]:
                runs[bookmark].append((first, last))
            elif end > begin:
                runs[bookmark] += [(i, i) for i in listed[begin:end]]
        self._cohorts = {bookmark: IdRuns(found) for bookmark, found in runs.items()}
        self._order = sorted(self._cohorts)
        self._entries: dict[datetime, dict[str, str]] = {}
        """What is written of cohorts that have not changed since."""

    def __bool__(self) -> bool:
        return bool(self._cohorts)

    def move(self, scope: Iterable[int], bookmark: datetime) -> None:
        """Let scopes stand at a bookmark, wherever they stood."""
        for scope_id in scope:
            before = self.marks.get(scope_id)
            if before is not None:
                self._cohorts[before].remove(scope_id)
                self._changed(before)
            self.marks[scope_id] = bookmark
            if bookmark not in self._cohorts:
                self._cohorts[bookmark] = IdRuns()
                insort(self._order, bookmark)
            self._cohorts[bookmark].add(scope_id)
            self._changed(bookmark)

    def to_state(self, jobs: Iterable[JobInFlight]) -> dict[str, Any]:
        """Return the new state of the stream.

        Shape: cohorts and `export_jobs` are lists, because Meltano merges the state of
            a run that failed into the stored one key by key, and dead keys of a mapping would live
            on. `replication_key_value` is the oldest bookmark.
        """
        new: dict[str, Any] = {"replication_key": self.names.bookmark}
        if self._order:
            new["replication_key_value"] = format_timestamp(self._order[0])
        if self.names.has_scopes:
            new[self.names.cohorts_key] = [
                self._entries.get(mark) or self._entry(mark) for mark in self._order
            ]
        new["export_jobs"] = [job.to_state(self.names) for job in jobs]
        return new

    def _changed(self, mark: datetime) -> None:
        self._entries.pop(mark, None)
        if not self._cohorts[mark]:
            del self._cohorts[mark]
            del self._order[bisect_left(self._order, mark)]

    def _entry(self, mark: datetime) -> dict[str, str]:
        entry = {
            self.names.bookmark: format_timestamp(mark),
            self.names.scopes_key: str(self._cohorts[mark]),
        }
        self._entries[mark] = entry
        return entry


def write_state(
    state: Mapping[str, Any], bookmarks: Bookmarks, jobs: Iterable[JobInFlight]
) -> dict[str, Any]:
    """Return the new state of the stream.

    Shape: a plain bookmark stays one as long as there is no scope to hold it.
    """
    names = bookmarks.names
    if not bookmarks and names.cohorts_key not in state and "replication_key_value" in state:
        return {**state, "export_jobs": [job.to_state(names) for job in jobs]}
    return bookmarks.to_state(jobs)


class _Keeping:
    """Which bookmarks are kept for scopes that a run does not list."""

    def __init__(self, segments: Sequence[Segment], *, lists_all: bool) -> None:
        self._newest = max((s.bookmark for s in segments), default=None)
        # A bookmark for every scope has been for those listed, if these are all there are.
        for_all = segments[-1].bookmark if segments and segments[-1].last == MAX_ID else None
        self._dropped = for_all if lists_all else None

    def __call__(self, bookmark: datetime) -> bool:
        recent = self._newest is None or self._newest - bookmark <= REMEMBERED
        return recent and bookmark != self._dropped

"""Plan: the work units of a run, in the order in which their records are written."""

from __future__ import annotations

import enum
import logging
from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from itertools import groupby
from typing import TYPE_CHECKING

from typing_extensions import override

from marketo_bulk.jobs import ExportStatus
from tap_marketo_bulk.sync.windows import Window, format_timestamp, grid_start, split_windows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from marketo_bulk.jobs import ExportJob
    from tap_marketo_bulk.sync.names import StreamNames

logger = logging.getLogger(__name__)

CREATION_MARGIN = timedelta(days=1)
"""How far before its own creation a scope may have records (imported ones, moved clocks)."""

MARKETO_BEGAN = datetime(2006, 1, 1, tzinfo=timezone.utc)
"""When the company was founded: no record is older, so no window before it can hold one."""


@dataclass(frozen=True, slots=True)
class Scope:
    """One of the things an object is exported by, as the plan sees it."""

    scope_id: int
    created_at: datetime | None = None
    """When its first records can be from; it only saves windows."""


class Part(enum.Enum):
    """What a unit is for, and so what is true once it is written."""

    NEWS = "news"
    """What has changed since the bookmark: it moves to the end of the window."""
    FIRST = "first"
    """Part of a first load by `names.whole_by`: it is there up to the end of the window."""
    AGAIN = "again"
    """Part of a whole extract that cannot be cut by the bookmark, which moves after the last."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A few scopes and one window: the work of one export job.

    Shape: `window` is None for everything in them. `keep_from` drops older rows after download.
        `job` is a job of an earlier run that already does this work, `without` the selected fields
        that its file lacks, because export had refused them. `only` is a filter of this unit alone.
    """

    names: StreamNames
    sequence: int
    scope: tuple[int, ...]
    window: Window | None = None
    keep_from: datetime | None = None
    job: ExportJob | None = field(default=None, compare=False)
    without: tuple[str, ...] = ()
    part: Part = Part.NEWS
    only: tuple[str, int] | None = None

    @property
    def date_filter(self) -> str:
        """Return by which filter its window is asked for."""
        return self.names.news_by if self.part is Part.NEWS else self.names.whole_by

    @property
    def owner(self) -> str:
        """Whose work it is: the stream's name."""
        return self.names.stream

    @property
    def is_queued(self) -> bool:
        """Whether its job was in Marketo's queue, or through it, when it was taken over."""
        return self.job is not None and self.job.status is not ExportStatus.CREATED

    def follows(self, other: Unit) -> bool:
        """Return whether `other` must be written first: an older window of a shared scope.

        A job of an earlier run may hold an older version of a record than a job of this run, so
        the windows of a scope are written in their order, whichever job finishes first.
        """
        return other.sequence < self.sequence and not set(other.scope).isdisjoint(self.scope)

    @override
    def __str__(self) -> str:
        names, count = self.names, len(self.scope)
        which = f"{names.scope} {self.scope[0]}" if count == 1 else f"{count} {names.scope}s"
        if not names.has_scopes:
            which = names.stream
        if self.only is not None:
            which = f"{which}, {self.only[0]} {self.only[1]}"
        if self.part is not Part.NEWS and self.window is not None:
            which = f"{which} by {self.date_filter}"
        if self.window is None:
            return f"{which}, all {names.records}"
        start, end = (format_timestamp(t) for t in (self.window.start, self.window.end))
        return f"{which}, {start} to {end}"


@dataclass(frozen=True, slots=True)
class PlanRules:
    """What a run is to cover: everything up to `end`, in windows of at most `length`."""

    names: StreamNames
    end: datetime
    length: timedelta
    start_date: datetime | None = None
    snapshot: bool = False
    """Begin a scope with one job over all of it instead of one job per window."""


def starting_points(
    scopes: Iterable[Scope], bookmarks: Mapping[int, datetime], rules: PlanRules
) -> dict[int, datetime | None]:
    """Return from when on the records of each scope are needed.

    Shape: None where all are. A scope starts at the window of the grid from its bookmark, or from
        `start_date`, that it was created in, less a day: one made yesterday costs one window, not
        all of them, and a bookmark of the year 999 costs no more than none.
    """
    starts: dict[int, datetime | None] = {}
    for scope in scopes:
        start = bookmarks.get(scope.scope_id)
        if start is None and not rules.snapshot:
            start = rules.start_date
        starts[scope.scope_id] = None if start is None else _first_start(scope, start, rules)
    return starts


def plan_units(
    starts: Mapping[int, datetime | None], rules: PlanRules, adopted: Sequence[Unit] = ()
) -> list[Unit]:
    """Return what is left to export, after the units `adopted` from an earlier run.

    Shape: adopted units first, then whole extracts, then windows, oldest first. `starts` counts
        the adopted units as done.
    """
    whole = [scope_id for scope_id, start in starts.items() if start is None]
    return in_sequence(
        [
            *(u if u.window else replace(u, keep_from=rules.start_date) for u in adopted),
            *plan_whole(dict.fromkeys(whole, rules.start_date), rules.names),
            *_windowed({i: start for i, start in starts.items() if start is not None}, rules),
        ]
    )


def in_sequence(units: Iterable[Unit], first: int = 0) -> list[Unit]:
    """Return units whose sequence is their order."""
    return [
        unit if unit.sequence == sequence else replace(unit, sequence=sequence)
        for sequence, unit in enumerate(units, first)
    ]


def plan_whole(keep_from: Mapping[int, datetime | None], names: StreamNames) -> list[Unit]:
    """Return units over all of some scopes, rows before `keep_from` dropped.

    Shape: scopes of like bookmarks share a unit, so that few rows come twice.
    """
    oldest_first = sorted(keep_from, key=lambda i: (keep_from[i] is not None, keep_from[i], i))
    return [
        Unit(names, sequence, tuple(batch), keep_from=_oldest(keep_from[i] for i in batch))
        for sequence, batch in enumerate(_batches(oldest_first, names))
    ]


def _first_start(scope: Scope, start: datetime, rules: PlanRules) -> datetime:
    """Return where the first window begins that may hold a record at or after `start`."""
    earliest, created_at = MARKETO_BEGAN, scope.created_at
    if start >= MARKETO_BEGAN and (created_at is None or created_at <= start):
        return start
    if created_at is not None and created_at > max(start, MARKETO_BEGAN):
        if created_at - CREATION_MARGIN > rules.end:
            logger.warning(
                "%s %d has a createdAt that lies in the future (%s): "
                "its %s are read from the start on",
                rules.names.scope,
                scope.scope_id,
                format_timestamp(created_at),
                rules.names.records,
            )
        else:
            earliest = min(created_at, rules.end) - CREATION_MARGIN
    return grid_start(start, earliest, rules.length)


def _windowed(starts: Mapping[int, datetime], rules: PlanRules) -> Iterator[Unit]:
    """Yield window units, oldest window first.

    Scopes whose windows have the same borders (the same phase of the grid) form batches
    together, those that begin at like times in the same batch: a batch of ten costs one job per
    window however late its youngest scope joins.
    """
    seconds = int(rules.length.total_seconds())
    beginning: defaultdict[datetime, list[int]] = defaultdict(list)
    for scope_id, start in starts.items():
        beginning[start].append(scope_id)
    phases = {start: int(start.timestamp()) % seconds for start in beginning}
    by_phase = sorted(beginning, key=lambda start: (phases[start], start))
    units: list[tuple[Window, tuple[int, ...]]] = []
    for _, group in groupby(by_phase, key=phases.__getitem__):
        together = [scope_id for start in group for scope_id in sorted(beginning[start])]
        for batch in _batches(together, rules.names):
            for window in split_windows(starts[batch[0]], rules.end, rules.length):
                begun = tuple(i for i in batch if starts[i] <= window.start)
                units.append((window, begun))
    units.sort(key=lambda unit: (unit[0].start, unit[0].end, unit[1]))
    for sequence, (window, scope) in enumerate(units):
        yield Unit(rules.names, sequence, scope, window)


def _batches(scope_ids: Sequence[int], names: StreamNames) -> Iterator[Sequence[int]]:
    for first in range(0, len(scope_ids), names.scopes_per_job):
        yield scope_ids[first : first + names.scopes_per_job]


def _oldest(moments: Iterable[datetime | None]) -> datetime | None:
    known = list(moments)
    return None if None in known else min(m for m in known if m is not None)

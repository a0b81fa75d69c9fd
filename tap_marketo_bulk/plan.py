"""Plan: the work units of a run, in the order in which their records are written."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any

from marketo_bulk.jobs import ExportStatus
from marketo_bulk.limits import EXPORT_PROGRAM_IDS_MAX
from marketo_bulk.timestamps import parse_timestamp
from typing_extensions import override

from tap_marketo_bulk.windows import Window, format_timestamp, grid_start, split_windows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from marketo_bulk.jobs import ExportJob

CREATION_MARGIN = timedelta(days=1)
"""How far before its own creation a program may have members (imported ones, moved clocks)."""


@dataclass(frozen=True, slots=True)
class Program:
    """A program as the plan sees it."""

    program_id: int
    created_at: datetime | None = None


def program_of(asset: Mapping[str, Any]) -> Program:
    """Return what the plan needs of a program asset."""
    created_at = asset.get("createdAt")
    return Program(int(asset["id"]), parse_timestamp(created_at) if created_at else None)


@dataclass(frozen=True, slots=True)
class Unit:
    """Up to 10 programs and one window: the work of one export job.

    Shape: `window` is None for the whole membership. `keep_from` drops older rows after download.
        `job` is a job of an earlier run that already does this work.
    """

    sequence: int
    program_ids: tuple[int, ...]
    window: Window | None = None
    keep_from: datetime | None = None
    job: ExportJob | None = field(default=None, compare=False)

    @property
    def is_queued(self) -> bool:
        """Whether its job was in Marketo's queue, or through it, when it was taken over."""
        return self.job is not None and self.job.status is not ExportStatus.CREATED

    def follows(self, other: Unit) -> bool:
        """Return whether `other` must be written first: an older window of a shared program.

        A job of an earlier run may hold an older version of a member than a job of this run, so
        the windows of a program are written in their order, whichever job finishes first.
        """
        return other.sequence < self.sequence and not set(other.program_ids).isdisjoint(
            self.program_ids
        )

    @override
    def __str__(self) -> str:
        count = len(self.program_ids)
        which = f"program {self.program_ids[0]}" if count == 1 else f"{count} programs"
        if self.window is None:
            return f"{which}, all members"
        start, end = (format_timestamp(t) for t in (self.window.start, self.window.end))
        return f"{which}, {start} to {end}"


@dataclass(frozen=True, slots=True)
class PlanRules:
    """What a run is to cover: everything up to `end`, in windows of at most `length`."""

    end: datetime
    length: timedelta
    start_date: datetime | None = None
    snapshot: bool = False
    """Begin a program with one job over its whole membership instead of one job per window."""


def starting_points(
    programs: Iterable[Program], bookmarks: Mapping[int, datetime], rules: PlanRules
) -> dict[int, datetime | None]:
    """Return from when on each program's records are needed.

    Shape: None where the whole membership is. A program without a bookmark starts at the window
        of the grid from `start_date` that it was created in, less a day: one made yesterday
        costs one window, not all of them.
    """
    starts: dict[int, datetime | None] = {}
    for program in programs:
        starts[program.program_id] = bookmarks.get(program.program_id) or _first_start(
            program, rules
        )
    return starts


def plan_units(
    starts: Mapping[int, datetime | None], rules: PlanRules, adopted: Sequence[Unit] = ()
) -> list[Unit]:
    """Return what is left to export, after the units `adopted` from an earlier run.

    Shape: adopted units first, then whole memberships, then windows, oldest first. `starts` counts
        the adopted units as done.
    """
    whole = [program_id for program_id, start in starts.items() if start is None]
    units = [
        *(u if u.window else replace(u, keep_from=rules.start_date) for u in adopted),
        *plan_memberships(dict.fromkeys(whole, rules.start_date)),
        *_windowed({p: start for p, start in starts.items() if start is not None}, rules),
    ]
    return [replace(unit, sequence=sequence) for sequence, unit in enumerate(units)]


def plan_memberships(keep_from: Mapping[int, datetime | None]) -> list[Unit]:
    """Return units over the whole membership of programs, rows before `keep_from` dropped.

    Shape: programs of like bookmarks share a unit, so that few rows come twice.
    """
    oldest_first = sorted(keep_from, key=lambda p: (keep_from[p] is not None, keep_from[p], p))
    return [
        Unit(sequence, tuple(batch), keep_from=_oldest(keep_from[p] for p in batch))
        for sequence, batch in enumerate(_batches(oldest_first))
    ]


def _first_start(program: Program, rules: PlanRules) -> datetime | None:
    if rules.start_date is None or rules.snapshot:
        return None
    if program.created_at is None:
        return rules.start_date
    return grid_start(rules.start_date, program.created_at - CREATION_MARGIN, rules.length)


def _windowed(starts: Mapping[int, datetime], rules: PlanRules) -> Iterator[Unit]:
    """Yield window units, oldest window first.

    Programs whose windows have the same borders (the same phase of the grid) form batches
    together, those that begin at like times in the same batch: a batch of ten costs one job per
    window however late its youngest program joins.
    """
    seconds = int(rules.length.total_seconds())
    by_phase = sorted(starts, key=lambda p: (int(starts[p].timestamp()) % seconds, starts[p], p))
    units: list[tuple[Window, tuple[int, ...]]] = []
    for _, group in groupby(by_phase, key=lambda p: int(starts[p].timestamp()) % seconds):
        for batch in _batches(list(group)):
            for window in split_windows(starts[batch[0]], rules.end, rules.length):
                begun = tuple(p for p in batch if starts[p] <= window.start)
                units.append((window, begun))
    for sequence, (window, program_ids) in enumerate(sorted(units)):
        yield Unit(sequence, program_ids, window)


def _batches(program_ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for first in range(0, len(program_ids), EXPORT_PROGRAM_IDS_MAX):
        yield program_ids[first : first + EXPORT_PROGRAM_IDS_MAX]


def _oldest(moments: Iterable[datetime | None]) -> datetime | None:
    known = list(moments)
    return None if None in known else min(m for m in known if m is not None)

"""Adoption: which jobs of an earlier run do work of this one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tap_marketo_bulk.sync.plan import Unit

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from datetime import datetime

    from tap_marketo_bulk.sync.jobs_in_flight import JobInFlight
    from tap_marketo_bulk.sync.names import StreamNames
    from tap_marketo_bulk.sync.reach import Reach
    from tap_marketo_bulk.sync.takeover import FoundJob


@dataclass(frozen=True, slots=True)
class Adoption:
    """Units whose jobs exist already, and from when on records are needed after those."""

    units: tuple[Unit, ...]
    starts: Mapping[int, datetime | None]
    unfit: tuple[JobInFlight, ...]
    """Jobs that nobody will read."""


def adopt_jobs(
    names: StreamNames,
    jobs: Iterable[FoundJob],
    starts: Mapping[int, datetime | None],
    digest_of: Callable[[Collection[str]], str],
    reach: Reach,
    now: datetime,
) -> Adoption:
    """Return what of an earlier run's jobs can be taken over.

    A job is taken over if it asks for the same fields, for scopes this run wants, for a window
    that begins where they stand or before, so that there is no gap, and if Marketo still has it;
    not if it is outdated.
    `starts` are those of `starting_points()`; `digest_of` tells what this run asks for, less the
    fields it is given, which export had refused to the job; `now` is Marketo's time.
    """
    reached = dict(starts)
    units: list[Unit] = []
    unfit: list[JobInFlight] = []
    for found in jobs:
        left, end = found.left, None
        wanted = left.fields == digest_of(left.without) and reached.keys() >= set(left.scope)
        if wanted and found.has_file(now) and not found.is_outdated:
            end = _reaches(found, reached, reach)
        if end is None:
            unfit.append(left)
            continue
        reached.update(dict.fromkeys(left.scope, end))
        unit = Unit(names, len(units), left.scope, left.window, job=found.job, without=left.without)
        units.append(unit)
    return Adoption(tuple(units), reached, tuple(unfit))


def _reaches(
    found: FoundJob, reached: Mapping[int, datetime | None], reach: Reach
) -> datetime | None:
    """Return up to when its scopes are complete with this job; None if it is of no use."""
    window = found.left.window
    standing = [reached[i] for i in found.left.scope]
    end = reach.of(found.job, window)
    if window is None:
        return end if set(standing) == {None} else None
    if end is not None and all(s is not None and window.start <= s < end for s in standing):
        return end
    return None

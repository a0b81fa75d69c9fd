"""Walk plan: a run of a stream that can be read whole by a second date filter, or by lists."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from tap_marketo_bulk.sync.adoption import adopt_jobs
from tap_marketo_bulk.sync.names import EVERYTHING
from tap_marketo_bulk.sync.plan import Part, Unit, in_sequence
from tap_marketo_bulk.sync.windows import format_timestamp, split_windows

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from typing import TypeAlias

    from tap_marketo_bulk.sync.digest import Digests
    from tap_marketo_bulk.sync.jobs_in_flight import JobInFlight
    from tap_marketo_bulk.sync.names import StreamNames
    from tap_marketo_bulk.sync.plan import PlanRules
    from tap_marketo_bulk.sync.reach import Reach
    from tap_marketo_bulk.sync.takeover import FoundJob
    from tap_marketo_bulk.sync.walk import Walk

logger = logging.getLogger(__name__)

CHANGES_KEPT = timedelta(days=90)
"""How long Marketo keeps the records of changes that the filter of changes goes by."""


@dataclass(frozen=True, slots=True)
class Legs:
    """What a run is to bring, each from when on; None for what it is not.

    Shape: `first` goes by the filter that reaches everything, `again` too, up to `again_end`. Of
        `first` rows before `first_keeps` are dropped, of `again` those before the bookmark. With
        `restarts`, the bookmark is void.
    """

    news: datetime | None = None
    first: datetime | None = None
    again: datetime | None = None
    again_end: datetime | None = None
    first_keeps: datetime | None = None
    restarts: bool = False


@dataclass(frozen=True, slots=True)
class WalkInputs:
    """What the plan of a walk is made from."""

    names: StreamNames
    rules: PlanRules
    walk: Walk
    bookmark: datetime | None
    earliest: Callable[[], datetime]
    """Returns from when on there can be records; it may cost a call."""
    digests: Digests
    reach: Reach
    now: datetime
    found: Sequence[FoundJob] = ()
    incremental: bool = True


Planned: TypeAlias = "tuple[tuple[Unit, ...], tuple[JobInFlight, ...]]"
"""The units of a run, and the jobs of an earlier one that nobody will read."""


def plan_walk(inputs: WalkInputs) -> Planned:
    """Return the units of a run that has windows; the walk knows where they begin."""
    legs = _legs(inputs)
    names, walk = inputs.names, inputs.walk
    usual = [each for each in inputs.found if not each.left.date_filter]
    others = [each for each in inputs.found if each.left.date_filter]
    news, unfit = _adopted(inputs, usual, legs.news, Part.NEWS)
    walking, more_unfit = _adopted(
        inputs,
        others,
        legs.again if legs.first is None else legs.first,
        Part.AGAIN if legs.first is None else Part.FIRST,
    )
    keeps = {Part.FIRST: legs.first_keeps, Part.AGAIN: inputs.bookmark, Part.NEWS: None}
    ends = {Part.FIRST: inputs.rules.end, Part.NEWS: inputs.rules.end, Part.AGAIN: legs.again_end}
    starts = {Part.FIRST: legs.first, Part.NEWS: legs.news, Part.AGAIN: legs.again}
    for part, adoption in ((Part.NEWS, news), (Part.FIRST, walking), (Part.AGAIN, walking)):
        if adoption.units and adoption.units[0].part is part:
            starts[part] = adoption.end
    taken = [replace(unit, keep_from=keeps[unit.part]) for unit in (*walking.units, *news.units)]
    planned = [
        Unit(names, 0, (EVERYTHING,), window, keep_from=keeps[part], part=part)
        for part in (Part.FIRST, Part.NEWS, Part.AGAIN)
        if (start := starts[part]) is not None and (end := ends[part]) is not None
        for window in split_windows(start, end, inputs.rules.length)
    ]
    units = in_sequence([*taken, *planned])
    walk.position, walk.is_begun_again = legs.first, legs.restarts
    walk.again_last = last_again(units)
    return tuple(units), (*unfit, *more_unfit)


def plan_lists(inputs: WalkInputs, lists: Sequence[tuple[str, int]]) -> Planned:
    """Return a unit for each list: all that is on it."""
    units: list[Unit] = []
    unfit: list[JobInFlight] = []
    left = dict.fromkeys(lists)
    for found in inputs.found:
        fitting = (
            each
            for each in left
            if found.left.window is None
            and found.left.fields == inputs.digests(found.left.without, each)
        )
        chosen = next(fitting, None) if found.has_file(inputs.now) else None
        if chosen is None:
            unfit.append(found.left)
            continue
        del left[chosen]
        units.append(_of_list(inputs.names, chosen, found))
    units += [_of_list(inputs.names, each) for each in left]
    units = in_sequence(units)
    inputs.walk.again_last = last_again(units)
    return tuple(units), tuple(unfit)


def last_again(units: Sequence[Unit]) -> int | None:
    """Return the sequence of the last unit of a whole extract."""
    return max((unit.sequence for unit in units if unit.part is Part.AGAIN), default=None)


def _of_list(names: StreamNames, only: tuple[str, int], found: FoundJob | None = None) -> Unit:
    unit = Unit(names, 0, (EVERYTHING,), part=Part.AGAIN, only=only)
    return unit if found is None else replace(unit, job=found.job, without=found.left.without)


def _legs(inputs: WalkInputs) -> Legs:
    walk, rules, bookmark = inputs.walk, inputs.rules, inputs.bookmark
    if not inputs.incremental:
        return Legs(first=inputs.earliest())
    if bookmark is not None and rules.end - bookmark > CHANGES_KEPT:
        logger.warning(
            "%s: the bookmark %s is more than %d days old, and Marketo may not tell all changes "
            "since then: everything is read again, by %s",
            inputs.names.stream,
            format_timestamp(bookmark),
            CHANGES_KEPT.days,
            inputs.names.whole_by,
        )
        return Legs(first=inputs.earliest(), restarts=True)
    if bookmark is None:
        return _first_legs(inputs)
    if not walk.is_refused:
        return Legs(news=bookmark, first=walk.until)
    return Legs(first=walk.until, again=inputs.earliest(), again_end=walk.until or rules.end)


def _first_legs(inputs: WalkInputs) -> Legs:
    start, end = inputs.rules.start_date, inputs.rules.end
    if start is None or inputs.walk.is_refused:
        return Legs(first=inputs.earliest(), first_keeps=start)
    if end - start > CHANGES_KEPT:
        logger.warning(
            "%s: start_date %s is more than %d days ago, and Marketo may not tell all changes "
            "since then. Leave start_date out to read everything by %s",
            inputs.names.stream,
            format_timestamp(start),
            CHANGES_KEPT.days,
            inputs.names.whole_by,
        )
    return Legs(news=start)


@dataclass(frozen=True, slots=True)
class _Taken:
    """Units of an earlier run, and up to when they reach."""

    units: tuple[Unit, ...]
    end: datetime | None


def _adopted(
    inputs: WalkInputs, found: Sequence[FoundJob], start: datetime | None, part: Part
) -> tuple[_Taken, tuple[JobInFlight, ...]]:
    starts: Mapping[int, datetime | None] = {} if start is None else {EVERYTHING: start}
    adoption = adopt_jobs(inputs.names, found, starts, inputs.digests, inputs.reach, inputs.now)
    units = tuple(replace(unit, part=part) for unit in adoption.units)
    return _Taken(units, adoption.starts.get(EVERYTHING)), adoption.unfit

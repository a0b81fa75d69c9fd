"""Run plan: what one stream will do in one run, worked out before anything is asked for."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from marketo_bulk import ConfigurationError
from tap_marketo_bulk.sync.adoption import adopt_jobs
from tap_marketo_bulk.sync.alignment import aligned
from tap_marketo_bulk.sync.clock_check import ClockCheck
from tap_marketo_bulk.sync.names import EVERYTHING
from tap_marketo_bulk.sync.plan import (
    MARKETO_BEGAN,
    PlanRules,
    Unit,
    plan_units,
    plan_whole,
    starting_points,
)
from tap_marketo_bulk.sync.plan_walk import WalkInputs, plan_lists, plan_walk
from tap_marketo_bulk.sync.reach import Reach
from tap_marketo_bulk.sync.state import Bookmarks, read_bookmarks
from tap_marketo_bulk.sync.times import overlapping
from tap_marketo_bulk.sync.walk import Walk
from tap_marketo_bulk.sync.windows import format_timestamp

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from tap_marketo_bulk.settings import TapSettings
    from tap_marketo_bulk.sync.choice import Choice
    from tap_marketo_bulk.sync.digest import Digests
    from tap_marketo_bulk.sync.jobs_in_flight import JobInFlight
    from tap_marketo_bulk.sync.names import StreamNames
    from tap_marketo_bulk.sync.spec import Scopes
    from tap_marketo_bulk.sync.takeover import FoundJob
    from tap_marketo_bulk.sync.times import RunTimes


@dataclass(frozen=True, slots=True)
class PlanInputs:
    """Everything a plan is made from.

    Shape: `state` is the stream's, `found` what Marketo still has of the jobs in it. `earliest`
        returns from when on there can be records, if anything says so. `lists` are filters, each of
        which makes a job of its own, in place of windows. With `overlap`, so much before the
        bookmark is read again, if it is not before `start_date`. `choice` says which scopes are
        read; None for all.
    """

    names: StreamNames
    settings: TapSettings
    times: RunTimes
    scopes: Scopes
    digests: Digests
    state: Mapping[str, Any] = field(default_factory=dict)
    found: Sequence[FoundJob] = ()
    incremental: bool = True
    goes_whole: bool = True
    limited: bool = False
    is_backfilled: bool = False
    earliest: Callable[[], datetime | None] = lambda: None
    lists: Sequence[tuple[str, int]] = ()
    overlap: timedelta = timedelta()
    choice: Choice | None = None


@dataclass(frozen=True, slots=True)
class RunPlan:
    """What a run will do.

    Shape: `units` in the order in which they are started. `state` is what bookmarks go on from,
        which with `is_taken_back` is not what the last run wrote. `unfit` are jobs to be cancelled.
    """

    units: tuple[Unit, ...]
    bookmarks: Bookmarks
    reach: Reach
    start_date: datetime | None
    state: Mapping[str, Any]
    walk: Walk
    length: timedelta
    is_taken_back: bool = False
    unfit: tuple[JobInFlight, ...] = ()
    choice: Choice | None = None


def plan_run(inputs: PlanInputs) -> RunPlan:
    """Return the plan of a run.

    Raises: ConfigurationError if the settings or the state ask for what cannot be.
    """
    _check_start(inputs)
    names, settings, times = inputs.names, inputs.settings, inputs.times
    reach = Reach(times.end, times.settling)
    rules = PlanRules(
        names,
        end=times.end,
        length=settings.window_length,
        start_date=settings.start_date or _start_of_a_few(inputs),
        snapshot=(settings.snapshot or inputs.is_backfilled) and inputs.goes_whole,
    )
    if not inputs.incremental:
        walk = Walk(times.end)
        units, unfit = _parts(inputs, Bookmarks(names), rules, walk)
        return RunPlan(
            units,
            Bookmarks(names),
            reach,
            settings.start_date,
            inputs.state,
            walk,
            rules.length,
            unfit=unfit,
        )
    segments = read_bookmarks(inputs.state, names)
    settled = ClockCheck(names, times.end, times.now).bookmarks(segments)
    is_taken_back, state = settled != segments, inputs.state
    if is_taken_back and names.cohorts_key not in state:
        # Where there is no scope to hold a plain bookmark, it is written as it is.
        state = {**state, "replication_key_value": format_timestamp(settled[0].bookmark)}
    bookmarks = Bookmarks(
        names,
        settled,
        (scope.scope_id for scope in inputs.scopes.wanted),
        lists_all=inputs.scopes.are_all,
    )
    walk = Walk.read(inputs.state, names, times.now, times.end)
    units, unfit = _parts(inputs, bookmarks, rules, walk)
    return RunPlan(
        # Jobs that have a place in the queue come first: they show how many places are left.
        tuple(sorted(units, key=lambda unit: unit.is_queued, reverse=True)),
        Bookmarks(names) if walk.is_begun_again else bookmarks,
        reach,
        settings.start_date,
        state,
        walk,
        rules.length,
        is_taken_back=is_taken_back,
        unfit=unfit,
        choice=inputs.choice,
    )


def _start_of_a_few(inputs: PlanInputs) -> datetime | None:
    """Return where a run begins that wants a few records, and of which nothing says where.

    One window is enough to show that everything works.
    """
    if inputs.limited and not inputs.goes_whole:
        return inputs.times.end - inputs.settings.window_length
    return None


def _check_start(inputs: PlanInputs) -> None:
    start, now = inputs.settings.start_date, inputs.times.now
    if start is not None and start > now:
        raise ConfigurationError(
            f"start_date {format_timestamp(start)} lies in the future: "
            f"Marketo's clock says {format_timestamp(now)}"
        )


def _parts(
    inputs: PlanInputs, bookmarks: Bookmarks, rules: PlanRules, walk: Walk
) -> tuple[tuple[Unit, ...], tuple[JobInFlight, ...]]:
    """Return the units of a run, and the jobs of an earlier one that nobody will read."""
    names, reach = inputs.names, Reach(inputs.times.end, inputs.times.settling)
    if names.whole_by or inputs.lists:
        walking = WalkInputs(
            names,
            rules,
            walk,
            bookmarks.marks.get(EVERYTHING),
            lambda: inputs.earliest() or MARKETO_BEGAN,
            inputs.digests,
            reach,
            inputs.times.now,
            inputs.found,
            inputs.incremental,
        )
        return plan_lists(walking, inputs.lists) if inputs.lists else plan_walk(walking)
    if inputs.goes_whole and not inputs.incremental:
        # Everything, whatever came before.
        return tuple(plan_whole({s.scope_id: None for s in inputs.scopes.wanted}, names)), ()
    rules = replace(rules, start_date=rules.start_date or _earliest(inputs, bookmarks))
    choice, wanted = inputs.choice, inputs.scopes.wanted
    if choice is not None:
        wanted = tuple(scope for scope in wanted if scope.scope_id in choice.read)
    starts = starting_points(wanted, bookmarks.marks, rules)
    if choice is not None:
        starts |= dict.fromkeys(choice.whole)
    adoption = adopt_jobs(names, inputs.found, starts, inputs.digests, reach, inputs.times.now)
    begun = bookmarks.marks.keys() | {i for unit in adoption.units for i in unit.scope}
    left = {
        scope_id: overlapping(start, inputs.overlap, inputs.settings.start_date)
        if start is not None and scope_id in begun
        else start
        for scope_id, start in adoption.starts.items()
    }
    if choice is not None:
        left = aligned(left, bookmarks.marks, rules)
    return tuple(plan_units(left, rules, adoption.units)), adoption.unfit


def _earliest(inputs: PlanInputs, bookmarks: Bookmarks) -> datetime | None:
    """Return where windows begin of which no setting and no bookmark says so."""
    if inputs.goes_whole or bookmarks.marks:
        return None
    earliest = inputs.earliest()
    if earliest is None:
        raise ConfigurationError(
            f"start_date is not set, and the stream {inputs.names.stream} is extracted by "
            "windows of time alone. Set start_date, or deselect the stream."
        )
    return earliest

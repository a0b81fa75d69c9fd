"""Prepared stream: a stream of a sync with its plan, before a job of it is asked for."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tap_marketo_bulk.sync.clock_check import ClockCheck
from tap_marketo_bulk.sync.digest import Digests
from tap_marketo_bulk.sync.jobs_in_flight import read_jobs
from tap_marketo_bulk.sync.noted_jobs import taken_out, with_noted_jobs
from tap_marketo_bulk.sync.plan_run import PlanInputs, RunPlan, plan_run
from tap_marketo_bulk.sync.requests import StreamRequests
from tap_marketo_bulk.sync.state import read_bookmarks
from tap_marketo_bulk.sync.takeover import cancel_unfit, find_jobs
from tap_marketo_bulk.sync.watch import choose_scopes, without_altered
from tap_marketo_bulk.sync.windows import format_timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from marketo_bulk import MarketoBulk, RunnerOptions
    from marketo_bulk.scheduling.places import Places
    from tap_marketo_bulk.settings import TapSettings
    from tap_marketo_bulk.sync.job_journal import JobJournal
    from tap_marketo_bulk.sync.jobs_in_flight import JobInFlight
    from tap_marketo_bulk.sync.selection import Selection
    from tap_marketo_bulk.sync.spec import ExportSpec, Scopes
    from tap_marketo_bulk.sync.takeover import FoundJob
    from tap_marketo_bulk.sync.tally import RunTally
    from tap_marketo_bulk.sync.times import RunTimes

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StreamOrder:
    """What is wanted of a stream in a sync, and its state."""

    spec: ExportSpec
    selection: Selection
    state: Mapping[str, Any]
    journal: JobJournal | None = None
    """Where its jobs are noted outside STATE."""
    is_backfilled: bool = False
    """Scopes without a bookmark are read by a snapshot, so that new fields have their history."""


@dataclass(frozen=True, slots=True)
class FoundStream:
    """A stream of which Marketo has said what there is to read, and what an earlier run left."""

    order: StreamOrder
    times: RunTimes
    scopes: Scopes
    tally: RunTally
    digests: Digests
    jobs: Sequence[JobInFlight]
    found: Sequence[FoundJob]

    def hold_places(self, options: RunnerOptions, now: float) -> None:
        """Let the jobs that an earlier run left queued count for `max_queued_jobs`.

        Units: `now` is of the schedulers' clock.
        """
        for each in self.found:
            options.places.hold(
                self.order.spec.object,
                each.job,
                next_poll_at=now + options.poll_interval_seconds,
                deadline_at=now + options.job_timeout_seconds,
            )


@dataclass(frozen=True, slots=True)
class PreparedStream:
    """A stream whose plan is made, and what to ask of Marketo for it."""

    spec: ExportSpec
    selection: Selection
    plan: RunPlan
    digests: Digests
    requests: StreamRequests
    tally: RunTally
    journal: JobJournal | None = None


def find_stream(
    order: StreamOrder,
    client: MarketoBulk,
    settings: TapSettings,
    times: RunTimes,
    scopes: Scopes,
    tally: RunTally,
) -> FoundStream:
    """Look at what an earlier run left.

    Raises: ConfigurationError if the settings or the state ask for what cannot be.
    """
    spec, selection, names = order.spec, order.selection, order.spec.names
    digests = Digests(selection.fields(), spec.filters(settings).values)
    check = ClockCheck(names, times.end, times.now)
    jobs: list[JobInFlight] = []
    if selection.incremental:
        jobs = check.jobs(read_jobs(order.state, names))
        if order.journal is not None:
            segments = read_bookmarks(order.state, names)
            jobs = with_noted_jobs(jobs, order.journal, check, segments, digests)
    elif order.journal is not None:
        # What a stopped run has left behind, and no whole extract takes over.
        cancel_unfit(client, spec.object, taken_out(order.journal, check))
    found = find_jobs(client, spec.object, jobs)
    return FoundStream(order, times, scopes, tally, digests, jobs, found)


def prepare(
    stream: FoundStream, client: MarketoBulk, settings: TapSettings, places: Places
) -> PreparedStream:
    """Plan, and cancel what does not fit, which then holds no place any more.

    Raises: ConfigurationError if the settings or the state ask for what cannot be.
    """
    order, times, scopes, digests = stream.order, stream.times, stream.scopes, stream.digests
    spec, selection, names = order.spec, order.selection, order.spec.names
    watch = spec.watch() if selection.incremental and not selection.limited else None
    choice, found = None, stream.found
    if watch is not None:
        choice = choose_scopes(watch, names, order.state, scopes, times.end, stream.jobs, found)
        found = without_altered(watch, found)
    inputs = PlanInputs(
        names,
        settings,
        times,
        scopes,
        digests,
        order.state,
        found,
        incremental=selection.incremental,
        goes_whole=spec.goes_whole,
        limited=selection.limited,
        is_backfilled=order.is_backfilled,
        earliest=lambda: spec.earliest(client, times.now),
        lists=spec.lists(settings),
        overlap=spec.overlap(settings),
        choice=choice,
    )
    plan = plan_run(inputs)
    places.free(cancel_unfit(client, spec.object, plan.unfit))
    _log(plan, inputs)
    # While jobs run, a used-up quota is waited for by their scheduler.
    requests = StreamRequests(client.without_quota_wait(), spec, selection, digests, plan)
    return PreparedStream(spec, selection, plan, digests, requests, stream.tally, order.journal)


def _log(plan: RunPlan, inputs: PlanInputs) -> None:
    for unit in plan.units:
        if unit.job is not None:
            logger.info(
                "export %s %s: taken over from the last run",
                unit.job.export_id,
                unit.job.shown_status,
            )
            if unit.without:
                logger.warning(
                    "export %s comes without fields that export refused in the last run: %s",
                    unit.job.export_id,
                    ", ".join(unit.without),
                )
    names = inputs.names
    which = names.stream
    if names.has_scopes:
        which = f"{len(inputs.scopes.wanted)} {names.scope}s"
    logger.info(
        "%s, %d export jobs planned up to %s",
        which,
        len(plan.units),
        format_timestamp(inputs.times.end),
    )

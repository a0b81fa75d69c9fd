"""Prepared stream: a stream of a sync with its plan, before anything is asked for."""

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
from tap_marketo_bulk.sync.watch import choose_scopes
from tap_marketo_bulk.sync.windows import format_timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from marketo_bulk import MarketoBulk
    from tap_marketo_bulk.settings import TapSettings
    from tap_marketo_bulk.sync.job_journal import JobJournal
    from tap_marketo_bulk.sync.jobs_in_flight import JobInFlight
    from tap_marketo_bulk.sync.selection import Selection
    from tap_marketo_bulk.sync.spec import ExportSpec, Scopes
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
class PreparedStream:
    """A stream whose plan is made, and what to ask of Marketo for it."""

    spec: ExportSpec
    selection: Selection
    plan: RunPlan
    digests: Digests
    requests: StreamRequests
    tally: RunTally
    journal: JobJournal | None = None


def prepare(
    order: StreamOrder,
    client: MarketoBulk,
    settings: TapSettings,
    times: RunTimes,
    scopes: Scopes,
    tally: RunTally,
) -> PreparedStream:
    """Look at what an earlier run left, plan, and cancel what does not fit.

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
    watch = spec.watch() if selection.incremental and not selection.limited else None
    choice = None
    if watch is not None:
        choice = choose_scopes(watch, names, order.state, scopes, times.end, jobs)
    inputs = PlanInputs(
        names,
        settings,
        times,
        scopes,
        digests,
        order.state,
        find_jobs(client, spec.object, jobs),
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
    cancel_unfit(client, spec.object, plan.unfit)
    _log(plan, inputs)
    # While jobs run, a used-up quota is waited for by their scheduler.
    requests = StreamRequests(client.without_quota_wait(), spec, selection, digests, plan)
    return PreparedStream(spec, selection, plan, digests, requests, tally, order.journal)


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

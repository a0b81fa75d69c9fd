"""Watch: what tells which scopes of a stream have changed, so that a run may skip the others."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from tap_marketo_bulk.sync.choice import MARGIN, Altered, Choice, Standing
from tap_marketo_bulk.sync.look import Look
from tap_marketo_bulk.sync.state import Bookmarks, read_bookmarks

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime, timedelta

    from tap_marketo_bulk.sync.jobs_in_flight import JobInFlight
    from tap_marketo_bulk.sync.names import StreamNames
    from tap_marketo_bulk.sync.spec import Scopes
    from tap_marketo_bulk.sync.takeover import FoundJob


class Watch(Protocol):
    """What a description says of the changes of its scopes."""

    @property
    def full_check(self) -> timedelta:
        """Return within which time every scope is read, whatever is told."""

    def altered(self, since: Mapping[int, datetime]) -> Altered:
        """Return which of some scopes were altered themselves, each since a moment of its own."""

    def told(self, since: datetime, until: datetime) -> Mapping[int, datetime] | None:
        """Return when something last happened to each scope it happened to between two moments.

        Shape: None where nothing can tell, which has been said then.
        """


def choose_scopes(
    watch: Watch,
    names: StreamNames,
    state: Mapping[str, Any],
    scopes: Scopes,
    end: datetime,
    jobs: Iterable[JobInFlight],
    found: Iterable[FoundJob],
) -> Choice:
    """Return what a run up to `end` reads; asks what has changed if anything depends on it.

    `jobs` are those under way, and `found` those of them that are still there.
    Raises: ConfigurationError if the state does not parse.
    """
    # What is ahead of the clock is for the plan to say.
    segments = [s._replace(bookmark=min(s.bookmark, end)) for s in read_bookmarks(state, names)]
    ids = [scope.scope_id for scope in scopes.wanted]
    marks = Bookmarks(names, segments, ids, lists_all=scopes.are_all).marks
    standing = Standing(
        end,
        watch.full_check,
        frozenset(ids),
        marks,
        segments,
        scopes.are_all,
        Look.from_state(state, names),
        frozenset(i for job in jobs for i in job.scope),
        _begun(found),
        names.scopes_per_job,
    )
    standing = standing.with_altered(watch.altered)
    since = standing.since
    told = {} if since is None else watch.told(since, end)
    return standing.everything() if told is None else standing.choose(told)


def without_altered(watch: Watch, found: Iterable[FoundJob]) -> list[FoundJob]:
    """Return the jobs; outdated are those of all records whose scopes were altered afterwards."""
    return [replace(each, is_outdated=_is_outdated(watch, each)) for each in found]


def _is_outdated(watch: Watch, found: FoundJob) -> bool:
    made_at = found.job.created_at
    if made_at is None or found.left.window is not None:
        return False
    altered = watch.altered(dict.fromkeys(found.left.scope, made_at - MARGIN))
    return bool(altered.whole)


def _begun(found: Iterable[FoundJob]) -> dict[int, datetime]:
    begun: dict[int, datetime] = {}
    for each in found:
        made_at = each.job.created_at
        if made_at is not None:
            for scope_id in each.left.scope:
                begun[scope_id] = min(made_at, begun.get(scope_id, made_at))
    return begun

"""Watch: what tells which scopes of a stream have changed, so that a run may skip the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from tap_marketo_bulk.sync.choice import Altered, Choice, Standing
from tap_marketo_bulk.sync.look import Look
from tap_marketo_bulk.sync.state import Bookmarks, read_bookmarks

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime, timedelta

    from tap_marketo_bulk.sync.jobs_in_flight import JobInFlight
    from tap_marketo_bulk.sync.names import StreamNames
    from tap_marketo_bulk.sync.spec import Scopes


class Watch(Protocol):
    """What a description says of the changes of its scopes."""

    @property
    def full_check(self) -> timedelta:
        """Return within which time every scope is read, whatever is told."""

    def altered(self, since: Mapping[int, datetime]) -> Altered:
        """Return which of some scopes were altered themselves, each since a moment of its own."""

    def told(self, since: datetime) -> Mapping[int, datetime] | None:
        """Return when something last happened to each scope it happened to since a moment.

        Shape: None where nothing can tell, which has been said then.
        """


def choose_scopes(
    watch: Watch,
    names: StreamNames,
    state: Mapping[str, Any],
    scopes: Scopes,
    end: datetime,
    jobs: Iterable[JobInFlight],
) -> Choice:
    """Return what a run up to `end` reads; asks what has changed if anything depends on it.

    `jobs` are those under way.
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
        names.scopes_per_job,
    )
    standing = standing.with_altered(watch.altered)
    since = standing.since
    told = {} if since is None else watch.told(since)
    return standing.everything() if told is None else standing.choose(told)

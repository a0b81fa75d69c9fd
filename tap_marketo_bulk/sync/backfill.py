"""Backfill: bookmarks taken back, so that fields that are newly selected get their history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_marketo_bulk.sync.state import read_bookmarks
from tap_marketo_bulk.sync.windows import format_timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from tap_marketo_bulk.sync.spec import ExportSpec


def taken_back(
    state: Mapping[str, Any], spec: ExportSpec, start_date: datetime | None
) -> dict[str, Any] | None:
    """Return the state of a stream from which everything is read once more; None if none is.

    Shape: no bookmark where a job may go without a window: each scope then begins as a new one.
        Otherwise the bookmark of the first window, if a first load begins with one. Jobs in flight
        stay, to be judged by the plan.
    """
    names = spec.names
    if spec.goes_whole and names.has_scopes:
        # Not a key less but an empty list: Meltano merges states key by key.
        jobs = state.get("export_jobs", [])
        return {"replication_key": names.bookmark, names.cohorts_key: [], "export_jobs": jobs}
    if start_date is None:
        # As before the first load, which needs none.
        return {**state, "replication_key_value": None} if names.whole_by else None
    oldest = min((segment.bookmark for segment in read_bookmarks(state, names)), default=start_date)
    return {**state, "replication_key_value": format_timestamp(min(oldest, start_date))}

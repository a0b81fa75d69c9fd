"""Places for leads: the static list and the lead partitions an import may name."""

from __future__ import annotations

from marketo_bulk.http.permissions import READ_LEAD
from marketo_bulk.http.protocol import Request


def list_request(list_id: int) -> Request:
    """Return the call for one static list."""
    return Request(
        method="GET",
        target=f"/rest/v1/lists/{int(list_id)}.json",
        operation=f"get list {int(list_id)}",
        names=(str(int(list_id)),),
        permission=READ_LEAD,
    )


def partitions_request() -> Request:
    """Return the call for the lead partitions."""
    return Request(
        method="GET",
        target="/rest/v1/leads/partitions.json",
        operation="list lead partitions",
        permission=READ_LEAD,
    )

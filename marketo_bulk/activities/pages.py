"""Activity pages: what happened from a moment on, read by a token that leads from page to page.

A token comes with every page, the last one included; the end is `moreResult` false. A page may be
empty before it. So an empty page is no end here, as it is in other lists.
Source: Adobe, REST API > Paging Tokens, and Lead Database > Activities (read 2026-08-17).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from marketo_bulk.activities.activity import Activity
from marketo_bulk.errors import Answer, DecodeError
from marketo_bulk.http.permissions import READ_ACTIVITY
from marketo_bulk.http.protocol import Request
from marketo_bulk.limits import (
    ACTIVITY_ASSET_TYPES_MAX,
    ACTIVITY_LEAD_IDS_MAX,
    ACTIVITY_PAGE_MAX,
    ACTIVITY_TYPE_IDS_MAX,
    PAGES_MAX,
)
from marketo_bulk.timestamps import format_timestamp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from marketo_bulk.http.protocol import Envelope


@dataclass(frozen=True, slots=True)
class ActivityPage:
    """One page. `next_page_token` leads on from it, also when there is nothing more for now."""

    activities: tuple[Activity, ...]
    next_page_token: str
    more_result: bool


def token_request(since: datetime) -> Request:
    """Return the call for a token that starts at a moment (whole seconds)."""
    return Request(
        method="GET",
        target="/rest/v1/activities/pagingtoken.json",
        operation="get a paging token",
        permission=READ_ACTIVITY,
        # The spelling of samples and OpenAPI; Adobe's prose has sinceDateTime.
        query=(("sinceDatetime", format_timestamp(since)),),
    )


def activities_request(
    type_ids: Sequence[int], *, lead_ids: Sequence[int] = (), asset_ids: Sequence[int] = ()
) -> Request:
    """Return the call for activities of some types, yet without a token.

    Raises: ValueError for more than Marketo takes, or no type at all.
    """
    if not 1 <= len(type_ids) <= ACTIVITY_TYPE_IDS_MAX:
        raise ValueError(f"1 to {ACTIVITY_TYPE_IDS_MAX} activity types, not {len(type_ids)}")
    if len(lead_ids) > ACTIVITY_LEAD_IDS_MAX:
        raise ValueError(f"at most {ACTIVITY_LEAD_IDS_MAX} leads, not {len(lead_ids)}")
    if asset_ids and len(type_ids) > ACTIVITY_ASSET_TYPES_MAX:
        raise ValueError("assets can be asked for with one activity type only")
    chosen = (("activityTypeIds", type_ids), ("leadIds", lead_ids), ("assetIds", asset_ids))
    return Request(
        method="GET",
        target="/rest/v1/activities.json",
        operation="list activities",
        permission=READ_ACTIVITY,
        query=(
            *((name, ",".join(map(str, ids))) for name, ids in chosen if ids),
            ("batchSize", str(ACTIVITY_PAGE_MAX)),
        ),
    )


def deleted_leads_request() -> Request:
    """Return the call for leads that were deleted, yet without a token."""
    return Request(
        method="GET",
        target="/rest/v1/activities/deletedleads.json",
        operation="list deleted leads",
        permission=READ_ACTIVITY,
        query=(("batchSize", str(ACTIVITY_PAGE_MAX)),),
    )


def parse_token(envelope: Envelope) -> str:
    """Return the token of an answer, which stands beside the result and needs none.

    Raises: DecodeError if there is none.
    """
    if envelope.next_page_token is None:
        raise envelope.fault("the answer has no nextPageToken")
    return envelope.next_page_token


def parse_page(envelope: Envelope) -> ActivityPage:
    """Return the page of an answer.

    Raises: DecodeError if an activity cannot be read, or there is more and no token for it.
    """
    if envelope.more_result:
        parse_token(envelope)
    return ActivityPage(
        activities=tuple(map(Activity.parse, envelope.result or ())),
        next_page_token=envelope.next_page_token or "",
        more_result=envelope.more_result,
    )


def iter_pages(
    fetch: Callable[[Request], ActivityPage], request: Request, token: str
) -> Iterator[ActivityPage]:
    """Yield the pages from a token on, up to the one that says there is no more.

    Shape: lazy, one call for each; at least one page, which may be empty.
    Raises: DecodeError if the pages lead in circles or do not end; what fetch raises.
    """
    used: set[str] = set()
    for _ in range(PAGES_MAX):
        page = fetch(replace(request, query=(*request.query, ("nextPageToken", token))))
        yield page
        if not page.more_result:
            return
        used.add(token)
        token = page.next_page_token
        if token in used:
            raise DecodeError(
                "a page leads back to one already read", answer=Answer(request.operation)
            )
    raise DecodeError(f"the pages did not end after {PAGES_MAX}", answer=Answer(request.operation))

"""Activity calls: the part of the client that reads activities by REST, without an export."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marketo_bulk.activities import activity_types, pages

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from marketo_bulk.activities.activity_types import ActivityType
    from marketo_bulk.activities.pages import ActivityPage
    from marketo_bulk.http.caller import Caller
    from marketo_bulk.http.protocol import Request


class ActivityCalls:
    """One method for each operation."""

    _caller: Caller

    def list_activity_types(self) -> list[ActivityType]:
        """Return the types of activities this instance has, custom ones included."""
        return self._caller.fetch(activity_types.types_request(), activity_types.parse_types)

    def get_paging_token(self, since: datetime) -> str:
        """Return a token for what happened from `since` (whole seconds) on.

        It is opaque, and good for one of the two calls below: whichever it is used for first.
        """
        return self._caller.fetch(pages.token_request(since), pages.parse_token)

    def iter_activities(
        self,
        token: str,
        type_ids: Sequence[int],
        *,
        lead_ids: Sequence[int] = (),
        asset_ids: Sequence[int] = (),
    ) -> Iterator[ActivityPage]:
        """Yield pages of the activities of 1 to 10 types, in the order in which they were noted.

        Shape: lazy, one call for each page of at most 300; empty ones included.
        """
        request = pages.activities_request(type_ids, lead_ids=lead_ids, asset_ids=asset_ids)
        return pages.iter_pages(self._fetch_page, request, token)

    def iter_deleted_leads(self, token: str) -> Iterator[ActivityPage]:
        """Yield pages of the leads that were deleted, each as the activity of its deletion.

        Shape: as `iter_activities`. Marketo forgets a deletion after 14 days. The primary
            attribute is the person's name.
        """
        return pages.iter_pages(self._fetch_page, pages.deleted_leads_request(), token)

    def _fetch_page(self, request: Request) -> ActivityPage:
        return self._caller.fetch(request, pages.parse_page)

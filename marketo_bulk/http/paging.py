"""Paging: the answers to a call that come in pages, each with the token of the next."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from marketo_bulk.errors import DecodeError
from marketo_bulk.limits import PAGES_MAX

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from marketo_bulk.http.caller import Caller
    from marketo_bulk.http.protocol import Envelope, Request

logger = logging.getLogger(__name__)


def iter_pages(
    caller: Caller,
    page: Callable[[str | None], Request],
    max_retry_seconds: float | None = None,
) -> Iterator[Envelope]:
    """Yield the answers to page, called with the token of each next one.

    `max_retry_seconds` is how long a passing fault may last, if not as long as for other calls.
    Raises: DecodeError if the pages do not end.
    """
    token: str | None = None
    used: set[str] = set()
    for _ in range(PAGES_MAX):
        envelope = caller.fetch(page(token), lambda envelope: envelope, max_retry_seconds)
        yield envelope
        token = envelope.next_page_token
        # A token has been seen on the last page, too.
        if not token or not envelope.more_result or not envelope.result:
            return
        if token in used:
            logger.warning(
                "%s: a page names one read before as the next: taken for the last",
                envelope.operation,
            )
            return
        used.add(token)
    raise DecodeError(f"the pages did not end after {PAGES_MAX}")

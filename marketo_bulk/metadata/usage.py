"""Usage: how many calls Marketo has counted today, by API user.

The limit itself is not told. Bytes of exports are in no statistic.
Source: Adobe, REST API > Usage (read 2026-08-17).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from marketo_bulk.http.protocol import Request

if TYPE_CHECKING:
    from marketo_bulk.http.protocol import Envelope


def usage_request() -> Request:
    """Return the call for today's calls; it needs no permission."""
    return Request(method="GET", target="/rest/v1/stats/usage.json", operation="read the usage")


def calls_of(envelope: Envelope, user: str) -> int:
    """Return today's calls of an API user; of all, if it is not known who that is."""
    count = 0
    for day in envelope.result or ():
        users = day.get("users")
        if not user or not isinstance(users, list):
            count += _number(day.get("total"))
            continue
        for each in users:
            if isinstance(each, dict) and str(each.get("userId")).casefold() == user.casefold():
                count += _number(each.get("count"))
    return count


def _number(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0

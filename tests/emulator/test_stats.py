"""The usage and error statistics."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.emulator.harness import Marketo


def test_usage_counts_calls_by_day_and_client(marketo: Marketo) -> None:
    """The call for the statistics is one of them."""
    marketo.get("/rest/asset/v1/channels.json")
    marketo.clock.advance(86_400)
    marketo.sign_in()
    usage = marketo.get("/rest/v1/stats/usage.json")["result"]
    week = marketo.get("/rest/v1/stats/usage/last7days.json")["result"]
    users = [{"userId": "emulator@example.com", "count": 1}]
    assert usage == [{"date": "2026-06-16", "total": 1, "users": users}]
    assert [day["total"] for day in week] == [2, 1, 0, 0, 0, 0, 0]


def test_errors_are_counted_by_code(marketo: Marketo) -> None:
    """Each code has its count."""
    for _ in range(2):
        marketo.get("/rest/v1/nothing.json")
    errors = marketo.get("/rest/v1/stats/errors.json")["result"]
    week = marketo.get("/rest/v1/stats/errors/last7days.json")["result"]
    assert errors == [
        {"date": "2026-06-15", "total": 2, "errors": [{"errorCode": "610", "count": 2}]}
    ]
    assert week[0] == errors[0]
    assert len(week) == 7

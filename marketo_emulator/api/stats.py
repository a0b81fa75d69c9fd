"""The statistic: calls and errors by day (C§11)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from marketo_emulator.wire.envelope import mapi_success

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from marketo_emulator.wire.call import Call
    from marketo_emulator.world import World

_WEEK_DAYS = 7


def usage_today(world: World, call: Call) -> Response:
    """Answer with today's calls."""
    return mapi_success(call.request_id, _usage(world, 1))


def usage_week(world: World, call: Call) -> Response:
    """Answer with the calls of the last seven days."""
    return mapi_success(call.request_id, _usage(world, _WEEK_DAYS))


def errors_today(world: World, call: Call) -> Response:
    """Answer with today's errors."""
    return mapi_success(call.request_id, _errors(world, 1))


def errors_week(world: World, call: Call) -> Response:
    """Answer with the errors of the last seven days."""
    return mapi_success(call.request_id, _errors(world, _WEEK_DAYS))


def _usage(world: World, days: int) -> list[dict[str, object]]:
    with world.at():
        counts = [(day, world.limits.calls_on(day)) for day in _days(world, days)]
        return [
            {
                "date": day,
                "total": calls.total(),
                "users": [
                    {"userId": f"{client}@example.com", "count": count}
                    for client, count in calls.items()
                ],
            }
            for day, calls in counts
        ]


def _errors(world: World, days: int) -> list[dict[str, object]]:
    with world.at():
        counts = [(day, world.limits.errors_on(day)) for day in _days(world, days)]
        return [
            {
                "date": day,
                "total": codes.total(),
                "errors": [{"errorCode": code, "count": count} for code, count in codes.items()],
            }
            for day, codes in counts
        ]


def _days(world: World, days: int) -> list[str]:
    now = world.clock.now()
    return [world.limits.day(now - timedelta(days=back)) for back in range(days)]

"""Target shrinking: a failing schedule made smaller in its runs, events, settings and messages."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tests.simulation.shrinking import shrunk as shrunk_otherwise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.simulation.schedule import Schedule
    from tests.target_simulation.messages import Message

NEEDED = frozenset(
    {
        "import_timeout_seconds",
        "max_file_size_bytes",
        "max_rejected_percent",
        "poll_interval_seconds",
    }
)
"""Settings without which a schedule would be another one."""


def shrunk(schedule: Schedule, fails: Callable[[Schedule], bool]) -> Schedule:
    """Return the smallest schedule found that fails; each step takes one thing away."""

    def still_fails(candidate: Schedule) -> bool:
        return candidate.config.keys() >= NEEDED and fails(candidate)

    while True:
        smaller = _with_fewer_messages(shrunk_otherwise(schedule, still_fails), still_fails)
        if smaller == schedule:
            return schedule
        schedule = smaller


def _with_fewer_messages(schedule: Schedule, fails: Callable[[Schedule], bool]) -> Schedule:
    while True:
        messages = schedule.world["messages"]
        fewer = (_with(schedule, some) for some in _fewer(messages))
        smaller = next(filter(fails, fewer), None)
        if smaller is None:
            return schedule
        schedule = smaller


def _with(schedule: Schedule, messages: list[Message]) -> Schedule:
    world: dict[str, Any] = {**schedule.world, "messages": messages}
    return replace(schedule, world=world)


def _fewer(messages: list[Message]) -> Iterator[list[Message]]:
    """Yield the messages less some of them, many first; a schema stays before its records."""
    size = len(messages) // 2
    while size:
        for start in range(0, len(messages), size):
            fewer = messages[:start] + messages[start + size :]
            kinds = [message["type"] for message in fewer]
            if kinds[:1] != ["SCHEMA"] or kinds[-1] != "STATE":
                continue
            if _streams(fewer, "RECORD") <= _streams(fewer, "SCHEMA"):
                yield fewer
        size //= 2


def _streams(messages: list[Message], kind: str) -> set[str]:
    return {message["stream"] for message in messages if message["type"] == kind}

"""Shrinking: a failing schedule made smaller for as long as it still fails."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.simulation.schedule import Run, Schedule

PLAIN: tuple[tuple[str, Any], ...] = (
    ("date_skew", 0),
    ("begins_after", 0),
    ("latency", 0.05),
    ("programs", 2),
    ("described", []),
)


def shrunk(schedule: Schedule, fails: Callable[[Schedule], bool]) -> Schedule:
    """Return the smallest schedule found that fails; each step takes one thing away."""
    while True:
        smaller = next((s for s in _smaller(schedule) if fails(s)), None)
        if smaller is None:
            return schedule
        schedule = smaller


def _smaller(schedule: Schedule) -> Iterator[Schedule]:
    """Yield the schedule less one thing, what weighs most first."""
    runs, events = schedule.runs, schedule.events
    if len(events) > 2:
        yield replace(schedule, events=events[: len(events) // 2])
        yield replace(schedule, events=events[len(events) // 2 :])
    for number, run in enumerate(runs):
        if len(runs) > 1:
            yield replace(schedule, runs=runs[:number] + runs[number + 1 :])
        for less in _easier(run):
            yield replace(schedule, runs=(*runs[:number], less, *runs[number + 1 :]))
    for number in range(len(events)):
        yield replace(schedule, events=_less(events, number))
    for name in schedule.config:
        yield replace(schedule, config=_without(schedule.config, name))
    for world in _plainer(schedule.world):
        yield replace(schedule, world=world)


def _easier(run: Run) -> Iterator[Run]:
    for number in range(len(run.faults)):
        yield replace(run, faults=_less(run.faults, number))
    if run.kill is not None:
        yield replace(run, kill=None)
    if run.config:
        yield replace(run, config={})
    if run.ahead is not None:
        yield replace(run, ahead=None)
    if run.state != "last":
        yield replace(run, state="last", kept=1.0)


def _plainer(world: dict[str, Any]) -> Iterator[dict[str, Any]]:
    streams = world.get("streams", {})
    for name in streams.get("names", ()) if len(streams.get("names", ())) > 1 else ():
        left = [other for other in streams["names"] if other != name]
        yield {**world, "streams": {**streams, "names": left}}
    if "new_field" in streams:
        yield {**world, "streams": _without(streams, "new_field")}
    for name in world["options"]:
        yield {**world, "options": _without(world["options"], name)}
    for name, plain in PLAIN:
        if world[name] != plain:
            yield {**world, name: plain}


def _without(settings: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in settings.items() if key != name}


def _less(things: tuple[dict[str, Any], ...], number: int) -> tuple[dict[str, Any], ...]:
    return things[:number] + things[number + 1 :]

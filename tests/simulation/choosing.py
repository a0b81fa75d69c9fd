"""Choosing: schedules in which runs read only what activities name, with little to rely on.

Activities come late, or never; some changes leave none; programs are renamed; calls about
activities are refused, and a list of them lacks a row.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tests.simulation.shared_faults import transient

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from random import Random

    from tests.simulation.schedule import Run, Schedule

SHARE = 0.25
DAY = 86_400.0
LOOKS = ("activities.*", "activities.types", "activities.token", "activities.list")
DELAYS = ((), (), ((0, 0, 600),), ((0, 0, 3000),), ((0, 0, 20_000),), ((0, 90_000, 400_000),))
GAPS = (600.0, 600.0, 3_600.0, DAY / 4, DAY)


def with_choosing(schedule: Schedule, dice: Random, one_run: type[Run]) -> Schedule:
    """Return a schedule whose runs choose, with a few more of them; or as it is, mostly.

    Shape: drawn from dice of their own, so that everything else of a seed stays what it was.
    """
    if dice.random() >= SHARE:
        return schedule
    config = {
        **schedule.config,
        "changed_programs": "activities",
        "full_check_days": dice.choice((1, 2, 4)),
    }
    world = {
        **schedule.world,
        "options": {**schedule.world["options"], "activity_commit_delays": dice.choice(DELAYS)},
    }
    at, more = schedule.runs[-1].at, []
    for _ in range(dice.choice((1, 3, 5))):
        at += dice.choice(GAPS)
        more.append(one_run(round(at, 1)))
    runs = [_disturbed(run, dice) for run in (*_that_show(schedule.runs), *more)]
    renames = dice.random() < 0.5
    if not renames:
        # Such a run does not see that a program was renamed, and neither does it say so.
        runs = [_for_all(run, dice) for run in runs]
    events = [
        {"at": round(max(0.1, dice.choice(runs).at - dice.random() * 900), 1), **event}
        for event in _draw_events(dice, renames=renames)
    ]
    events = sorted((*schedule.events, *events), key=lambda event: event["at"])
    return replace(schedule, world=world, config=config, runs=tuple(runs), events=tuple(events))


def _draw_events(dice: Random, *, renames: bool) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = []
    for _ in range(dice.choice((2, 4, 8))):
        seed = dice.randrange(10**6)
        kinds = [
            {"do": "touch", "count": 1, "seed": seed},
            {"do": "exhaust", "seed": seed},
            {"do": "leave", "count": 1, "seed": seed},
        ]
        if renames:
            kinds.append({"do": "rename", "seed": seed})
        events.append(dice.choice(kinds))
    return events


def _disturbed(run: Run, dice: Random) -> Run:
    if dice.random() >= 0.2:
        return run
    fault = dice.choice(
        (
            transient(dice, LOOKS),
            {"operation": "activities.list", "code": "603"},
            {"operation": "activities.types", "code": "603"},
            {"operation": "activities.types", "put": {"result": []}},
            {"operation": "activities.list", "drop": ["result.0"]},
            {"operation": "activities.list", "drop": ["result"]},
        )
    )
    return replace(run, faults=(*run.faults, fault))


def _that_show(runs: Sequence[Run]) -> Iterator[Run]:
    """Yield runs less the count of zero that nobody can see in a file that announces no more."""
    faults = [fault for run in runs for fault in run.faults]
    announces = all("fileChecksum" not in fault.get("drop", ()) for fault in faults)
    for run in runs:
        yield replace(
            run,
            faults=tuple(
                fault
                for fault in run.faults
                if announces or fault.get("put", {}).get("numberOfRecords") != 0
            ),
        )


def _for_all(run: Run, dice: Random) -> Run:
    if run.config or dice.random() >= 0.15:
        return run
    return replace(run, config={"changed_programs": "all"})

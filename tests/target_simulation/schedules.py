"""Schedules of the target, drawn from a seed; their form is that of the tap's."""

from __future__ import annotations

from random import Random
from typing import Any

from tests.simulation.schedule import DAY, HOUR, Run, Schedule
from tests.target_simulation.messages import draw_messages
from tests.target_simulation.target_faults import draw_faults

PLACES = ("any", "any", "send", "reply", "sleep", "wait", "write", "read", "journal")


def draw_schedule(seed: int) -> Schedule:
    """Return the schedule of a seed."""
    dice = Random(seed)
    runs = _draw_runs(dice)
    config = _draw_config(dice)
    world = _draw_world(dice, config)
    events = _draw_events(dice, runs)
    return Schedule(seed, world, config, events, runs)


def _draw_world(dice: Random, config: dict[str, Any]) -> dict[str, Any]:
    longest = dice.choice((2, 20, 60, 60, config["import_timeout_seconds"] / 6))
    options: dict[str, Any] = {}

    def maybe(chance: float, **option: Any) -> None:
        if dice.random() < chance:
            options.update(option)

    maybe(0.5, blank_import_cell="clear")
    maybe(0.2, import_counters_always=True)
    maybe(0.1, same_list_refused=False)
    maybe(0.2, token_lifetime_seconds=dice.choice((90, 600)))
    maybe(0.2, refused_calls_count=False)
    maybe(0.2, reset_timezone="fixed_cst")
    return {
        "programs": 0,
        "members": 0,
        "seed": dice.randrange(2),
        "begins_after": dice.choice((0, dice.randrange(86_400))),
        "latency": dice.choice((0.05, 0.2, 1.0)),
        "job_seconds": [round(dice.uniform(0.5, longest), 1) for _ in range(7)],
        "date_skew": 0,
        "described": None,
        "programs_stream": False,
        "options": options,
        "chunk": dice.choice((1, 7, 50)),
        "messages": draw_messages(dice, config.get("lookup_field", "email")),
    }


def _draw_config(dice: Random) -> dict[str, Any]:
    # A poll every ten seconds of a job that takes hours would be all a simulation does.
    timeout_seconds, poll_seconds = dice.choice(((300, 10), (600, 20), (600, 30), (7200, 120)))
    config: dict[str, Any] = {
        "import_timeout_seconds": timeout_seconds,
        "poll_interval_seconds": poll_seconds,
        "max_file_size_bytes": dice.choice((1000, 1000, 1500, 3000, 9000)),
        "max_rejected_percent": dice.choice((100, 100, 10)),
    }
    for chance, name, values in (
        (0.25, "lookup_field", ("loyaltyTier",)),
        (0.5, "max_queued_imports", (1, 3, 10)),
        (0.3, "format", ("tsv", "ssv")),
        (0.3, "null_cell", ("null",)),
        (0.3, "max_batch_age_seconds", (20,)),
        (0.15, "list_id", (100,)),
        (0.15, "partition_name", ("EMEA",)),
        (0.2, "max_retry_seconds", (1, 60)),
        (0.2, "calls_per_20_seconds", (5, 20, 100)),
        (0.2, "request_timeout_seconds", (60,)),
    ):
        if dice.random() < chance:
            config[name] = dice.choice(values)
    return config


def _draw_runs(dice: Random) -> tuple[Run, ...]:
    at, runs = 0.0, []
    for _ in range(dice.choice((1, 2, 2, 3, 3, 4))):
        runs.append(_draw_run(dice, at))
        at += dice.choice((30.0, 300.0, HOUR, DAY, dice.uniform(0, 3 * DAY), 8 * DAY))
    return tuple(runs)


def _draw_run(dice: Random, at: float) -> Run:
    kill = None
    if dice.random() < 0.6:
        kill = {
            "how": dice.choice(("term", "kill", "kill")),
            "place": dice.choice(PLACES),
            "step": int(2 ** dice.uniform(0, 6)),
        }
    return Run(
        at=round(at, 1),
        faults=tuple(draw_faults(dice, dice.choice((0, 0, 1, 1, 2, 3, 5)))),
        kill=kill,
        state=dice.choice(("last", "last", "last", "before")),
    )


def _draw_events(dice: Random, runs: tuple[Run, ...]) -> tuple[dict[str, Any], ...]:
    events = []
    for _ in range(dice.choice((0, 1, 2, 5))):
        at = dice.choice(runs).at + dice.choice((-300, 5, 60, 600)) * dice.random()
        event: dict[str, Any] = dice.choice(
            (
                {"do": "queue", "places": dice.choice((5, 9, 10)), "seconds": 900},
                {"do": "queue", "places": 10, "seconds": dice.choice((100, 9000))},
                {"do": "calls"},
                {"do": "expire_tokens"},
                {"do": "revoke_tokens"},
            )
        )
        events.append({"at": round(max(0.1, at), 1), **event})
    return tuple(sorted(events, key=lambda event: event["at"]))

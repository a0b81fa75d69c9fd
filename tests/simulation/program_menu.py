"""Program menu: settings that choose programs, and which programs they mean."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from marketo_emulator.data.programs import CHANNELS, KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from random import Random

    from marketo_emulator.data.programs import Program
    from tests.simulation.schedule import Schedule

FIRST_ID = 1001
SHARE_OF_RARER = 0.3
SINCE = "programs_updated_since"
HISTORY_DAYS = 730
"""Over which the programs of an instance were made, at even distances."""
LATER_DAYS = 2


def draw_choice(dice: Random, programs: int, events: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return settings that let at least one of the first programs through.

    Those of names only where no program gets another name.
    """
    kind, _, _, purpose = KINDS[dice.randrange(min(programs, len(KINDS)))]
    choices: list[dict[str, Any]] = [
        {"program_types": [kind.lower()]},
        {"exclude_program_ids": [FIRST_ID + dice.randrange(programs)]},
        {"program_folders": ["Campaigns 1", "12"]},
        {"program_workspaces": ["Default"], "exclude_program_types": ["Nothing"]},
    ]
    if all(event["do"] != "rename" for event in events):
        choices.append({"program_names": [f"{purpose[:4]}*"]})
        choices.append({"exclude_program_names": ["*001"]})
    return dice.choice(choices)


def with_rarer_choice(schedule: Schedule, dice: Random, start: datetime) -> Schedule:
    """Return a schedule in which channels, tags or dates choose programs; or as it is, mostly.

    Shape: drawn from dice of their own, so that everything else of a seed stays what it was.
    """
    chooses = any("program_" in name or name == SINCE for name in schedule.config)
    if "streams" not in schedule.world or chooses or dice.random() >= SHARE_OF_RARER:
        return schedule
    # What is chosen must be there in the end, and a new name is a change of the program.
    events = tuple(e for e in schedule.events if e["do"] not in {"remove_program", "rename"})
    config = {**schedule.config, **_draw_rarer(dice, schedule.world["programs"], start)}
    return replace(schedule, config=config, events=events)


def _draw_rarer(dice: Random, programs: int, start: datetime) -> dict[str, Any]:
    """Return settings that let at least one of the first programs through."""
    place = dice.randrange(min(programs, len(KINDS)))
    channel = CHANNELS[KINDS[place][1]].name
    # The regions take turns.
    region = f"Region={('EMEA', 'AMER')[(FIRST_ID + place) % 2]}"
    # The last of the programs is not older.
    days = dice.choice((HISTORY_DAYS // programs + LATER_DAYS + 1, 400, 600))
    since = start - timedelta(days=days)
    return dice.choice(
        (
            {"program_channels": [channel.upper()]},
            {"exclude_program_channels": [channel]},
            {"program_tags": [region]},
            {"program_tags": [region, "Region=Nowhere"], "program_workspaces": ["default"]},
            {"exclude_program_tags": [region]},
            {SINCE: since.strftime("%Y-%m-%dT%H:%M:%SZ")},
        )
    )


def is_chosen(program: Program, config: Mapping[str, Any]) -> bool:
    """Return whether the settings let a program through."""
    ids = config.get("program_ids")
    if ids and program.program_id not in ids:
        return False
    if program.program_id in config.get("exclude_program_ids", ()):
        return False
    kept = (_fits(program, kind, config.get(f"program_{kind}")) for kind in _TEXTS)
    since = config.get(SINCE)
    if since and program.updated_at < datetime.fromisoformat(since).timestamp():
        return False
    left_out = (_fits(program, kind, config.get(f"exclude_program_{kind}")) for kind in _TEXTS)
    return all(fits is not False for fits in kept) and not any(left_out)


_TEXTS: Mapping[str, Callable[[Program], tuple[str, ...]]] = {
    "types": lambda program: (program.program_type,),
    "channels": lambda program: (program.channel.name,),
    "tags": lambda program: tuple(f"{kind}={value}" for kind, value in program.tag_values),
    "workspaces": lambda program: (program.workspace,),
    "folders": lambda program: (program.parent[2], str(program.parent[1])),
    "names": lambda program: (program.name,),
}


def _fits(program: Program, kind: str, values: Sequence[str] | None) -> bool | None:
    """Return whether one of some values is the program's; None where there are no values."""
    if not values:
        return None
    own = [text.lower() for text in _TEXTS[kind](program)]
    return any(fnmatchcase(text, value.lower()) for text in own for value in values)

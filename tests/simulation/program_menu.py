"""Program menu: settings that choose programs, and which programs they mean."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from marketo_emulator.data.programs import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from random import Random

    from marketo_emulator.data.programs import Program

FIRST_ID = 1001


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


def is_chosen(program: Program, config: Mapping[str, Any]) -> bool:
    """Return whether the settings let a program through."""
    ids = config.get("program_ids")
    if ids and program.program_id not in ids:
        return False
    if program.program_id in config.get("exclude_program_ids", ()):
        return False
    kept = (_fits(program, kind, config.get(f"program_{kind}")) for kind in _TEXTS)
    left_out = (_fits(program, kind, config.get(f"exclude_program_{kind}")) for kind in _TEXTS)
    return all(fits is not False for fits in kept) and not any(left_out)


_TEXTS: Mapping[str, Callable[[Program], tuple[str, ...]]] = {
    "types": lambda program: (program.program_type,),
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

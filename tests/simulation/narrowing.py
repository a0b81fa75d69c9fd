"""Narrowing: runs that are about less than the others, by their settings or by a short list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random


def draw_narrowing(
    dice: Random, world: Mapping[str, Any], config: Mapping[str, Any], later: str
) -> dict[str, Any]:
    """Return settings of one run that leave programs, or members, out; `later` is a start date."""
    ids = config.get("program_ids") or range(1001, 1001 + world["programs"])
    few = sorted(dice.sample(list(ids), dice.randrange(1, len(ids) + 1)))
    narrowings: list[dict[str, Any]] = [
        {"program_ids": few},
        {"program_ids": few},
        {"is_exhausted": dice.random() < 0.5},
        {"nurture_cadence": "paused"},
        {"status_names": ["Not in Program"]},
    ]
    if config.get("start_date", "") < later:
        narrowings.append({"start_date": later})
    return dice.choice(narrowings)


def draw_short_list(dice: Random, programs: int) -> dict[str, Any]:
    """Return the fault that some programs are missing from the list once."""
    missing = sorted(dice.sample(range(programs), dice.randrange(1, programs)), reverse=True)
    return {"operation": "programs.browse", "drop": [f"result.{number}" for number in missing]}

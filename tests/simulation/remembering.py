"""Remembering: schedules whose runs keep what the instance has said, and walk the list of programs.

Pages are small, so that the list of a few programs has several. Runs follow one another by hours,
so that a walk takes some of them; programs come and go meanwhile.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from marketo_bulk.metadata import asset_calls, programs
from tap_marketo_bulk.streams.instance_memory import InstanceMemory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from tap_marketo_bulk.tap import TapMarketoBulk
    from tests.simulation.schedule import Run, Schedule

SHARE = 0.75
PAGES = ([2, 0], [2, 0], [3, 0], [3, 1], [5, 2], [200, 20])
"""How many programs a page has, and by how many pages overlap."""
GAPS = (600.0, 1_800.0, 3_600.0, 7_200.0, 7_200.0, 14_400.0)
RUNS = (10, 16)


def with_memory(schedule: Schedule, dice: Random, one_run: type[Run]) -> Schedule:
    """Return a schedule with a memory, if runs choose programs, and mostly with runs that walk.

    Shape: drawn from dice of their own, so that everything else of a seed stays what it was.
    """
    if "changed_programs" not in schedule.config or dice.random() >= SHARE:
        return schedule
    world = {**schedule.world, "memory": {"page": dice.choice(PAGES)}}
    runs, events = list(schedule.runs), list(schedule.events)
    lasting = "program_ids" in schedule.config or _chooses(schedule.config)
    if dice.random() < 0.6:
        first = len(runs)
        gaps = dice.choice((GAPS, GAPS[-4:], GAPS[-3:]))
        for _ in range(dice.choice(RUNS)):
            runs.append(one_run(round(runs[-1].at + dice.choice(gaps), 1)))
        for _ in range(dice.choice((2, 5, 8))):
            at = round(dice.choice(runs[first:]).at - dice.random() * 900, 1)
            events.append({"at": at, **_draw_event(dice, lasting=lasting)})
    events.sort(key=lambda event: event["at"])
    return replace(schedule, world=world, runs=tuple(runs), events=tuple(events))


def _chooses(config: dict[str, Any]) -> bool:
    return any("program_" in name or "programs_updated" in name for name in config)


def _draw_event(dice: Random, *, lasting: bool) -> dict[str, Any]:
    seed = dice.randrange(10**6)
    kinds: list[dict[str, Any]] = [
        {"do": "add_program", "members": dice.randrange(4), "age_days": dice.choice((0, 2, 50))},
        {"do": "touch", "count": 2, "seed": seed},
        {"do": "forget"},
    ]
    if not lasting:
        kinds += [{"do": "remove_program", "seed": seed}] * 3
    return dice.choice(kinds)


class Kept:
    """What stands in for a folder and the one file in it."""

    def __init__(self) -> None:
        self.text = ""

    def __truediv__(self, _name: str) -> Kept:
        """Return the file."""
        return self

    def read_text(self, encoding: str = "") -> str:
        """Return its content."""
        if not self.text:
            raise FileNotFoundError(encoding)
        return self.text

    def write_text(self, data: str, encoding: str = "") -> int:
        """Replace its content."""
        self.text = data
        return len(data)

    def mkdir(self, *, parents: bool = False, exist_ok: bool = False) -> None:
        """Be there."""


class Remembered:
    """The memory of the runs of one world, which is kept where STATE is not; `plain` says how."""

    def __init__(self, plain: dict[str, Any]) -> None:
        self.kept = Kept()
        self._page, self._overlap = plain["page"]

    @property
    def is_walked(self) -> bool:
        """Whether a walk has been left for the next run."""
        return '"walk"' in self.kept.text

    @property
    def programs(self) -> set[int]:
        """The ids of the programs that the next run will know."""
        entries = json.loads(self.kept.text or '{"entries": {}}')["entries"]
        return {each["id"] for each in entries.get("programs", {}).get("programs", ())}

    def hand_to(self, tap: TapMarketoBulk) -> None:
        """Let a run have it, if it is one that remembers."""
        if tap.settings.reads_changed_only:
            tap.instance.memory = InstanceMemory(self.kept, ["simulated"])

    @contextlib.contextmanager
    def pages(self) -> Iterator[None]:
        """Let the client ask for small pages."""
        with pytest.MonkeyPatch.context() as patch:
            for module in (programs, asset_calls):
                patch.setattr(module, "PROGRAM_PAGE_MAX", self._page)
            patch.setattr(programs, "PROGRAM_PAGE_OVERLAP", self._overlap)
            yield

"""Dying: a process in this one that is told to stop, or is gone, at a certain step."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from tests.simulation.world import EndlessError

if TYPE_CHECKING:
    from collections.abc import Mapping

STEPS_MAX = 15_000


class KilledError(BaseException):
    """The process is gone; nothing it does from here on has any effect."""


class Mortal(ABC):
    """Counts steps, and dies at the one that `kill`, as in `schedule.Run`, names."""

    def __init__(self, kill: Mapping[str, Any] | None) -> None:
        self.kill = kill
        self.steps = 0
        self.matched = 0
        self.is_dead = False

    def step(self, place: str) -> None:
        """Count a step, and die if it is the one."""
        if self.is_dead:
            raise KilledError
        self.steps += 1
        if self.steps > STEPS_MAX:
            raise EndlessError(f"no end after {STEPS_MAX} steps")
        if not self._is_last(place):
            return
        if self.kill is not None and self.kill["how"] == "kill":
            self.is_dead = True
            self.last_breath()
            raise KilledError
        self.terminate()

    def last_breath(self) -> None:  # noqa: B027  # most have nothing to do
        """Note what the process leaves where it is killed."""

    @abstractmethod
    def terminate(self) -> None:
        """Do what SIGTERM does."""

    def _is_last(self, place: str) -> bool:
        kill = self.kill
        if kill is None or kill["place"] not in {"any", place}:
            return False
        self.matched += 1
        return bool(self.matched == kill["step"])

"""Runtime: the clock, the sleep and the dice everything that waits is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Runtime:
    """Where time and chance come from.

    Units: `clock` counts seconds and never goes back; `random` is in [0, 1).
    """

    clock: Callable[[], float]
    sleep: Callable[[float], object]
    random: Callable[[], float]

"""Clock: time, sleep and chance, as everything that waits is given them."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Clock:
    """Where time and chance come from.

    Units: `now` counts seconds and never goes back; `random` is in [0, 1).
    Shape: `moves_by_sleep` says that only sleeping moves it, as in a simulation: who would start a
        thread takes its steps himself, as two threads asleep would each move it.
    """

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], object] = time.sleep
    random: Callable[[], float] = random.random
    moves_by_sleep: bool = False


REAL_TIME = Clock()

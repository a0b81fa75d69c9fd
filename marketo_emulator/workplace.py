"""The workplace: what exports and imports need from around them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path
    from random import Random

    from marketo_emulator.data.store import Store
    from marketo_emulator.exports.job import ExportJob
    from marketo_emulator.faults.fault import Faults
    from marketo_emulator.imports.imports import ImportJob
    from marketo_emulator.options import Options

    JobSeconds = float | Callable[[ExportJob | ImportJob], float]


@dataclass(frozen=True, slots=True)
class Workplace:
    """What the service needs from around it."""

    store: Store
    options: Options
    faults: Faults
    random: Random
    directory: Callable[[], Path]
    day: Callable[[datetime], str]

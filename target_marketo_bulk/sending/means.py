"""Means: what whoever sends files and waits for imports has in hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from marketo_bulk.client import MarketoBulk
    from target_marketo_bulk.outcomes.outcomes import Outcomes
    from target_marketo_bulk.sending.journal import Journal
    from target_marketo_bulk.settings import ImportSettings


@dataclass(frozen=True, slots=True)
class Means:
    """The parts of a run that sending needs.

    Units: `clock` counts seconds, less those in which the reset of a quota was waited for.
    """

    client: MarketoBulk
    settings: ImportSettings
    journal: Journal
    outcomes: Outcomes
    clock: Callable[[], float]

"""Curves: what grows with what, kept in `curves.json` for the docs.

A curve is one line of a panel. Those of a run replace the ones of the same panel and name.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from report import environment

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

KEPT = Path(__file__).parent / "curves.json"
WIDTH = 58


@dataclass(frozen=True, slots=True)
class Curve:
    """What something costs, by the number of something else.

    `panel` says what costs, `unit` in what, `by` of what there are more and more.
    """

    panel: str
    unit: str
    by: str
    name: str
    points: tuple[tuple[float, float], ...]
    megabytes: float = 0.0
    """The largest resident set of all points; zero if it says nothing."""
    aim: float | None = None
    """What it is to stay below."""

    def rows(self) -> Iterator[str]:
        """Yield the lines of a table, one for each point."""
        for x, y in self.points:
            what = f"{self.panel}, {self.name}" if self.name else self.panel
            yield f"{what:<{WIDTH}}{x:>11,.0f} {self.by:<17}{y:>9,.3g} {self.unit}"
        if self.megabytes:
            yield f"{'':<{WIDTH}}{'':>11} {'RSS at most':<17}{self.megabytes:>9,.0f} MB"


def keep(curves: Iterable[Curve]) -> None:
    """Put curves in place of those measured before."""
    measured = list(curves)
    kept = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else []
    mine = {(curve.panel, curve.name) for curve in measured}
    now = ", ".join(environment().values())
    entries = [entry for entry in kept if (entry["panel"], entry["name"]) not in mine]
    entries += [{**asdict(curve), "measured": now} for curve in measured]
    KEPT.write_text(json.dumps(entries, indent=1) + "\n", encoding="utf-8")

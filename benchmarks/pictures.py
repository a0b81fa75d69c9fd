"""Pictures: the figures of `results.json` as bars and as a time line, for the docs.

    python benchmarks/pictures.py

Writes `batches.svg`, `speed.svg`, `memory.svg` and `schedule.svg` in `docs/`, and `curves.svg` of
`curves.json`; a test holds them to the results. Their colours follow the reader's choice of light
or dark.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.curve_pictures import curves
from benchmarks.schedule_picture import schedule

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FOLDER = Path(__file__).parent
DOCS = FOLDER.parent / "docs"
WIDTH = 720
LABEL_WIDTH = 260
VALUE_WIDTH = 120
BAR_HEIGHT = 18
STEP = 30
TOP = 44

STYLE = """
.ground { fill: #ffffff; }
text { font: 13px sans-serif; fill: #1f2328; }
.title { font-weight: bold; }
.bar { fill: #0969da; }
@media (prefers-color-scheme: dark) {
  .ground { fill: #0d1117; }
  text { fill: #e6edf3; }
  .bar { fill: #58a6ff; }
}
"""

Bar = tuple[str, float, str]
"""Label, length, and the value as it is shown."""


def pictures(
    results: Mapping[str, Any], measured_curves: Sequence[Mapping[str, Any]]
) -> dict[str, str]:
    """Return the pictures by the name of their file, as SVG."""
    typical = [loop for loop in results["loops"]["entries"] if loop["file"] == "typical"]
    speed = [
        (
            loop["contender"],
            loop["records_per_cpu_second"],
            f"{loop['records_per_cpu_second']:,}",
        )
        for loop in typical
    ]
    memory = [
        (f"{int(size):,} MB", megabytes, f"{megabytes} MB")
        for size, megabytes in results["memory"]["entries"].items()
        if megabytes is not None
    ]
    batches = [
        (entry["what"], entry["microseconds"], f"{entry['microseconds']} µs")
        for entry in results["batches"]["entries"]
    ]
    return {
        "batches.svg": bars("Processor time of a record, by output", batches),
        "speed.svg": bars("Records a second of processor time", speed),
        "memory.svg": bars("Memory at most, by the size of an export file", memory),
        "schedule.svg": schedule(results["timeline"]["entries"]),
        "curves.svg": curves(measured_curves),
    }


def bars(title: str, entries: Sequence[Bar]) -> str:
    """Return a bar for each entry, the longest as long as there is room."""
    longest = max(length for _, length, _ in entries)
    room = WIDTH - LABEL_WIDTH - VALUE_WIDTH
    height = TOP + STEP * len(entries)
    shown = "; ".join(f"{label}: {value}" for label, _, value in entries)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
        f"<title>{escape(f'{title}. {shown}')}</title>",
        f"<style>{STYLE}</style>",
        f'<rect class="ground" width="{WIDTH}" height="{height}"/>',
        f'<text class="title" x="8" y="24">{escape(title)}</text>',
    ]
    for number, (label, length, value) in enumerate(entries):
        y = TOP + STEP * number
        bar = round(room * length / longest, 1)
        lines += [
            f'<text x="{LABEL_WIDTH - 8}" y="{y + 14}" text-anchor="end">{escape(label)}</text>',
            f'<rect class="bar" x="{LABEL_WIDTH}" y="{y}" width="{bar}" height="{BAR_HEIGHT}"/>',
            f'<text x="{LABEL_WIDTH + bar + 8}" y="{y + 14}">{escape(value)}</text>',
        ]
    return "\n".join([*lines, "</svg>", ""])


def main() -> None:
    """Write the pictures."""
    results, kept = (
        json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
        for name in ("results", "curves")
    )
    for name, picture in pictures(results, kept).items():
        (DOCS / name).write_text(picture, encoding="utf-8")


if __name__ == "__main__":
    main()

"""The picture of the curves: a panel for each, the cost upwards and what grows to the right."""

from __future__ import annotations

import math
from itertools import groupby
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    Entry = Mapping[str, Any]

COLUMNS = 2
PANEL_WIDTH, PANEL_HEIGHT = 360, 210
LEFT, RIGHT, TOP, BOTTOM = 52, 18, 46, 40
ROOM_X, ROOM_Y = PANEL_WIDTH - LEFT - RIGHT, PANEL_HEIGHT - TOP - BOTTOM
HEADROOM = 1.25
LABEL_GAP = 30
THOUSAND, MILLION = 1_000, 1_000_000

STYLE = """
.ground { fill: #ffffff; }
text { font: 11px sans-serif; fill: #1f2328; }
.title { font-weight: bold; font-size: 12px; }
.axis { stroke: #8c959f; }
.aim { stroke: #8c959f; stroke-dasharray: 4 3; }
.line { fill: none; stroke-width: 2; }
.line-0 { stroke: #0969da; } .dot-0 { fill: #0969da; }
.line-1 { stroke: #bc4c00; } .dot-1 { fill: #bc4c00; }
@media (prefers-color-scheme: dark) {
  .ground { fill: #0d1117; }
  text { fill: #e6edf3; }
  .axis, .aim { stroke: #7d8590; }
  .line-0 { stroke: #58a6ff; } .dot-0 { fill: #58a6ff; }
  .line-1 { stroke: #f0883e; } .dot-1 { fill: #f0883e; }
}
"""


def curves(entries: Sequence[Entry]) -> str:
    """Return all curves as SVG: those of one panel and one `by` in one panel."""
    ordered = sorted(entries, key=_panel_of)
    panels = [list(group) for _, group in groupby(ordered, key=_panel_of)]
    height = PANEL_HEIGHT * math.ceil(len(panels) / COLUMNS)
    width = PANEL_WIDTH * COLUMNS
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">',
        f"<title>{escape('. '.join(map(_told, entries)))}</title>",
        f"<style>{STYLE}</style>",
        f'<rect class="ground" width="{width}" height="{height}"/>',
    ]
    for number, panel in enumerate(panels):
        row, column = divmod(number, COLUMNS)
        lines.append(f'<g transform="translate({column * PANEL_WIDTH} {row * PANEL_HEIGHT})">')
        lines += _panel(panel)
        lines.append("</g>")
    return "\n".join([*lines, "</svg>", ""])


def _panel_of(entry: Entry) -> tuple[str, str]:
    return entry["panel"], entry["by"]


def _told(entry: Entry) -> str:
    points = ", ".join(f"{_short(y)} at {_short(x)}" for x, y in entry["points"])
    name = f", {entry['name']}" if entry["name"] else ""
    return f"{entry['panel']}{name} ({entry['unit']} by {entry['by']}): {points}"


def _panel(panel: Sequence[Entry]) -> Iterator[str]:
    first, aim = panel[0], panel[0]["aim"]
    xs = sorted({x for entry in panel for x, _ in entry["points"]})
    most = max(y for entry in panel for _, y in entry["points"])
    top = HEADROOM * max(most, aim or 0.0)
    places = _places(xs)
    bottom = TOP + ROOM_Y
    yield f'<text class="title" x="{LEFT - 36}" y="18">{escape(first["panel"])}</text>'
    yield f'<text x="{LEFT - 36}" y="33">{escape(first["unit"])}</text>'
    for line, entry in enumerate(each for each in panel if each["name"]):
        x = PANEL_WIDTH - RIGHT
        yield (
            f'<text class="dot-{line}" x="{x}" y="{18 + 14 * line}" text-anchor="end">'
            f"{escape(entry['name'])}</text>"
        )
    yield f'<path class="axis" fill="none" d="M{LEFT} {TOP}V{bottom}H{LEFT + ROOM_X}"/>'
    shown_until = -math.inf
    for x in xs:
        if places[x] - shown_until >= LABEL_GAP:
            shown_until = places[x]
            yield f'<text x="{places[x]}" y="{bottom + 15}" text-anchor="middle">{_short(x)}</text>'
    middle = LEFT + ROOM_X / 2
    yield f'<text x="{middle}" y="{bottom + 30}" text-anchor="middle">{escape(first["by"])}</text>'
    for y in (most,) if aim is None else (aim,):
        at = round(bottom - ROOM_Y * y / top, 1)
        yield f'<text x="{LEFT - 5}" y="{at + 4}" text-anchor="end">{_short(y)}</text>'
        if aim is not None:
            yield f'<path class="aim" d="M{LEFT} {at}H{LEFT + ROOM_X}"/>'
    yield f'<text x="{LEFT - 5}" y="{bottom + 4}" text-anchor="end">0</text>'
    for line, entry in enumerate(panel):
        yield from _line(line, [(places[x], bottom - ROOM_Y * y / top) for x, y in entry["points"]])


def _line(line: int, points: Sequence[tuple[float, float]]) -> Iterator[str]:
    joined = " ".join(f"{x},{round(y, 1)}" for x, y in points)
    yield f'<polyline class="line line-{line}" points="{joined}"/>'
    for x, y in points:
        yield f'<circle class="dot-{line}" cx="{x}" cy="{round(y, 1)}" r="3"/>'


def _places(xs: Sequence[float]) -> dict[float, float]:
    """Return where each number is: by its order of magnitude."""
    low, high = math.log1p(xs[0]), math.log1p(xs[-1])
    span = high - low or 1.0
    return {x: round(LEFT + ROOM_X * (math.log1p(x) - low) / span, 1) for x in xs}


def _short(number: float) -> str:
    if number >= MILLION:
        return f"{number / MILLION:g} M"
    return f"{number / THOUSAND:g} k" if number >= THOUSAND else f"{number:.3g}"

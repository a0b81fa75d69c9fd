"""The picture of a run's schedule: Marketo's two workers, and what each job waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    Job = Mapping[str, float]

WIDTH = 720
LEFT = 84
ROOM = WIDTH - LEFT - 16
LANE = 20
ROW = 15
TOP = 78
MINUTE = 60

PHASES = (
    ("queued", "created", "started", "waits in the queue"),
    ("at-work", "started", "finished", "Marketo's worker is at it"),
    ("ready", "finished", "downloaded", "seen, downloaded, verified"),
    ("writing", "downloaded", "written", "records are written"),
)
"""Class of the bar, where it begins and ends, and what the legend says of it."""

STYLE = """
.ground { fill: #ffffff; }
text { font: 12px sans-serif; fill: #1f2328; }
.title { font-weight: bold; font-size: 13px; }
.line { stroke: #d1d9e0; }
.queued { fill: #c8d1da; }
.at-work { fill: #0969da; }
.worker-1 { fill: #1a7f37; }
.ready { fill: #e0a020; }
.writing { fill: #a475f9; }
.on-bar { fill: #ffffff; font-size: 11px; }
@media (prefers-color-scheme: dark) {
  .ground { fill: #0d1117; }
  text { fill: #e6edf3; }
  .line { stroke: #3d444d; }
  .queued { fill: #4d5661; }
  .at-work { fill: #388bfd; }
  .worker-1 { fill: #3fb950; }
  .on-bar { fill: #0d1117; }
}
"""


def schedule(jobs: Sequence[Job]) -> str:
    """Return the time line of a run as SVG: two lanes for the workers, then a row for each job."""
    end = max(job["written"] for job in jobs)
    scale = ROOM / end
    rows = TOP + 2 * LANE + 12
    height = rows + ROW * len(jobs) + 28
    title = f"A run of {len(jobs)} export jobs: Marketo's two workers are never idle"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>{STYLE}</style>",
        f'<rect class="ground" width="{WIDTH}" height="{height}"/>',
        _text(title, 8, 20, "title"),
        *_legend(),
        *_minutes(end, scale, height),
    ]
    for number, job in enumerate(jobs, start=1):
        parts += _on_lane(job, number, scale)
        parts += _row(job, number, rows + ROW * (number - 1), scale)
    parts += [_text(f"worker {n + 1}", 8, TOP + LANE * n + 14) for n in (0, 1)]
    return "\n".join([*parts, "</svg>", ""])


def _legend() -> Iterator[str]:
    x = 8
    for kind, _, _, meaning in PHASES:
        yield _bar(kind, x, 32, 12, 12)
        if kind == "at-work":
            yield _bar("worker-1", x + 6, 32, 6, 12)
        yield _text(meaning, x + 17, 42)
        x += 34 + round(6.2 * len(meaning))


def _minutes(end: float, scale: float, height: int) -> Iterator[str]:
    step = 5 * MINUTE if end > 10 * MINUTE else MINUTE
    for moment in range(0, int(end) + 1, step):
        x = round(LEFT + moment * scale, 1)
        yield f'<path class="line" d="M{x} {TOP - 8}V{height - 22}"/>'
        yield _text(f"{moment // MINUTE} min", x, height - 8, anchor="middle")


def _on_lane(job: Job, number: int, scale: float) -> Iterator[str]:
    x, width = _span(job, "started", "finished", scale)
    y = TOP + LANE * int(job["worker"])
    yield _bar(_worker_class(job), x, y, max(width - 1, 1), LANE - 4)
    yield _text(str(number), x + width / 2, y + 12, "on-bar", "middle")


def _row(job: Job, number: int, y: int, scale: float) -> Iterator[str]:
    yield _text(f"job {number}", 8, y + 10)
    for kind, begin, end, _ in PHASES:
        x, width = _span(job, begin, end, scale)
        yield _bar(_worker_class(job) if kind == "at-work" else kind, x, y, width, ROW - 4)


def _worker_class(job: Job) -> str:
    return "worker-1" if job["worker"] else "at-work"


def _span(job: Job, begin: str, end: str, scale: float) -> tuple[float, float]:
    return LEFT + job[begin] * scale, (job[end] - job[begin]) * scale


def _bar(kind: str, x: float, y: float, width: float, height: float) -> str:
    place = f'x="{round(x, 1)}" y="{y}" width="{round(width, 1)}" height="{height}"'
    return f'<rect class="{kind}" {place}/>'


def _text(text: str, x: float, y: float, kind: str = "", anchor: str = "") -> str:
    shown = f' class="{kind}"' if kind else ""
    shown += f' text-anchor="{anchor}"' if anchor else ""
    return f'<text{shown} x="{round(x, 1)}" y="{y}">{escape(text)}</text>'

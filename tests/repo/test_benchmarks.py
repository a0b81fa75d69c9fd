"""The numbers in the docs are those that were measured."""

from __future__ import annotations

import itertools
import json
import re

import pytest

from benchmarks import freshness_page, timeline
from benchmarks.curve_pictures import ROOM_Y, TOP, curves
from benchmarks.pictures import DOCS, bars, pictures
from benchmarks.report import FOLDER, MARKERS, PAGE, Report, with_summary
from benchmarks.schedule_picture import ROOM, schedule


def test_the_page_shows_what_the_results_say() -> None:
    """The section is what `python benchmarks/report.py --page` makes of `results.json`."""
    page = PAGE.read_text(encoding="utf-8")
    assert with_summary(page, Report(FOLDER).summary()) == page


def test_results_md_is_what_the_results_say() -> None:
    """The long tables come from the same file."""
    assert (FOLDER / "results.md").read_text(encoding="utf-8") == Report(FOLDER).markdown()


def test_a_summary_replaces_what_was_between_the_markers_and_nothing_else() -> None:
    """Text before and after stays, and a page without markers is refused."""
    start, end = MARKERS
    assert with_summary(f"a\n{start}\nold\n{end}\nb", "new") == f"a\n{start}\nnew\n{end}\nb"
    with pytest.raises(ValueError, match="the page needs"):
        with_summary(f"a {end} {start}", "new")


def test_pictures_show_what_the_results_say() -> None:
    """They are what `python benchmarks/pictures.py` makes of `results.json` and `curves.json`."""
    results = json.loads((FOLDER / "results.json").read_text(encoding="utf-8"))
    kept = json.loads((FOLDER / "curves.json").read_text(encoding="utf-8"))
    for name, picture in pictures(results, kept).items():
        assert (DOCS / name).read_text(encoding="utf-8") == picture


def test_the_tables_and_the_picture_of_freshness_show_what_was_measured() -> None:
    """They are what `python benchmarks/freshness_page.py` makes of `freshness.json`."""
    measured = freshness_page.entries()
    for page, text in freshness_page.pages(measured).items():
        assert page.read_text(encoding="utf-8") == text
    assert freshness_page.PICTURE.read_text(encoding="utf-8") == freshness_page.picture(measured)


def test_a_curve_rises_as_its_costs_do() -> None:
    """Twice the cost is twice as high, the aim is drawn, and curves of one panel share it."""
    plain = {"panel": "<a>", "unit": "us", "by": "rows", "aim": 3.0}
    picture = curves(
        [
            {**plain, "name": "one", "points": [[0, 1.0], [10, 2.0]]},
            {**plain, "name": "two", "points": [[0, 2.0], [10, 2.0]]},
        ]
    )
    found = re.findall(r'<polyline class="line line-\d" points="([^"]+)"', picture)
    (low, high), (level, _) = (
        [float(point.partition(",")[2]) for point in points.split()] for points in found
    )
    bottom = TOP + ROOM_Y
    assert bottom - high == pytest.approx(2 * (bottom - low), abs=0.2)
    assert level == high
    assert picture.count('class="aim"') == 1
    assert picture.count('class="title"') == 1
    assert "&lt;a&gt;" in picture
    assert "prefers-color-scheme: dark" in picture


def test_the_picture_of_a_schedule_shows_each_job_as_long_as_it_took() -> None:
    """A bar for each phase of each job, and one for each job on its worker's lane."""
    job = {"created": 0, "queued": 1, "started": 30, "finished": 60, "downloaded": 90}
    jobs = [{"worker": n, "written": 120, **job} for n in (0, 1)]
    picture = schedule(jobs)
    widths = {
        kind: {float(x) for x in re.findall(rf'class="{kind}" x=.* width="([0-9.]+)"', picture)}
        for kind in ("queued", "ready", "writing")
    }
    assert widths == {kind: {12.0, ROOM / 4} for kind in widths}
    assert picture.count('class="on-bar"') == 2
    assert "prefers-color-scheme: dark" in picture


def test_a_run_keeps_both_workers_busy_and_its_time_line_is_in_order() -> None:
    """What is drawn was measured: phases follow each other, and no worker waits for a job."""
    times = timeline.measured()
    assert len(times) == 14
    for job in times:
        phases = (job.created, job.queued, job.started, job.finished, job.downloaded, job.written)
        assert list(phases) == sorted(phases)
    for worker in (0, 1):
        lane = sorted((job.started, job.finished) for job in times if job.worker == worker)
        waits = [start - end for (_, end), (start, _) in itertools.pairwise(lane)]
        assert [round(wait) for wait in waits] == [0] * len(waits)


def test_bars_are_as_long_as_their_values() -> None:
    """The longest fills the room, half the value is half as long, and labels are escaped."""
    picture = bars("a & b", [("<one>", 1.0, "1"), ("two", 2.0, "2")])
    widths = [float(width) for width in re.findall(r'class="bar".* width="([0-9.]+)"', picture)]
    assert widths == [widths[1] / 2, widths[1]]
    assert "a &amp; b" in picture
    assert "&lt;one&gt;" in picture

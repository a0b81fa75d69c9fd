"""Freshness page: the tables in `docs/scaling.md` and in the README, and the picture.

They are made of `freshness.json`.

python benchmarks/freshness_page.py
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.pictures import bars  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

RESULTS = Path(__file__).parent / "freshness.json"
PAGE = ROOT / "docs" / "scaling.md"
README = ROOT / "README.md"
PICTURE = ROOT / "docs" / "freshness.svg"
MARKERS = ("<!-- made by benchmarks/freshness_page.py -->", "<!-- end of freshness -->")
COLUMNS = (
    "Every",
    "`changed_programs`",
    "Changed",
    "Minutes a run",
    "Jobs a run",
    "Calls a run",
    "Calls a day",
    "MB a day",
    "Change to record, minutes: median, 95 %, worst",
)
SHORT_COLUMNS = (
    "Every",
    "`changed_programs`",
    "Changed",
    "Minutes a run",
    "Calls a run",
    "Change to record, minutes: median, 95 %, worst",
)
SHORT = "10 minutes"
"""Whose rows are in the README."""


def entries() -> list[dict[str, Any]]:
    """Return what was measured."""
    found: list[dict[str, Any]] = json.loads(RESULTS.read_text(encoding="utf-8"))
    return found


def table(measured: Sequence[Mapping[str, Any]]) -> str:
    """Return the table."""
    rows = (
        f"| {each['every']} | `{each['mode']}` | {each['changed']:,} | {each['run_minutes']} | "
        f"{each['jobs']} | {each['calls']} | {each['calls_a_day']:,} | "
        f"{each['megabytes_a_day']} | {_fresh(each)} |"
        for each in measured
    )
    head = (f"| {' | '.join(COLUMNS)} |", f"|{' --- |' * len(COLUMNS)}")
    return "\n".join([*head, *rows])


def short_table(measured: Sequence[Mapping[str, Any]]) -> str:
    """Return the table of those who run every ten minutes."""
    rows = (
        f"| {each['every']} | `{each['mode']}` | {each['changed']:,} | {each['run_minutes']} | "
        f"{each['calls']} | {_fresh(each)} |"
        for each in measured
        if each["every"] == SHORT
    )
    head = (f"| {' | '.join(SHORT_COLUMNS)} |", f"|{' --- |' * len(SHORT_COLUMNS)}")
    return "\n".join([*head, *rows])


def picture(measured: Sequence[Mapping[str, Any]]) -> str:
    """Return the picture: how old a record is at the median, as bars."""
    shown = [
        (
            f"{each['mode']}, {each['changed']:,} every {each['every']}",
            each["fresh_median"],
            f"{each['fresh_median']:,} min",
        )
        for each in measured
        if each["fresh_median"] is not None
    ]
    return bars("From a change to its record, minutes at the median", shown)


def with_table(page: str, made: str) -> str:
    """Return the page with a table between its markers."""
    before, start, rest = page.partition(MARKERS[0])
    _, end, after = rest.partition(MARKERS[1])
    if not start or not end:
        raise ValueError(f"the page needs {MARKERS[0]} and {MARKERS[1]}")
    return f"{before}{start}\n\n{made}\n\n{end}{after}"


def _fresh(each: Mapping[str, Any]) -> str:
    if each["fresh_median"] is None:
        return "nothing changed"
    return f"{each['fresh_median']}, {each['fresh_95']}, {each['fresh_worst']}"


def pages(measured: Sequence[Mapping[str, Any]]) -> dict[Path, str]:
    """Return the pages as they are with the tables of what was measured."""
    tables = {PAGE: table(measured), README: short_table(measured)}
    return {
        page: with_table(page.read_text(encoding="utf-8"), made) for page, made in tables.items()
    }


def main() -> None:
    """Write pages and picture."""
    measured = entries()
    for page, text in pages(measured).items():
        page.write_text(text, encoding="utf-8")
    PICTURE.write_text(picture(measured), encoding="utf-8")


if __name__ == "__main__":
    main()

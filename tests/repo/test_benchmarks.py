"""The numbers in the README are those that were measured."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.report import FOLDER, MARKERS, Report, with_summary

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def test_the_readme_shows_what_the_results_say() -> None:
    """The section is what `python benchmarks/report.py --readme` makes of `results.json`."""
    assert with_summary(README, Report(FOLDER).summary()) == README


def test_results_md_is_what_the_results_say() -> None:
    """The long tables come from the same file."""
    assert (FOLDER / "results.md").read_text(encoding="utf-8") == Report(FOLDER).markdown()


def test_a_summary_replaces_what_was_between_the_markers_and_nothing_else() -> None:
    """Text before and after stays, and a README without markers is refused."""
    start, end = MARKERS
    assert with_summary(f"a\n{start}\nold\n{end}\nb", "new") == f"a\n{start}\nnew\n{end}\nb"
    with pytest.raises(ValueError, match="the README needs"):
        with_summary(f"a {end} {start}", "new")

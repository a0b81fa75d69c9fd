"""Every citation of a fact about Marketo leads to it in docs/marketo.md."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

from marketo_emulator import Options

ROOT = Path(__file__).parents[2]
FACTS = ROOT / "docs" / "marketo.md"
PAGE = FACTS.read_text("utf-8")
PACKAGES = (
    "marketo_bulk",
    "singer_marketo",
    "tap_marketo_bulk",
    "target_marketo_bulk",
    "marketo_emulator",
)
CITING = [
    *ROOT.glob("*.md"),
    *(ROOT / "docs").glob("*.md"),
    *(
        path
        for folder in (*PACKAGES, "tests", "benchmarks", "examples")
        for path in (ROOT / folder).rglob("*.py")
        # What a benchmark has installed is not ours.
        if path != Path(__file__) and ".peers" not in path.parts
    ),
]
CITATION = re.compile(r"C§ ?(?P<place>[0-9.]*[0-9])?|\bC(?P<row>(?:14|20)\.[0-9]+)")
IN_GENERAL = '"C§n"'
"""How the form of a citation is explained."""


def _places() -> set[str]:
    """Return what can be cited: "5", "5.3" for headings, "14.8" for rows of chapters 14 and 20."""
    places = set(re.findall(r"^##+ ([0-9]+(?:\.[0-9]+)?)\.? ", PAGE, re.MULTILINE))
    for chapter in re.split(r"^## ", PAGE, flags=re.MULTILINE):
        number = chapter.partition(".")[0]
        if number in {"14", "20"}:
            rows = re.findall(r"^\| ([0-9]+) \|", chapter, re.MULTILINE)
            assert len(set(rows)) == len(rows)
            places.update(f"{number}.{row}" for row in rows)
    return places


def test_every_citation_leads_somewhere() -> None:
    """What comments, options and tests cite is a heading or a row of the page."""
    places = _places()
    astray = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in CITING
        for match in CITATION.finditer(path.read_text("utf-8").replace(IN_GENERAL, ""))
        if (match["place"] or match["row"]) not in places
    ]
    assert astray == []


def test_nothing_cites_by_another_name() -> None:
    """Chapters are cited as C§n alone, so that the test above sees them all."""
    strays = re.compile(r"(?i)contract §|(?<!C)§ ?[0-9]")
    found = [path.name for path in CITING if strays.search(path.read_text("utf-8"))]
    assert found == []


def _is_module(name: str) -> bool:
    place = ROOT / name.replace(".", "/")
    return place.with_suffix(".py").exists() or (place / "__init__.py").exists()


def test_what_holds_to_a_fact_exists() -> None:
    """The modules and options the page names are there."""
    modules = re.findall(rf"`((?:{'|'.join(PACKAGES)})\.[\w.]+)`", PAGE)
    assert [name for name in modules if not _is_module(name)] == []
    options = {option.name for option in fields(Options)}
    named = re.findall(r"`([a-z]+(?:_[a-z]+)+)`", PAGE)
    known_otherwise = {
        "grant_type", "client_id", "client_secret", "access_token", "expires_in",
        "error_description", "window_days", "lead_function",
    }  # fmt: skip
    assert set(named) - options - known_otherwise == set()

"""Imports point downward: from the plugins to the client, and within each package by its layers."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from scripts import arrows as drawing_of_arrows

ROOT = Path(__file__).parents[2]

LAYERS = {
    "marketo_bulk": [
        {"scheduling"},
        {"client"},
        {"activities", "exports", "imports"},
        {"metadata"},
        {"http"},
        {"jobs"},
        {"reader", "timestamps"},
        {"errors", "limits", "clock"},
    ],
    "tap_marketo_bulk": [
        {"__main__"},
        {"tap"},
        {"streams"},
        {"sync"},
        {"refused_settings", "settings"},
        {"program_settings"},
        {"archive", "output"},
    ],
    "target_marketo_bulk": [
        {"__main__"},
        {"target"},
        {"sinks"},
        {"load", "check"},
        {"intake"},
        {"destinations"},
        {"sending"},
        {"outcomes"},
        {"files"},
        {"settings", "sdk_settings", "wake_pipe"},
        {"records"},
    ],
    "marketo_emulator": [
        {"__main__"},
        {"cli"},
        {"emulator"},
        {"application", "server"},
        {"routes"},
        {"api"},
        {"page"},
        {"world"},
        {"imports"},
        {"exports"},
        {"workplace"},
        {"faults"},
        {"data"},
        {"limits", "tokens"},
        {"wire", "job_queue", "options", "clock"},
    ],
}
"""From above to below; what is in one layer may not import one another."""

PACKAGES = {
    "tap_marketo_bulk": {"singer_marketo", "marketo_bulk"},
    "target_marketo_bulk": {"singer_marketo", "marketo_bulk"},
    "singer_marketo": {"marketo_bulk"},
    "marketo_bulk": set(),
    "marketo_emulator": set(),
}
"""What each package may import of ours."""

FOR_TYPES = {
    ("streams", "tap"),
    ("sinks", "target"),
    ("workplace", "exports"),
    ("workplace", "imports"),
}
"""Arrows that point upward, for the name of a type alone."""


def imported(path: Path) -> set[str]:
    """Return the modules of ours a file imports, as dotted names."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return {name for name in found if name.partition(".")[0] in PACKAGES}


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_import_what_they_may(package: str) -> None:
    """The client knows no Singer, the plugins do not know each other, the emulator stands alone."""
    for path in (ROOT / package).rglob("*.py"):
        others = {name.partition(".")[0] for name in imported(path)} - {package}
        assert others <= PACKAGES[package], path


@pytest.mark.parametrize("package", LAYERS)
def test_arrows_point_downward(package: str) -> None:
    """Every room of a package has its layer, and imports from below alone."""
    depth = {name: number for number, names in enumerate(LAYERS[package]) for name in names}
    upward = []
    for path in sorted((ROOT / package).rglob("*.py")):
        room = path.relative_to(ROOT / package).parts[0].removesuffix(".py")
        if room == "__init__":
            continue
        assert room in depth, f"{package}/{room} has no layer"
        for name in imported(path):
            words = name.split(".")
            if words[0] == package and len(words) > 1 and words[1] in depth:
                other = words[1]
                fine = room == other or depth[room] < depth[other] or (room, other) in FOR_TYPES
                if not fine:
                    upward.append(f"{path.relative_to(ROOT)} imports {name}")
    assert upward == []


def test_the_drawing_is_what_the_imports_say() -> None:
    """Repaired by `python scripts/arrows.py`."""
    page = drawing_of_arrows.PAGE.read_text()
    assert drawing_of_arrows.with_drawing(page) == page


def test_the_drawing_has_no_circle() -> None:
    """Arrows for more than the name of a type never lead back to where they began."""
    left = {pair for pair, is_real in drawing_of_arrows.arrows().items() if is_real}
    while ends := {b for _, b in left} - {a for a, _ in left}:
        left = {(a, b) for a, b in left if b not in ends}
    assert left == set()

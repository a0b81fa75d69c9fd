"""The drawing of the packages and their arrows, made from the imports.

    python scripts/arrows.py            put it into DESIGN.md, between its two markers
    python scripts/arrows.py --check    fail if what is there is out of date

An arrow goes from who imports to what is imported, dotted if for the names of types alone. Of the
modules at the top of a package, those that its folders import are drawn as its base, and the
others, which import the folders, as one more: so a circle in the drawing is one in the code.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "DESIGN.md"
MARKERS = ("<!-- made by scripts/arrows.py -->", "<!-- end of what it made -->")
PACKAGES = (
    "tap_marketo_bulk",
    "target_marketo_bulk",
    "singer_marketo",
    "marketo_bulk",
    "marketo_emulator",
)

Arrow = tuple[str, str]
Arrows = dict[Arrow, bool]
"""Whether each arrow is more than the name of a type."""


def arrows() -> Arrows:
    """Return every pair of rooms of which the first imports the second."""
    modules: Arrows = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            if path.parent.name == package and path.name == "__init__.py":
                continue
            here = _module(path.relative_to(ROOT).with_suffix("").parts)
            for there, is_real in _imported_by(path):
                modules[here, there] = modules.get((here, there), False) or is_real
    base = _bases(modules)
    rooms: Arrows = {}
    for (a, b), is_real in modules.items():
        pair = (_room(a, base), _room(b, base))
        if pair[0] != pair[1]:
            rooms[pair] = rooms.get(pair, False) or is_real
    return rooms


def drawing() -> str:
    """Return the drawings: between the packages, and between the rooms of each."""
    found = arrows()
    between: Arrows = {}
    for (a, b), is_real in found.items():
        if _package(a) != _package(b):
            pair = (_package(a), _package(b))
            between[pair] = between.get(pair, False) or is_real
    parts = ["Between the packages:\n", _mermaid(between, PACKAGES)]
    for package in PACKAGES:
        inside = {(a, b): r for (a, b), r in found.items() if _package(a) == _package(b) == package}
        if inside:
            parts += [f"\nInside `{package}`:\n", _mermaid(inside, ())]
    return "\n".join(parts)


def with_drawing(page: str) -> str:
    """Return the page with the drawing between its markers.

    Raises: ValueError if a marker is missing.
    """
    start, end = MARKERS
    before, marker, rest = page.partition(start)
    _, other_marker, after = rest.partition(end)
    if not marker or not other_marker:
        raise ValueError(f"DESIGN.md needs {start} and then {end}")
    return f"{before}{start}\n{drawing()}\n{end}{after}"


def main() -> int:
    """Write the drawing, or with `--check` say whether it is out of date."""
    page = PAGE.read_text()
    wanted = with_drawing(page)
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(wanted)
    elif page != wanted:
        print("DESIGN.md is out of date: run python scripts/arrows.py")
        return 1
    return 0


def _imported_by(path: Path) -> Iterator[tuple[str, bool]]:
    """Yield the modules of ours, and whether each is more than the name of a type."""
    tree = ast.parse(path.read_text())
    for_types = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            parts = tuple(name.split("."))
            if parts[0] in PACKAGES:
                yield _module(parts), id(node) not in for_types


def _module(parts: tuple[str, ...]) -> str:
    """Return the folder a module is in, the module itself if it is at the top, or the package."""
    below = ROOT.joinpath(*parts[:2])
    is_one = len(parts) > 1 and (below.is_dir() or below.with_suffix(".py").exists())
    return "/".join(parts[:2]) if is_one else parts[0]


def _bases(modules: Arrows) -> set[str]:
    """Return the modules at the top of a package that its folders import, and what those import."""
    inside = [(a, b) for (a, b), real in modules.items() if real and _package(a) == _package(b)]
    base = {b for a, b in inside if _is_folder(a) and not _is_folder(b)}
    while more := {b for a, b in inside if a in base and not _is_folder(b)} - base:
        base |= more
    return base


def _is_folder(module: str) -> bool:
    return "/" in module and (ROOT / module).is_dir()


def _room(module: str, base: set[str]) -> str:
    if _is_folder(module):
        return module
    return f"{_package(module)}/(base)" if module in base else _package(module)


def _package(room: str) -> str:
    return room.partition("/")[0]


def _mermaid(pairs: Arrows, alone: tuple[str, ...]) -> str:
    rooms = sorted({room for pair in pairs for room in pair} | set(alone))
    names = {room: f"n{index}" for index, room in enumerate(rooms)}
    lines = [f'  {names[room]}["{room}"]' for room in rooms]
    for (a, b), is_real in sorted(pairs.items()):
        lines.append(f"  {names[a]} {'-->' if is_real else '-.->'} {names[b]}")
    return "\n".join(("```mermaid", "flowchart TD", *lines, "```"))


if __name__ == "__main__":
    sys.exit(main())

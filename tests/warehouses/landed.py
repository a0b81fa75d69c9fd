"""Types as landed: the table of the docs, which what the tests read is held against."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

PAGE = Path(__file__).parents[2] / "docs" / "warehouses.md"
HEAD = "| Marketo |"


def documented(warehouse: str) -> dict[str, str]:
    """Return the type of a column in a warehouse, by Marketo's type, as the page has it."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(HEAD))
    rows = [
        [cell.strip().replace("`", "") for cell in line.strip("|").split("|")]
        for line in lines[start:]
        if line.startswith("|")
    ]
    names, _, *body = rows[: next((n for n, r in enumerate(rows) if r == [""]), len(rows))]
    return {row[0]: row[names.index(warehouse)] for row in body if len(row) == len(names)}


def hold_as_documented(warehouse: str, landed: Mapping[str, str]) -> None:
    """Hold what has landed against the page."""
    assert documented(warehouse) == landed

"""A table: many rows of a delimited text, cut into columns all at once.

Quoted cells are taken out first and a NUL is left in their place, which no text has. Then no
delimiter or line feed is data, and splitting is exact.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from marketo_bulk.text_rows import DELIMITERS

if TYPE_CHECKING:
    from collections.abc import Sequence

_HOLE = "\0"

# A quoted cell as it should be: from a border to a border, quotes inside doubled. The pattern
# begins with the quote, because a search for a plain character is much faster; so it looks back.
_QUOTED = {
    mark: re.compile(f'"(?<![^{mark}\\n]")([^"]*(?:""[^"]*)*)"(?![^{mark}\\n\\r]|\\r(?!\\n))')
    for mark in DELIMITERS.values()
}


class TextTable(NamedTuple):
    """Columns of equal length, where the first row begins that is not in them, and lines passed."""

    columns: Sequence[Sequence[str]]
    end: int
    lines: int


def cut_table(text: str, width: int, delimiter: str) -> TextTable | None:
    """Return the rows of `text`, as columns, up to one whose quote stays open.

    Shape: None if a row has another width, or a quote stands where `text_rows` has to judge; at
        least one row otherwise.
    """
    cells: list[str] = []
    end = len(text)
    plain = text
    if '"' in text:
        pieces = _QUOTED[delimiter].split(text)
        cells = pieces[1::2]
        plain = _HOLE.join(pieces[::2])
        if '"' in plain:
            start = _open_row(plain, delimiter)
            if start is None:
                return None
            dropped = plain.count(_HOLE, start)
            kept = len(cells) - dropped
            end -= len(plain) - start + sum(len(cell) + 1 for cell in cells[kept:])
            cells, plain = cells[:kept], plain[:start]
    if not plain:
        return None
    # Few steps see the whole text: one emoji makes it four times as long.
    if "\r" in plain:
        plain = plain.replace("\r\n", "\n")
    lines = plain.split("\n")
    passed = len(lines) - 1 + sum(cell.count("\n") for cell in cells)
    if not lines[-1]:
        lines.pop()
    columns = _columns(lines, width, delimiter, cells)
    return None if columns is None else TextTable(columns, end, passed)


def _open_row(plain: str, delimiter: str) -> int | None:
    """Return where the row with the one quote left begins, if that quote opens a cell for good."""
    quote = plain.find('"')
    if plain.find('"', quote + 1) >= 0 or _HOLE in plain[quote:]:
        return None
    if quote and plain[quote - 1] not in (delimiter, "\n"):
        return None
    return plain.rfind("\n", 0, quote) + 1


def _columns(
    lines: Sequence[str], width: int, delimiter: str, quoted: Sequence[str]
) -> Sequence[Sequence[str]] | None:
    rows = [line.split(delimiter) for line in lines]
    if set(map(len, rows)) != {width}:
        return None
    if quoted:
        _fill(lines, rows, quoted)
    return list(zip(*rows, strict=True))


def _fill(lines: Sequence[str], rows: Sequence[list[str]], quoted: Sequence[str]) -> None:
    """Put the quoted cells back into their holes."""
    left = iter(quoted)
    for line, row in zip(lines, rows, strict=True):
        hole = -1
        for _ in range(line.count(_HOLE)):
            hole = row.index(_HOLE, hole + 1)
            row[hole] = next(left).replace('""', '"')

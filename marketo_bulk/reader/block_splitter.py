"""A table: many rows of a delimited text, cut into columns all at once.

Quoted cells are taken out first and a NUL is left in their place, which no text has. Then no
delimiter or line feed is data, and splitting is exact.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from marketo_bulk.reader.row_splitter import DELIMITERS

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
    holed = _without_quoted(text, delimiter) if '"' in text else _Holed(text, [], len(text))
    if holed is None or not holed.plain:
        return None
    # Few steps see the whole text: one emoji makes it four times as long.
    plain = holed.plain.replace("\r\n", "\n") if "\r" in holed.plain else holed.plain
    lines = plain.split("\n")
    inside = _HOLE.join(holed.quoted)
    passed = len(lines) - 1 + inside.count("\n")
    if not lines[-1]:
        lines.pop()
    rows = [line.split(delimiter) for line in lines]
    if set(map(len, rows)) != {width}:
        return None
    if holed.quoted:
        _fill(lines, rows, delimiter, inside.replace('""', '"').split(_HOLE))
    return TextTable(list(zip(*rows, strict=True)), holed.end, passed)


class _Holed(NamedTuple):
    """The text up to `end` with holes, and what was in them, as it was written."""

    plain: str
    quoted: list[str]
    end: int


def _without_quoted(text: str, delimiter: str) -> _Holed | None:
    """Return `text` up to a row whose quote stays open; None if a quote cannot be judged."""
    pieces = _QUOTED[delimiter].split(text)
    quoted = pieces[1::2]
    plain = _HOLE.join(pieces[::2])
    if '"' not in plain:
        return _Holed(plain, quoted, len(text))
    start = _open_row(plain, delimiter)
    if start is None:
        return None
    kept = len(quoted) - plain.count(_HOLE, start)
    left = len(plain) - start + sum(len(cell) + 1 for cell in quoted[kept:])
    return _Holed(plain[:start], quoted[:kept], len(text) - left)


def _open_row(plain: str, delimiter: str) -> int | None:
    """Return where the row with the one quote left begins, if that quote opens a cell for good."""
    quote = plain.find('"')
    if plain.find('"', quote + 1) >= 0 or _HOLE in plain[quote:]:
        return None
    if quote and plain[quote - 1] not in (delimiter, "\n"):
        return None
    return plain.rfind("\n", 0, quote) + 1


def _fill(
    lines: Sequence[str], rows: Sequence[list[str]], delimiter: str, quoted: Sequence[str]
) -> None:
    """Put the quoted cells back into their holes."""
    left = iter(quoted)
    holed = [(line, row) for line, row in zip(lines, rows, strict=True) if _HOLE in line]
    for line, row in holed:
        index = 0
        for piece in line.split(_HOLE)[:-1]:
            index += piece.count(delimiter)
            row[index] = next(left)

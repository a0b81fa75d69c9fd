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
# Stands for a doubled quote for a while.
_DOUBLED = b"\1"
_CR = ord("\r")

PROBED_CHARACTERS = 4096
DENSE_QUOTES = 128
"""Where there are more in the characters that are probed, one cut at each is the fastest way."""

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
    holed = _without_quoted(text, delimiter) if '"' in text else _Holed(text, [], 0, len(text))
    if holed is None or not holed.plain:
        return None
    # Few steps see the whole text: one emoji makes it four times as long.
    plain = holed.plain.replace("\r\n", "\n") if "\r" in holed.plain else holed.plain
    lines = plain.split("\n")
    passed = len(lines) - 1 + holed.line_feeds
    if not lines[-1]:
        lines.pop()
    rows = [line.split(delimiter) for line in lines]
    if set(map(len, rows)) != {width}:
        return None
    if holed.quoted:
        _fill(lines, rows, delimiter, holed.quoted)
    return TextTable(list(zip(*rows, strict=True)), holed.end, passed)


class _Holed(NamedTuple):
    """The text up to `end` with holes, the cells that were in them, and the line feeds in those."""

    plain: str
    quoted: Sequence[str]
    line_feeds: int
    end: int


def _without_quoted(text: str, delimiter: str) -> _Holed | None:
    """Return `text` up to a row whose quote stays open; None if a quote cannot be judged."""
    is_dense = text.count('"', 0, PROBED_CHARACTERS) > DENSE_QUOTES
    holed = _cut_at_quotes(text, delimiter) if is_dense else None
    return _cut_by_pattern(text, delimiter) if holed is None else holed


def _cut_at_quotes(text: str, delimiter: str) -> _Holed | None:
    """Return the same as `_cut_by_pattern`, or None where more than a look at borders is needed.

    With doubled quotes out of the way, each quote begins a cell or ends one: what stands between
    is outside and inside by turns. A cell that begins with a doubled quote is cut wrongly, which
    shows: half of that quote is outside then.
    """
    # As bytes: one emoji makes the text four times as long.
    encoded = text.encode()
    if _DOUBLED in encoded:
        return None
    pieces = encoded.replace(b'""', _DOUBLED).split(b'"')
    outside = pieces[::2]
    plain = b"\0".join(outside)
    if len(pieces) % 2 == 0 or _DOUBLED in plain or not are_at_borders(outside, delimiter):
        return None
    inside = b"\0".join(pieces[1::2]).replace(_DOUBLED, b'"')
    cells = [*map(bytes.decode, inside.split(b"\0"))]
    return _Holed(plain.decode(), cells, inside.count(b"\n"), len(text))


def are_at_borders(outside: Sequence[bytes | bytearray], delimiter: str) -> bool:
    """Return whether each quote but a doubled one begins a cell, or ends one.

    Shape: `outside` is what stands outside of quotes, cut at each of them; nothing at all is a
        quote that is doubled, inside of quotes, or an end of the text.
    """
    borders = {*delimiter.encode(), *b"\n"}
    after = [piece for piece in outside[1:] if piece]
    begun = {piece[0] for piece in after}
    if _CR in begun and all(piece.startswith(b"\r\n") for piece in after if piece[0] == _CR):
        begun.discard(_CR)
    return begun | {piece[-1] for piece in outside[:-1] if piece} <= borders


def _cut_by_pattern(text: str, delimiter: str) -> _Holed | None:
    pieces = _QUOTED[delimiter].split(text)
    quoted = pieces[1::2]
    plain = _HOLE.join(pieces[::2])
    if '"' not in plain:
        return _undoubled(plain, quoted, len(text))
    start = _open_row(plain, delimiter)
    if start is None:
        return None
    kept = len(quoted) - plain.count(_HOLE, start)
    left = len(plain) - start + sum(len(cell) + 1 for cell in quoted[kept:])
    return _undoubled(plain[:start], quoted[:kept], len(text) - left)


def _undoubled(plain: str, quoted: Sequence[str], end: int) -> _Holed:
    inside = _HOLE.join(quoted)
    cells = inside.replace('""', '"').split(_HOLE)
    return _Holed(plain, cells, inside.count("\n"), end)


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
    for line, row in zip(lines, rows, strict=True):
        hole = line.find(_HOLE)
        while hole >= 0:
            row[line.count(delimiter, 0, hole)] = next(left)
            hole = line.find(_HOLE, hole + 1)

"""A row of a delimited file, cut into its cells with care: slow, exact and forgiving.

`csv` reads what is well formed, much faster. This reads every row, also those with a lone CR in
an unquoted cell, with a cell above `csv`'s limit, or with a quote inside quotes that is not
doubled.
"""

from __future__ import annotations

import re
from typing import NamedTuple

DELIMITERS = {"CSV": ",", "TSV": "\t", "SSV": ";"}

_PLAIN = {mark: re.compile(f"[^{mark}\\n]*") for mark in DELIMITERS.values()}


class TextRow(NamedTuple):
    """One row's cells, and where the next row begins.

    Shape: `is_lenient` if a quote inside quotes was not doubled, and was forgiven; `is_doubtful`
    if some quote could be read another way, were the row's writer known not to double them.
    """

    cells: list[str]
    end: int
    is_lenient: bool = False
    is_doubtful: bool = False


def cut_row(text: str, start: int, delimiter: str) -> TextRow | None:
    """Return the row of `text` that begins at `start`, or None if its last quote stays open.

    A quote closes its cell only before a delimiter or a line end; a doubled quote is one quote;
    any other quote is forgiven and is one too. Only LF, with a CR before it or not, ends a line.
    """
    cells: list[str] = []
    is_lenient = is_doubtful = False
    while True:
        if text.startswith('"', start):
            quoted = _cut_quoted(text, start + 1, delimiter)
            if quoted is None:
                return None
            is_lenient = is_lenient or quoted.is_lenient
            is_doubtful = is_doubtful or quoted.is_doubtful
            cells += quoted.cells
            start = quoted.end
        else:
            cell, start = _cut_plain(text, start, delimiter)
            is_doubtful = is_doubtful or '"' in cell
            cells.append(cell)
        if not text.startswith(delimiter, start):
            return TextRow(cells, _after_line_end(text, start), is_lenient, is_doubtful)
        start += 1


def _cut_plain(text: str, start: int, delimiter: str) -> tuple[str, int]:
    match = _PLAIN[delimiter].match(text, start)
    end = match.end() if match else start
    if end > start and text.startswith("\r\n", end - 1):
        end -= 1
    return text[start:end], end


def _cut_quoted(text: str, start: int, delimiter: str) -> TextRow | None:
    closers = (delimiter, "\n", "\r\n")
    parts: list[str] = []
    is_lenient = is_doubtful = False
    while (quote := text.find('"', start)) >= 0:
        parts.append(text[start:quote])
        start = quote + 1
        if start == len(text) or text.startswith(closers, start):
            return TextRow(["".join(parts)], start, is_lenient, is_doubtful)
        parts.append('"')
        if text.startswith('"', start):
            start += 1
            is_doubtful = is_doubtful or text.startswith(closers, start)
        else:
            is_lenient = True
            # After a delimiter it may as well open a cell, and this one was never closed.
            is_doubtful = is_doubtful or text.startswith((delimiter, "\n"), quote - 1)
    return None


def _after_line_end(text: str, start: int) -> int:
    if text.startswith("\r\n", start):
        return start + 2
    return min(start + 1, len(text))

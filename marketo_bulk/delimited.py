"""A delimited file: its header, and its rows as text cells.

Most rows have no quote at all, and then splitting is both exact and faster than `csv`. Rows with
a quote go to `csv`, which is strict here; what it refuses goes to `text_rows`.
"""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, NamedTuple

from marketo_bulk.errors import DecodeError
from marketo_bulk.text_rows import TextRow, cut_row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from marketo_bulk.counts import Counts
    from marketo_bulk.text_blocks import Block

# A quote that is never closed makes one row of the rest of the file: that must not fill memory.
ROW_MAX_CHARACTERS = 1 << 26


class Chunk(NamedTuple):
    """Rows that were read together, and the line on which the first of them begins."""

    first_line: int
    rows: list[list[str]]

    def line_of(self, index: int) -> int:
        """Return the line on which a row begins."""
        inside = sum("".join(cells).count("\n") for cells in self.rows[:index])
        return self.first_line + index + inside


class DelimitedReader:
    """Reads the text of `blocks`, named `source` in messages; `counts` gets the forgiven rows."""

    def __init__(
        self, blocks: Iterator[Block], *, delimiter: str, source: str, counts: Counts
    ) -> None:
        self._blocks = blocks
        self._delimiter = delimiter
        self._source = source
        self._counts = counts
        self._text = ""
        self._is_complete = False
        self._line = 1
        self._width = 0

    def header(self) -> list[str] | None:
        """Return the cells of the first row, or None if the file has no text; call it first.

        Raises: DecodeError if a quote in it is never closed.
        """
        row = None
        while row is None and not self._is_complete:
            self._read_on()
            whole = self._whole_lines()
            row = cut_row(whole, 0, self._delimiter) if whole else None
        if row is not None:
            self._counts.lenient_rows += row.is_lenient
            self._width = len(row.cells)
            self._advance(row.end)
            return row.cells
        if self._text:
            raise self._open_quote()
        return None

    def chunks(self) -> Iterator[Chunk]:
        """Yield the rows after the header.

        Shape: lazy; in the file's order; each chunk has at least one row, each row as many cells
        as the header. One empty last line is no row, unless the header has a single column.
        Raises: DecodeError at a row of another width, a quote that is never closed, or quotes
            that allow more than one reading.
        """
        while self._text or not self._is_complete:
            if not self._is_complete:
                self._read_on()
            text = self._whole_lines()
            rows, end = self._cut(text)
            chunk = Chunk(self._line, rows)
            self._advance(end)
            if self._is_complete:
                self._end(chunk, text)
            self._check_width(chunk)
            if chunk.rows:
                yield chunk

    def _read_on(self) -> None:
        """Read at least as much again as is waiting, so that a long row is not searched often."""
        if len(self._text) > ROW_MAX_CHARACTERS:
            raise DecodeError(
                f"{self._source}: the row on line {self._line} is longer than "
                f"{ROW_MAX_CHARACTERS} characters; a quote in it may never be closed",
                line=self._line,
            )
        missing = len(self._text)
        pieces = [self._text]
        for block in self._blocks:
            pieces.append(block.text)
            self._is_complete = block.is_last
            missing -= len(block.text)
            if missing <= 0:
                break
        self._text = "".join(pieces)

    def _whole_lines(self) -> str:
        return self._text if self._is_complete else self._text[: self._text.rfind("\n") + 1]

    def _advance(self, end: int) -> None:
        self._line += self._text.count("\n", 0, end)
        self._text = self._text[end:]

    def _end(self, chunk: Chunk, text: str) -> None:
        if self._text:
            raise self._open_quote()
        if self._width > 1 and chunk.rows and chunk.rows[-1] == [""]:
            # An empty cell in quotes is a row, cut short; only nothing at all is none.
            last_line = text.removesuffix("\n").rpartition("\n")[2]
            if not last_line.strip("\r"):
                chunk.rows.pop()

    def _open_quote(self) -> DecodeError:
        return DecodeError(
            f"{self._source}: a quote in the row on line {self._line} is never closed",
            line=self._line,
        )

    def _cut(self, text: str) -> tuple[list[list[str]], int]:
        """Return the rows of `text`, up to one whose quote stays open, and where they end."""
        quoted_rows = _QuotedRows(text, self._delimiter) if '"' in text else None
        if quoted_rows is None:
            return self._split(text), len(text)
        if text.count('"') > text.count("\n") and (rows := quoted_rows.all_rows()) is not None:
            return rows, len(text)
        return self._cut_mixed(text, quoted_rows)

    def _cut_mixed(self, text: str, quoted_rows: _QuotedRows) -> tuple[list[list[str]], int]:
        rows: list[list[str]] = []
        position = 0
        while (quote := text.find('"', position)) >= 0:
            start = max(position, text.rfind("\n", position, quote) + 1)
            rows += self._split(text[position:start])
            row = quoted_rows.row_at(start)
            if row is None:
                return rows, start
            if row.is_lenient:
                self._check_lenient(text, start, row)
            rows.append(row.cells)
            position = row.end
        return rows + self._split(text[position:]), len(text)

    def _split(self, text: str) -> list[list[str]]:
        lines = text.replace("\r\n", "\n").split("\n")
        if not lines[-1]:
            lines.pop()
        return [line.split(self._delimiter) for line in lines]

    def _check_lenient(self, text: str, start: int, row: TextRow) -> None:
        """Accept a forgiven row only if nothing about it was a guess."""
        if len(row.cells) != self._width or row.is_doubtful:
            line = self._line + text.count("\n", 0, start)
            raise DecodeError(
                f"{self._source}: the row on line {line} has quotes inside quotes that are not "
                f"doubled, and no single reading has the {self._width} cells of the header",
                line=line,
            )
        self._counts.lenient_rows += 1

    def _check_width(self, chunk: Chunk) -> None:
        if set(map(len, chunk.rows)) - {self._width}:
            index = [len(cells) == self._width for cells in chunk.rows].index(False)
            line = chunk.line_of(index)
            raise DecodeError(
                f"{self._source}: the row on line {line} has {len(chunk.rows[index])} cells, "
                f"the header has {self._width}",
                line=line,
            )


class _QuotedRows:
    """The rows of one text that has quotes."""

    def __init__(self, text: str, delimiter: str) -> None:
        self._text = text
        self._delimiter = delimiter
        # csv takes every CR outside of quotes for a line end, or for an error.
        self._has_lone_cr = text.count("\r") != text.count("\r\n")

    def all_rows(self) -> list[list[str]] | None:
        """Return all rows, also those without a quote, or None if `csv` cannot read them.

        Where most rows have a quote, this is the faster way.
        """
        if self._has_lone_cr:
            return None
        lines = self._text.removesuffix("\n").split("\n")
        try:
            return [cells or [""] for cells in self._read([f"{line}\n" for line in lines])]
        except csv.Error:
            return None

    def row_at(self, start: int) -> TextRow | None:
        """Return the row beginning at `start`, or None if its quote stays open."""
        end = None if self._has_lone_cr else self._balanced_end(start)
        if end is not None:
            try:
                # One string, line ends and all: csv refuses one outside of quotes, unless nothing
                # but more of them follows; here a quote is on the last line.
                return TextRow(next(self._read([self._text[start:end]])), end)
            except csv.Error:
                pass  # quotes not doubled, or inside a plain cell, or a cell beyond csv's limit
        return cut_row(self._text, start, self._delimiter)

    def _balanced_end(self, start: int) -> int | None:
        """Return the end of the line with which the count of quotes from `start` on is even."""
        end = start
        quotes = 0
        while end < len(self._text):
            line = end
            end = self._text.find("\n", line) + 1 or len(self._text)
            quotes += self._text.count('"', line, end)
            if quotes % 2 == 0:
                return end
        return None

    def _read(self, lines: list[str]) -> Iterator[list[str]]:
        return csv.reader(lines, delimiter=self._delimiter, strict=True)

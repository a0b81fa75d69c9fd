"""A delimited file: its header, and its rows as text cells.

A block whose rows are all as they should be is cut at once, by `text_tables`. Any other is cut
row by row: rows with a quote go to `csv`, which is strict here; what it refuses, to `text_rows`.
"""

from __future__ import annotations

import csv
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from marketo_bulk.errors import DecodeError
from marketo_bulk.reader.block_splitter import cut_table
from marketo_bulk.reader.row_splitter import TextRow, cut_row

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from marketo_bulk.reader.text_decoder import Block, Counts

# A quote that is never closed makes one row of the rest of the file: that must not fill memory.
ROW_MAX_CHARACTERS = 1 << 26


class Chunk(NamedTuple):
    """Rows that were read together, by column, and the line on which the first of them begins."""

    first_line: int
    columns: Sequence[Sequence[str]]

    @property
    def height(self) -> int:
        """How many rows there are."""
        return len(self.columns[0])

    def line_of(self, index: int) -> int:
        """Return the line on which a row begins."""
        return _line_of(index, self.first_line, zip(*self.columns, strict=True))


def _line_of(index: int, first_line: int, rows: Iterable[Sequence[str]]) -> int:
    return first_line + index + sum("".join(cells).count("\n") for cells in islice(rows, index))


class DelimitedReader:
    """Reads the text of `blocks`, named `source` in messages; `counts` gets the forgiven rows."""

    def __init__(
        self, blocks: Iterator[Block], *, delimiter: str, source: str, counts: Counts
    ) -> None:
        self._blocks = blocks
        self.delimiter = delimiter
        self._source = source
        self._counts = counts
        self._text = ""
        self._is_complete = False
        self._line = 1
        self.width = 0
        """How many cells the header has."""

    def header(self) -> list[str] | None:
        """Return the cells of the first row, or None if the file has no text; call it first.

        Raises: DecodeError if a quote in it is never closed.
        """
        row = None
        while row is None and not self._is_complete:
            self._read_on()
            whole = self._whole_lines()
            row = cut_row(whole, 0, self.delimiter) if whole else None
        if row is not None:
            self._counts.lenient_rows += row.is_lenient
            self.width = len(row.cells)
            self._advance(row.end, self._text.count("\n", 0, row.end))
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
            line = self._line
            table = cut_table(text, self.width, self.delimiter)
            if table is None:
                columns = self._cut_rows(text)
            else:
                columns = table.columns
                self._advance(table.end, table.lines)
            if self._is_complete and self._text:
                raise self._open_quote()
            if columns:
                yield Chunk(line, columns)

    def _read_on(self) -> None:
        """Read at least as much again as is waiting, so that a long row is not searched often."""
        if len(self._text) > ROW_MAX_CHARACTERS:
            raise DecodeError(
                f"{self._source}: the row on line {self._line} is longer than "
                f"{ROW_MAX_CHARACTERS} characters; a quote in it may never be closed",
                line=self._line,
            )
        missing = len(self._text)
        pieces = [self._text] if self._text else []
        for block in self._blocks:
            pieces.append(block.text)
            self._is_complete = block.is_last
            missing -= len(block.text)
            if missing <= 0:
                break
        self._text = "".join(pieces)

    def _whole_lines(self) -> str:
        return self._text if self._is_complete else self._text[: self._text.rfind("\n") + 1]

    def _advance(self, end: int, lines: int) -> None:
        self._line += lines
        self._text = self._text[end:]

    def _open_quote(self) -> DecodeError:
        return DecodeError(
            f"{self._source}: a quote in the row on line {self._line} is never closed",
            line=self._line,
        )

    def _cut_rows(self, text: str) -> Sequence[Sequence[str]]:
        """Return the columns of `text`, up to a row whose quote stays open, and move past them."""
        line = self._line
        rows, end = self._cut_singly(text)
        self._advance(end, text.count("\n", 0, end))
        if self._is_complete and not self._text and self.width > 1 and rows[-1:] == [[""]]:
            # An empty cell in quotes is a row, cut short; only nothing at all is none.
            last_line = text.removesuffix("\n").rpartition("\n")[2]
            if not last_line.strip("\r"):
                rows.pop()
        self._check_width(line, rows)
        return list(zip(*rows, strict=True))

    def _cut_singly(self, text: str) -> tuple[list[list[str]], int]:
        quoted_rows = _QuotedRows(text, self.delimiter)
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
        return [line.split(self.delimiter) for line in lines]

    def _check_lenient(self, text: str, start: int, row: TextRow) -> None:
        """Accept a forgiven row only if nothing about it was a guess."""
        if len(row.cells) != self.width or row.is_doubtful:
            line = self._line + text.count("\n", 0, start)
            raise DecodeError(
                f"{self._source}: the row on line {line} has quotes inside quotes that are not "
                f"doubled, and no single reading has the {self.width} cells of the header",
                line=line,
            )
        self._counts.lenient_rows += 1

    def _check_width(self, first_line: int, rows: list[list[str]]) -> None:
        if set(map(len, rows)) - {self.width}:
            index = [len(cells) == self.width for cells in rows].index(False)
            line = _line_of(index, first_line, rows)
            raise DecodeError(
                f"{self._source}: the row on line {line} has {len(rows[index])} cells, "
                f"the header has {self.width}",
                line=line,
            )


class _QuotedRows:
    """The rows of one text that has quotes."""

    def __init__(self, text: str, delimiter: str) -> None:
        self._text = text
        self._delimiter = delimiter
        # csv takes every CR outside of quotes for a line end, or for an error.
        self._has_lone_cr = text.count("\r") != text.count("\r\n")

    def row_at(self, start: int) -> TextRow | None:
        """Return the row beginning at `start`, or None if its quote stays open."""
        end = None if self._has_lone_cr else self._balanced_end(start)
        if end is not None:
            try:
                # One string, line ends and all: csv refuses one outside of quotes, unless nothing
                # but more of them follows; here a quote is on the last line.
                row = csv.reader([self._text[start:end]], delimiter=self._delimiter, strict=True)
                return TextRow(next(row), end)
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

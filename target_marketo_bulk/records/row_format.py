"""Row format: cells to the bytes of a row, and back."""

from __future__ import annotations

import csv
import io
import sys
from itertools import chain, compress, count, repeat
from operator import contains
from types import SimpleNamespace
from typing import TYPE_CHECKING, BinaryIO

from target_marketo_bulk.records.cell_text import UnsendableValueError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

DELIMITERS = {"csv": ",", "tsv": "\t", "ssv": ";"}
"""C§14.3: Adobe's pages on import call ssv semicolon-separated."""

CELL_MAX_CHARACTERS = 10_000_000
"""No cell can be longer than the largest file; the `csv` module stops at 131 072 by itself."""

NUL_UNREADABLE = "a NUL character, which Python 3.10 cannot read back"


class RowFormat:
    """One of Marketo's three import formats: UTF-8 without BOM, RFC 4180 quotes, LF."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.delimiter = DELIMITERS[name]
        # The writer quotes what its line end contains; with "\n" alone it would leave a lone
        # carriage return bare, which many readers take for the end of a row.
        self._write = csv.writer(
            SimpleNamespace(write=str.encode), delimiter=self.delimiter, lineterminator="\r\n"
        ).writerow

    def encode(self, cells: Sequence[object]) -> bytes:
        r"""Return a row's bytes, with its `\n`.

        Raises: UnicodeEncodeError for half a surrogate pair, which has no UTF-8 form.
            UnsendableValueError for NUL under Python 3.10, which could not read it back.
        """
        # `csv.writer` returns what its `write` returned, which typeshed does not know.
        try:
            encoded: bytes = self._write(cells)
        except csv.Error:
            # Python 3.10 takes NUL for an escape character, which nobody has set.
            raise UnsendableValueError(NUL_UNREADABLE) from None
        return encoded[:-2] + b"\n"

    def encode_columns(self, columns: Sequence[Sequence[str]]) -> list[bytes]:
        """Return the bytes of many rows, given as columns of text.

        Shape: what `encode` makes of each row, many times faster: few cells need quotes.
        Raises: the same as `encode`.
        """
        if len(columns) == 1:
            # A row of one empty cell has quotes, lest it be an empty line.
            return [self.encode(row) for row in zip(*columns, strict=True)]
        cells = [self._quoted(column) for column in columns]
        rows = zip(*cells, strict=True)
        return [f"{line}\n".encode() for line in map(self.delimiter.join, rows)]

    def _quoted(self, texts: Sequence[str]) -> Sequence[str]:
        """Return the cells of a column, those in quotes that need them."""
        whole = "".join(texts)
        if sys.version_info < (3, 11) and "\0" in whole:  # pragma: no cover
            raise UnsendableValueError(NUL_UNREADABLE)
        marks = [mark for mark in (self.delimiter, '"', "\r", "\n") if mark in whole]
        if not marks:
            return texts
        found = (compress(count(), map(contains, texts, repeat(mark))) for mark in marks)
        cells = list(texts)
        for index in set(chain.from_iterable(found)):
            doubled = cells[index].replace('"', '""')
            cells[index] = f'"{doubled}"'
        return cells

    def decode(self, handle: BinaryIO) -> Iterator[list[str]]:
        """Yield the rows of a file from its beginning, the header first.

        Shape: lazy; the file stays open and must not be moved while rows are taken.
        """
        handle.seek(0)
        text = io.TextIOWrapper(handle, encoding="utf-8", newline="")
        try:
            yield from read_rows(text, self.delimiter)
        finally:
            text.detach()


def read_rows(lines: io.TextIOBase, delimiter: str) -> Iterator[list[str]]:
    """Yield the rows of delimited text; empty lines are no rows.

    Python 3.10 cannot read NUL, so it gives U+FFFD in its place.
    """
    csv.field_size_limit(CELL_MAX_CHARACTERS)
    readable: Iterable[str] = lines
    if sys.version_info < (3, 11):  # pragma: no cover
        readable = (line.replace("\0", "\ufffd") for line in lines)
    return (row for row in csv.reader(readable, delimiter=delimiter) if row)

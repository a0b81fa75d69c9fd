"""A typed row: what one row of a verified export file says, under the names of its columns."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import compress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from marketo_bulk.cells import read_cells
from marketo_bulk.columns import Kind, place_columns
from marketo_bulk.counts import Counts
from marketo_bulk.delimited import DelimitedReader
from marketo_bulk.errors import DecodeError
from marketo_bulk.text_blocks import TextReader
from marketo_bulk.text_rows import DELIMITERS
from marketo_bulk.values import parse_datetime

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from typing import BinaryIO, Literal

    from marketo_bulk.cells import Values
    from marketo_bulk.columns import Column
    from marketo_bulk.delimited import Chunk

VALUE_SHOWN_CHARACTERS = 80
HEADER_SHOWN_CHARACTERS = 400

_SECOND = slice(len("2026-10-21T00:00:00"))

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Bound:
    """Drops the rows whose instant in one column is before a bound."""

    index: int
    second: str

    def holds(self, instants: Iterable[Any]) -> list[bool]:
        # Only whole seconds are compared: as text, `…05.5Z` comes before `…05Z`.
        return [instant is None or instant[_SECOND] >= self.second for instant in instants]


class RowReader:
    """Reads export files into rows with the fields `columns`, in that order.

    `on_bad_value` says what becomes of a cell its type cannot read, and of bytes that are no
    UTF-8: `fail` raises, `null` makes it None (the bytes U+FFFD) and counts it. `source` names
    the file in messages. `keep_from` is a datetime column and a bound, `YYYY-MM-DDTHH:MM:SSZ`:
    rows before it are dropped, rows without a value are kept. `required` names columns that must
    have a value in every row, whatever `on_bad_value` says. `counts` are those of the latest file.

    Shape: values are str, int, float, bool and None, or Decimal where a float would lose digits,
        so that rows are to be encoded with `decimal_format="number"`.
    Raises: ValueError for names that repeat or a `keep_from` that is none.
    """

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        on_bad_value: Literal["fail", "null"] = "fail",
        source: str = "export",
        file_format: str = "CSV",
        keep_from: tuple[str, str] | None = None,
        required: Collection[str] = (),
    ) -> None:
        if file_format not in DELIMITERS:
            raise ValueError(f"file_format must be one of {[*DELIMITERS]}, not {file_format}")
        self._columns = tuple(columns)
        self._kinds = tuple(column.kind for column in columns)
        self._names = tuple(column.name for column in columns)
        if len(set(self._names)) != len(self._names) or not columns:
            raise ValueError(f"columns must have a name each, and each another: {self._names}")
        self._fails = on_bad_value == "fail"
        self._source = source
        self._delimiter = DELIMITERS[file_format]
        self._bound = None if keep_from is None else self._make_bound(*keep_from)
        self._required = tuple(i for i, name in enumerate(self._names) if name in required)
        self.counts = Counts()
        fields = [f"f{index}" for index in range(len(columns))]
        self.row_type = msgspec.defstruct(
            "Row",
            [(field, Any) for field in fields],
            rename=dict(zip(fields, self._names, strict=True)),
            gc=False,  # rows hold only atoms, never a cycle
        )

    def chunks(self, path_or_file: Path | BinaryIO) -> Iterator[list[msgspec.Struct]]:
        """Yield the rows of the file in lists of a few hundred: the fastest way to read them.

        An open file is read from its beginning, and left open.

        Shape: lazy; in the file's order; no list is empty. A file without any text yields
            nothing and leaves `counts.had_header` False.
        Raises: DecodeError for a header without a wanted column, a row of another width, quotes
            that allow more than one reading, and what `on_bad_value` lets fail.
        """
        with _opened(path_or_file) as file:
            reader, positions = self._open(file)
            for chunk in reader.chunks():
                rows = self._read(chunk, positions)
                self.counts.rows += chunk.height
                self.counts.filtered_rows += chunk.height - len(rows)
                if rows:
                    yield rows
        self._report()

    def rows(self, path_or_file: Path | BinaryIO) -> Iterator[msgspec.Struct]:
        """Yield the rows one by one; otherwise the same as `chunks`."""
        for chunk in self.chunks(path_or_file):
            yield from chunk

    def row_dicts(self, path_or_file: Path | BinaryIO) -> Iterator[dict[str, object]]:
        """Yield the rows as dictionaries; otherwise the same as `chunks`."""
        for row in self.rows(path_or_file):
            yield dict(zip(self._names, msgspec.structs.astuple(row), strict=True))

    def _make_bound(self, name: str, instant: str) -> _Bound:
        index = self._names.index(name)
        if self._kinds[index] is not Kind.DATETIME:
            raise ValueError(f"keep_from needs a datetime column, not {name}")
        if parse_datetime(instant) != f"{instant[_SECOND]}Z":
            raise ValueError(f"keep_from needs a bound in whole seconds, not {instant}")
        return _Bound(index, parse_datetime(instant)[_SECOND])

    def _open(self, file: BinaryIO) -> tuple[DelimitedReader, tuple[int, ...]]:
        """Return a reader past the header, and where the columns are.

        Another delimiter than the one asked for is taken if every wanted column stands in the
        header then: Marketo's pages disagree on what it sends.
        """
        refusals: list[DecodeError] = []
        for delimiter in sorted(DELIMITERS.values(), key=lambda mark: mark != self._delimiter):
            file.seek(0)
            try:
                return self._open_with(file, delimiter)
            except DecodeError as refusal:
                refusals.append(refusal)
        raise refusals[0]

    def _open_with(self, file: BinaryIO, delimiter: str) -> tuple[DelimitedReader, tuple[int, ...]]:
        self.counts = Counts()
        text = TextReader(
            file,
            source=self._source,
            replace_invalid=not self._fails,
            counts=self.counts,
        )
        reader = DelimitedReader(
            text.blocks(), delimiter=delimiter, source=self._source, counts=self.counts
        )
        header = reader.header()
        if header is None:
            return reader, ()
        self.counts.had_header = True
        placement = place_columns(self._columns, header)
        if placement.missing:
            # A first line without a single wanted name may be a row: persons' data.
            found = (
                f"in the header {_shown(', '.join(header), HEADER_SHOWN_CHARACTERS)}"
                if placement.positions
                else f"nor any other wanted one: the first line has {len(header)} cells"
            )
            raise DecodeError(
                f"{self._source}: no column for {', '.join(placement.missing)} {found}",
                line=1,
                column=placement.missing[0],
            )
        if delimiter != self._delimiter:
            _logger.warning(
                "event=other_delimiter source=%r asked=%r found=%r",
                self._source,
                self._delimiter,
                delimiter,
            )
        if placement.extra:
            _logger.warning(
                "event=columns_ignored source=%r columns=%s",
                self._source,
                _shown(",".join(placement.extra), HEADER_SHOWN_CHARACTERS),
            )
        return reader, placement.positions

    def _read(self, chunk: Chunk, positions: tuple[int, ...]) -> list[msgspec.Struct]:
        values = [
            read_cells(kind, chunk.columns[position])
            for kind, position in zip(self._kinds, positions, strict=True)
        ]
        self._count(chunk, positions, values)
        self._check_required(chunk, positions, values)
        rows = list(map(self.row_type, *(column.values for column in values)))
        if self._bound is None:
            return rows
        return [*compress(rows, self._bound.holds(values[self._bound.index].values))]

    def _count(self, chunk: Chunk, positions: tuple[int, ...], values: list[Values]) -> None:
        self.counts.empty_values += sum(column.empty for column in values)
        first_bad = [(column.bad[0], index) for index, column in enumerate(values) if column.bad]
        if first_bad and self._fails:
            row, index = min(first_bad)
            advice = ". Set on_bad_value to null to read such values as null"
            cell = chunk.columns[positions[index]][row]
            raise self._bad_value(chunk, row, index, cell, advice)
        for _, index in first_bad:
            name = self._names[index]
            bad = self.counts.bad_values.get(name, 0) + len(values[index].bad)
            self.counts.bad_values[name] = bad

    def _check_required(
        self, chunk: Chunk, positions: tuple[int, ...], values: list[Values]
    ) -> None:
        for index in self._required:
            if None in values[index].values:
                row = values[index].values.index(None)
                cell = chunk.columns[positions[index]][row]
                raise self._bad_value(chunk, row, index, cell, ", and every row needs one")

    def _bad_value(
        self, chunk: Chunk, row: int, index: int, value: str, advice: str
    ) -> DecodeError:
        line = chunk.line_of(row)
        return DecodeError(
            f"{self._source}: line {line}, column {self._names[index]}: "
            f"{_shown(value, VALUE_SHOWN_CHARACTERS)} is no {self._kinds[index].value}{advice}",
            line=line,
            column=self._names[index],
            value=value,
        )

    def _report(self) -> None:
        counts = self.counts
        for name, count in counts.bad_values.items():
            _logger.warning(
                "event=bad_values_nulled source=%r column=%s count=%d", self._source, name, count
            )
        for event, count in (
            ("nul_bytes_removed", counts.nul_bytes),
            ("invalid_bytes_replaced", counts.replaced_bytes),
            ("undoubled_quotes_accepted", counts.lenient_rows),
        ):
            if count:
                _logger.warning("event=%s source=%r count=%d", event, self._source, count)


@contextmanager
def _opened(path_or_file: Path | BinaryIO) -> Iterator[BinaryIO]:
    if isinstance(path_or_file, Path):
        with path_or_file.open("rb", buffering=0) as file:
            yield file
    else:
        path_or_file.seek(0)
        yield path_or_file


def _shown(text: str, length: int) -> str:
    return repr(text) if len(text) <= length else f"{text[:length]!r}…"

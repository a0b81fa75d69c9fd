"""A typed row: what one row of a verified export file says, under the names of its columns."""

from __future__ import annotations

import logging
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import compress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from marketo_bulk.errors import DecodeError
from marketo_bulk.reader.column_values import NULL, read_cells, read_columns
from marketo_bulk.reader.columns import Column, Kind, place_columns
from marketo_bulk.reader.delimited import DelimitedReader
from marketo_bulk.reader.json_cells import UNREADABLE, decode_object
from marketo_bulk.reader.nulled import tell_nulled
from marketo_bulk.reader.row_splitter import DELIMITERS
from marketo_bulk.reader.text_decoder import Counts, TextReader
from marketo_bulk.reader.values import parse_datetime

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from typing import BinaryIO, Literal, TypeAlias

    from marketo_bulk.reader.column_values import Values
    from marketo_bulk.reader.delimited import Chunk

    _Output: TypeAlias = tuple[int, Mapping[object, str] | None]

HEADER_SHOWN_CHARACTERS = 400

TOGETHER_MAX_ROWS = 48
"""Rows up to which columns of one type are read together."""

_SECOND = slice(len("2026-10-21T00:00:00"))

_logger = logging.getLogger(__name__)


_LAST_SECOND = "9999-12-31T23:59:60"
"""After every instant there is."""


@dataclass(frozen=True, slots=True)
class Bound:
    """Drops the rows whose instant in one column is before `first`, or not before `end`."""

    index: int
    first: str = ""
    end: str = _LAST_SECOND

    def holds(self, instants: Iterable[Any]) -> list[bool]:
        """Return which of the instants are within the bounds; None is."""
        # Only whole seconds are compared: as text, `…05.5Z` comes before `…05Z`.
        first, end = self.first, self.end
        return [instant is None or first <= instant[_SECOND] < end for instant in instants]

    @property
    def limits(self) -> Iterator[tuple[bool, str]]:
        """Yield the bounds that are set as instants, each with whether it is the first."""
        if self.first:
            yield True, f"{self.first}Z"
        if self.end != _LAST_SECOND:
            yield False, f"{self.end}Z"


class RowReader:
    """Reads export files into rows with the fields `columns`, in that order.

    `on_bad_value` says what becomes of a cell its type cannot read, and of bytes that are no
    UTF-8: `fail` raises, `null` makes it None (the bytes U+FFFD) and counts it. `source` names
    the file in messages. `keep_from` is a datetime column and a bound, `YYYY-MM-DDTHH:MM:SSZ`:
    rows before it are dropped, rows without a value are kept. `keep_before` is the same of a bound
    from which on rows are dropped. `required` names columns that must have a value in every row,
    whatever `on_bad_value` says. `counts` are those of the latest file.

    Shape: values are str, int, float, bool and None, or Decimal where a float would lose digits,
        so that rows are to be encoded with `decimal_format="number"`.
    Raises: ValueError for names that repeat, or a bound that is none or not of the same column.
    """

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        on_bad_value: Literal["fail", "null"] = "fail",
        source: str = "export",
        file_format: str = "CSV",
        keep_from: tuple[str, str] | None = None,
        keep_before: tuple[str, str] | None = None,
        required: Collection[str] = (),
    ) -> None:
        if file_format not in DELIMITERS:
            raise ValueError(f"file_format must be one of {[*DELIMITERS]}, not {file_format}")
        self.wanted = tuple(columns)
        # What is read: the columns of the file, and the outputs that are made of them.
        self._read_columns = _in_file(self.wanted)
        self._kinds = tuple(column.kind for column in self._read_columns)
        self._outputs = _outputs(self.wanted, self._read_columns)
        self._places: defaultdict[Kind, list[int]] = defaultdict(list)
        for place, kind in enumerate(self._kinds):
            self._places[kind].append(place)
        self._names = tuple(column.name for column in columns)
        if len(set(self._names)) != len(self._names) or not columns:
            raise ValueError(f"columns must have a name each, and each another: {self._names}")
        self._fails = on_bad_value == "fail"
        self.source = source
        self._delimiter = DELIMITERS[file_format]
        self._read_names = tuple(column.name for column in self._read_columns)
        self.bound = self._make_bound(keep_from, keep_before)
        self.required = tuple(i for i, name in enumerate(self._read_names) if name in required)
        self.counts = Counts()
        fields = [f"f{index}" for index in range(len(columns))]
        self.row_type = msgspec.defstruct(
            "Row",
            [(field, Any) for field in fields],
            rename=dict(zip(fields, self._names, strict=True)),
            gc=False,  # rows hold only atoms, never a cycle
        )

    @property
    def is_plain(self) -> bool:
        """Whether every column stands in the file, one value a cell."""
        return self._outputs is None and Kind.JSON not in self._kinds

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the columns; a row has their values as `f0`, `f1` and so on."""
        return self._names

    def chunks(self, path_or_file: Path | BinaryIO) -> Iterator[list[msgspec.Struct]]:
        """Yield the rows of the file in lists of a few hundred: the fastest way to read them.

        An open file is read from its beginning, and left open.

        Shape: lazy; in the file's order; no list is empty. A file without any text yields
            nothing and leaves `counts.had_header` False.
        Raises: DecodeError for a header without a wanted column, a row of another width, quotes
            that allow more than one reading, and what `on_bad_value` lets fail.
        """
        for columns in self.columns(path_or_file):
            yield list(map(self.row_type, *columns))

    def columns(self, path_or_file: Path | BinaryIO) -> Iterator[list[Sequence[object]]]:
        """Yield the values by column, a few hundred rows at a time, without making rows of them.

        Shape: as `chunks`; a list has the values of each column, in the order of `names`.
        Raises: as `chunks`.
        """
        with _opened(path_or_file) as file:
            reader, positions = self.open(file)
            for chunk in reader.chunks():
                columns = self._read(chunk, positions)
                self.counts.rows += chunk.height
                self.counts.filtered_rows += chunk.height - len(columns[0])
                if columns[0]:
                    yield columns
        self.report()

    def rows(self, path_or_file: Path | BinaryIO) -> Iterator[msgspec.Struct]:
        """Yield the rows one by one; otherwise the same as `chunks`."""
        for chunk in self.chunks(path_or_file):
            yield from chunk

    def row_dicts(self, path_or_file: Path | BinaryIO) -> Iterator[dict[str, object]]:
        """Yield the rows as dictionaries; otherwise the same as `chunks`."""
        objects = [c.name for c in self.wanted if c.kind is Kind.JSON]
        for row in self.rows(path_or_file):
            record = dict(zip(self._names, msgspec.structs.astuple(row), strict=True))
            for name in objects:
                record[name] = decode_object(record[name])
            yield record

    def _make_bound(
        self, first: tuple[str, str] | None, end: tuple[str, str] | None
    ) -> Bound | None:
        columns = {bound[0] for bound in (first, end) if bound is not None}
        if not columns:
            return None
        name, *others = columns
        index = self._read_names.index(name)
        if others or self._kinds[index] is not Kind.DATETIME:
            raise ValueError(f"bounds need one datetime column, not {', '.join(columns)}")
        return Bound(
            index,
            "" if first is None else _second_of(first[1]),
            _LAST_SECOND if end is None else _second_of(end[1]),
        )

    def open(self, file: BinaryIO) -> tuple[DelimitedReader, tuple[int, ...]]:
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
            source=self.source,
            replace_invalid=not self._fails,
            counts=self.counts,
        )
        reader = DelimitedReader(
            text.blocks(), delimiter=delimiter, source=self.source, counts=self.counts
        )
        header = reader.header()
        if header is None:
            return reader, ()
        self.counts.had_header = True
        placement = place_columns(self._read_columns, header)
        if placement.missing:
            # A first line without a single wanted name may be a row: persons' data.
            found = (
                f"in the header {_shown(', '.join(header), HEADER_SHOWN_CHARACTERS)}"
                if placement.positions
                else f"nor any other wanted one: the first line has {len(header)} cells"
            )
            raise DecodeError(
                f"{self.source}: no column for {', '.join(placement.missing)} {found}",
                line=1,
                column=placement.missing[0],
            )
        if delimiter != self._delimiter:
            _logger.warning(
                "%s: the delimiter is %r, not %r as asked for",
                self.source,
                delimiter,
                self._delimiter,
            )
        if placement.extra:
            _logger.warning(
                "%s: columns that were not asked for are left out: %s",
                self.source,
                _shown(",".join(placement.extra), HEADER_SHOWN_CHARACTERS),
            )
        return reader, placement.positions

    def _read(self, chunk: Chunk, positions: tuple[int, ...]) -> list[Sequence[object]]:
        values = self._values([chunk.columns[position] for position in positions])
        self._count(chunk, positions, values)
        self._check_required(chunk, positions, values)
        columns = [column.values for column in values]
        if self.bound is not None:
            held = self.bound.holds(columns[self.bound.index])
            if not all(held):
                columns = [[*compress(column, held)] for column in columns]
        return columns if self._outputs is None else self._made(columns, self._outputs)

    def _made(
        self, columns: list[Sequence[object]], outputs: Sequence[_Output]
    ) -> list[Sequence[object]]:
        return [
            columns[index] if words is None else [*map(words.get, columns[index])]
            for index, words in outputs
        ]

    def _values(self, columns: Sequence[Sequence[str]]) -> list[Values]:
        if len(columns[0]) > TOGETHER_MAX_ROWS:
            return list(map(read_cells, self._kinds, columns))
        values: dict[int, Values] = {}
        for kind, places in self._places.items():
            read = read_columns(kind, [columns[place] for place in places])
            values.update(zip(places, read, strict=True))
        return [values[place] for place in range(len(columns))]

    def _count(self, chunk: Chunk, positions: tuple[int, ...], values: list[Values]) -> None:
        first_bad = [(column.bad[0], index) for index, column in enumerate(values) if column.bad]
        if first_bad and self._fails:
            row, index = min(first_bad)
            advice = ". Set on_bad_value to null to read such values as null"
            cell = chunk.columns[positions[index]][row]
            raise self._bad_value(chunk, row, index, cell, advice)
        for index, column in enumerate(values):
            if self._kinds[index] is Kind.JSON:
                self.counts.mended_objects += column.mended
                self.counts.unreadable_objects += column.unreadable
        for _, index in first_bad:
            name = self._read_names[index]
            bad = self.counts.bad_values.get(name, 0) + len(values[index].bad)
            self.counts.bad_values[name] = bad

    def _check_required(
        self, chunk: Chunk, positions: tuple[int, ...], values: list[Values]
    ) -> None:
        for index in self.required:
            if None in values[index].values:
                row = values[index].values.index(None)
                cell = chunk.columns[positions[index]][row]
                raise self._bad_value(chunk, row, index, cell, ", and every row needs one")

    def _bad_value(
        self, chunk: Chunk, row: int, index: int, value: str, advice: str
    ) -> DecodeError:
        line = chunk.line_of(row)
        return DecodeError(
            f"{self.source}: line {line}, column {self._read_names[index]}: "
            f"{_described(value)} is no {self._kinds[index].value}{advice}",
            line=line,
            column=self._read_names[index],
            value=value,
        )

    def nulls(self, index: int) -> bool:
        """Return whether a value of a column that cannot be kept becomes null."""
        return not self._fails and index not in self.required

    def note_nulled(self, counts: Mapping[str, int]) -> None:
        """Log and count values that became null although their cells could be read."""
        for name, count in counts.items():
            self.counts.bad_values[name] = self.counts.bad_values.get(name, 0) + count
        tell_nulled(_logger, self.source, counts)

    def report(self) -> None:
        """Log what was forgiven in the latest file."""
        counts = self.counts
        tell_nulled(_logger, self.source, counts.bad_values)
        for count, what in (
            (counts.nul_bytes, "NUL bytes removed"),
            (counts.replaced_bytes, "bytes that are no UTF-8 replaced"),
            (counts.lenient_rows, "rows with quotes that are not doubled, read all the same"),
            (counts.mended_objects, "objects that are not quite JSON, read all the same"),
            (
                counts.unreadable_objects,
                f"objects that cannot be read, kept as text under {UNREADABLE}",
            ),
        ):
            if count:
                _logger.warning("%s: %d %s", self.source, count, what)


def _in_file(columns: Sequence[Column]) -> tuple[Column, ...]:
    """Return the columns to be read, those that others are made of included."""
    read = {column.name: column for column in columns if not column.of}
    for column in columns:
        if column.of and column.of not in read:
            read[column.of] = Column(column.of, Kind.INTEGER)
    return tuple(read.values())


def _outputs(columns: Sequence[Column], read: Sequence[Column]) -> tuple[_Output, ...] | None:
    """Return where each column comes from, and in which words; None if all are what is read."""
    if not any(column.of for column in columns):
        return None
    places = {column.name: index for index, column in enumerate(read)}
    return tuple(
        (places[column.of or column.name], column.words if column.of else None)
        for column in columns
    )


@contextmanager
def _opened(path_or_file: Path | BinaryIO) -> Iterator[BinaryIO]:
    if isinstance(path_or_file, Path):
        with path_or_file.open("rb", buffering=0) as file:
            yield file
    else:
        path_or_file.seek(0)
        yield path_or_file


def _second_of(instant: str) -> str:
    if parse_datetime(instant) != f"{instant[_SECOND]}Z":
        raise ValueError(f"a bound is in whole seconds, not {instant}")
    return instant[_SECOND]


def _described(cell: str) -> str:
    """Return what may be said of a cell: it may be about a person, whatever its column is for."""
    if cell in {"", NULL}:
        return "an empty cell" if not cell else "null"
    return f"text of {len(cell)} characters"


def _shown(text: str, length: int) -> str:
    return repr(text) if len(text) <= length else f"{text[:length]!r}…"

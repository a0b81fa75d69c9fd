"""Arrow reader: a verified export file as Arrow record batches, without a row in between.

Arrow's own reader takes the blocks that can be read one way only: valid UTF-8, quotes doubled, no
NUL and no lone CR. At the first block that is otherwise, `RowReader` goes on, which knows how.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from marketo_bulk.reader.arrow_values import arrow_schema, from_text, from_values
from marketo_bulk.reader.block_splitter import are_at_borders
from marketo_bulk.reader.column_values import NULL, read_cells

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import TypeAlias

    from marketo_bulk.reader.columns import Column
    from marketo_bulk.reader.row_reader import RowReader

    Amend: TypeAlias = Callable[[list[Sequence[object]]], list[Sequence[object]]]

BLOCK_BYTES = 1 << 21
"""Large enough for Arrow, small enough that a few of them fit into the cache's neighbourhood."""

ROWS_TOGETHER = 5_000
"""How many rows of the other way make a record batch."""

UNREADABLE_BYTES = 1 << 25
"""A row that is longer has a quote that is never closed, in all likelihood."""


class ArrowReader:
    """Reads export files into record batches with the columns of `reader`, by its rules.

    `amend` sees the values of all columns, some rows at a time, and returns what is to be written;
    where it is given, `RowReader` reads the whole file.
    """

    def __init__(self, reader: RowReader, *, amend: Amend | None = None) -> None:
        self._reader = reader
        self._amend = amend
        self._nulled: dict[str, int] = {}
        self.schema = arrow_schema(reader.wanted)

    def record_batches(self, file: BinaryIO) -> Iterator[pa.RecordBatch]:
        """Yield the rows of the file.

        Shape: lazy; in the file's order; no batch is empty; `counts` of the reader are those of
            this file afterwards.
        Raises: DecodeError, as `RowReader` does, or for a value beyond its Parquet type.
        """
        read = 0
        if self._amend is None and self._reader.is_plain:
            for batch in self._plain_blocks(file):
                if batch is None:
                    break
                read += batch.num_rows
                if batch.num_rows:
                    yield batch
            else:
                self._reader.report()
                return
        yield from self._with_care(file, read)

    # Block by block ---------------------------------------------------------------------

    def _plain_blocks(self, file: BinaryIO) -> Iterator[pa.RecordBatch | None]:
        """Yield record batches, and None where this way ends before the file does."""
        opened, positions = self._reader.open(file)
        file.seek(0)
        header, end, _ = file.read(BLOCK_BYTES).partition(b"\n")
        if not positions or not end or any(mark in header for mark in (b'"', b"\0")):
            yield None
            return
        layout = _Layout(opened.delimiter, opened.width, positions)
        file.seek(len(header) + 1)
        for block in _blocks(file):
            yield self._read_block(block, layout)

    def _read_block(self, block: _Block, layout: _Layout) -> pa.RecordBatch | None:
        if not block.outside or not layout.is_plain(block):
            return None
        try:
            table = layout.table(block)
        except pa.ArrowInvalid:
            return None
        if _has_empty_line(table, block.outside):
            return None
        arrays = []
        for index, column in enumerate(self._reader.wanted):
            array = self._array(index, column, _whole(table.column(index)))
            if array is None:
                return None
            arrays.append(array)
        batch = pa.RecordBatch.from_arrays(arrays, schema=self.schema)
        self._reader.counts.rows += batch.num_rows
        return self._within_bound(batch)

    def _array(self, index: int, column: Column, cells: pa.StringArray) -> pa.Array | None:
        """Return the array of a column; None if a value in it has to be judged with its row."""
        array = from_text(column, cells)
        if array is None:
            values = read_cells(column.kind, cells.fill_null(NULL).to_pylist())
            if values.bad:
                return None
            misfits: dict[str, int] = {}
            array = from_values(
                column, values.values, self._reader.source, self._nulls(index, misfits)
            )
            if misfits:
                return None
        if array.null_count and index in self._reader.required:
            return None
        return array

    def _within_bound(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        bound = self._reader.bound
        if bound is None:
            return batch
        kept = batch
        for is_first, instant in bound.limits:
            instants = kept.column(bound.index)
            limit = pa.scalar(instant).cast(instants.type)
            holds = pc.greater_equal if is_first else pc.less
            kept = kept.filter(pc.fill_null(holds(instants, limit), True))  # noqa: FBT003
        self._reader.counts.filtered_rows += batch.num_rows - kept.num_rows
        return kept

    # Row by row -------------------------------------------------------------------------

    def _with_care(self, file: BinaryIO, skipped: int) -> Iterator[pa.RecordBatch]:
        """Read the file from its beginning, and yield what comes after `skipped` rows."""
        held: list[list[Sequence[object]]] = []
        self._nulled = {}
        rows = 0
        for columns in self._reader.columns(file):
            height = len(columns[0])
            if skipped >= height:
                skipped -= height
                continue
            part = [column[skipped:] for column in columns]
            held.append(part if self._amend is None else self._amend(part))
            rows += height - skipped
            skipped = 0
            if rows >= ROWS_TOGETHER:
                yield self._joined(held)
                held, rows = [], 0
        if held:
            yield self._joined(held)
        self._reader.note_nulled(self._nulled)

    def _nulls(self, index: int, nulled: dict[str, int]) -> dict[str, int] | None:
        """Return where values that their type cannot hold are counted; None if they may not be."""
        return nulled if self._reader.nulls(index) else None

    def _joined(self, parts: list[list[Sequence[object]]]) -> pa.RecordBatch:
        arrays = [
            from_values(
                column,
                [value for part in parts for value in part[index]],
                self._reader.source,
                self._nulls(index, self._nulled),
            )
            for index, column in enumerate(self._reader.wanted)
        ]
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)


class _Layout:
    """What a header says of the blocks after it."""

    def __init__(self, delimiter: str, width: int, positions: Sequence[int]) -> None:
        self._delimiter = delimiter
        names = [str(index) for index in range(width)]
        wanted = [names[position] for position in positions]
        self._names = names
        self._convert = pa_csv.ConvertOptions(
            column_types=dict.fromkeys(wanted, pa.string()),
            include_columns=wanted,
            null_values=[NULL],
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
        )

    def is_plain(self, block: _Block) -> bool:
        """Return whether there is one reading of a block, and Arrow's is the same.

        Empty lines are not looked for.
        """
        buffer, end, outside = block
        if b"\0" in buffer:
            return False
        if b"\r" in buffer and buffer.count(b"\r", 0, end) != buffer.count(b"\r\n", 0, end):
            return False
        return are_at_borders(outside, self._delimiter)

    def table(self, block: _Block) -> pa.Table:
        """Return the wanted columns of a block, as text."""
        return pa_csv.read_csv(
            pa.BufferReader(pa.py_buffer(memoryview(block.buffer)[: block.end])),
            read_options=pa_csv.ReadOptions(
                use_threads=False, block_size=block.end + 1, column_names=self._names
            ),
            parse_options=pa_csv.ParseOptions(
                delimiter=self._delimiter, newlines_in_values=True, ignore_empty_lines=False
            ),
            convert_options=self._convert,
        )


def _whole(column: pa.ChunkedArray) -> pa.Array:
    """Return a column as one array; where it is one, without a copy."""
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


class _Block(NamedTuple):
    """Whole rows, up to `end` of a buffer, and what of them is outside of quotes.

    Shape: the latter is empty where nothing tells where the rows end.
    """

    buffer: bytearray
    end: int
    outside: Sequence[bytearray]


def _blocks(file: BinaryIO) -> Iterator[_Block]:
    """Yield what is left of a file; a block is gone once the next one is asked for."""
    buffer, held, is_last = bytearray(BLOCK_BYTES), 0, False
    while not is_last:
        held += _fill(file, memoryview(buffer)[held:])
        is_last = held < len(buffer)
        if is_last:
            buffer = buffer[:held]
        end, outside = _whole_rows(buffer, is_last=is_last)
        if outside or len(buffer) > UNREADABLE_BYTES or is_last:
            rest = buffer[end:]
            if held:
                yield _Block(buffer, end, outside)
            held = len(rest)
            buffer[:held] = rest
        else:
            buffer += bytes(len(buffer))


def _fill(file: BinaryIO, room: memoryview) -> int:
    """Read until there is no more room, or no more file; return how many bytes there were."""
    filled = 0
    while filled < len(room) and (count := file.readinto(room[filled:])):  # type: ignore[attr-defined]  # files have it
        filled += count
    return filled


def _whole_rows(block: bytearray, *, is_last: bool) -> tuple[int, list[bytearray]]:
    """Return where the last whole row of a block ends, and what of it is outside of quotes."""
    # Between the marks is what stands outside of quotes, inside, outside, and so on.
    parts = block.split(b'"')
    if is_last:
        return len(block), parts[::2] if len(parts) % 2 else []
    behind = 0
    for index in range(len(parts) - 1, -1, -1):
        if index % 2 == 0 and (end := parts[index].rfind(b"\n") + 1):
            outside = [*parts[:index:2], parts[index][:end]]
            return len(block) - behind - len(parts[index]) + end, outside
        behind += len(parts[index]) + 1
    return 0, []


def _has_empty_line(table: pa.Table, outside: Sequence[bytearray]) -> bool:
    """Return whether a line is empty, of which Arrow makes a row of empty cells."""
    # One column after the other: the first one, a key, has no empty cell in nearly all files.
    columns = map(table.column, range(table.num_columns))
    if any(pc.min(pc.binary_length(column)).as_py() != 0 for column in columns):
        return False
    return outside[0].startswith((b"\n", b"\r\n")) or any(
        b"\n\n" in part or b"\n\r\n" in part for part in outside
    )

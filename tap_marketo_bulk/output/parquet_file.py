"""Parquet file: record batches in row groups of bounded size; needs the extra `parquet`."""

from __future__ import annotations

import logging
from typing import IO, TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from typing_extensions import override

from marketo_bulk.reader.arrow_values import arrow_schema, from_values
from marketo_bulk.reader.columns import Column, Kind
from marketo_bulk.reader.nulled import tell_nulled
from tap_marketo_bulk.output.batch_files import OpenFile
from tap_marketo_bulk.output.writer import ENCODER

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator, Sequence

logger = logging.getLogger(__name__)

GROUP_ROWS = 60_000
GROUP_BYTES = 16 << 20
"""Of Arrow's memory; a row group is written once it has as many rows or bytes."""

VALUES_TOGETHER = 8_192
"""How many values of a column are encoded at once."""

MOST_DISTINCT = 0.5
"""Distinct values a row, from which on a dictionary of a column is as large as the column."""


class ParquetFile(OpenFile[pa.RecordBatch]):
    """A Parquet file of one schema."""

    def __init__(self, file: IO[bytes], schema: pa.Schema, compression: str) -> None:
        self._file = file
        self._schema = schema
        self._compression = compression
        self._writer: pq.ParquetWriter | None = None
        self._held: list[pa.RecordBatch] = []
        self._rows = self._bytes = 0

    @override
    def write(self, rows: pa.RecordBatch) -> None:
        self._held.append(rows)
        self._rows += rows.num_rows
        self._bytes += rows.nbytes
        if self._rows >= GROUP_ROWS or self._bytes >= GROUP_BYTES:
            self._write_group()

    @override
    def finish(self) -> None:
        self._write_group()
        if self._writer is not None:
            self._writer.close()

    @staticmethod
    @override
    def cut(rows: pa.RecordBatch, most: int) -> tuple[pa.RecordBatch, pa.RecordBatch]:
        return rows.slice(0, most), rows.slice(most)

    def _write_group(self) -> None:
        if self._held:
            table = pa.Table.from_batches(self._held, schema=self._schema)
            if self._writer is None:
                self._writer = pq.ParquetWriter(
                    self._file,
                    self._schema,
                    compression=self._compression,
                    use_dictionary=repetitive(self._held[0]),
                    write_statistics=ordered(self._schema),
                    write_batch_size=VALUES_TOGETHER,
                )
            self._writer.write_table(table, row_group_size=self._rows)
            self._held = []
            self._rows = self._bytes = 0


def repetitive(rows: pa.RecordBatch) -> list[str]:
    """Return the columns whose values repeat, so that a dictionary of them is worth its time."""
    most = rows.num_rows * MOST_DISTINCT
    return [
        name
        for name, column in zip(rows.schema.names, rows.columns, strict=True)
        if pc.count_distinct(column, mode="all").as_py() <= most
    ]


def ordered(schema: pa.Schema) -> list[str]:
    """Return the columns of which least and greatest value help a reader: all but texts."""
    return [field.name for field in schema if not pa.types.is_string(field.type)]


def opener(schema: pa.Schema, compression: str) -> Callable[[IO[bytes]], ParquetFile]:
    """Return what makes a Parquet file of an open one."""
    return lambda file: ParquetFile(file, schema, compression)


def schema_of(columns: Sequence[Column]) -> pa.Schema:
    """Return the schema of a file with these columns."""
    return arrow_schema(columns)


def batches_of(
    chunks: Iterable[Sequence[dict[str, Any]]],
    columns: Sequence[Column],
    source: str,
    *,
    may_be_null: Container[str] = (),
) -> Iterator[pa.RecordBatch]:
    """Yield records, as JSON has them, as record batches.

    Shape: a property that is absent is null; an object or a list in a column of text is its JSON.
        In a column of `may_be_null`, a value beyond its type is null, and how many is logged.
    Raises: DecodeError for a value beyond its type.
    """
    schema = arrow_schema(columns)
    nulled: dict[str, int] = {}
    for records in chunks:
        arrays = [
            from_values(
                column,
                [_value(column, record) for record in records],
                source,
                nulled if column.name in may_be_null else None,
            )
            for column in columns
        ]
        yield pa.RecordBatch.from_arrays(arrays, schema=schema)
    tell_nulled(logger, source, nulled)


def _value(column: Column, record: dict[str, Any]) -> object:
    value = record.get(column.name)
    if column.kind is not Kind.STRING or value is None or isinstance(value, str):
        return value
    return ENCODER.encode(value).decode()

"""Parquet rows: the records of a Parquet file, with the values JSON has for them."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa


class UnusableColumnError(ValueError):
    """A column with values that JSON does not have.

    Remedy: Have the tap write the column as text, or leave it out.
    """


def parquet_records(file: IO[bytes], rows_at_once: int) -> Iterator[list[dict[str, Any]]]:
    """Yield the records of a file, some at a time.

    Shape: moments and days are text, as JSON has them; decimals and moments keep their digits.
    Raises: ValueError or OSError if it is no Parquet, or breaks off. UnusableColumnError.
    """
    # Here, because pyarrow is an extra.
    import pyarrow.parquet as pq  # noqa: PLC0415

    with pq.ParquetFile(file) as parquet:
        for batch in parquet.iter_batches(rows_at_once):
            yield _rows(_with_all_digits(batch))


def _rows(batch: pa.RecordBatch) -> list[dict[str, Any]]:
    try:
        return [{name: _plain(value) for name, value in row.items()} for row in batch.to_pylist()]
    except (ValueError, OverflowError):
        raise UnusableColumnError(_fault_in(batch)) from None


def _fault_in(batch: pa.RecordBatch) -> str:
    pairs = zip(batch.schema, batch.columns, strict=True)
    field = next(field for field, column in pairs if not _has_plain_values(column))
    return f"column {field.name!r} has values of type {field.type} that JSON does not have"


def _has_plain_values(column: pa.Array) -> bool:
    try:
        for value in column.to_pylist():
            _plain(value)
    except (ValueError, OverflowError):
        return False
    return True


def _with_all_digits(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return a batch whose moments finer than microseconds, which Python lacks, are text."""
    import pyarrow as pa  # noqa: PLC0415  # an extra
    import pyarrow.compute as pc  # noqa: PLC0415

    for number, field in enumerate(batch.schema):
        is_moment = pa.types.is_timestamp(field.type)
        if not (is_moment or pa.types.is_time64(field.type)) or field.type.unit != "ns":
            continue
        column = batch.column(number)
        whole = pa.timestamp("us", field.type.tz) if is_moment else pa.time64("us")
        try:
            column = column.cast(whole)
        except pa.ArrowInvalid:
            column = pc.replace_substring(column.cast(pa.string()), " ", "T")
        batch = batch.set_column(number, field.name, column)
    return batch


def _plain(value: object) -> object:
    if isinstance(value, str | int | float | None):
        return value
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    if isinstance(value, Decimal):
        return value
    # Bytes and spans of time, for example; ValueError as for all else in the file.
    raise ValueError(f"{type(value).__name__} has no place in JSON")

"""Parquet rows: the records of a Parquet file, with the values JSON has for them."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


def parquet_records(file: IO[bytes], rows_at_once: int) -> Iterator[list[dict[str, Any]]]:
    """Yield the records of a file, some at a time.

    Shape: moments and days are text, as JSON has them; decimals keep their digits.
    Raises: ValueError or OSError if it is no Parquet, or breaks off.
    """
    # Here, because pyarrow is an extra.
    import pyarrow.parquet as pq  # noqa: PLC0415

    with pq.ParquetFile(file) as parquet:
        for batch in parquet.iter_batches(rows_at_once):
            yield [
                {name: _plain(value) for name, value in row.items()} for row in batch.to_pylist()
            ]


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
    if isinstance(value, bytes):
        raise ValueError("bytes have no place in JSON")  # noqa: TRY004  # as for all else in the file
    return value

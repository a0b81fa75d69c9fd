"""An archive of export files to a partitioned Parquet table, by Spark.

    python examples/spark/archive_to_table.py ARCHIVE TABLE

Each file is parsed by the tap's reader, in one of Spark's workers. ARCHIVE is what `archive_url`
was set to, a directory that all workers see or a bucket; SPARK_MASTER is where Spark is.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyspark.sql import SparkSession, Window
from pyspark.sql import functions as f
from pyspark.sql.pandas.types import from_arrow_schema

from marketo_bulk.reader.arrow_reader import ArrowReader
from marketo_bulk.reader.arrow_values import arrow_schema
from marketo_bulk.reader.columns import Column, kind_of
from marketo_bulk.reader.row_reader import RowReader
from tap_marketo_bulk.archive.archive import Archive

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tap_marketo_bulk.archive.manifest import Manifest

MASTER = os.environ.get("SPARK_MASTER", "local[*]")
MEMBERS = "program/members"
KEY = ("leadId", "programId")
PARTITION = "programId"
FILE = "_file"
"""The number of the file a row is from: the newest row of a key is in the last."""


def columns_of(manifest: Manifest) -> list[Column]:
    """Return the columns of an archived file."""
    return [
        Column(
            field.name,
            kind_of(field.data_type),
            (field.display_name,),
            is_money=field.data_type.lower() == "currency",
        )
        for field in manifest.columns
    ]


def reading(url: str, schema: pa.Schema) -> Callable[..., Iterator[pa.RecordBatch]]:
    """Return what a worker does with the numbers of some files: their rows, with one schema."""

    def read(numbers: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        archive = Archive("archive_url", url)
        manifests = members_in(archive)
        for number in (number for batch in numbers for number in batch.column(0).to_pylist()):
            for rows in rows_of(archive, manifests[number]):
                yield with_all_columns(rows, number, schema)

    return read


def rows_of(archive: Archive, manifest: Manifest) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a file, its digest checked."""
    reader = RowReader(columns_of(manifest), source=f"export {manifest.export_id}")
    file = archive.fetch(manifest, Path(tempfile.gettempdir()))
    try:
        yield from ArrowReader(reader).record_batches(file.content)
    finally:
        file.close()


def with_all_columns(rows: pa.RecordBatch, number: int, schema: pa.Schema) -> pa.RecordBatch:
    """Return rows with the columns of all files; null where a file was made without one."""
    arrays: list[Any] = []
    for field in schema:
        if field.name == FILE:
            arrays.append(pa.repeat(pa.scalar(number, field.type), rows.num_rows))
        elif field.name in rows.schema.names:
            arrays.append(rows.column(field.name).cast(field.type))
        else:
            arrays.append(pa.nulls(rows.num_rows, field.type))
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def members_in(archive: Archive) -> list[Manifest]:
    """Return the files of program members, the newest row of a key last."""
    return [each for each in archive.manifests() if each.object_path == MEMBERS]


def main(url: str, table: str) -> None:
    """Write the table, and print its columns."""
    manifests = members_in(Archive("archive_url", url))
    # The last file that has a column says what it is.
    columns = {column.name: column for each in manifests for column in columns_of(each)}
    schema = arrow_schema([*columns.values()]).append(pa.field(FILE, pa.int64()))
    spark = SparkSession.builder.master(MASTER).appName("marketo").getOrCreate()
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    numbers = spark.range(len(manifests)).repartition(max(1, len(manifests)))
    rows = numbers.mapInArrow(reading(url, schema), from_arrow_schema(schema))
    newest = Window.partitionBy(*KEY).orderBy(f.desc(FILE))
    members = rows.withColumn("_rank", f.row_number().over(newest)).where("_rank = 1")
    members.drop("_rank", FILE).write.mode("overwrite").partitionBy(PARTITION).parquet(table)
    written = spark.read.parquet(table)
    workers = spark._jsc.sc().getExecutorMemoryStatus().size() - 1  # noqa: SLF001  # less the driver
    print(f"{written.count()} members of {len(manifests)} files, by {workers} workers")
    for name, kind in written.dtypes:
        print(f"{name}: {kind}")
    spark.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Stream batches: the extracts of a stream as files, and the BATCH messages that name them."""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from singer_sdk.helpers._batch import BaseBatchFileEncoding, SDKBatchMessage

from marketo_bulk.reader.columns import Column, Kind, kind_of
from marketo_bulk.reader.json_cells import decode_object
from singer_marketo.storage import Storage
from tap_marketo_bulk.output.batch_config import PARQUET, BatchConfig
from tap_marketo_bulk.output.batch_files import BatchFiles, JsonLinesFile
from tap_marketo_bulk.output.chunks import SHARED_CHUNKS, in_chunks, joined
from tap_marketo_bulk.output.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import IO

    from singer_sdk.mapper import StreamMap

    from tap_marketo_bulk.output.extract import Extract
    from tap_marketo_bulk.output.spool import Sharing

ROWS_TOGETHER = 500

NAME_MAX_CHARACTERS = 100
DIGEST_DIGITS = 12

_UNFIT = re.compile(r"[^A-Za-z0-9_.-]+")


class Batch(NamedTuple):
    """A BATCH message, and how many records its file has."""

    message: SDKBatchMessage
    records: int


class StreamBatches:
    """Writes the extracts of the stream `stream` as batch files.

    `maps` are the stream's; where they keep records as they are, columns go into the files as the
    reader has them. `money` names properties that hold amounts of money, unless a map tells its
    own. With `sharing`, each row goes to those maps that take it, and the rest do not see it.
    """

    def __init__(
        self,
        config: BatchConfig,
        stream: str,
        maps: Sequence[StreamMap],
        *,
        keeps_records: bool,
        version: int | None,
        money: frozenset[str] = frozenset(),
        sharing: Sharing | None = None,
    ) -> None:
        self._config = config
        self._stream = stream
        self._maps = maps
        self._keeps_records = keeps_records
        self._version = version
        self._money = money
        self._sharing = sharing
        aliases = Counter(each.stream_alias for each in maps)
        # What tells the files of maps apart that have one alias; nothing where it has one.
        self._twins = {
            each: (str(getattr(each, "type_id", number)),)
            for number, each in enumerate(maps)
            if aliases[each.stream_alias] > 1
        }
        self._storage = Storage("batch_config.storage.root", config.root, config.params)

    def batches(self, extract: Extract) -> Iterator[Batch]:
        """Write the files of an extract, and yield a message for each once it is there.

        Raises: StorageError, DiskError, and what reading the extract raises.
        """
        if self._keeps_records:
            yield from self._unmapped(extract, self._maps[0].stream_alias)
            return
        if self._sharing is not None:
            yield from self._shared_out(extract, self._sharing)
            return
        # One pass over the extract for each stream that its records become.
        for stream_map in self._maps:
            if getattr(stream_map, "transformed_schema", None):
                chunks = in_chunks(_transformed(extract.records(), stream_map), ROWS_TOGETHER)
                yield from self._mapped(extract, stream_map, chunks)

    def _shared_out(self, extract: Extract, sharing: Sharing) -> Iterator[Batch]:
        """Write the files of many streams, for which the extract is read once."""
        with contextlib.ExitStack() as stack:
            spools = {
                each: stack.enter_context(Spool(sharing.directory, each.stream_alias))
                for each in self._maps
            }
            for rows in joined(extract.chunks(), SHARED_CHUNKS):
                for stream_map, records in sharing.split(rows):
                    spools[stream_map].add(records)
            # In JSON lines they stand as they are here already.
            read = _record if self._config.format == PARQUET else msgspec.Raw
            for stream_map, spool in spools.items():
                chunks = in_chunks(map(read, spool.lines()), ROWS_TOGETHER)
                yield from self._mapped(extract, stream_map, chunks)

    def _unmapped(self, extract: Extract, alias: str) -> Iterator[Batch]:
        stem = self._stem_of(alias, extract.title)
        if self._config.format == PARQUET:
            found = extract.arrow_rows()
            if found is None:
                yield from self._parquet(alias, stem, None, iter(()))  # earlier files go
            else:
                yield from self._parquet(alias, stem, found.schema, found.batches)
        else:
            yield from self._json_lines(alias, stem, extract.chunks())

    def _mapped(
        self,
        extract: Extract,
        stream_map: StreamMap,
        chunks: Iterator[list[Any]],
    ) -> Iterator[Batch]:
        alias = stream_map.stream_alias
        stem = self._stem_of(alias, (*extract.title, *self._twins.get(stream_map, ())))
        if self._config.format != PARQUET:
            yield from self._json_lines(alias, stem, chunks)
            return
        from tap_marketo_bulk.output.parquet_file import batches_of, schema_of  # noqa: PLC0415

        money = getattr(stream_map, "money", self._money)
        columns = columns_of(stream_map.transformed_schema, money)
        rows = batches_of(
            chunks,
            columns,
            f"stream {alias}",
            may_be_null=nullable(stream_map.transformed_schema)
            if self._config.nulls_misfits
            else (),
        )
        yield from self._parquet(alias, stem, schema_of(columns), rows)

    def _stem_of(self, alias: str, title: Sequence[str]) -> str:
        # Streams with one alias may have extracts of one title, and so may two pipelines.
        told = title if alias == self._stream else (*title, self._stream)
        return _stem(alias, (*told, *self._config.origin))

    def _json_lines(
        self, alias: str, stem: str, chunks: Iterable[Sequence[Any]]
    ) -> Iterator[Batch]:
        is_packed = self._config.compression == "gzip"

        def opened(file: IO[bytes]) -> JsonLinesFile:
            return JsonLinesFile(file, is_packed=is_packed)

        yield from self._write(alias, stem, iter(chunks), opened)

    def _parquet(self, alias: str, stem: str, schema: Any, rows: Iterator[Any]) -> Iterator[Batch]:  # noqa: ANN401  # Arrow's
        # Here, because pyarrow is an extra.
        from tap_marketo_bulk.output.parquet_file import opener  # noqa: PLC0415

        yield from self._write(alias, stem, rows, opener(schema, self._config.compression))

    def _write(
        self,
        alias: str,
        stem: str,
        rows: Iterator[Any],
        opened: Callable[[IO[bytes]], Any],
    ) -> Iterator[Batch]:
        for file in BatchFiles(self._storage, self._config, stem, opened).write(rows):
            message = SDKBatchMessage(
                stream=alias,
                encoding=BaseBatchFileEncoding(**self._config.encoding()),
                manifest=[file.url],
                version=self._version,
            )
            yield Batch(message, file.rows)


def columns_of(schema: Mapping[str, Any], money: frozenset[str]) -> list[Column]:
    """Return the columns of a file of records with a JSON Schema.

    Shape: what is not of one plain type is text: JSON where it is no text by itself.
    """
    columns = []
    for name, declared in schema.get("properties", {}).items():
        kind = kind_of(_data_type(declared))
        columns.append(Column(name, kind, is_money=kind is Kind.NUMBER and name in money))
    return columns


def nullable(schema: Mapping[str, Any]) -> frozenset[str]:
    """Return the properties that may be null."""
    properties = schema.get("properties", {})
    return frozenset(n for n, declared in properties.items() if "null" in declared.get("type", ()))


_DATA_TYPES = {"integer": "integer", "number": "float", "boolean": "boolean"}
_TEXT_TYPES = {"date": "date", "date-time": "datetime"}


def _data_type(declared: Mapping[str, Any]) -> str:
    types = declared.get("type", ())
    wanted = {types} if isinstance(types, str) else set(types) - {"null"}
    if wanted == {"string"}:
        return _TEXT_TYPES.get(str(declared.get("format")), "string")
    if wanted == {"integer", "number"}:
        return "float"
    return _DATA_TYPES.get(next(iter(wanted)), "string") if len(wanted) == 1 else "string"


def _transformed(
    records: Iterator[dict[str, Any]], stream_map: StreamMap
) -> Iterator[dict[str, Any]]:
    for record in records:
        mapped = stream_map.transform(record)
        if mapped is not None:
            yield mapped


def _record(line: bytes) -> dict[str, Any]:
    found: dict[str, Any] = decode_object(msgspec.Raw(line))  # type: ignore[assignment]  # it is one
    return found


def _stem(alias: str, title: Sequence[str]) -> str:
    """Return a name for the files of an extract: readable, and another for any other extract."""
    digest = hashlib.sha256("\n".join((alias, *title)).encode()).hexdigest()[:DIGEST_DIGITS]
    shown = "-".join(_UNFIT.sub("", part) for part in (alias, *title[:2]) if part)
    return f"{shown[:NAME_MAX_CHARACTERS]}-{digest}"

"""Record loop: rows of verified files to RECORD lines, without the SDK's work per record.

What the SDK does for each record (conformance, selection, maps, a flush) is settled once per file
where nothing depends on single records: rows come out typed and hold the selected columns only.
Stream maps see each record, without the SDK's work around them. Whenever anything else needs to see
each record, such as a record limit, the SDK's own loop runs, and writes the same messages.
"""

from __future__ import annotations

import abc
from datetime import datetime, timezone
from itertools import repeat
from typing import TYPE_CHECKING, Any

from msgspec import UNSET, Raw, Struct, UnsetType
from singer_sdk import Stream
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.mapper import SameRecordTransform
from typing_extensions import override

from tap_marketo_bulk.output.batch_loop import has_batches, write_batches
from tap_marketo_bulk.output.chunks import in_chunks
from tap_marketo_bulk.output.whole_stream import BookmarksByRun
from tap_marketo_bulk.output.writer import ENCODER, LineWriter

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence

    from singer_sdk.mapper import StreamMap

    from tap_marketo_bulk.output.extract import Extract
    from tap_marketo_bulk.output.spool import Sharing


CHUNK_RECORDS = 200
"""How many mapped records are written at once, about as many as a chunk of unmapped ones."""


class BulkStream(BookmarksByRun):
    """A stream whose records come from files, a bookmark being the end of a file's window."""

    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE

    @abc.abstractmethod
    def extracts(self) -> Iterable[Extract]:
        """Return the files to write, in order."""

    @abc.abstractmethod
    def leave(self, error: BaseException) -> None:
        """Write STATE of what is complete: the stream ends early, by a signal or an error."""

    # The two loops ----------------------------------------------------------------------

    @override
    def get_records(self, context: Any) -> Iterator[dict[str, Any]]:
        try:
            for extract in self.extracts():
                yield from extract.records()
                extract.written()
        except BaseException as error:  # GeneratorExit too: whoever asked wants no more
            self.leave(error)
            raise

    @property
    def writes_lines(self) -> bool:
        """Whether nothing but stream maps needs to see single records: the fast loop may run."""
        return (
            not self.child_streams
            and self.ABORT_AT_RECORD_COUNT is None
            and type(self).post_process is Stream.post_process
            and isinstance(self._tap.message_writer, LineWriter)
        )

    @override
    def sync_records(
        self, context: Mapping[str, Any] | None, *, write_messages: bool
    ) -> Generator[dict[str, Any], Any, Any]:
        try:
            if write_messages and has_batches(self):
                write_batches(
                    self, self.extracts(), keeps_records=self._keeps_records, sharing=self._sharing
                )
            elif write_messages and self.selected and self.writes_lines:
                self._sync_lines()
            else:
                yield from super().sync_records(context, write_messages=write_messages)
        except BaseException as error:
            self.leave(error)
            raise

    def _sync_lines(self) -> None:
        with self.get_record_counter() as counter, self.get_sync_timer():
            for extract in self.extracts():
                for rows in self._chunks(extract):
                    self._write_rows(rows)
                    counter.increment(len(rows))
                extract.written()
        self._finalize_state(self.stream_state)
        self._write_state_message()

    @property
    def _keeps_records(self) -> bool:
        """Whether the stream's map, flattening included, leaves records as they are."""
        return len(self.stream_maps) == 1 and keeps_records(self.stream_maps[0])

    @property
    def _sharing(self) -> Sharing | None:
        """How rows go to maps that take some of them each; a stream may have such maps."""
        return None

    def _chunks(self, extract: Extract) -> Iterator[Sequence[Any]]:
        """Return rows, many at a time, as `_write_rows` takes them."""
        if self._keeps_records:
            return extract.chunks()
        return in_chunks(extract.records(), CHUNK_RECORDS)

    def _write_rows(self, rows: Sequence[Any]) -> None:
        """Write rows as RECORD lines; where the records are not kept, rows are dictionaries."""
        writer = self._tap.message_writer
        assert isinstance(writer, LineWriter)  # noqa: S101  # `writes_lines` has seen to it
        self.state_manager.is_flushed = False
        now = Raw(ENCODER.encode(datetime.now(timezone.utc)))
        version = UNSET if self._stream_version is None else self._stream_version
        lines: list[RecordLine]
        if self._keeps_records:
            stream = repeat(self.stream_maps[0].stream_alias)
            lines = list(map(RecordLine, stream, rows, repeat(version), repeat(now)))
        else:
            lines = [
                RecordLine(stream_map.stream_alias, mapped, version, now)
                for row in rows
                for stream_map in self.stream_maps
                if (mapped := stream_map.transform(row)) is not None
            ]
        writer.write_lines(ENCODER.encode_lines(lines))


def keeps_records(stream_map: StreamMap) -> bool:
    """Return whether a map, flattening included, leaves records as they are.

    Flattening shortens names that are too long, and makes texts of objects.
    """
    return (
        type(stream_map) is SameRecordTransform
        and stream_map.transformed_schema["properties"] == stream_map.raw_schema["properties"]
    )


class RecordLine(Struct, tag_field="type", tag="RECORD", gc=False):
    """A RECORD message as it is encoded."""

    stream: str
    record: Any
    version: int | UnsetType
    time_extracted: Raw

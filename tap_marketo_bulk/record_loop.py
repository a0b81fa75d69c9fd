"""Record loop: rows of verified files to RECORD lines, without the SDK's work per record.

What the SDK does for each record (conformance, selection, maps, a flush) is settled once per file
where nothing depends on single records: rows come out typed and hold the selected columns only.
Stream maps see each record, without the SDK's work around them. Whenever anything else needs to see
each record, such as a record limit, the SDK's own loop runs, and writes the same messages.
"""

from __future__ import annotations

import abc
from datetime import datetime, timezone
from itertools import islice, repeat
from typing import TYPE_CHECKING, Any

from msgspec import UNSET, Raw, Struct, UnsetType
from singer_sdk import Stream
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.mapper import SameRecordTransform
from typing_extensions import override

from tap_marketo_bulk.writer import ENCODER, LineWriter

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Sequence


CHUNK_RECORDS = 200
"""How many mapped records are written at once, about as many as a chunk of unmapped ones."""


class Extract(abc.ABC):
    """The rows of one file, and what to do when all of them have been written."""

    @abc.abstractmethod
    def chunks(self) -> Iterator[Sequence[Any]]:
        """Return the rows, a few hundred at a time, as objects that encode to a record."""

    @abc.abstractmethod
    def records(self) -> Iterator[dict[str, Any]]:
        """Return the same rows as dictionaries."""

    @abc.abstractmethod
    def written(self) -> None:
        """Take note that every row has been written."""


class BulkStream(Stream):
    """A stream whose records come from files, a bookmark being the end of a file's window."""

    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE

    @abc.abstractmethod
    def extracts(self) -> Iterable[Extract]:
        """Return the files to write, in order."""

    @abc.abstractmethod
    def leave(self) -> None:
        """Write STATE of what is complete: the run ends early, by a signal or an error."""

    # What the SDK would do per record and the bookmarks of whole windows make superfluous ---

    @override
    def generate_child_contexts(self, record: Any, context: Any) -> Iterable[Any]:
        return ()

    @override
    def get_replication_key_signpost(self, context: Any = None) -> None:
        return None

    @override
    def _write_starting_replication_value(self, context: Any) -> None:
        """Keep the state to what `extracts` puts there."""

    @override
    def _increment_stream_state(self, latest_record: Any, *, context: Any = None) -> None:
        """Leave the bookmark alone: it is the end of a window, never a maximum over records."""

    # The two loops ----------------------------------------------------------------------

    @override
    def get_records(self, context: Any) -> Iterator[dict[str, Any]]:
        for extract in self.extracts():
            yield from extract.records()
            extract.written()

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
    def _sync_records(
        self, context: Any = None, *, write_messages: bool = True
    ) -> Generator[dict[str, Any], Any, Any]:
        try:
            if write_messages and self.selected and self.writes_lines:
                self._sync_lines()
            else:
                yield from super()._sync_records(context, write_messages=write_messages)
        except BaseException:
            self.leave()
            raise

    def _sync_lines(self) -> None:
        with self.get_record_counter() as counter, self.get_sync_timer():
            for extract in self.extracts():
                chunks = extract.chunks() if self._keeps_records else _in_chunks(extract.records())
                for rows in chunks:
                    self._write_rows(rows)
                    counter.increment(len(rows))
                extract.written()
        self._finalize_state(self.stream_state)
        self._write_state_message()

    @property
    def _keeps_records(self) -> bool:
        """Whether the stream's map, flattening included, leaves records as they are.

        Flattening can do no more to a record of plain values than shorten the names.
        """
        maps = self.stream_maps
        return (
            len(maps) == 1
            and type(maps[0]) is SameRecordTransform
            and maps[0].transformed_schema["properties"].keys()
            == maps[0].raw_schema["properties"].keys()
        )

    def _write_rows(self, rows: Sequence[Any]) -> None:
        """Write rows as RECORD lines; where the records are not kept, rows are dictionaries."""
        writer = self._tap.message_writer
        assert isinstance(writer, LineWriter)  # noqa: S101  # `writes_lines` has seen to it
        self.state_manager.is_flushed = False
        now = Raw(ENCODER.encode(datetime.now(timezone.utc)))
        version = UNSET if self._stream_version is None else self._stream_version
        lines: list[_Record]
        if self._keeps_records:
            stream = repeat(self.stream_maps[0].stream_alias)
            lines = list(map(_Record, stream, rows, repeat(version), repeat(now)))
        else:
            lines = [
                _Record(stream_map.stream_alias, mapped, version, now)
                for row in rows
                for stream_map in self.stream_maps
                if (mapped := stream_map.transform(row)) is not None
            ]
        writer.write_lines(ENCODER.encode_lines(lines))


def _in_chunks(records: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    while chunk := list(islice(records, CHUNK_RECORDS)):
        yield chunk


class _Record(Struct, tag_field="type", tag="RECORD", gc=False):
    """A RECORD message as it is encoded."""

    stream: str
    record: Any
    version: int | UnsetType
    time_extracted: Raw

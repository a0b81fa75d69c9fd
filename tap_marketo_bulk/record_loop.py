"""Record loop: rows of verified files to RECORD lines, without the SDK's work per record.

What the SDK does for each record (conformance, selection, maps, a flush) is settled once per file
where nothing depends on single records: rows come out typed and hold the selected columns only.
Whenever stream maps, flattening or a record limit need to see each record, the SDK's own loop runs,
and writes the same messages.
"""

from __future__ import annotations

import abc
from datetime import datetime, timezone
from itertools import repeat
from typing import TYPE_CHECKING, Any

from msgspec import Raw, Struct
from singer_sdk import Stream
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.mapper import SameRecordTransform
from typing_extensions import override

from tap_marketo_bulk.writer import ENCODER, LineWriter

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Sequence


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
        """Whether nothing needs to see single records, so that the fast loop may run."""
        maps = self.stream_maps
        return (
            len(maps) == 1
            and type(maps[0]) is SameRecordTransform
            and not maps[0].flattening_enabled
            and not self.child_streams
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
                for count in self._write_blocks(extract.chunks()):
                    counter.increment(count)
                extract.written()
        self._finalize_state(self.stream_state)
        self._write_state_message()

    def _write_blocks(self, chunks: Iterator[Sequence[Any]]) -> Iterator[int]:
        """Write rows as RECORD lines; yield how many each chunk held."""
        writer = self._tap.message_writer
        assert isinstance(writer, LineWriter)  # noqa: S101  # `writes_lines` has seen to it
        stream = repeat(self.stream_maps[0].stream_alias)
        for rows in chunks:
            self.state_manager.is_flushed = False
            now = repeat(Raw(ENCODER.encode(datetime.now(timezone.utc))))
            if self._stream_version is None:
                lines: list[Any] = list(map(_Record, stream, rows, now))
            else:
                lines = list(map(_VersionedRecord, stream, rows, repeat(self._stream_version), now))
            writer.write_lines(ENCODER.encode_lines(lines))
            yield len(rows)


class _Record(Struct, tag_field="type", tag="RECORD", gc=False):
    """A RECORD message as it is encoded."""

    stream: str
    record: Any
    time_extracted: Raw


class _VersionedRecord(Struct, tag_field="type", tag="RECORD", gc=False):
    """A RECORD message of a stream that is replaced as a whole."""

    stream: str
    record: Any
    version: int
    time_extracted: Raw

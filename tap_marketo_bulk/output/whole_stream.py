"""Whole stream: what every stream of the tap does otherwise than the SDK would.

A FULL_TABLE run that has come to its end says so by ACTIVATE_VERSION, after its records: a target
that heeds it removes what this run has not brought. The SDK sends it before them, when a run that
breaks off could already have emptied a table.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Protocol, cast

from singer_sdk import Stream
from typing_extensions import override

from marketo_bulk import MarketoBulkError
from tap_marketo_bulk.output.batch_loop import has_batches, write_batches
from tap_marketo_bulk.output.extract import RecordsExtract

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping, Sequence

    from singer_sdk import Tap
    from singer_sdk.singerlib import MetadataMapping

    from tap_marketo_bulk.output.stream_failures import StreamFailures


FULL_TABLE = "FULL_TABLE"
UNHANDLED = "An unhandled error occurred"
"""How the SDK's line about an error in a stream begins."""


class FailingTap(Protocol):
    """A tap that keeps the failures of its streams."""

    @property
    def failures(self) -> StreamFailures:
        """Return what streams have failed with."""


class WholeStream(Stream):
    """A stream that is extracted in one piece, whatever partitions a STATE may list."""

    optional_fields: frozenset[str] = frozenset()
    """Properties that are in the catalog, and not selected unless somebody selects them."""
    tells_of_gone = False
    """Whether it tells what is no more, so that it must come after all rows exported before."""

    def __init__(self, tap: FailingTap, **options: Any) -> None:  # noqa: ANN401  # the SDK's
        super().__init__(cast("Tap", tap), **options)
        self.failures = tap.failures

    @override
    def log(self, message: str, *args: Any, level: int = logging.INFO, **options: Any) -> None:
        # The SDK calls every error unhandled, a record limit that is reached among them.
        if not message.startswith(UNHANDLED):
            super().log(message, *args, level=level, **options)

    @property
    @override
    def metadata(self) -> MetadataMapping:
        """Return the catalog metadata: optional fields are there, but not selected by default."""
        fresh = self._metadata is None
        metadata = super().metadata
        if fresh and self._tap_input_catalog is None:
            for name in self.optional_fields.intersection(self.schema["properties"]):
                metadata["properties", name].selected_by_default = False
        return metadata

    def is_wanted(self, name: str) -> bool:
        """Return whether a property is selected: one that the catalog does not have is not."""
        return name in self.effective_schema["properties"] and self.mask["properties", name]

    def batch_title(self) -> Sequence[str]:
        """Return what tells the records of this run from those of others.

        Shape: the same where batch files are to take the place of those of an earlier run, as they
            are where each run brings all.
        """
        return ("all",)

    @property
    @override
    def partitions(self) -> None:
        return None

    @override
    def get_batch_config(self, config: Mapping[str, Any]) -> None:
        """Keep the SDK from its own batches, which no stream map has seen."""

    @override
    def generate_child_contexts(self, record: Any, context: Any) -> Iterable[Any]:
        return ()

    @property
    @override
    def emit_activate_version_messages(self) -> bool:
        """Keep the SDK from sending ACTIVATE_VERSION before the records."""
        return False

    @property
    def is_versioned(self) -> bool:
        """Whether the run brings the whole table and may say so."""
        return (
            self.selected
            and self.replication_method == FULL_TABLE
            and self.config.get("emit_activate_version_messages") is not False
            and self.ABORT_AT_RECORD_COUNT is None
        )

    @override
    def _sync_records(
        self, context: Any = None, *, write_messages: bool = True
    ) -> Generator[dict[str, Any], Any, Any]:
        versioned = write_messages and self.is_versioned
        if versioned:
            self._stream_version = self._initialized_at // 1000
        try:
            yield from self.sync_records(context, write_messages=write_messages)
        except MarketoBulkError as error:
            if not self.failures.take(self.name, error):
                raise
            return
        if versioned and self._stream_version is not None:
            self._write_activate_version_message(self._stream_version)

    def sync_records(
        self, context: Mapping[str, Any] | None, *, write_messages: bool
    ) -> Generator[dict[str, Any], Any, Any]:
        """Write all records and STATE, and return the records."""
        if write_messages and has_batches(self):
            records: Iterable[Any] = self.get_records(context)
            if len(self.stream_maps) > 1:
                records = [*records]  # each of the maps reads all of them
            extract = RecordsExtract(records, self.batch_title())
            write_batches(self, [extract], keeps_records=False)
            return
        yield from super()._sync_records(context, write_messages=write_messages)


class BookmarksByRun(WholeStream):
    """A whole stream that puts its bookmarks into its state by itself.

    They are ends of windows or runs, never a maximum over records: what the SDK would do for each
    record is left out.
    """

    @override
    def get_replication_key_signpost(self, context: Any = None) -> None:
        return None

    @override
    def _write_starting_replication_value(self, context: Any) -> None:
        """Keep the state to what the stream puts there."""

    @override
    def _increment_stream_state(self, latest_record: Any, *, context: Any = None) -> None:
        """Leave the bookmark alone."""

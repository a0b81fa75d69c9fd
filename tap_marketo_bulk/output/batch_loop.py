"""Batch loop: the extracts of a stream to files, BATCH messages, and STATE after them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_marketo_bulk.output.batch_config import BatchConfig, is_set
from tap_marketo_bulk.output.stream_batches import StreamBatches

if TYPE_CHECKING:
    from collections.abc import Iterable

    from singer_sdk import Stream

    from tap_marketo_bulk.output.extract import Extract
    from tap_marketo_bulk.output.spool import Sharing


def has_batches(stream: Stream) -> bool:
    """Return whether the records of a stream go into batch files."""
    return bool(
        stream.selected
        and is_set(stream.config.get("batch_config"))
        and stream.ABORT_AT_RECORD_COUNT is None
    )


def write_batches(
    stream: Stream,
    extracts: Iterable[Extract],
    *,
    keeps_records: bool,
    sharing: Sharing | None = None,
) -> None:
    """Write all extracts; the STATE that vouches for one goes out after its last BATCH message.

    `sharing` shares the rows of an extract out among the stream's maps; without it each sees all.
    Raises: StorageError if the location refuses a file, DiskError if the disk does where records
        wait to be shared out: what is in STATE by then is true.
    """
    config = BatchConfig.from_config(stream.config)
    assert config is not None  # noqa: S101  # `has_batches` has seen to it
    batches = StreamBatches(
        config,
        stream.name,
        stream.stream_maps,
        keeps_records=keeps_records,
        version=stream._stream_version,  # noqa: SLF001  # as the SDK's own messages have it
        money=getattr(stream, "money", frozenset()),
        sharing=sharing,
    )
    with stream.get_record_counter() as counter, stream.get_sync_timer():
        for extract in extracts:
            for batch in batches.batches(extract):
                stream._tap.write_message(batch.message)  # noqa: SLF001  # there is no other way
                stream.state_manager.is_flushed = False
                counter.increment(batch.records)
            extract.written()
    stream._finalize_state(stream.stream_state)  # noqa: SLF001  # as the SDK does at the end
    stream._write_state_message()  # noqa: SLF001

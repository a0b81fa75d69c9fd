"""Chunks: records some at a time."""

from __future__ import annotations

from itertools import chain, islice
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

RecordT = TypeVar("RecordT")

SHARED_CHUNKS = 4
"""Chunks that are shared out among streams at once: a few rows for each would cost more time."""


def in_chunks(records: Iterator[RecordT], size: int) -> Iterator[list[RecordT]]:
    """Yield the records in lists of `size`; the last one may be shorter, and none is empty."""
    while chunk := list(islice(records, size)):
        yield chunk


def joined(chunks: Iterator[Sequence[RecordT]], count: int) -> Iterator[Sequence[RecordT]]:
    """Yield the records of every `count` chunks in one."""
    return ([*chain.from_iterable(several)] for several in in_chunks(chunks, count))

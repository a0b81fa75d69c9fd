"""Chunks: records some at a time."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

RecordT = TypeVar("RecordT")


def in_chunks(records: Iterator[RecordT], size: int) -> Iterator[list[RecordT]]:
    """Yield the records in lists of `size`; the last one may be shorter, and none is empty."""
    while chunk := list(islice(records, size)):
        yield chunk

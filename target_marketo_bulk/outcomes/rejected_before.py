"""Rejected before: rows that earlier runs rejected for the same reason."""

from __future__ import annotations

import logging
import stat
from array import array
from bisect import bisect_left
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REREAD_MAX_BYTES = 200_000_000
"""Most that is read of earlier runs' rejects, the newest first."""

_HASH_MASK = (1 << 64) - 1
_REASON = b'"reason":'

logger = logging.getLogger(__name__)


class RejectMarks:
    """What a run's rejects are about, 8 bytes each: reason and record, not the time or import."""

    def __init__(self) -> None:
        self._marks = array("Q")

    def add(self, line: bytes) -> None:
        """Take note of a line of the rejects."""
        self._marks.append(_mark(line))

    def found_in(self, directory: Path, *, own: Path) -> int:
        """Return how many of these rows are in the rejects of earlier runs, reason and all."""
        if not self._marks:
            return 0
        marks = array("Q", sorted(self._marks))
        found = bytearray(len(marks))
        left = len(marks)
        read_bytes = 0
        for path in sorted(directory.glob("rejects-*.jsonl"), reverse=True):
            if path == own:
                continue
            for line in _lines(path):
                left -= _find(_mark(line), marks, found)
                read_bytes += len(line)
                if not left or read_bytes > REREAD_MAX_BYTES:
                    break
            if left and read_bytes > REREAD_MAX_BYTES:
                logger.warning(
                    "%s: only the newest %d bytes of rejects are compared; "
                    "move old files elsewhere",
                    path,
                    REREAD_MAX_BYTES,
                )
            if not left or read_bytes > REREAD_MAX_BYTES:
                break
        return len(marks) - left


def _lines(path: Path) -> Iterator[bytes]:
    """Yield the lines of a file as far as it can be read; of a pipe, which nobody may fill, none.

    They decide no more than whether a reject counts as a new one.
    """
    try:
        if stat.S_ISFIFO(path.stat().st_mode):
            return
        with path.open("rb") as lines:
            yield from lines
    except OSError as error:
        logger.warning(
            "%s cannot be read (%s): rows rejected in that run count as new ones",
            path,
            error.strerror,
        )


def _find(mark: int, marks: array[int], found: bytearray) -> int:
    """Return how many rows have this mark and were not found yet; now they are."""
    place = bisect_left(marks, mark)
    rows = 0
    while place < len(marks) and marks[place] == mark and not found[place]:
        found[place] = True
        rows += 1
        place += 1
    return rows


def _mark(line: bytes) -> int:
    return hash(line[line.find(_REASON) :].rstrip(b"\n")) & _HASH_MASK

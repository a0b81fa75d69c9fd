"""Batch files: what one extract becomes, in one file or, where that grows too large, in several."""

from __future__ import annotations

import abc
import contextlib
import zlib
from typing import IO, TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from typing_extensions import override

from tap_marketo_bulk.output.writer import ENCODER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from singer_marketo.storage import Storage
    from tap_marketo_bulk.output.batch_config import BatchConfig

RowsT = TypeVar("RowsT")

GZIP_LEVEL = 3
"""A third of the time of the default, for a tenth more bytes."""

_GZIP_WINDOW = 16 + zlib.MAX_WBITS


class OpenFile(abc.ABC, Generic[RowsT]):
    """A file that is being written."""

    @abc.abstractmethod
    def write(self, rows: RowsT) -> None:
        """Add some rows."""

    @abc.abstractmethod
    def finish(self) -> None:
        """Write what is still held, and what ends the file."""

    @staticmethod
    @abc.abstractmethod
    def cut(rows: RowsT, most: int) -> tuple[RowsT, RowsT]:
        """Return the first `most` rows, and the rest."""


class JsonLinesFile(OpenFile["Sequence[Any]"]):
    """JSON lines, one a record, packed or not."""

    def __init__(self, file: IO[bytes], *, is_packed: bool) -> None:
        self._file = file
        # Without name and time in its head, so that the same rows make the same bytes.
        self._packer = zlib.compressobj(GZIP_LEVEL, wbits=_GZIP_WINDOW) if is_packed else None

    @override
    def write(self, rows: Sequence[Any]) -> None:
        lines = ENCODER.encode_lines(rows)
        self._file.write(lines if self._packer is None else self._packer.compress(lines))

    @override
    def finish(self) -> None:
        if self._packer is not None:
            self._file.write(self._packer.flush())

    @staticmethod
    @override
    def cut(rows: Sequence[Any], most: int) -> tuple[Sequence[Any], Sequence[Any]]:
        return rows[:most], rows[most:]


class BatchFile(NamedTuple):
    """A file that is whole under its address."""

    url: str
    rows: int


class BatchFiles(Generic[RowsT]):
    """The files of one extract, named `<stem>-<part>`; `open_file` makes one of an open file.

    The names are those of any run that brings the same, which therefore writes over them.
    """

    def __init__(
        self,
        storage: Storage,
        config: BatchConfig,
        stem: str,
        open_file: Callable[[IO[bytes]], OpenFile[RowsT]],
    ) -> None:
        self._storage = storage
        self._config = config
        self._stem = f"{config.prefix}{stem}"
        self._open_file = open_file
        self._part = 0

    def write(self, rows: Iterator[RowsT]) -> Iterator[BatchFile]:
        """Write all rows, and yield each file once it is there.

        Shape: no file without rows. Parts that an earlier, longer extract has left are removed.
        Raises: StorageError, and whatever `rows` raises; no part of a file is left then.
        """
        rest: RowsT | None = next(rows, None)
        while rest is not None:
            with contextlib.ExitStack() as stack:
                file = stack.enter_context(self._storage.writing(self._name(self._part)))
                count, rest = self._fill(file, rest, rows)
            yield BatchFile(self._storage.url(self._name(self._part)), count)
            self._part += 1
        self._remove_later_parts()

    def _remove_later_parts(self) -> None:
        # The last one first: a run that is killed meanwhile leaves no gap to stop the next one.
        part = self._part
        while self._storage.holds(self._name(part)):
            part += 1
        while part > self._part:
            part -= 1
            self._storage.remove(self._name(part))

    def _fill(
        self, file: IO[bytes], first: RowsT, rows: Iterator[RowsT]
    ) -> tuple[int, RowsT | None]:
        """Write one file; return its number of rows, and what the next one begins with."""
        most_rows, most_bytes = self._config.max_rows, self._config.max_bytes
        out = self._open_file(file)
        count = 0
        rest: RowsT | None = first
        while rest is not None:
            now, later = rest, None
            if most_rows is not None and count + len(now) > most_rows:  # type: ignore[arg-type]  # rows have a length
                now, later = out.cut(now, most_rows - count)
            out.write(now)
            count += len(now)  # type: ignore[arg-type]  # as above
            rest = next(rows, None) if later is None else later
            if count == most_rows or (most_bytes is not None and file.tell() >= most_bytes):
                break
        out.finish()
        return count, rest

    def _name(self, part: int) -> str:
        return f"{self._stem}-{part:04d}{self._config.suffix}"

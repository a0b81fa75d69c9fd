"""Spool: JSON lines that wait until the file they belong to is written."""

from __future__ import annotations

import contextlib
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, Any, NamedTuple

from marketo_bulk.exports.file import disk_errors
from tap_marketo_bulk.output.writer import ENCODER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path
    from typing import TypeAlias

    from singer_sdk.mapper import StreamMap
    from typing_extensions import Self

    Split: TypeAlias = Callable[[Sequence[Any]], Iterable[tuple[StreamMap, Iterable[Any]]]]

SPOOLED_BYTES = 1 << 18
"""What the records of one stream may take in memory while an extract is shared out."""


class Sharing(NamedTuple):
    """How the rows of an extract go to many streams.

    Shape: `split` shares rows out among maps that take some of them each; `directory` is where the
        records of one wait while those of another are written.
    """

    split: Split
    directory: Path


class Spool:
    """JSON lines in memory, and from SPOOLED_BYTES on in a file that nobody else can find.

    Used as a context manager: nothing is left of it afterwards.
    Raises: DiskError wherever the disk refuses.
    """

    def __init__(self, directory: Path, stream: str) -> None:
        self._directory = directory
        self._operation = f"share out records of {stream}"
        self._file = SpooledTemporaryFile(  # noqa: SIM115  # closed by __exit__
            SPOOLED_BYTES, dir=str(directory)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        # The file is gone even where closing it fails for want of space.
        with contextlib.suppress(OSError):
            self._file.close()

    def add(self, records: Iterable[Any]) -> None:
        """Add records at the end."""
        lines = ENCODER.encode_lines([*records])
        with self._told("write to a file in"):
            self._file.write(lines)

    def lines(self) -> Iterator[bytes]:
        """Yield all records from the first on, each as a line without its end."""
        with self._told("finish a file in"):
            self._file.seek(0)
        while True:
            with self._told("read a file in"):
                line = self._file.readline()
            if not line:
                return
            yield line[:-1]

    def _told(self, attempted: str) -> AbstractContextManager[None]:
        return disk_errors(attempted, self._directory, self._operation)

"""Partial file: the bytes of a download so far, on disk, with their digest kept up to date.

It has no name: nobody else can open it, and a process that is killed leaves none behind.
"""

from __future__ import annotations

import hashlib
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, cast

from marketo_bulk.errors import Answer, DiskError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from typing_extensions import Self

TRIED_BYTES = 4096
"""More than a buffer of nothing: a full disk often has room for a name, but for no block."""


@dataclass(frozen=True, slots=True)
class ExportFile:
    """A verified file without a name; whoever asked for it closes it, and it is gone."""

    content: BinaryIO
    size_bytes: int
    sha256: str

    def close(self) -> None:
        """Give the disk space back."""
        self.content.close()


class PartialFile:
    """A file that nobody else can find.

    Used as a context manager: unless it was kept, nothing is left of it afterwards.
    Raises: DiskError wherever the disk refuses.
    """

    def __init__(self, directory: Path, export_id: str) -> None:
        self._operation = f"download export {export_id}"
        self._directory = directory
        with disk_errors("create a file in", directory, self._operation):
            file = tempfile.TemporaryFile(dir=directory)  # noqa: SIM115  # closed by __exit__
            self._file = cast("BinaryIO", file)
        self._kept = False
        self._digest = hashlib.sha256()
        self.size_bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        if not self._kept:
            # The file is gone even where closing it fails for want of space.
            with suppress(OSError):
                self._file.close()

    @property
    def sha256(self) -> str:
        """The lower-case hex digest of the bytes so far."""
        return self._digest.hexdigest()

    def append(self, chunk: bytes) -> None:
        """Add a chunk at the end."""
        with self._told("write to a file in"):
            self._file.write(chunk)
        self._digest.update(chunk)
        self.size_bytes += len(chunk)

    def restart(self) -> None:
        """Forget all bytes."""
        with self._told("empty a file in"):
            self._file.seek(0)
            self._file.truncate()
        self._digest = hashlib.sha256()
        self.size_bytes = 0

    def keep(self) -> ExportFile:
        """Return the file, to be read from its first byte on."""
        with self._told("finish a file in"):
            self._file.flush()
            self._file.seek(0)
        self._kept = True
        return ExportFile(self._file, self.size_bytes, self.sha256)

    def _told(self, attempted: str) -> AbstractContextManager[None]:
        return disk_errors(attempted, self._directory, self._operation)


def check_directory(directory: Path) -> None:
    """Create a file in a directory and write to it; nothing is left of it.

    Raises: DiskError if that is impossible.
    """
    operation = "try the directory for downloads"
    with (
        disk_errors("write to a file in", directory, operation),
        tempfile.TemporaryFile(dir=directory) as file,
    ):
        file.write(bytes(TRIED_BYTES))


@contextmanager
def disk_errors(attempted: str, directory: Path, operation: str) -> Iterator[None]:
    """Raise DiskError in place of what the operating system says."""
    where = Answer(operation)
    told = f"could not {attempted} {str(directory)!r}"
    if "\0" in str(directory):
        raise DiskError(f"{told}: no path has a NUL in it", answer=where)
    try:
        yield
    except OSError as error:
        raise DiskError(f"{told}: {error.strerror or error}", answer=where) from error

"""Partial file: the bytes of a download so far, on disk, with their digest kept up to date."""

from __future__ import annotations

import hashlib
import os
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from marketo_bulk.errors import Answer, DownloadError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from typing_extensions import Self


@dataclass(frozen=True, slots=True)
class ExportFile:
    """A verified file; whoever asked for it removes it.

    `has_nul` and `has_carriage_return` say whether any such byte is in it.
    """

    path: Path
    size_bytes: int
    sha256: str
    has_nul: bool = False
    has_carriage_return: bool = False


class PartialFile:
    """A file that only this user can read and only this process knows the name of.

    Used as a context manager: unless it was kept, nothing is left of it afterwards.
    Raises: DownloadError wherever the disk refuses.
    """

    def __init__(self, directory: Path, export_id: str) -> None:
        self._operation = f"download export {export_id}"
        with self._told("create a file in", directory):
            # A fresh name and mode 0600: two processes with one partial file corrupt it.
            descriptor, path = tempfile.mkstemp(".part", f"{export_id}.", directory)
        self._path = Path(path)
        self._file = os.fdopen(descriptor, "wb")
        self._kept = False
        self._digest = hashlib.sha256()
        self.size_bytes = 0
        self.has_nul = False
        self.has_carriage_return = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # The file is removed even where closing it fails for want of space.
        with suppress(OSError):
            self._file.close()
        if not self._kept:
            self._path.unlink(missing_ok=True)

    @property
    def sha256(self) -> str:
        """The lower-case hex digest of the bytes so far."""
        return self._digest.hexdigest()

    def append(self, chunk: bytes) -> None:
        """Add a chunk at the end."""
        with self._told("write to", self._path):
            self._file.write(chunk)
        self._digest.update(chunk)
        self.size_bytes += len(chunk)
        # Known for the price of a scan of memory here, and dear to find out later: the reader
        # of the file may then skip looking for what is not there.
        self.has_nul = self.has_nul or b"\0" in chunk
        self.has_carriage_return = self.has_carriage_return or b"\r" in chunk

    def restart(self) -> None:
        """Forget all bytes."""
        with self._told("empty", self._path):
            self._file.seek(0)
            self._file.truncate()
        self._digest = hashlib.sha256()
        self.size_bytes = 0
        self.has_nul = False
        self.has_carriage_return = False

    def keep(self) -> ExportFile:
        """Close the file under its final name and return it."""
        final = self._path.with_suffix(".csv")
        with self._told("finish", self._path):
            self._file.close()
            self._path.replace(final)
        self._kept = True
        return ExportFile(
            final, self.size_bytes, self.sha256, self.has_nul, self.has_carriage_return
        )

    @contextmanager
    def _told(self, attempted: str, path: Path) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise DownloadError(
                f"could not {attempted} {path}: {error.strerror}",
                answer=Answer(self._operation),
                remedy="Check download_dir, its permissions and the space on its disk",
            ) from error

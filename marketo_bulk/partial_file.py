"""Partial file: the bytes of a download so far, on disk, with their digest kept up to date.

It has no name: nobody else can open it, and a process that is killed leaves none behind.
"""

from __future__ import annotations

import hashlib
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, cast

from marketo_bulk.errors import Answer, DownloadError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Self


@dataclass(frozen=True, slots=True)
class ExportFile:
    """A verified file without a name; whoever asked for it closes it, and it is gone.

    `has_nul` and `has_carriage_return` say whether any such byte is in it.
    """

    content: BinaryIO
    size_bytes: int
    sha256: str
    has_nul: bool = False
    has_carriage_return: bool = False

    def close(self) -> None:
        """Give the disk space back."""
        self.content.close()


class PartialFile:
    """A file that nobody else can find.

    Used as a context manager: unless it was kept, nothing is left of it afterwards.
    Raises: DownloadError wherever the disk refuses.
    """

    def __init__(self, directory: Path, export_id: str) -> None:
        self._operation = f"download export {export_id}"
        with self._told("create a file in", directory):
            file = tempfile.TemporaryFile(dir=directory)  # noqa: SIM115  # closed by __exit__
            self._file = cast("BinaryIO", file)
        self._directory = directory
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
        with self._told("write to a file in", self._directory):
            self._file.write(chunk)
        self._digest.update(chunk)
        self.size_bytes += len(chunk)
        # Known for the price of a scan of memory here, and dear to find out later: the reader
        # of the file may then skip looking for what is not there.
        self.has_nul = self.has_nul or b"\0" in chunk
        self.has_carriage_return = self.has_carriage_return or b"\r" in chunk

    def restart(self) -> None:
        """Forget all bytes."""
        with self._told("empty a file in", self._directory):
            self._file.seek(0)
            self._file.truncate()
        self._digest = hashlib.sha256()
        self.size_bytes = 0
        self.has_nul = False
        self.has_carriage_return = False

    def keep(self) -> ExportFile:
        """Return the file, to be read from its first byte on."""
        with self._told("finish a file in", self._directory):
            self._file.flush()
            self._file.seek(0)
        self._kept = True
        return ExportFile(
            self._file, self.size_bytes, self.sha256, self.has_nul, self.has_carriage_return
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

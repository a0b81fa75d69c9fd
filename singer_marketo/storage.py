"""Storage: a directory or a bucket in which a file is whole under its name, or not there.

Directories are written by this module itself: aside, then renamed. Anything else is an address
that universal-pathlib knows; its driver completes a file, or gives it up.
"""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from marketo_bulk.errors import MarketoBulkError
from singer_marketo.locations import (
    UnusableLocationError,
    cannot_be_used,
    is_of_location,
    local_path,
    opened,
    why,
    without_secrets,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class StorageError(MarketoBulkError):
    """A location that cannot be read or written.

    Remedy: Check the address, its credentials and permissions.
    """

    concerns_all = True


class Storage:
    """The files under `root`, as the setting `setting` names it; `options` are for the driver.

    Raises: StorageError, wherever the location refuses.
    """

    def __init__(self, setting: str, root: str, options: Mapping[str, Any] | None = None) -> None:
        self._setting = setting
        self._shown = without_secrets(root)
        self._folder: Any = None
        self._local: Path | None = None
        try:
            local = local_path(root)
            if local is None:
                self._folder = opened(root, options)
                return
        except UnusableLocationError as error:
            raise StorageError(cannot_be_used(setting, root, str(error))) from error
        with self._told("open the location", ValueError):
            self._local = local.resolve()

    def url(self, name: str) -> str:
        """Return the address of a file."""
        if self._local is not None:
            return (self._local / name).as_uri()
        return str(self._folder.joinpath(name).as_uri())

    @contextlib.contextmanager
    def writing(self, name: str) -> Iterator[IO[bytes]]:
        """Write a file: it is there, in place of an earlier one, when the block ends without error.

        An error of whoever writes goes on as it is; only those of the location become StorageError.
        """
        with self._told(f"write {name}"):
            if self._local is not None:
                with _aside(self._local / name) as file:
                    yield file
            else:
                with self._uploaded(name) as file:
                    yield file

    @contextlib.contextmanager
    def reading(self, name: str) -> Iterator[IO[bytes]]:
        """Read a file."""
        with self._told(f"read {name}"):
            path = self._folder.joinpath(name) if self._local is None else self._local / name
            with path.open("rb") as file:
                yield file

    def names(self, suffix: str) -> list[str]:
        """Return the files below the root whose name ends with `suffix`, ascending."""
        with self._told("list the files"):
            if self._local is not None:
                if not self._local.is_dir():
                    raise FileNotFoundError(None, "no such directory")
                paths = _files_below(self._local)
                names = (path.relative_to(self._local).as_posix() for path in paths)
                return sorted(name for name in names if name.endswith(suffix))
            fs, base = self._folder.fs, str(self._folder.path).rstrip("/")
            base = fs._strip_protocol(base)  # noqa: SLF001  # as `find` answers
            fs.invalidate_cache()
            found = [path for path in fs.find(base) if path.endswith(suffix)]
            return sorted(path[len(base) :].lstrip("/") for path in found)

    def holds(self, name: str) -> bool:
        """Return whether a file is there."""
        with self._told(f"look for {name}"):
            if self._local is not None:
                return (self._local / name).exists()
            remote = self._folder.joinpath(name)
            remote.fs.invalidate_cache()
            return bool(remote.exists())

    def remove(self, name: str) -> bool:
        """Remove a file; return whether it was there."""
        if not self.holds(name):
            return False
        with self._told(f"remove {name}"):
            if self._local is not None:
                (self._local / name).unlink()
            else:
                self._folder.joinpath(name).unlink()
        return True

    @contextlib.contextmanager
    def _uploaded(self, name: str) -> Iterator[IO[bytes]]:
        path = self._folder.joinpath(name)
        file = path.fs.open(path.path, "wb", autocommit=False)
        try:
            yield file
            file.close()
            file.commit()
        except BaseException:
            # What is closed without a commit is not there.
            file.closed = True
            with contextlib.suppress(Exception):
                file.discard()
            raise
        path.fs.invalidate_cache()

    @contextlib.contextmanager
    def _told(self, attempted: str, *more: type[Exception]) -> Iterator[None]:
        try:
            yield
        except MarketoBulkError:
            raise
        except Exception as error:
            if not (isinstance(error, more) or is_of_location(error)):
                raise
            raise StorageError(
                f"{self._setting} {self._shown!r}: could not {attempted}: {why(error)}. Check that "
                "the location exists, has room, and may be written to and read"
            ) from error


def _files_below(root: Path) -> Iterator[Path]:
    """Yield all files below a folder, those behind links too, each folder once.

    Shape: a link that leads nowhere counts as a file, so that whoever reads it is told.
    Raises: OSError for a folder that may not be read, which `Path.rglob` passes over.
    """

    def refuse(error: OSError) -> None:
        raise error

    seen: set[str] = set()
    for folder, folders, names in os.walk(root, onerror=refuse, followlinks=True):
        place = os.path.realpath(folder)
        if place in seen:
            folders.clear()
            continue
        seen.add(place)
        yield from (Path(folder, name) for name in names)


@contextlib.contextmanager
def _aside(path: Path) -> Iterator[IO[bytes]]:
    """Write a file without a name, which a killed process leaves none of, and name it at the end.

    Where the file system has no such files, it has a name beside `path`, the same each time.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    piece = path.with_name(f".{path.name}.part")
    try:
        nameless = _nameless(path.parent)
        with nameless or piece.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
            if nameless is not None:
                piece.unlink(missing_ok=True)
                # Only with a folder, which an absolute path does not need, Python follows the link.
                os.link(f"/proc/self/fd/{file.fileno()}", piece, src_dir_fd=file.fileno())
        piece.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            piece.unlink()
        raise


def _nameless(folder: Path) -> IO[bytes] | None:
    """Return a new file without a name; None where there can be none."""
    flag = getattr(os, "O_TMPFILE", None)
    if flag is None or not Path("/proc/self/fd").exists():
        return None
    try:
        return os.fdopen(os.open(folder, flag | os.O_WRONLY, 0o666), "wb")
    except OSError as error:
        if error.errno in {errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL}:
            return None
        raise

"""Storage: what the system refuses to do with our files, told with the place and the setting."""

from __future__ import annotations

import contextlib
import tempfile
from typing import TYPE_CHECKING

from marketo_bulk.errors import MarketoBulkError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SPOOL_SETTING = "TMPDIR"
REJECTS_SETTING = "rejects_path"
DRY_RUN_SETTING = "dry_run_path"


class StorageError(MarketoBulkError):
    """The disk refuses: no space, no permission, no such folder.

    Remedy: Check the folder, its permissions and the space on its disk.
    """


@contextlib.contextmanager
def stored_in(path: Path, setting: str) -> Iterator[None]:
    """Have an error of the system name the path, and the setting that leads there.

    Raises: StorageError
    """
    try:
        yield
    except OSError as error:
        raise storage_error(error, path, setting) from error


def storage_error(error: OSError, path: Path | str, setting: str) -> StorageError:
    """Return what to tell of an error of the system."""
    return StorageError(
        f"cannot use {error.filename or path}: {error.strerror or error}",
        remedy=f"Check {setting}, its permissions and the space on its disk",
    )


def spool_error(error: OSError) -> StorageError:
    """Return what to tell of an error with a file without a name."""
    try:
        directory = tempfile.gettempdir()
    except OSError:
        directory = "a temporary folder"
    return storage_error(error, directory, SPOOL_SETTING)

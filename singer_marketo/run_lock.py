"""Run lock: two runs of one pipeline at once would make and take over each other's jobs."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import time
from typing import TYPE_CHECKING

from marketo_bulk.errors import MarketoBulkError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

FILE_NAME = "lock"
WAIT_SECONDS = 30.0
"""A run that was told to stop may take some seconds to end."""

LOOK_SECONDS = 0.2

logger = logging.getLogger(__name__)


class AnotherRunError(MarketoBulkError):
    """Another run of the same pipeline is under way.

    Remedy: Let it end.
    """


@contextlib.contextmanager
def only_run(
    folder: Path, setting: str, *, sleep: Callable[[float], object] = time.sleep
) -> Iterator[None]:
    """Hold the lock of a folder; the system lets go of it however the process ends.

    Raises: AnotherRunError if somebody else still has it after WAIT_SECONDS; OSError.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / FILE_NAME
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _lock(descriptor, path, setting, sleep)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, path: Path, setting: str, sleep: Callable[[float], object]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    is_said = False
    while not _try_lock(descriptor):
        holder = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip() or "unknown"
        if time.monotonic() >= deadline:
            raise AnotherRunError(
                f"another run of this pipeline is under way (process {holder}, lock {path})",
                remedy=f"Let it end, or give each pipeline its own {setting}",
            )
        if not is_said:
            logger.warning(
                "another run of this pipeline is under way (process %s): waited for, up to %.0f s",
                holder,
                WAIT_SECONDS,
            )
            is_said = True
        sleep(LOOK_SECONDS)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

"""Stdout: whatever it is, all that is written to it arrives, or an error says so."""

from __future__ import annotations

import contextlib
import os
import select
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def write_all(descriptor: int, data: bytes | bytearray) -> None:
    """Write to stdout past Python's buffer, until nothing is left.

    A descriptor that does not block is waited for, as one that blocks would be.

    Raises: OSError naming stdout.
    """
    rest = memoryview(data)
    with naming_stdout():
        while rest:
            rest = rest[_write(descriptor, rest) :]


def _write(descriptor: int, rest: memoryview) -> int:
    try:
        return os.write(descriptor, rest)
    except BlockingIOError:
        select.select([], [descriptor], [])
        return 0


def write_text(text: str) -> None:
    """Write ASCII text to stdout, which in a test may be in memory.

    Raises: OSError naming stdout.
    """
    with naming_stdout():
        sys.stdout.flush()
        descriptor = stdout_descriptor()
        if descriptor is None:
            sys.stdout.write(text)
            sys.stdout.flush()
        else:
            write_all(descriptor, text.encode("ascii"))


def stdout_descriptor() -> int | None:
    """Return the descriptor of stdout; None if it is in memory."""
    try:
        return sys.stdout.fileno()
    except (OSError, AttributeError):
        return None


def flush_stdout() -> None:
    """Have Python's buffer written.

    Raises: OSError naming stdout.
    """
    if sys.stdout is not None and not sys.stdout.closed:
        with naming_stdout():
            sys.stdout.flush()


def require_stdout() -> None:
    """Return if there is a stdout.

    Raises: OSError naming it; Python has no object for one that was closed at the start.
    """
    if sys.stdout is None:
        raise OSError(None, "it is closed, so nothing can be written", "stdout")


def silence_stdout() -> None:
    """Let nothing more be written to stdout, so that the end of the process is quiet."""
    descriptor = stdout_descriptor() if sys.stdout is not None else None
    if descriptor is not None:
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)


@contextlib.contextmanager
def naming_stdout() -> Iterator[None]:
    """Have an error of the system name stdout: it knows only a descriptor."""
    try:
        yield
    except OSError as error:
        error.filename = "stdout"
        raise

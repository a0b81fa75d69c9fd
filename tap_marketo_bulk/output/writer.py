"""Writer: Singer messages to stdout, whole lines only, whatever signals arrive."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import stat
import sys
import termios
from dataclasses import fields
from functools import partial
from typing import TYPE_CHECKING, BinaryIO

import msgspec
from singer_sdk import singerlib as singer
from singer_sdk.io_base import GenericSingerWriter
from typing_extensions import override

from singer_marketo.stdout import write_all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_TELLS_ROOM = hasattr(fcntl, "F_GETPIPE_SZ") and hasattr(termios, "FIONREAD")
"""Whether the system says how much is in a pipe, and how much it can hold."""
_NOTHING = bytes(4)

ENCODER = msgspec.json.Encoder(enc_hook=str, decimal_format="number")


class LineWriter(GenericSingerWriter[bytes, singer.Message]):
    """Writes messages and blocks of encoded lines; a signal waits until a write is complete.

    The SDK's own writers flush each record and run the signal handler in the middle of a write, so
    that STATE can land inside a half-written RECORD.
    """

    def __init__(self) -> None:
        super().__init__()
        self._busy = 0
        self._deferred: Callable[[], None] | None = None
        self.state_bytes = 0
        """The bytes of the last STATE."""

    @override
    def serialize_message(self, message: singer.Message) -> bytes:
        # `to_dict` would copy the whole of a message first: a STATE of ten thousand bookmarks.
        values = {field.name: getattr(message, field.name) for field in fields(message)}
        return ENCODER.encode({name: v for name, v in values.items() if v is not None})

    @override
    def write_message(self, message: singer.Message) -> None:
        line = self.format_message(message) + b"\n"
        if isinstance(message, singer.StateMessage):
            self.state_bytes = len(line)
        self.write_lines(line, flush=not isinstance(message, singer.RecordMessage))

    def write_lines(self, lines: bytes | bytearray, *, flush: bool = False) -> None:
        """Write complete lines. A short write (stdout unbuffered) is carried on to its end."""
        with self.uninterrupted():
            out = sys.stdout.buffer  # looked up late, because tests swap sys.stdout
            mode, descriptor = _descriptor_of(out)
            if mode:
                # Past Python's buffer, which cuts lines wherever it is full.
                room = partial(pipe_room, descriptor)
                for piece in whole_lines(lines, room) if stat.S_ISFIFO(mode) else (lines,):
                    write_all(descriptor, piece)  # a line longer than PIPE_BUF may go in parts
                return
            written = out.write(lines)
            if written < len(lines):
                rest = memoryview(lines)[written:]
                while rest:
                    rest = rest[out.write(rest) or 0 :]
            if flush:
                out.flush()

    @contextlib.contextmanager
    def uninterrupted(self) -> Iterator[None]:
        """Let a signal that arrives inside wait for the end of the outermost block."""
        self._busy += 1
        try:
            yield
        finally:
            self._busy -= 1
        if not self._busy and self._deferred is not None:
            deferred, self._deferred = self._deferred, None
            deferred()

    def defer(self, action: Callable[[], None]) -> bool:
        """Return whether `action` has to wait for a write to end; it then runs by itself.

        Shape: a second action is not taken: who signals twice does not want to wait.
        """
        if self._busy and self._deferred is None:
            self._deferred = action
            return True
        return False


def whole_lines(
    lines: bytes | bytearray, room: Callable[[], int] = lambda: select.PIPE_BUF
) -> Iterator[bytes | bytearray]:
    """Cut lines into pieces that a pipe takes whole or not at all.

    `room` says how many bytes it is sure to take at once; it is asked before each piece. So a
    process that has to leave while nobody reads leaves no torn line behind. A line that is longer
    goes by itself.
    """
    start = 0
    while start < len(lines):
        stop = lines.rfind(b"\n", start, start + room()) + 1
        if not stop:
            stop = lines.find(b"\n", start) + 1 or len(lines)
        yield lines[start:stop]
        start = stop


def pipe_room(descriptor: int) -> int:
    """Return how many bytes a pipe takes at once, without making the writer wait.

    A write of at most PIPE_BUF bytes is atomic. A larger one is if there is room for it, of which
    nothing is known but where the pipe is empty; half of it is left to whoever else has it.
    """
    if not _TELLS_ROOM:
        return select.PIPE_BUF
    unread = fcntl.ioctl(descriptor, termios.FIONREAD, _NOTHING)
    if unread != _NOTHING:
        return select.PIPE_BUF
    return max(select.PIPE_BUF, fcntl.fcntl(descriptor, fcntl.F_GETPIPE_SZ) // 2)


def _descriptor_of(out: BinaryIO) -> tuple[int, int]:
    """Return mode and descriptor of stdout; zeros if it is in memory."""
    try:
        descriptor = out.fileno()
    except OSError:
        return 0, 0
    return os.fstat(descriptor).st_mode, descriptor

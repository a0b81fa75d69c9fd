"""Writer: Singer messages to stdout, whole lines only, whatever signals arrive."""

from __future__ import annotations

import contextlib
import os
import select
import stat
import sys
from dataclasses import fields
from typing import TYPE_CHECKING, BinaryIO

import msgspec
from singer_sdk import singerlib as singer
from singer_sdk.io_base import GenericSingerWriter
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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

    @override
    def serialize_message(self, message: singer.Message) -> bytes:
        # `to_dict` would copy the whole of a message first: a STATE of ten thousand programs.
        values = {field.name: getattr(message, field.name) for field in fields(message)}
        return ENCODER.encode({name: v for name, v in values.items() if v is not None})

    @override
    def write_message(self, message: singer.Message) -> None:
        self.write_lines(
            self.format_message(message) + b"\n",
            flush=not isinstance(message, singer.RecordMessage),
        )

    def write_lines(self, lines: bytes | bytearray, *, flush: bool = False) -> None:
        """Write complete lines. A short write (stdout unbuffered) is carried on to its end."""
        with self.uninterrupted():
            out = sys.stdout.buffer  # looked up late, because tests swap sys.stdout
            mode, descriptor = _descriptor_of(out)
            if stat.S_ISFIFO(mode) or stat.S_ISREG(mode):
                # Past Python's buffer, which cuts lines wherever it is full.
                for piece in whole_lines(lines) if stat.S_ISFIFO(mode) else (lines,):
                    rest = memoryview(piece)
                    while rest:  # a line longer than PIPE_BUF may be taken in parts
                        rest = rest[os.write(descriptor, rest) :]
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


def whole_lines(lines: bytes | bytearray) -> Iterator[bytes | bytearray]:
    """Cut lines into pieces that a pipe takes whole or not at all.

    A write of at most PIPE_BUF bytes is atomic: a process that has to leave while nobody reads
    leaves no torn line behind. A line that is longer goes by itself.
    """
    start = 0
    while start < len(lines):
        stop = lines.rfind(b"\n", start, start + select.PIPE_BUF) + 1
        if not stop:
            stop = lines.find(b"\n", start) + 1 or len(lines)
        yield lines[start:stop]
        start = stop


def _descriptor_of(out: BinaryIO) -> tuple[int, int]:
    """Return mode and descriptor of stdout; zeros if it is in memory."""
    try:
        descriptor = out.fileno()
    except OSError:
        return 0, 0
    return os.fstat(descriptor).st_mode, descriptor

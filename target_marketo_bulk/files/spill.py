"""Spill: the bytes of many files in one on disk, so that few descriptors are open."""

from __future__ import annotations

import io
import os
import tempfile
import threading
from typing import TYPE_CHECKING, BinaryIO

from typing_extensions import override

from target_marketo_bulk.files.storage import spool_error

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

BLOCK_BYTES = 1 << 16
"""What a file has on disk at once; what is smaller stays in memory."""

BUFFERS_MAX_BYTES = 8_000_000
"""Memory for what is not on disk yet, of all files together."""


class SpillFile:
    """Blocks of one file without a name, taken and given back; safe for threads.

    Nobody else can open it, and a killed process leaves nothing behind. It is there only while
    somebody has bytes in it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._file: BinaryIO | None = None
        self._free: list[int] = []
        self._blocks = 0
        self._used = 0
        self._buffers: dict[SpilledBytes, None] = {}
        self.buffered_bytes = 0

    def allocate(self) -> int:
        """Return the number of a block that is free, now taken."""
        with self._lock:
            if self._file is None:
                self._file = _nameless_file()
            self._used += 1
            if self._free:
                return self._free.pop()
            self._blocks += 1
            return self._blocks - 1

    def release(self, blocks: list[int]) -> None:
        """Give blocks back."""
        with self._lock:
            self._free += blocks
            self._used -= len(blocks)
            if not self._used and self._file is not None:
                self._file.close()
                self._file, self._free, self._blocks = None, [], 0

    def write(self, block: int, offset: int, data: memoryview) -> None:
        """Write into a block."""
        position = block * BLOCK_BYTES + offset
        while data:
            try:
                written = os.pwrite(self._descriptor, data, position)
            except OSError as error:
                raise spool_error(error) from error
            data, position = data[written:], position + written

    def read(self, block: int, offset: int, size: int) -> bytes:
        """Return bytes of a block, fewer than asked for only at its end."""
        return os.pread(
            self._descriptor, min(size, BLOCK_BYTES - offset), block * BLOCK_BYTES + offset
        )

    def note_buffered(self, owner: SpilledBytes, size: int) -> None:
        """Take note of bytes in memory; if they are too many, have all written."""
        self._buffers[owner] = None
        self.buffered_bytes += size
        if self.buffered_bytes > BUFFERS_MAX_BYTES:
            for each in list(self._buffers):
                each.flush()

    def note_written(self, owner: SpilledBytes, size: int) -> None:
        """Take note of bytes that are no longer in memory."""
        self._buffers.pop(owner, None)
        self.buffered_bytes -= size

    @property
    def _descriptor(self) -> int:
        if self._file is None:  # pragma: no cover  # whoever has a block keeps it open
            raise AssertionError("no block is taken")
        return self._file.fileno()


def _nameless_file() -> BinaryIO:
    try:
        return tempfile.TemporaryFile(buffering=0)
    except OSError as error:
        raise spool_error(error) from error


class SpilledBytes:
    """Bytes that are appended to, then read; on disk if they are many."""

    __slots__ = ("_blocks", "_buffer", "_spill", "_written", "size_bytes")

    def __init__(self, spill: SpillFile) -> None:
        self._spill = spill
        self._buffer = bytearray()
        self._blocks: list[int] = []
        self._written = 0
        self.size_bytes = 0

    def append(self, data: bytes) -> None:
        """Add bytes at the end."""
        self._buffer += data
        self.size_bytes += len(data)
        self._spill.note_buffered(self, len(data))
        if len(self._buffer) >= BLOCK_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write to disk what is in memory."""
        view = memoryview(self._buffer)
        while view:
            offset = self._written % BLOCK_BYTES
            if not offset:
                self._blocks.append(self._spill.allocate())
            part = view[: BLOCK_BYTES - offset]
            self._spill.write(self._blocks[-1], offset, part)
            self._written += len(part)
            view = view[len(part) :]
        view.release()
        self._forget_buffer()

    def read(self, start: int, size: int) -> bytes:
        """Return bytes from a place on: at least one, unless there is none, or all of them."""
        if start >= self._written:
            start -= self._written
            return bytes(self._buffer[start : start + size])
        block, offset = divmod(start, BLOCK_BYTES)
        return self._spill.read(self._blocks[block], offset, min(size, self._written - start))

    def read_all(self, start: int, size: int) -> bytes:
        """Return all bytes of a range."""
        parts = []
        while size and (part := self.read(start, size)):
            parts.append(part)
            start, size = start + len(part), size - len(part)
        return b"".join(parts)

    def close(self) -> None:
        """Give memory and disk back; once is enough."""
        self._forget_buffer()
        blocks, self._blocks = self._blocks, []
        self._written = self.size_bytes = 0
        if blocks:
            self._spill.release(blocks)

    def _forget_buffer(self) -> None:
        size, self._buffer = len(self._buffer), bytearray()
        self._spill.note_written(self, size)


class SpillReader(io.RawIOBase):
    """Spilled bytes as a file to read; closing it gives them back."""

    def __init__(self, source: SpilledBytes) -> None:
        super().__init__()
        self._source = source
        self._position = 0

    @override
    def readable(self) -> bool:
        return True

    @override
    def seekable(self) -> bool:
        return True

    @override
    def tell(self) -> int:
        return self._position

    @override
    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        origins = {
            io.SEEK_SET: 0,
            io.SEEK_CUR: self._position,
            io.SEEK_END: self._source.size_bytes,
        }
        self._position = origins[whence] + offset
        return self._position

    @override
    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer).cast("B")
        data = self._source.read(self._position, len(view))
        view[: len(data)] = data
        self._position += len(data)
        return len(data)

    @override
    def close(self) -> None:
        if not self.closed:
            self._source.close()
        super().close()

"""The writer puts out whole lines, in whatever pieces stdout takes them."""

from __future__ import annotations

import io
import os
import select
import sys
from functools import partial
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from tap_marketo_bulk.output.writer import LineWriter, pipe_room, whole_lines

if TYPE_CHECKING:
    import pytest
    from typing_extensions import Buffer


@given(st.lists(st.integers(0, 9_000), max_size=12))
def test_pieces_hold_whole_lines_and_fit_a_pipe(lengths: list[int]) -> None:
    """Joined they are the lines; each is at most PIPE_BUF, but for a longer line alone."""
    lines = b"".join(b"x" * length + b"\n" for length in lengths)
    pieces = list(whole_lines(lines))
    assert b"".join(pieces) == lines
    for piece in pieces:
        assert piece.endswith(b"\n")
        assert len(piece) <= select.PIPE_BUF or piece.count(b"\n") == 1


@given(
    st.lists(st.integers(0, select.PIPE_BUF - 1), min_size=1, max_size=80),
    st.lists(st.integers(1, 20_000), max_size=40),
    st.lists(st.integers(1, 30), max_size=3),
)
def test_pipe_that_nobody_reads_any_more_ends_with_a_line(
    lengths: list[int], reads: list[int], noise: list[int]
) -> None:
    """Wherever the reader stops, and whoever else writes: what is in the pipe is whole lines."""
    lines = b"".join(b"x" * length + b"\n" for length in lengths)
    receiving, sending = os.pipe()
    os.set_blocking(sending, False)
    os.set_blocking(receiving, False)
    taken = bytearray()
    for length in noise:
        os.write(sending, b"-" * length + b"\n")
    left = iter(reads)
    try:
        for piece in whole_lines(lines, partial(pipe_room, sending)):
            # Fails if it would have to wait, and takes a part if there is room for no more.
            assert os.write(sending, piece) == len(piece)
            if size := next(left, 0):
                taken += os.read(receiving, size)
    except BlockingIOError:
        pass
    os.close(sending)
    while part := os.read(receiving, 1 << 16):
        taken += part
    os.close(receiving)
    assert taken.endswith(b"\n")


def test_empty_pipe_takes_many_lines_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """While the reader keeps up, a block of lines costs a few writes, not one for each 4 KB."""
    lines = (b"x" * 799 + b"\n") * 100
    receiving, sending = os.pipe()
    sizes: list[int] = []
    write = os.write

    def read_at_once(descriptor: int, data: Buffer) -> int:
        sizes.append(write(descriptor, data))
        assert len(os.read(receiving, 1 << 20)) == sizes[-1]
        return sizes[-1]

    monkeypatch.setattr(os, "write", read_at_once)
    with os.fdopen(sending, "wb") as buffer:
        monkeypatch.setattr(sys, "stdout", type("Out", (), {"buffer": buffer})())
        LineWriter().write_lines(lines)
        room = pipe_room(sending)
    os.close(receiving)
    assert sum(sizes) == len(lines)
    assert all(size % 800 == 0 for size in sizes)
    assert len(sizes) <= len(lines) // (room - 800) + 1


def test_pipe_with_something_in_it_takes_an_atomic_write() -> None:
    """How much more it can hold is not known, so nothing is risked."""
    receiving, sending = os.pipe()
    assert pipe_room(sending) >= select.PIPE_BUF
    os.write(sending, b"x")
    assert pipe_room(sending) == select.PIPE_BUF
    os.close(sending)
    os.close(receiving)


class ShortWrites(io.RawIOBase):
    """A stdout that takes a few bytes at a time, as an unbuffered one does when interrupted."""

    def __init__(self) -> None:
        super().__init__()
        self.taken = bytearray()

    @override
    def writable(self) -> bool:
        """Return that it can be written to."""
        return True

    @override
    def write(self, data: Buffer) -> int:
        """Take seven bytes."""
        part = bytes(data)[:7]
        self.taken += part
        return len(part)


def test_short_writes_are_carried_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """No byte is lost when stdout takes less than it is given."""
    out = ShortWrites()
    monkeypatch.setattr(sys, "stdout", type("Out", (), {"buffer": out})())
    LineWriter().write_lines(b'{"a":1}\n{"b":2}\n')
    assert bytes(out.taken) == b'{"a":1}\n{"b":2}\n'


def test_what_is_deferred_runs_after_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """A signal in the middle of a write waits for its end; a second one is not taken."""
    out = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", type("Out", (), {"buffer": out})())
    writer = LineWriter()
    seen: list[bytes] = []
    with writer.uninterrupted():
        assert writer.defer(lambda: seen.append(out.getvalue()))
        assert not writer.defer(lambda: seen.append(b"second"))
        writer.write_lines(b"{}\n")
    assert seen == [b"{}\n"]
    assert not writer.defer(lambda: None)

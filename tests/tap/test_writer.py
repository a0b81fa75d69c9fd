"""The writer puts out whole lines, in whatever pieces stdout takes them."""

from __future__ import annotations

import io
import select
import sys
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from tap_marketo_bulk.writer import LineWriter, whole_lines

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


class ShortWrites(io.RawIOBase):
    """A stdout that takes a few bytes at a time, as an unbuffered one does when interrupted."""

    def __init__(self) -> None:
        super().__init__()
        self.taken = bytearray()

    def writable(self) -> bool:
        """Return that it can be written to."""
        return True

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

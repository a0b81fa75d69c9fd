from __future__ import annotations

import io
import json
import os
import sys
import threading
from typing import IO, TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from singer_sdk.singerlib.exceptions import InvalidInputLine

from target_marketo_bulk.records import line_reader
from target_marketo_bulk.records.line_reader import (
    CHUNK_BYTES,
    CHUNK_LINES_MAX,
    CHUNK_LINES_MIN,
    WIDE_CHUNK_BYTES,
    LineReader,
    fitting_size,
)
from target_marketo_bulk.wake_pipe import WakePipe

if TYPE_CHECKING:
    from collections.abc import Callable


class Reading:
    """A reader, what it read, and how often it ticked."""

    def __init__(self, idle_seconds: float = 5.0) -> None:
        self.pipe = WakePipe()
        self.messages: list[Any] = []
        self.records: list[Any] = []
        self.ticks = 0
        self.abandoned = 0
        self.on_tick: Callable[[], None] = lambda: None
        self.reader = LineReader(
            begin=lambda: self.pipe.descriptor,
            tick=self._tick,
            abandon=self._abandon,
            take_records=self.records.append,
            idle_seconds=idle_seconds,
        )

    def _tick(self) -> None:
        self.pipe.drain()
        self.ticks += 1
        self.on_tick()

    def _abandon(self) -> None:
        self.abandoned += 1

    def read(self, source: IO[Any] | None) -> None:
        """Read all of it."""
        try:
            self.reader.process_lines(source, {"STATE": self.messages.append})
        finally:
            self.pipe.close()


def line(value: object) -> bytes:
    """Return a STATE message."""
    return json.dumps({"type": "STATE", "value": value}).encode() + b"\n"


@given(st.lists(st.text(max_size=30)), st.integers(1, 50), st.booleans())
def test_lines_are_whole_however_they_arrive(
    texts: list[str],
    size: int,
    ends: bool,  # noqa: FBT001  # given by hypothesis
) -> None:
    """Lines cut anywhere by the pipe are put together; the last may lack its line end."""
    body = b"".join(map(line, texts))
    body = body if ends else body.removesuffix(b"\n")
    receiving, sending = os.pipe()

    def send() -> None:
        for start in range(0, len(body), size):
            os.write(sending, body[start : start + size])
        os.close(sending)

    reading = Reading()
    thread = threading.Thread(target=send)
    before = sys.stdin
    with os.fdopen(receiving, "r") as stdin:
        sys.stdin = stdin
        thread.start()
        try:
            reading.read(None)
        finally:
            sys.stdin = before
            thread.join()
    assert [message["value"] for message in reading.messages] == texts


def test_silence_is_ended_by_the_wake_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tap that says nothing does not keep a finished import or a signal waiting."""
    receiving, sending = os.pipe()
    reading = Reading(idle_seconds=30)

    def close() -> None:
        os.close(sending)

    reading.on_tick = close
    reading.pipe.wake()
    with os.fdopen(receiving, "r") as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        reading.read(None)
    assert reading.ticks == 1


def test_other_input_is_iterated() -> None:
    """A file, or lines of text, are read as they are; the reader ticks at their end, too."""
    reading = Reading()
    reading.read(io.StringIO(line(1.5).decode()))
    assert [str(message["value"]) for message in reading.messages] == ["1.5"]
    assert reading.ticks == 1


def test_long_lines_of_other_input_are_not_in_hand_together() -> None:
    """However long its records are: one of them beyond the bound is read before they are taken."""
    reading = Reading()
    record = json.dumps({"type": "RECORD", "record": {"note": "x" * 50_000}}).encode() + b"\n"
    reading.read(io.BytesIO(record * 60))
    assert sum(map(len, reading.records)) == 60
    assert max(map(len, reading.records)) * len(record) < WIDE_CHUNK_BYTES + len(record)


@pytest.mark.parametrize(
    ("size", "read_bytes", "lines", "following"),
    [
        (CHUNK_BYTES, CHUNK_BYTES, CHUNK_LINES_MIN, CHUNK_BYTES),
        (CHUNK_BYTES, CHUNK_BYTES, CHUNK_LINES_MIN - 1, 2 * CHUNK_BYTES),
        (CHUNK_BYTES, CHUNK_BYTES, 0, 2 * CHUNK_BYTES),
        (CHUNK_BYTES, CHUNK_BYTES - 1, 1, CHUNK_BYTES),
        (WIDE_CHUNK_BYTES, WIDE_CHUNK_BYTES, 1, WIDE_CHUNK_BYTES),
        (4 * CHUNK_BYTES, 4 * CHUNK_BYTES, CHUNK_LINES_MAX, 4 * CHUNK_BYTES),
        (4 * CHUNK_BYTES, 4 * CHUNK_BYTES, CHUNK_LINES_MAX + 1, 2 * CHUNK_BYTES),
        (CHUNK_BYTES, CHUNK_BYTES, CHUNK_LINES_MAX + 1, CHUNK_BYTES),
    ],
)
def test_next_chunk_fits_the_length_of_the_lines(
    size: int, read_bytes: int, lines: int, following: int
) -> None:
    """Long lines are read in larger chunks, short ones in smaller; a trickle changes nothing."""
    assert fitting_size(size, read_bytes, lines) == following


def test_long_lines_from_a_pipe_are_read_many_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe is made to hold more, where the system allows it, or is read as it is."""
    record = json.dumps({"type": "RECORD", "record": {"note": "x" * 20_000}}).encode() + b"\n"
    receiving, sending = os.pipe()
    asked: list[int] = []
    monkeypatch.setattr(line_reader, "_let_pipe_hold", lambda _, size: asked.append(size))

    def send() -> None:
        with os.fdopen(sending, "wb") as stdout:
            stdout.write(record * 100)

    thread = threading.Thread(target=send)
    reading = Reading()
    with os.fdopen(receiving, "r") as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        thread.start()
        reading.read(None)
        thread.join()
    assert sum(map(len, reading.records)) == 100
    assert asked == sorted(set(asked))
    assert set(asked) <= {2 * CHUNK_BYTES, 4 * CHUNK_BYTES, 8 * CHUNK_BYTES, WIDE_CHUNK_BYTES}


def test_broken_line_abandons_the_run_and_names_its_number() -> None:
    """What ends the reading early is told to whoever has to clean up."""
    reading = Reading()
    with pytest.raises(InvalidInputLine, match="line 2"):
        reading.read(io.BytesIO(line(1) + b"{nobody@load.test\n"))
    assert reading.abandoned == 1


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        (b'"nobody@load.test', "it is not JSON, "),
        (b'"\xff"', "it is not UTF-8"),
        (b"1" * 5_000, "a number in it is too long"),
        (b"1e99999999999999999999", "a number in it is too long"),
        (b"[" * 100_000 + b"]" * 100_000, "nested too deeply"),
    ],
)
def test_line_that_cannot_be_read_says_why(value: bytes, fault: str) -> None:
    """Whatever is wrong with a line, it is named by its number, and none of it is shown."""
    body = line(1) + b'{"type": "STATE", "value": ' + value + b"}\n"
    with pytest.raises(InvalidInputLine, match=f"line 2 .* cannot be read: .*{fault}") as caught:
        Reading().read(io.BytesIO(body))
    assert "nobody" not in str(caught.value)


def test_records_that_follow_each_other_are_handed_over_in_one_list() -> None:
    """A run of records is one list; what stands between two runs comes between them."""
    seen: list[Any] = []
    reader = LineReader(
        begin=lambda: 0, tick=lambda: None, abandon=lambda: None, take_records=seen.append
    )
    kinds = ["RECORD", "RECORD", "STATE", "RECORD", "SCHEMA", "STATE"]
    messages = [{"type": kind, "value": number} for number, kind in enumerate(kinds)]
    lines = b"".join(json.dumps(message).encode() + b"\n" for message in messages)
    callbacks = dict.fromkeys(("STATE", "SCHEMA"), seen.append)
    counts = reader.process_lines(io.BytesIO(lines), callbacks)
    assert seen == [messages[:2], messages[2], messages[3:4], *messages[4:]]
    assert counts == {"RECORD": 3, "STATE": 2, "SCHEMA": 1}


def test_records_before_a_broken_line_are_handed_over() -> None:
    """What precedes the line that ends the reading is not lost with it."""
    reading = Reading()
    record = b'{"type": "RECORD"}\n'
    with pytest.raises(InvalidInputLine, match="line 3"):
        reading.read(io.BytesIO(record + record + b"broken\n" + record))
    assert (reading.records, reading.abandoned) == ([[{"type": "RECORD"}] * 2], 1)

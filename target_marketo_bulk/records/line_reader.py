"""Reader: lines of Singer messages, without ever being stuck in a read."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import sys
from collections import Counter
from decimal import Decimal
from itertools import groupby
from typing import IO, TYPE_CHECKING, Any

import msgspec
from singer_sdk.io_base import GenericSingerReader
from singer_sdk.singerlib.exceptions import InvalidInputLine
from typing_extensions import override

from target_marketo_bulk.records.message_faults import MessageFaultError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_RECORD = "RECORD"
_BLANK: dict[str, Any] = {}
"""What an empty line is read as: nothing."""

CHUNK_BYTES = 1 << 16
"""Read between two ticks, and in hand at once but for one long line."""

WIDE_CHUNK_BYTES = 1 << 20
"""The same where lines are long: each chunk costs something for each column."""

CHUNK_LINES_MIN = 100
CHUNK_LINES_MAX = 1_000
"""A chunk with fewer lines is followed by a larger one, a chunk with more by a smaller one."""

_UNREADABLE = (ValueError, ArithmeticError, RecursionError)
"""What comes of a line that is no JSON, or JSON beyond any bound."""


class LineReader(GenericSingerReader[bytes]):
    """Reads bytes, and calls `tick` every so often, also while nothing arrives.

    Standard input is waited for together with the descriptor `begin` returns, so a signal or
    a finished import is seen to at once although the tap is silent. Other inputs are iterated.
    Whatever ends the reading early, `abandon` is called first. RECORD messages that arrive one
    after the other go to `take_records` in one list, every other message to its callback.
    """

    def __init__(
        self,
        *,
        begin: Callable[[], int],
        tick: Callable[[], None],
        abandon: Callable[[], None],
        take_records: Callable[[list[dict[str, Any]]], None],
        idle_seconds: float = 1.0,
    ) -> None:
        super().__init__()
        self._begin = begin
        self._tick = tick
        self._abandon = abandon
        self._take_records = take_records
        self._idle_seconds = idle_seconds
        self._decode = msgspec.json.Decoder(float_hook=Decimal).decode
        self._line_number = 0

    @property
    @override
    def default_input(self) -> IO[bytes]:
        if sys.stdin is None:
            raise InvalidInputLine("stdin is closed: give it the messages of a tap, or use --input")
        return sys.stdin.buffer

    @override
    def process_lines(
        self,
        file_input: IO[bytes] | None,
        callbacks: dict[str, Callable[[dict[str, Any]], None]],
    ) -> Counter[str]:
        given: Any = self.default_input if file_input is None else file_input
        # `--input` comes as text; its bytes are read instead.
        source = getattr(given, "buffer", given)
        counts: Counter[str] = Counter()
        try:
            wake_descriptor = self._begin()
            for lines in self._chunks_of(source, wake_descriptor):
                messages = map(self._numbered_message, lines)
                for kind, run in groupby(messages, key=_kind_of):
                    self._hand_on(kind, run, callbacks, counts)
                self._tick()
        except BaseException:
            self._abandon()
            raise
        return counts

    def _chunks_of(self, source: Any, wake_descriptor: int) -> Iterator[list[Any]]:  # noqa: ANN401  # any file-like object
        """Yield lines, none while none arrive; after each chunk there is a tick."""
        descriptor = _descriptor_of(source)
        if descriptor is None:
            return _iterated(source)
        return _arriving(descriptor, wake_descriptor, self._idle_seconds)

    def _numbered_message(self, line: bytes | str) -> dict[str, Any]:
        self._line_number += 1
        return self.deserialize_json(line)

    def _hand_on(
        self,
        kind: str,
        run: Iterator[dict[str, Any]],
        callbacks: dict[str, Callable[[dict[str, Any]], None]],
        counts: Counter[str],
    ) -> None:
        if kind == _RECORD:
            records: list[dict[str, Any]] = []
            first_line = self._line_number
            try:
                records.extend(run)
            finally:
                # Those before a broken line are taken before it ends the run.
                self._take(records, first_line)
            counts[kind] += len(records)
            return
        callback = callbacks.get(kind)
        for message in run:
            if message is _BLANK:
                continue
            if callback is None:
                raise InvalidInputLine(
                    f"line {self._line_number} of the input is no Singer message"
                )
            try:
                callback(message)
            except MessageFaultError as fault:
                raise fault.on_line(self._line_number) from None
            counts[kind] += 1

    def _take(self, records: list[dict[str, Any]], first_line: int) -> None:
        try:
            self._take_records(records)
        except MessageFaultError as fault:
            raise fault.on_line(first_line + fault.place_in(records)) from None

    @override
    def deserialize_json(self, line: bytes | str) -> dict[str, Any]:
        try:
            message = self._decode(line)
        except (msgspec.DecodeError, *_UNREADABLE):
            if not line.strip():
                return _BLANK
            message = self._decode_slowly(line)
        if not isinstance(message, dict):
            raise InvalidInputLine(f"line {self._line_number} of the input is no JSON object")
        return message

    def _decode_slowly(self, line: bytes | str) -> object:
        # The standard library takes a few things msgspec does not: half surrogate pairs, NaN.
        try:
            return json.loads(line, parse_float=Decimal)
        except _UNREADABLE as error:
            # The line may hold personal data: it is counted, not shown.
            raise InvalidInputLine(
                f"line {self._line_number} of the input ({len(line)} bytes) cannot be read: "
                f"{_fault_of(error)}"
            ) from None


def _fault_of(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"it is not JSON, {error.msg}"
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8"
    return "a number in it is too long, or it is nested too deeply"


def _kind_of(message: dict[str, Any]) -> str:
    kind = message.get("type")
    return kind if isinstance(kind, str) else ""


def _arriving(descriptor: int, wake_descriptor: int, idle_seconds: float) -> Iterator[list[bytes]]:
    """Yield whole lines as they come in, and nothing, again and again, while none do."""
    pending: list[bytes] = []
    size = CHUNK_BYTES
    while True:
        ready, _, _ = select.select([descriptor, wake_descriptor], [], [], idle_seconds)
        if descriptor not in ready:
            yield []
            continue
        try:
            chunk = os.read(descriptor, size)
        except BlockingIOError:  # somebody else, who has the same pipe, was faster
            continue
        except OSError as error:
            error.filename = "stdin"
            raise
        if not chunk:
            break
        *complete, rest = chunk.split(b"\n")
        if complete:
            complete[0] = b"".join((*pending, complete[0]))
            pending = []
        pending.append(rest)
        size = _next_size(descriptor, size, len(chunk), len(complete))
        yield complete
    last = b"".join(pending)
    if last:
        yield [last]


def fitting_size(size: int, read_bytes: int, lines: int) -> int:
    """Return how many bytes to read next, after this many of `size` had so many lines."""
    if lines < CHUNK_LINES_MIN and read_bytes >= size:
        return min(2 * size, WIDE_CHUNK_BYTES)
    return max(size // 2, CHUNK_BYTES) if lines > CHUNK_LINES_MAX else size


def _next_size(descriptor: int, size: int, read_bytes: int, lines: int) -> int:
    following = fitting_size(size, read_bytes, lines)
    if following > size:
        _let_pipe_hold(descriptor, following)
    return following


def _let_pipe_hold(descriptor: int, size: int) -> None:
    """Ask the system for room for as much: from a pipe comes no more than it holds."""
    ask = getattr(fcntl, "F_SETPIPE_SZ", None)
    if ask is not None:
        with contextlib.suppress(OSError):  # no pipe, or not allowed: what comes is read
            fcntl.fcntl(descriptor, ask, size)


def _descriptor_of(source: Any) -> int | None:  # noqa: ANN401  # any file-like object
    """Return a descriptor nothing has been read from yet; None if there is none."""
    if sys.stdin is None or source is not getattr(sys.stdin, "buffer", None):
        return None
    try:
        return int(sys.stdin.fileno())
    except (OSError, ValueError):
        return None


def _iterated(source: Iterable[bytes | str]) -> Iterator[list[Any]]:
    lines: list[bytes | str] = []
    wanted = CHUNK_BYTES
    size = 0
    for line in source:
        lines.append(line)
        size += len(line)
        if size >= wanted:
            wanted = fitting_size(wanted, size, len(lines))
            yield lines
            lines, size = [], 0
    yield lines

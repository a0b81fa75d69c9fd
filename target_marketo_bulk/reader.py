"""Reader: lines of Singer messages, without ever being stuck in a read."""

from __future__ import annotations

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

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_RECORD = "RECORD"
_CHUNK_BYTES = 1 << 16
"""Read between two ticks, and in hand at once but for one long line."""

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
            try:
                records.extend(run)
            finally:
                # Those before a broken line are taken before it ends the run.
                self._take_records(records)
            counts[kind] += len(records)
            return
        callback = callbacks.get(kind)
        if callback is None:
            raise InvalidInputLine(f"line {self._line_number} of the input is no Singer message")
        for message in run:
            callback(message)
            counts[kind] += 1

    @override
    def deserialize_json(self, line: bytes | str) -> dict[str, Any]:
        try:
            message = self._decode(line)
        except (msgspec.DecodeError, *_UNREADABLE):
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
    while True:
        ready, _, _ = select.select([descriptor, wake_descriptor], [], [], idle_seconds)
        if descriptor not in ready:
            yield []
            continue
        chunk = os.read(descriptor, _CHUNK_BYTES)
        if not chunk:
            break
        *complete, rest = chunk.split(b"\n")
        if complete:
            complete[0] = b"".join((*pending, complete[0]))
            pending = []
        pending.append(rest)
        yield complete
    last = b"".join(pending)
    if last:
        yield [last]


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
    size = 0
    for line in source:
        lines.append(line)
        size += len(line)
        if size >= _CHUNK_BYTES:
            yield lines
            lines, size = [], 0
    yield lines

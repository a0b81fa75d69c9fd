"""Message faults: what a message of the tap lacks; the reader adds which line it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from singer_sdk.singerlib.exceptions import InvalidInputLine

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence


class MessageFaultError(InvalidInputLine):
    """A message that cannot be used; `message` is the very object that was read.

    Remedy: Correct the tap that wrote the message.
    """

    def __init__(self, fault: str, message: Mapping[str, Any]) -> None:
        super().__init__(fault)
        self.message = message

    def on_line(self, number: int) -> InvalidInputLine:
        """Return the same, for the user to find it."""
        return InvalidInputLine(f"line {number} of the input: {self}")

    def place_in(self, messages: Sequence[Mapping[str, Any]]) -> int:
        """Return which of these messages it is about, counted from 0."""
        return next((n for n, each in enumerate(messages) if each is self.message), 0)


def require(message: Mapping[str, Any], parts: Collection[str]) -> None:
    """Return if a message has these parts.

    Raises: MessageFaultError naming those it lacks.
    """
    missing = sorted(set(parts) - message.keys())
    if missing:
        raise MessageFaultError(f"a {message['type']} message lacks {', '.join(missing)}", message)


def stream_of(message: Mapping[str, Any]) -> str:
    """Return the stream of a message.

    Raises: MessageFaultError if it has none.
    """
    stream = message.get("stream")
    if not isinstance(stream, str) or not stream:
        raise MessageFaultError(f"a {message.get('type')} message names no stream", message)
    return stream


def record_of(message: Mapping[str, Any]) -> dict[str, Any]:
    """Return the record of a message.

    Raises: MessageFaultError if it has none.
    """
    record = message.get("record")
    if not isinstance(record, dict):
        raise MessageFaultError("a RECORD message lacks its record", message)
    return record

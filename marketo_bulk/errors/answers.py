"""Answers: where an error came from, and what Marketo said, as far as it is shown to anybody."""

from __future__ import annotations

from dataclasses import dataclass

_SHOWN_MAX_CHARACTERS = 1_000


@dataclass(frozen=True, slots=True)
class MarketoFault:
    """One entry of the `errors` list of a Marketo answer."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Answer:
    """Where an error came from: the operation, and what Marketo's answer to it said."""

    operation: str = ""
    faults: tuple[MarketoFault, ...] = ()
    request_id: str | None = None
    http_status: int | None = None
    names: tuple[str, ...] = ()
    """Names the request held (fields, settings, ids), which an error may repeat."""


def one_line(text: str) -> str:
    """Return text as one printable line of bounded length: a peer's words may hold anything."""
    flat = "".join(character if character.isprintable() else " " for character in text)
    shown = " ".join(flat.split())
    return shown if len(shown) <= _SHOWN_MAX_CHARACTERS else f"{shown[:_SHOWN_MAX_CHARACTERS]}…"

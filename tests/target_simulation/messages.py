"""Messages: what a tap sends, drawn from dice, with every trouble a row can make.

Besides Singer's own there are two kinds: SILENCE, while nothing arrives, and END, beyond which
there is nothing yet for the run that gets there. A STATE is numbered when it is sent.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from random import Random

Message = dict[str, Any]

MARK = "customerNumber"
"""The field by which a record is known again: it is in every one, and in no other."""
FIRST_MARK = 10_001
STREAMS = ("leads", "people")
OVERSIZED = 12_000
SHUFFLED = 0.3

TEXT = {"type": ["string", "null"]}
PROPERTIES: dict[str, dict[str, Any]] = {
    "email": TEXT,
    "loyaltyTier": TEXT,
    MARK: {"type": "integer"},
    "firstName": TEXT,
    "company": TEXT,
    "leadScore": {"type": ["integer", "string", "null"]},
    "isReference": {"type": ["boolean", "null"]},
    "lastOrderAt": {"type": ["string", "null"], "format": "date-time"},
    "satisfaction": {"type": ["number", "null"]},
    "mktoPersonNotes": {"type": ["object", "array", "string", "null"]},
    "assistantEmail": TEXT,
}
OPTIONAL = tuple(name for name in PROPERTIES if name not in {"email", "loyaltyTier", MARK})
UNANNOUNCED = tuple(name for name in OPTIONAL if name != "company")
"""Properties that a SCHEMA may leave out."""
NASTY = (
    "Ann", "O'Hara, \"Bo\"", "a;b\tc,d", "two\nlines", "old\r\nlines", "lone\rreturn", " blanks ",
    "'", '"', "Żółć 漢字 \U0001f600", "\u2028", "null", "0", "=1+1", "",
)  # fmt: skip
DOCUMENTS: tuple[Any, ...] = ({"a": [1, "ü"]}, ["x,y", None], {}, "plain")


def draw_messages(dice: Random, lookup: str) -> list[Message]:
    """Return the messages of one tap, a STATE the last of them."""
    keys = _draw_keys(dice, lookup, dice.choice((2, 6, 12, 20, 60, 400)))
    shapes = [_draw_shape(dice) for _ in range(dice.choice((1, 1, 2, 4)))]
    streams = dice.choice((STREAMS[:1], STREAMS[:1], STREAMS))
    trouble = dice.choice((0.0, 0.05, 0.2))
    # Records alike take another way into a file than those that each have an order of their own.
    is_shuffled = dice.random() < SHUFFLED
    stays, interrupted = dice.choice(((0.0, 1.0), (0.9, 0.2)))
    messages = [_schema(dice, stream, lookup) for stream in streams]
    stream, shape = streams[0], shapes[0]
    for number in range(dice.choice((1, 6, 12, 20, 30, 70))):
        if dice.random() >= stays:
            stream, shape = dice.choice(streams), dice.choice(shapes)
        record = {lookup: dice.choice(keys), MARK: FIRST_MARK + number}
        record |= {name: _value(dice, name) for name in shape}
        if dice.random() < trouble:
            _spoil(dice, record, lookup)
        if is_shuffled:
            record = dict(dice.sample(list(record.items()), len(record)))
        messages.append({"type": "RECORD", "stream": stream, "record": record})
        if dice.random() < interrupted:
            messages += _between(dice, streams, lookup)
    return [*messages, {"type": "STATE"}]


def lines_from(messages: Sequence[Message], position: int) -> Iterator[tuple[int, Message]]:
    """Yield what a tap sends after a STATE, schemas first, each with the position after it."""
    schemas = {m["stream"]: m for m in messages[:position] if m["type"] == "SCHEMA"}
    for schema in schemas.values():
        yield position, _sent(schema, position)
    for number, message in enumerate(messages[position:], position + 1):
        if message["type"] != "END":
            yield number, _sent(message, number)


def encoded(message: Message) -> bytes:
    """Return the line of a message; infinities and halves of characters as JSON can have them."""
    return json.dumps(message).encode()


def _sent(message: Message, number: int) -> Message:
    match message["type"]:
        case "SCHEMA":
            properties = {name: PROPERTIES[name] for name in message["columns"]}
            schema = {"type": "object", "properties": properties}
            named = {"stream": message["stream"], "key_properties": message["key_properties"]}
            return {"type": "SCHEMA", **named, "schema": schema}
        case "STATE":
            return {"type": "STATE", "value": {"position": number, "näme": "ü\u2028"}}
        case _:
            return message


def _between(dice: Random, streams: Sequence[str], lookup: str) -> Iterator[Message]:
    if dice.random() < 0.15:
        yield {"type": "STATE"}
    if dice.random() < 0.03:
        yield {"type": "SILENCE", "seconds": dice.choice((2, 30, 400))}
    if dice.random() < 0.02:
        yield _schema(dice, dice.choice(streams), lookup)
    if dice.random() < 0.02:
        yield {"type": "ACTIVATE_VERSION", "stream": streams[0], "version": 1}
    if dice.random() < 0.02:
        yield from ({"type": "STATE"}, {"type": "END"})


def _draw_keys(dice: Random, lookup: str, count: int) -> list[str]:
    if lookup == "email":
        plain = [f"p{number}@load.test" for number in range(count)]
        keys = [*plain, "person3@example.com", "Person3@Example.com"]
    else:
        plain = [f"tier {number}" for number in range(count)]
        keys = [*plain, "STRASSE", "straße", "tier, \"'\n\t;"]
    return [*keys, plain[0].upper(), f" {plain[0]}", f"{plain[0]} "]


def _draw_shape(dice: Random) -> tuple[str, ...]:
    return tuple(dice.sample(OPTIONAL, dice.randrange(len(OPTIONAL) + 1)))


def _schema(dice: Random, stream: str, lookup: str) -> Message:
    optional = dice.sample(UNANNOUNCED, dice.choice((0, len(UNANNOUNCED), len(UNANNOUNCED))))
    return {
        "type": "SCHEMA",
        "stream": stream,
        "columns": [lookup, MARK, "company", *optional],
        "key_properties": dice.choice(([], [lookup], [MARK])),
    }


def _value(dice: Random, name: str) -> Any:
    values: dict[str, tuple[Any, ...]] = {
        "firstName": NASTY,
        "company": NASTY,
        "leadScore": (0, -7, 12, 2**40, "31"),
        "isReference": (True, False),
        "lastOrderAt": (
            "2026-01-02T03:04:05Z", "2026-01-02 03:04:05", "2026-01-02T03:04:05+02:00",
        ),
        "satisfaction": (0.1, 1e-7, 3, 12345.678, -1e21),
        "mktoPersonNotes": DOCUMENTS,
        "assistantEmail": ("a@x.test", "b@x.test", "no address"),
    }  # fmt: skip
    return None if dice.random() < 0.1 else dice.choice(values[name])


def _spoil(dice: Random, record: Message, lookup: str) -> None:
    """Give a record something that keeps it out of Marketo, or a deletion, which does too."""
    name, value = dice.choice(
        (
            ("leadScore", "many"),
            ("leadScore", "many"),
            ("lastOrderAt", "soon"),
            ("firstName", "n" * 256),
            ("assistantEmail", "ü@x.test"),
            (lookup, None),
            (lookup, "  "),
            (lookup, ...),
            ("email", "ü@load.test"),
            ("company", ["a", "list"]),
            ("satisfaction", float("inf")),
            ("company", "half \ud83d"),
            ("mktoPersonNotes", "x" * OVERSIZED),
            ("_sdc_deleted_at", "2026-01-01T00:00:00Z"),
        )
    )
    if value is ...:
        record.pop(name)
    else:
        record[name] = value

"""Lead messages: what a tap writes of made-up leads; the same every time."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

TYPES = {
    "email": "string", "firstName": "string", "lastName": "string", "title": "string",
    "company": "string", "website": "string", "phone": "string", "address": "string",
    "city": "string", "state": "string", "country": "string", "postalCode": "string",
    "industry": "string", "leadSource": "string", "leadStatus": "string", "loyaltyTier": "string",
    "annualRevenue": "number", "numberOfEmployees": "integer", "leadScore": "integer",
    "urgency": "number", "satisfaction": "number", "customerNumber": "integer",
    "unsubscribed": "boolean", "isReference": "boolean", "dateOfBirth": "date",
    "contractEnd": "date", "lastOrderAt": "date-time", "mktoPersonNotes": "string",
}  # fmt: skip


def schema() -> dict[str, Any]:
    """Return the stream's schema."""
    formats = {"date", "date-time"}
    return {
        "type": "object",
        "properties": {
            name: {"type": ["string", "null"], "format": kind}
            if kind in formats
            else {"type": [kind, "null"]}
            for name, kind in TYPES.items()
        },
    }


def value(kind: str, name: str, number: int, dice: random.Random) -> object:
    """Return a made-up value."""
    return {
        "integer": number % 9973,
        "number": round(number % 100_000 / 7, 2),
        "boolean": number % 3 == 0,
        "date": f"20{number % 24 + 1:02d}-05-17",
        "date-time": f"2026-0{number % 9 + 1}-17T15:41:32Z",
        "string": f"{name} {number % 999}" if dice.random() < 0.9 else 'says "hello, you"',  # noqa: PLR2004
    }[kind]


def write_messages(path: Path, records: int) -> None:
    """Write a tap's output; one value in ten is null."""
    dice = random.Random(1)  # noqa: S311  # the same every time
    with path.open("w", encoding="utf-8") as file:
        head = {"type": "SCHEMA", "stream": "leads", "schema": schema(), "key_properties": []}
        file.write(json.dumps(head) + "\n")
        for number in range(records):
            record = {
                name: None if dice.random() < 0.1 else value(kind, name, number, dice)  # noqa: PLR2004
                for name, kind in TYPES.items()
            }
            record["email"] = f"person.{number}@example.com"
            line = {"type": "RECORD", "stream": "leads", "record": record}
            file.write(json.dumps(line) + "\n")
            if number % 10_000 == 0:
                file.write(json.dumps({"type": "STATE", "value": {"records": number}}) + "\n")

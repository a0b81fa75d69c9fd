"""The export file that is read: made-up members, the same bytes for the same numbers."""

from __future__ import annotations

import csv
import io
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROWS = 300_000
TYPICAL = 0.2
"""Share of rows with a quoted cell in a typical file: a comma, a quote or a line feed in it."""

COLUMNS = {
    "leadId": "integer", "programId": "integer", "program": "string", "statusName": "string",
    "acquiredBy": "boolean", "isExhausted": "boolean", "reachedSuccess": "boolean",
    "membershipDate": "datetime", "reachedSuccessDate": "datetime", "createdAt": "datetime",
    "nurtureCadence": "string", "trackName": "string", "statusReason": "string",
    "attendanceLikelihood": "integer", "registrationLikelihood": "integer",
    "webinarUrl": "string", "registrationCode": "string", "eventRole": "string",
    "sessionFeedback": "textarea", "guestCount": "integer", "ticketFee": "currency",
    "sessionRating": "float", "needsVisa": "boolean", "arrivalDate": "date",
    "email": "email", "firstName": "string", "lastName": "string", "company": "string",
    "leadScore": "score", "updatedAt": "datetime",
}  # fmt: skip

_POOL = 997
_BLOCK_ROWS = 5_000
_NULLS = 0.2
_AWKWARD = ("Loved it, would come again", 'He said "yes"', "First line\nsecond, shorter line")
_PLAIN = ("Well organised", "Café too small", "Nothing to add") * 10 + ("Lovely 🦩",)


def write_export_file(path: Path, *, rows: int, quoted: float) -> None:
    """Write a CSV file as Marketo does: LF, minimal quotes, `null` for what is not there.

    `quoted` is the share of rows with a cell in quotes; with 1, there are three in each row.
    """
    with path.open("w", encoding="utf-8", newline="") as file:
        for block in _blocks(rows, quoted):
            file.write(block)


def write_long_export_file(path: Path, size_bytes: int) -> int:
    """Write a file of about this size by repeating the rows of a smaller one; return its rows."""
    # No more than a block, for a child's memory is never counted as less than its parent's.
    header, body = (block.encode() for block in _blocks(_BLOCK_ROWS, TYPICAL))
    copies = max(1, round(size_bytes / len(body)))
    with path.open("wb") as file:
        file.write(header)
        for _ in range(copies):
            file.write(body)
    return copies * _BLOCK_ROWS


def _blocks(rows: int, quoted: float) -> Iterator[str]:
    dice = Random(20_261_021)  # noqa: S311  # made-up people, not secrets
    pool = [_texts(dice) for _ in range(_POOL)]
    yield ",".join(COLUMNS) + "\n"
    for start in range(0, rows, _BLOCK_ROWS):
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n")
        stop = min(start + _BLOCK_ROWS, rows)
        writer.writerows(_row(number, pool, dice, quoted) for number in range(start, stop))
        yield text.getvalue()


def _row(number: int, pool: list[dict[str, str]], dice: Random, quoted: float) -> list[str]:
    row = dict(pool[int(dice.random() * _POOL)])
    row["leadId"] = str(1_000_001 + number)
    row["programId"] = str(1001 + number % 10)
    row["program"] = f"Trade show {number % 10:03d}"
    row["email"] = f"person{number}@example.com"
    row["updatedAt"] = _moment(number % 28 + 1, number)
    if dice.random() < quoted:
        row["sessionFeedback"] = _AWKWARD[number % len(_AWKWARD)]
        if quoted == 1:  # dense: every text has something to quote
            row |= {"webinarUrl": "https://example.com/w?a=1,2", "company": 'The "Acme", Inc.'}
    return list(row.values())


def _texts(dice: Random) -> dict[str, str]:
    return {
        name: "null" if dice.random() < _NULLS else _text(kind, name, dice)
        for name, kind in COLUMNS.items()
    }


def _text(kind: str, name: str, dice: Random) -> str:
    number = dice.randrange(10_000)
    return {
        "integer": str(number % 101),
        "score": str(number % 400 - 20),
        "currency": f"{number / 100:.2f}",
        "float": str(number % 50 / 10),
        "boolean": dice.choice(("true", "false")),
        "date": f"2026-{number % 12 + 1:02d}-{number % 28 + 1:02d}",
        "datetime": _moment(number % 28 + 1, number),
        "textarea": _PLAIN[number % len(_PLAIN)],
    }.get(kind, f"{name} {number}")


def _moment(day: int, number: int) -> str:
    return f"2026-10-{day:02d}T{number % 24:02d}:{number % 60:02d}:{number % 59:02d}Z"

"""The export file of activities that is read: three types, ten attributes a row."""

from __future__ import annotations

import csv
import io
import json
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HEADER = (
    "marketoGUID", "leadId", "activityDate", "activityTypeId", "campaignId",
    "primaryAttributeValueId", "primaryAttributeValue", "attributes", "actionResult",
)  # fmt: skip
INTEGERS = frozenset({"leadId", "activityTypeId", "campaignId", "primaryAttributeValueId"})
_READ = {
    "Bot Activity Pattern": "string", "Campaign Run ID": "integer", "Choice Number": "integer",
    "Device": "string", "Is Bot Activity": "boolean", "Is Mobile Device": "boolean",
    "Platform": "string", "Step ID": "integer", "User Agent": "string",
}  # fmt: skip
TYPES = {
    10: ("Open Email", {**_READ, "Test Variant": "integer"}),
    11: ("Click Email", {**_READ, "Link": "string"}),
    104: (
        "Change Status in Progression",
        {
            "Acquired By": "boolean", "New Status": "string", "New Status ID": "integer",
            "Old Status": "string", "Old Status ID": "integer", "Program Member ID": "integer",
            "Reason": "string", "Success": "boolean", "Registration Code": "string",
            "Webinar URL": "string",
        },
    ),
}  # fmt: skip
"""Id, name and attributes of each type, with Marketo's words for their types."""

_BLOCK_ROWS = 5_000
_POOL = 499
_TEXTS = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36", "Windows Desktop", "N/A",
    "https://example.com/offer?a=1&b=2", "Filled-out Form", 'Said "yes", twice', "Café 🦩",
)  # fmt: skip


def write_activity_file(path: Path, *, rows: int) -> None:
    """Write a CSV file as Marketo does; attributes are JSON in quotes, in an order of their own."""
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(",".join(HEADER) + "\n")
        for block in _blocks(rows):
            file.write(block)


def write_long_activity_file(path: Path, size_bytes: int) -> None:
    """Write a file of about this size by repeating a block of rows."""
    block = next(_blocks(_BLOCK_ROWS)).encode()
    with path.open("wb") as file:
        file.write((",".join(HEADER) + "\n").encode())
        for _ in range(max(1, round(size_bytes / len(block)))):
            file.write(block)


def _blocks(rows: int) -> Iterator[str]:
    dice = Random(20_261_201)  # noqa: S311  # made-up people, not secrets
    pool = [_row(dice, [*TYPES][number % len(TYPES)]) for number in range(_POOL)]
    for start in range(0, rows, _BLOCK_ROWS):
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n")
        for number in range(start, min(start + _BLOCK_ROWS, rows)):
            row = pool[int(dice.random() * _POOL)].copy()
            row[0], row[1] = str(700_000_000 + number), str(1_000_001 + number % 9_973)
            writer.writerow(row)
        yield text.getvalue()


def _row(dice: Random, type_id: int) -> list[str]:
    attributes = [*TYPES[type_id][1].items()]
    dice.shuffle(attributes)
    shown = json.dumps({name: _value(kind, dice) for name, kind in attributes}, ensure_ascii=False)
    day, second = dice.randrange(1, 29), dice.randrange(60)
    moment = f"2026-10-{day:02d}T{second % 24:02d}:{second:02d}:{second:02d}Z"
    campaign = "null" if dice.random() < 0.5 else str(dice.randrange(1000, 9999))  # noqa: PLR2004
    asset = str(dice.randrange(300, 400))
    return ["", "", moment, str(type_id), campaign, asset, f"Mail {asset}", shown, "succeeded"]


def _value(kind: str, dice: Random) -> str | int | bool:
    if kind == "integer":
        return dice.randrange(1_000_000)
    return dice.random() < 0.5 if kind == "boolean" else dice.choice(_TEXTS)  # noqa: PLR2004

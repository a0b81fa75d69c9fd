"""Rows: what should become of each record, worked out without the target's own code."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime, timezone
from enum import Enum
from typing import TYPE_CHECKING, Any

from tests.target_simulation.messages import MARK, OVERSIZED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.target_simulation.messages import Message

LONGEST = 255
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_KEPT = object()


class Verdict(Enum):
    """What becomes of a record."""

    DELETION = "a deletion"
    UNSENDABLE = "refused by the target"
    REFUSED = "refused by Marketo"
    WARNED = "imported with a warning"
    GOOD = "imported"

    @property
    def goes_into_file(self) -> bool:
        """Whether it is sent."""
        return self not in {Verdict.DELETION, Verdict.UNSENDABLE}

    @property
    def is_imported(self) -> bool:
        """Whether Marketo has it in the end."""
        return self in {Verdict.GOOD, Verdict.WARNED}


@dataclass(frozen=True)
class Row:
    """A record and what should become of it."""

    mark: int
    position: int
    """That of the next message."""
    key: str
    """Its lookup value as it is sent."""
    layout: frozenset[str]
    verdict: Verdict
    values: Mapping[str, Any]
    """What it sets, if it is imported."""

    @property
    def lead(self) -> str:
        """Under what Marketo knows the lead."""
        return self.key.casefold()

    def may_be_replaced_by(self, other: Row) -> bool:
        """Whether a later row would take this one's place in a file."""
        return other.verdict.goes_into_file and (self.key, self.layout) == (other.key, other.layout)


def rows_of(messages: Sequence[Message], config: Mapping[str, Any], *, clears: bool) -> list[Row]:
    """Return the rows of a tap's messages; `clears` says what an empty cell does to a lead."""
    reader = _Reader(config, clears=clears)
    return [
        reader.row(message["record"], position)
        for position, message in enumerate(messages, 1)
        if message["type"] == "RECORD"
    ]


class _Reader:
    def __init__(self, config: Mapping[str, Any], *, clears: bool) -> None:
        self._lookup: str = config.get("lookup_field", "email")
        self._null: str = config.get("null_cell", "")
        self._clears = clears

    def row(self, record: Mapping[str, Any], position: int) -> Row:
        key = str(record.get(self._lookup) or "")
        sent = {k: v for k, v in record.items() if not k.startswith("_sdc_")}
        verdict, values = self._verdict(record, key)
        return Row(record[MARK], position, key, frozenset(sent), verdict, values)

    def _verdict(self, record: Mapping[str, Any], key: str) -> tuple[Verdict, dict[str, Any]]:
        if "_sdc_deleted_at" in record:
            return Verdict.DELETION, {}
        if not key.strip() or any(_is_unsendable(k, v) for k, v in record.items()):
            return Verdict.UNSENDABLE, {}
        cells = {name: self._cell(name, value) for name, value in record.items()}
        try:
            stored = {name: self._stored(name, cell) for name, cell in cells.items()}
        except ValueError:
            return Verdict.REFUSED, {}
        odd = any(
            cells.get(name) and not _ADDRESS.fullmatch(cells[name])
            for name in ("email", "assistantEmail")
        )
        values = {name: value for name, value in stored.items() if value is not _KEPT}
        return (Verdict.WARNED if odd else Verdict.GOOD), values

    def _cell(self, name: str, value: Any) -> str:
        if value is None:
            return self._null
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, (dict, list)):
            return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        return str(value)

    def _stored(self, name: str, cell: str) -> Any:
        """Return what Marketo makes of a cell.

        Raises: ValueError if it does not take it.
        """
        if not cell:
            return None if self._clears else _KEPT
        match name:
            case "leadScore" | "customerNumber":
                return int(cell)
            case "isReference":
                return {"true": True, "false": False}[cell] if cell != "null" else int(cell)
            case "satisfaction":
                return float(cell)
            case "lastOrderAt":
                moment = datetime.strptime(_with_offset(cell), "%Y-%m-%dT%H:%M:%S%z")
                return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
            case "firstName" if len(cell) > LONGEST:
                raise ValueError("too long")
            case "assistantEmail" if not cell.isascii():
                raise ValueError("not an address")
        return cell


def _with_offset(text: str) -> str:
    return text if text[-1] == "Z" or "+" in text else f"{text.replace(' ', 'T')}Z"


def _is_unsendable(name: str, value: Any) -> bool:
    if name == "email" and isinstance(value, str) and not value.isascii():
        return True
    if name == "company":
        return isinstance(value, list) or (isinstance(value, str) and "\ud83d" in value)
    if isinstance(value, str):
        return len(value) >= OVERSIZED
    return name == "satisfaction" and value == float("inf")

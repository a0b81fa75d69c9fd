"""A story told to each warehouse: a first load, changes, a field that comes, one that goes."""

from __future__ import annotations

import json
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tests.tap_runs import DAY_SECONDS, TapRun, capture, make_tap, members_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import pytest

    from marketo_emulator import Emulator

STREAM = "program_members"
NASTY = (
    'say "hello", O\'Brien; -- \\ %s {} $1',
    "two\nlines\r\nand\ttabs",
    " spaces around ",
    "",
    "NULL",
    "\\N",
    "=1+1",
    "Zoë 😀 עברית \u2028 ﷽",
    "<script>&amp;</script>",
    "0012",
    "1e5",
    "true",
    "x" * 5_000,
)
COMES, GOES = "badgeText", "slidesUrl"
NUMBERS: dict[str, Any] = {
    "ticketFee": 12_345_678_901.25,
    "sessionRating": 0.1,
    "feeDiscount": 33.333333,
    "quizScore": -2_147_483_648,
    "guestCount": 0,
    "needsVisa": False,
    "arrivalDate": "1999-12-31",
    "checkedInAt": "2038-01-19T03:14:08Z",
}
TYPES = {
    "integer": "guestCount",
    "score": "quizScore",
    "percent": "feeDiscount",
    "float": "sessionRating",
    "currency": "ticketFee",
    "boolean": "needsVisa",
    "date": "arrivalDate",
    "datetime": "updatedAt",
    "string, text and all else": "dietaryNotes",
}
"""A field of each of Marketo's types."""


class Story:
    """Runs of the tap over one emulator; after each, a table must equal its members."""

    def __init__(
        self, emulator: Emulator, patched: pytest.MonkeyPatch, config: Mapping[str, Any]
    ) -> None:
        self.emulator = emulator
        self._patched = patched
        self._config = config
        self._state: dict[str, Any] | None = None

    def runs(self) -> Iterator[TapRun]:
        """Let things happen, run, and yield what the tap has written; five times."""
        store = self.emulator.store
        keys = list(members_of(self.emulator))
        for (lead, program), text in zip(keys, NASTY, strict=False):
            store.change_member(program, lead, dietaryNotes=text)
        lead, program = keys[-1]
        store.change_member(program, lead, **NUMBERS)
        yield self._run("first load")
        store.change_member(program, lead, statusReason="once", ticketFee=None)
        yield self._run("incremental")
        store.change_member(program, lead, statusReason="twice", ticketFee=0.01)
        store.join_members(3)
        yield self._run("a member updated twice, and new ones")
        store.schema(STREAM).add(COMES, "string")
        for number, (other, its_program) in enumerate(keys[:4]):
            store.change_member(its_program, other, **{COMES: NASTY[number]})
        yield self._run("a custom field appears")
        store.schema(STREAM).remove(GOES)
        store.change_member(program, lead, statusReason="thrice")
        yield self._run("a custom field disappears")

    def _run(self, what: str) -> TapRun:
        self.emulator.advance(DAY_SECONDS)
        tap = make_tap(self.emulator, self._config, state=self._state)
        with tap.client:
            run = capture(tap.sync_all, self._patched)
        assert run.bookmark["program_bookmarks"], what
        self._state = run.last_state
        return run

    def run_in_full(self) -> TapRun:
        """Return what a run of everything writes."""
        tap = make_tap(self.emulator, self._config)
        with tap.client:
            catalog = tap.catalog_dict
        for entry in catalog["streams"]:
            entry["replication_method"] = "FULL_TABLE"
        tap = make_tap(self.emulator, self._config, catalog=catalog)
        with tap.client:
            return capture(tap.sync_all, self._patched)

    def hold_equal(
        self, rows: Mapping[tuple[int, int], Mapping[str, Any]], *, empty: str | None = ""
    ) -> None:
        """Hold every cell of a table against the emulator's; a field that is gone may stay.

        `empty` is what the warehouse has for an empty text.
        """
        members = members_of(self.emulator)
        assert rows.keys() == members.keys()
        wrong = [
            (key, name, rows[key].get(name), value)
            for key, member in members.items()
            for name, value in member.items()
            if rows[key].get(name) != (empty if value == "" else value)
        ]
        assert not wrong, wrong[:5]


def lines_of(run: TapRun) -> bytes:
    """Return the messages of a run as a target reads them."""
    return b"".join(json.dumps(message).encode() + b"\n" for message in run.messages)


def keyed(
    rows: list[dict[str, Any]], as_json: Callable[[Any], Any]
) -> dict[tuple[int, int], dict[str, Any]]:
    """Return rows by the key of the stream, their values as JSON has them; each key once."""
    found = {
        (row["leadId"], row["programId"]): {name: as_json(value) for name, value in row.items()}
        for row in rows
    }
    assert len(found) == len(rows), "a key is there twice"
    return found


def as_json(value: object) -> object:
    """Return what JSON has for a value of a warehouse; a moment without a zone is UTC."""
    if isinstance(value, datetime):
        if value.tzinfo is not None:
            value = value.astimezone(timezone.utc)
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, date):
        return value.isoformat()
    return float(value) if isinstance(value, Decimal) else value

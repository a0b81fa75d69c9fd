"""What the target loads, the tap reads back: equal, field by field."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from target_marketo_bulk.target import TargetMarketoBulk
from tests.tap_runs import capture, make_tap, settings_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from marketo_emulator import Emulator
    from tests.tap_runs import TapRun

NASTY = [
    "comma, quote \" and 'apostrophe'",
    "two\nlines",
    "carriage\r\nreturn and lone \r here",
    "tab\there; semicolon",
    "line\u2028and\u2029paragraph separators, \x0b and \x0c",
    "emoji 🦩 e\u0301 漢字 \u200f\u05e9\u05dc\u05d5\u05dd",
    "   leading and trailing   ",
    "NULL",
    "Null",
    " null ",
    '""',
    '"',
    ",",
    "=SUM(1,2)",
    "\\ backslash \\n",
    "x" * 5_000,
]
FIELDS = {
    "email": "string",
    "lastName": "string",
    "address": "string",
    "leadScore": "integer",
    "unsubscribed": "boolean",
    "dateOfBirth": "date",
}


def records() -> list[dict[str, Any]]:
    """Return one lead for each nasty text, with values of other types beside it."""
    return [
        {
            "email": f"nasty{number}@example.com",
            "lastName": text[:200],
            "address": text,
            "leadScore": number - 3,
            "unsubscribed": bool(number % 2),
            "dateOfBirth": f"19{50 + number}-02-28",
        }
        for number, text in enumerate(NASTY)
    ]


def load(
    emulator: Emulator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    rows: list[dict[str, Any]],
    file_format: str = "csv",
) -> None:
    """Load records with the target."""
    properties: dict[str, Any] = {
        name: {"type": [kind, "null"]} if kind != "date" else {"type": "string", "format": "date"}
        for name, kind in FIELDS.items()
    }
    lines = [{"type": "SCHEMA", "stream": "l", "schema": {"properties": properties}}]
    lines[0]["key_properties"] = []
    lines += [{"type": "RECORD", "stream": "l", "record": record} for record in rows]
    text = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    rejects = {"rejects_path": str(tmp_path / "rejects"), "format": file_format}
    target = TargetMarketoBulk(config=settings_for(emulator, rejects))
    capture(lambda: target.listen(io.BytesIO(text)), monkeypatch)  # type: ignore[arg-type]
    assert not list((tmp_path / "rejects").glob("rejects-*"))


@pytest.mark.parametrize("file_format", ["csv", "tsv", "ssv"])
def test_nasty_text_comes_back_as_it_went_in(
    emulator: Emulator,
    run_tap: Callable[..., TapRun],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    file_format: str,
) -> None:
    """Target, import file, lead table, export file, tap: nothing is lost, cut, or turned."""
    load(emulator, tmp_path, monkeypatch, records(), file_format)
    assert read_back(emulator, run_tap, records()) == records()


def test_what_an_export_cannot_tell_apart_comes_back_as_null(
    emulator: Emulator,
    run_tap: Callable[..., TapRun],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Marketo keeps no empty text, and writes `null` for nothing: the word itself is lost to it."""
    rows = [{**records()[n], "lastName": text} for n, text in enumerate(("null", "", None))]
    load(emulator, tmp_path, monkeypatch, rows)
    assert [row["lastName"] for row in read_back(emulator, run_tap, rows)] == [None, None, None]


def read_back(
    emulator: Emulator, run_tap: Callable[..., TapRun], rows: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Make the leads members of a program, extract that, and return the same fields of each."""
    ids = {lead["email"]: int(str(lead["id"])) for lead in emulator.store.leads()}
    for row in rows:
        emulator.store.add_member(1001, ids[row["email"]])
    catalog = make_tap(emulator).catalog_dict
    for entry in catalog["streams"]:
        for item in entry["metadata"]:
            if item["breadcrumb"][-1:] and item["breadcrumb"][-1] in FIELDS:
                item["metadata"]["selected"] = True
    table = run_tap(emulator, catalog=catalog).table()
    found = [table[ids[row["email"]], 1001] for row in rows]
    return [{name: member[name] for name in FIELDS} for member in found]

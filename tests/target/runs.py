"""Runs: what the tests of the target put in, and what comes out."""

from __future__ import annotations

import contextlib
import io
import json
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from target_marketo_bulk.target import TargetMarketoBulk

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    import pytest
    from singer_sdk import Target

    from marketo_emulator import Emulator

Record = dict[str, Any]

DOMAIN = "@load.test"

TEXT = {"type": ["string", "null"]}
SCHEMA: Record = {
    "type": "object",
    "properties": {
        "email": TEXT,
        "firstName": TEXT,
        "lastName": TEXT,
        "company": TEXT,
        "leadScore": {"type": ["integer", "null"]},
        "unsubscribed": {"type": ["boolean", "null"]},
    },
}


@dataclass
class Run:
    """What one run of the target left behind."""

    states: list[Any] = field(default_factory=list)
    error: BaseException | None = None
    rejects: list[Record] = field(default_factory=list)
    warnings: list[Record] = field(default_factory=list)
    summary: dict[str, str] = field(default_factory=dict)
    log: str = ""


def singer_lines(
    records: Iterable[Mapping[str, Any]],
    *,
    schema: Mapping[str, Any] = SCHEMA,
    stream: str = "leads",
    state_every: int = 0,
    key_properties: tuple[str, ...] = (),
) -> bytes:
    """Return the messages of a tap: schema, records, and a STATE with the number of records."""
    lines = [
        {"type": "SCHEMA", "stream": stream, "schema": schema, "key_properties": key_properties}
    ]
    count = 0
    for count, record in enumerate(records, 1):
        lines.append({"type": "RECORD", "stream": stream, "record": record})
        if state_every and count % state_every == 0:
            lines.append({"type": "STATE", "value": {"records": count}})
    lines.append({"type": "STATE", "value": {"records": count}})
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def listen(target: Target, lines: bytes) -> None:
    """Have a target read lines, which the SDK declares to be text."""
    target.listen(io.BytesIO(lines))  # type: ignore[arg-type]


def read_json_lines(directory: Path, pattern: str) -> list[Any]:
    """Return the entries of all matching files, in the order of the files' names."""
    return [
        json.loads(line)
        for path in sorted(directory.glob(pattern))
        for line in path.read_text().splitlines()
    ]


def leads(emulator: Emulator) -> dict[str, Record]:
    """Return the leads the tests made, by e-mail address."""
    by_email = {str(lead["email"]): dict(lead) for lead in emulator.store.leads()}
    return {email: lead for email, lead in by_email.items() if email.lower().endswith(DOMAIN)}


def people(count: int, **more: object) -> list[Record]:
    """Return records of made-up leads."""
    return [
        {"email": f"p{number}@load.test", "firstName": f"Name {number}", **more}
        for number in range(count)
    ]


def run_in_process(
    lines: bytes, config: Mapping[str, Any], rejects: Path, caplog: pytest.LogCaptureFixture
) -> Run:
    """Run the target in this process on lines of input."""
    caplog.set_level(logging.INFO)
    caplog.clear()
    output = io.StringIO()
    result = Run()
    with contextlib.redirect_stdout(output):
        try:
            listen(TargetMarketoBulk(config=dict(config)), lines)
        except (Exception, SystemExit) as error:  # noqa: BLE001  # a test says which it expects
            result.error = error
    result.states = [json.loads(line) for line in output.getvalue().splitlines()]
    result.rejects = read_json_lines(rejects, "rejects-*.jsonl")
    result.warnings = read_json_lines(rejects, "warnings-*.jsonl")
    result.log = caplog.text
    for record in caplog.records:
        if record.getMessage().startswith("summary "):
            pairs = record.getMessage().split()[1:]
            result.summary = dict(pair.split("=") for pair in pairs)
    return result

"""Reverse ETL: a table of DuckDB becomes leads of Marketo, and the row Marketo refuses is found.

    python examples/reverse_etl.py

Needs this package with its emulator, and duckdb. No Marketo account: the emulator is started here,
and the target is run as any orchestrator runs it, with Singer messages on its standard input.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from marketo_emulator import Emulator

if TYPE_CHECKING:
    from collections.abc import Iterator

TABLE = """
    CREATE TABLE customers AS SELECT * FROM (VALUES
        ('ada@example.com',   'Ada',   'Lovelace', 'Analytical, Inc.', '97'),
        ('grace@example.com', 'Grace', 'Hopper',   'COBOL "R" Us',     '99'),
        ('alan@example.com',  'Alan',  'Turing',   NULL,               'a hundred'),
        ('ada@example.com',   'Ada',   'King',     'Analytical, Inc.', '98')
    ) AS rows(email, firstName, lastName, company, leadScore)
"""


def messages(database: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """Yield the table as Singer messages; the score is text here, and an integer in Marketo."""
    rows = database.execute("SELECT * FROM customers")
    columns = [column[0] for column in rows.description or ()]
    schema = {"properties": {name: {"type": ["string", "null"]} for name in columns}}
    yield json.dumps(
        {"type": "SCHEMA", "stream": "customers", "schema": schema, "key_properties": ["email"]}
    )
    for row in rows.fetchall():
        record = dict(zip(columns, row, strict=True))
        yield json.dumps({"type": "RECORD", "stream": "customers", "record": record})
    yield json.dumps({"type": "STATE", "value": {"customers": "all of them"}})


def load(emulator: Emulator, directory: Path, lines: list[str]) -> int:
    """Run the target on Singer messages; return its exit code."""
    config = directory / "config.json"
    settings = {
        "base_url": emulator.base_url,
        "client_id": emulator.client_id,
        "client_secret": emulator.client_secret,
        "rejects_path": str(directory / "rejects"),
        "poll_interval_seconds": 0.1,
        # One row in three is bad here, on purpose.
        "max_rejected_percent": 50,
    }
    config.write_text(json.dumps(settings))
    target = [sys.executable, "-m", "target_marketo_bulk", "--config", str(config)]
    return subprocess.run(target, input="\n".join(lines), text=True, check=False).returncode


def main() -> int:
    """Load the table, then show the leads and the rejects."""
    database = duckdb.connect()
    database.execute(TABLE)
    with Emulator(programs=0, members=0) as emulator, tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        code = load(emulator, directory, list(messages(database)))
        print("\nLeads in Marketo:")
        for lead in emulator.store.leads():
            if str(lead["email"]) in {"ada@example.com", "grace@example.com", "alan@example.com"}:
                print("  ", *(lead[key] for key in ("email", "lastName", "company", "leadScore")))
        print("\nRejects:")
        for path in (directory / "rejects").glob("rejects-*.jsonl"):
            for line in path.read_text(encoding="utf-8").splitlines():
                reject = json.loads(line)
                print("  ", reject["record"]["email"], "-", reject["reason"])
    return code


if __name__ == "__main__":
    sys.exit(main())

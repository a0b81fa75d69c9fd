"""What the oracle of streams sees: tables as a target fills them, and records unlike their SCHEMA.

A schedule that finds nothing proves something only if these find what is wrong.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulation.schema_check import disagreements
from tests.simulation.stream_tables import StreamTables

SCHEMA: dict[str, Any] = {
    "type": "SCHEMA",
    "stream": "leads",
    "key_properties": ["id"],
    "schema": {
        "properties": {
            "id": {"type": ["integer"]},
            "isLead": {"type": ["boolean", "null"]},
            "updatedAt": {"type": ["string", "null"], "format": "date-time"},
        },
        "required": ["id"],
    },
}


def record(version: int | None = None, **values: Any) -> dict[str, Any]:
    """Return a RECORD of leads."""
    return {"type": "RECORD", "stream": "leads", "record": values, "version": version}


def test_a_table_keeps_the_last_record_of_each_key() -> None:
    """In the order in which they came."""
    tables = StreamTables()
    tables.load([SCHEMA, record(id=1), record(id=2), record(id=1, isLead=True)])
    assert tables.of("leads") == {(1,): {"id": 1, "isLead": True}, (2,): {"id": 2}}


def test_a_version_that_is_activated_leaves_its_own_records_alone() -> None:
    """Those of an earlier run go, whatever version that had."""
    tables = StreamTables()
    tables.load([SCHEMA, record(id=1, version=7)])
    activate = {"type": "ACTIVATE_VERSION", "stream": "leads", "version": 7}
    tables.load([SCHEMA, record(id=2, version=7), activate])
    assert tables.of("leads") == {(2,): {"id": 2}}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"id": 1, "isLead": None, "updatedAt": "2026-06-15T12:00:00Z"}, ""),
        ({"isLead": True}, "without id"),
        ({"id": None}, "without id"),
        ({"id": "1"}, "that is no"),
        ({"id": True}, "that is no"),
        ({"id": 1, "isLead": 1}, "that is no"),
        ({"id": 1, "updatedAt": "2026-06-15"}, "that is no"),
        ({"id": 1, "name": "Jane"}, "which its SCHEMA does not have"),
    ],
)
def test_a_record_unlike_its_schema_is_seen(values: dict[str, Any], said: str) -> None:
    """And one that comes before it."""
    found = list(disagreements([SCHEMA, record(**values)]))
    assert bool(found) == bool(said)
    assert all(said in finding for finding in found[:1])
    assert "before its SCHEMA" in next(disagreements([record(**values)]))

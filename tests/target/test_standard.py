"""The SDK's own tests for targets, against a dry run and against the emulator."""

from __future__ import annotations

import json
import tempfile
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from singer_sdk.testing import get_target_test_class

from marketo_emulator import Emulator
from marketo_emulator.faults import Fault
from marketo_emulator.options import Options
from target_marketo_bulk.target import TargetMarketoBulk

if TYPE_CHECKING:
    from collections.abc import Iterator


def columns() -> set[str]:
    """Return every property of the SDK's test streams: here, they are all lead fields."""
    streams = Path(str(files("singer_sdk.testing"))) / "target_test_streams"
    lines = (line for path in streams.glob("*.singer") for line in path.read_text().splitlines())
    schemas = (json.loads(line).get("schema", {}) for line in lines)
    return {name for schema in schemas for name in schema.get("properties", ())}


# The suite starts when its class is made, so the emulator cannot be a fixture.
directory = tempfile.TemporaryDirectory()
emulator = Emulator(
    programs=0, members=0, job_seconds=0, options=Options(unknown_import_column="ignore")
).__enter__()
fields = [
    {"name": name, "displayName": name, "dataType": "string", "updateable": True}
    for name in columns()
]
emulator.faults.add(Fault(operation="describe.leads", put={"result.0.fields": fields}, times=None))


@pytest.fixture(autouse=True, scope="module")
def _until_all_is_over() -> Iterator[None]:
    yield
    emulator.close()
    directory.cleanup()


SHARED = {"rejects_path": directory.name, "max_rejected_percent": 100}

TestDryRun = get_target_test_class(
    TargetMarketoBulk, config={**SHARED, "dry_run_path": directory.name}
)
TestEmulator = get_target_test_class(
    TargetMarketoBulk,
    config={
        **SHARED,
        "base_url": emulator.base_url,
        "client_id": emulator.client_id,
        "client_secret": emulator.client_secret,
        "poll_interval_seconds": 0.01,
    },
)

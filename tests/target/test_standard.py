"""The SDK's own tests for targets, against a dry run and against the emulator."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.testing import get_target_test_class

from marketo_emulator import Emulator
from marketo_emulator.faults.fault import Fault
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


DRY_RUN: dict[str, Any] = {"max_rejected_percent": 100}
OVER_HTTP: dict[str, Any] = {"max_rejected_percent": 100}
"""The classes hold these very mappings, and read them when a test begins."""


@pytest.fixture(autouse=True, scope="module")
def _emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    options = Options(unknown_import_column="ignore")
    fields = [
        {"name": name, "displayName": name, "dataType": "string", "updateable": True}
        for name in columns()
    ]
    directory = str(tmp_path_factory.mktemp("standard"))
    with Emulator(programs=0, members=0, job_seconds=0, options=options) as emulator:
        emulator.faults.add(
            Fault(operation="describe.leads", put={"result.0.fields": fields}, times=None)
        )
        DRY_RUN.update({"rejects_path": directory, "dry_run_path": directory})
        OVER_HTTP.update(
            {
                "rejects_path": directory,
                "base_url": emulator.base_url,
                "client_id": emulator.client_id,
                "client_secret": emulator.client_secret,
                "poll_interval_seconds": 0.01,
            }
        )
        yield


TestDryRun = get_target_test_class(TargetMarketoBulk, config=DRY_RUN)
TestEmulator = get_target_test_class(TargetMarketoBulk, config=OVER_HTTP)

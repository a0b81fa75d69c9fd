"""docs/limits.md says the numbers of the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from marketo_bulk import limits
from tap_marketo_bulk.tap import TapMarketoBulk
from target_marketo_bulk.target import TargetMarketoBulk

PAGE = (Path(__file__).parents[2] / "docs" / "limits.md").read_text("utf-8")
SETTINGS = {
    **TargetMarketoBulk.config_jsonschema["properties"],
    **TapMarketoBulk.config_jsonschema["properties"],
}
ROWS = re.findall(r"^\| ([^|]+) \| (?:([^|]+) \| )?`(\w+)` \| (\w+) \|$", PAGE, re.MULTILINE)
MARKETO = {
    "calls within 20 seconds": limits.CALLS_PER_WINDOW_MAX,
    "calls at the same time": limits.CONCURRENT_CALLS_MAX,
    "bytes of export files of a day": limits.EXPORT_DAILY_QUOTA_BYTES,
    "jobs in the export queue, for all objects": limits.EXPORT_QUEUE_MAX_JOBS,
    "how often the status of a job is renewed": limits.EXPORT_POLL_MIN_SECONDS,
    "days of one export": limits.EXPORT_WINDOW_MAX_DAYS,
    "programs of one export": limits.EXPORT_PROGRAM_IDS_MAX,
    "bytes of an import, its whole body": limits.BULK_BODY_MAX_BYTES,
    "imports in the queue": limits.IMPORT_QUEUE_MAX_JOBS,
    "days an export file or a report on an import is kept": limits.EXPORT_FILE_RETENTION_DAYS,
}


@pytest.mark.parametrize(("limit", "size"), MARKETO.items(), ids=list(MARKETO))
def test_each_limit_has_its_size(limit: str, size: int) -> None:
    """As the client keeps it."""
    (said,) = re.findall(rf"^\| {re.escape(limit)} \| ([^|]+) \|", PAGE, re.MULTILINE)
    assert f"{size:,}" in re.findall(r"[\d,]*\d", said)


def test_each_setting_has_its_default() -> None:
    """As both plugins declare it."""
    said = {name: default for _, _, name, default in ROWS}
    assert len(said) == 13
    assert said == {name: str(SETTINGS[name]["default"]) for name in said}


def test_each_setting_that_is_named_exists() -> None:
    """In the prose, too."""
    named = set(re.findall(r"`([a-z]+(?:_[a-z0-9]+)+)`", PAGE))
    assert named - set(SETTINGS) == set()

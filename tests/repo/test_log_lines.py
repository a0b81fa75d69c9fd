"""docs/operating.md describes each field of a log line, and its alerts go off when they should."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.metrics import Metric

from marketo_emulator import Emulator
from singer_marketo.progress import ProgressMetric
from tap_marketo_bulk.sync.tally import ExportMetric
from target_marketo_bulk.outcomes.summary import ImportMetric
from tests.tap_runs import settings_for
from tests.target.runs import SCHEMA, TEXT, singer_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "operating.md").read_text("utf-8")
ALERTS = ROOT / "examples" / "alerts"
SCORES = {**SCHEMA, "properties": {**SCHEMA["properties"], "leadScore": TEXT}}
ROWS = [{"email": f"{n}@load.test", "leadScore": str(n)} for n in range(9)]
REFUSED = {"email": "x@load.test", "leadScore": "many"}

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Logs:
    """Log files of real runs: one of the tap, and of the target with a tenth of rejects or none."""

    tap: Path
    clean: Path
    rejecting: Path

    def lines(self) -> list[dict[str, Any]]:
        """Return the lines of all of them."""
        paths = (self.tap, self.clean, self.rejecting)
        return [json.loads(line) for path in paths for line in path.read_text().splitlines()]


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Logs:
    """Three runs with JSON logs, as commands."""
    folder = tmp_path_factory.mktemp("logs")
    with Emulator(programs=3, members=60) as emulator:
        settings = settings_for(emulator, {"job_journal": str(folder / "journal")})
        tap = run("tap", settings, folder / "tap.jsonl")
        settings = settings_for(emulator, {"rejects_path": str(folder / "rejects")})
        settings["max_rejected_percent"] = 50
        files = []
        for name, rows in (("clean", ROWS), ("rejecting", [*ROWS, REFUSED])):
            lines = singer_lines(rows, schema=SCORES)
            files.append(run("target", settings, folder / f"{name}.jsonl", lines))
    return Logs(tap, *files)


def run(plugin: str, settings: dict[str, Any], log: Path, lines: bytes = b"") -> Path:
    """Run a plugin to its end, and return its log."""
    config = log.with_suffix(".json")
    config.write_text(json.dumps(settings))
    with log.open("wb") as stderr:
        subprocess.run(
            [sys.executable, "-m", f"{plugin}_marketo_bulk", "--config", str(config)],
            env={**os.environ, "SINGER_SDK_LOG_CONFIG": str(ALERTS / "logging.yml")},
            input=lines,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            check=True,
            timeout=120,
            cwd=ROOT,
        )
    return log


def documented(column: str) -> set[str]:
    """Return what the first column of a table of the page names."""
    table = re.search(rf"^\| {column} \|.*\n\|[ -|]+\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    assert table is not None
    firsts = [row.split(" | ")[0] for row in table[1].splitlines()]
    return {name for first in firsts for name in re.findall(r"`([^`]+)`", first)}


def test_each_field_is_documented(logs: Logs) -> None:
    """And each that is documented comes, but for that of errors nobody has foreseen."""
    seen = {field for line in logs.lines() for field in line}
    assert seen == documented("field") - {"exception"}
    assert {value for line in logs.lines() for value in line["extra"]} == set()


def test_each_member_of_a_metric_is_documented(logs: Logs) -> None:
    """Its tags as well."""
    metrics = [line["metric_info"] for line in logs.lines() if "metric_info" in line]
    assert {member for metric in metrics for member in metric} == documented("part")
    (tags,) = re.findall(r"^\| `tags` \| (.*) \|$", PAGE, re.MULTILINE)
    assert {tag for metric in metrics for tag in metric["tags"]} <= set(
        re.findall(r"`(\w+)`", tags)
    )


def test_each_metric_is_documented(logs: Logs) -> None:
    """All that the code has, and those of the SDK that come."""
    own: Sequence[Any] = [*ProgressMetric, *ExportMetric, *ImportMetric]
    names = {metric.value for metric in own} | {"record_count", "sync_duration"}
    assert documented("metric") == names
    seen = {line["metric_info"]["metric"] for line in logs.lines() if "metric_info" in line}
    assert seen <= names
    assert seen & {metric.value for metric in Metric} == {"record_count", "sync_duration"}


def alerts(*arguments: str | Path) -> list[str]:
    """Return the kinds of alerts, and hold that the exit code says whether there is one."""
    done = subprocess.run(
        [sys.executable, ALERTS / "alerts.py", *map(str, arguments)],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    kinds = [line.partition(":")[0] for line in done.stdout.splitlines()]
    assert done.returncode == (1 if kinds else 0), done.stderr
    return kinds


def in_hours(hours: int) -> str:
    """Return a moment from now as the option takes it."""
    return (datetime.now(timezone.utc) + timedelta(hours=hours)).isoformat()


def test_alerts_keep_silent_when_all_is_well(logs: Logs) -> None:
    """A run of each plugin, without a reject."""
    assert alerts(logs.tap, logs.clean) == []


def test_the_quota_alert(logs: Logs) -> None:
    """Above 80 % of what a day allows, not below, and not a day later."""
    files = [
        line
        for line in logs.lines()
        if line.get("metric_info", {}).get("metric") == "export_file_bytes"
    ]
    exported = sum(line["metric_info"]["value"] for line in files)
    # Not the present moment: the day may have ended since.
    last = datetime.fromtimestamp(max(line["ts"] for line in files), timezone.utc)
    then = ("--now", (last + timedelta(milliseconds=1)).isoformat())
    assert alerts(logs.tap, "--quota-mb", str(exported / 1e6 / 0.81), *then) == ["quota"]
    assert alerts(logs.tap, "--quota-mb", str(exported / 1e6 / 0.79), *then) == []
    tomorrow = ("--now", in_hours(25), "--hours", "48")
    assert alerts(logs.tap, "--quota-mb", str(exported / 1e6), *tomorrow) == []


def test_the_alert_of_no_window(logs: Logs) -> None:
    """After a day without one, and where there never was one."""
    assert alerts(logs.tap, "--now", in_hours(23)) == []
    assert alerts(logs.tap, "--now", in_hours(25)) == ["no window"]
    assert alerts(logs.clean) == ["no window"]


def test_the_alert_of_rejects(logs: Logs) -> None:
    """A tenth of the rows, against 5 % and against 20 %."""
    assert alerts(logs.tap, logs.rejecting) == ["rejects"]
    assert alerts(logs.tap, logs.rejecting, "--rejected-percent", "20") == []


def test_lines_of_other_programs_are_passed_over(logs: Logs, tmp_path: Path) -> None:
    """What is no JSON, and JSON of another shape."""
    mixed = tmp_path / "mixed.jsonl"
    mixed.write_text(f'Starting\n{{"other": [1]}}\n\n{logs.tap.read_text()}')
    assert alerts(mixed) == []

"""The closing line and the metrics say what a run has done."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from tap_marketo_bulk.run_tally import RunTally

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest
    from tap_runs import TapRun

    from marketo_emulator import Emulator


def test_time_waiting_and_time_working_add_up() -> None:
    """What is not waiting for Marketo is our own work."""
    moments = iter([0.0, 10.0, 70.0, 90.0, 90.0])
    tally = RunTally.begin(lambda: next(moments))
    with tally.waiting():
        pass
    tally.add_file(1_000, 2_500_000)
    assert tally.line(7) == (
        "1000 records from 1 export files, 2.5 MB of the day's 500 MB, 7 API calls, "
        "60 s waiting for Marketo, 30 s working"
    )


def test_a_run_ends_with_a_line_and_metrics_of_the_same_figures(
    emulator: Emulator, run_tap: Callable[..., TapRun], caplog: pytest.LogCaptureFixture
) -> None:
    """Operators read the line, machines the metrics."""
    caplog.set_level("INFO")
    run = run_tap(emulator)
    (line,) = (r.message for r in caplog.records if "records from" in r.message)
    records, files = re.findall(r"(\d+) records from (\d+)", line)[0]
    assert (int(records), int(files)) == (len(run.records()), 1)
    metrics = {
        point["metric"]: point["value"]
        for r in caplog.records
        if r.message.startswith("METRIC")
        for point in [json.loads(r.message.partition(": ")[2])]
    }
    assert metrics["export_file_bytes"] == sum(
        job.file.size_bytes for job in emulator.jobs if job.file
    )
    calls = [r for r in emulator.requests if "export" in r.operation or "program" in r.path]
    assert 0 < metrics["marketo_call_count"] <= len(calls)

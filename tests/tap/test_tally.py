"""The closing line and the metrics say what a run has done."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from marketo_bulk.errors import DailyQuotaExceededError
from marketo_emulator import Fault
from tap_marketo_bulk.sync.tally import ExportMetric, RunTally
from tap_marketo_bulk.sync.windows import format_timestamp

if TYPE_CHECKING:
    from collections.abc import Callable

    from marketo_emulator import Emulator
    from tests.virtual_runs import VirtualRuns


def test_time_waiting_and_time_working_add_up() -> None:
    """What is not waiting for Marketo is our own work."""
    moments = iter([0.0, 10.0, 70.0, 90.0, 90.0])
    tally = RunTally.begin(lambda: next(moments))
    with tally.waiting():
        pass
    tally.jobs = 3
    tally.add("May", 1_000, 2_500_000)
    tally.add("May", 0, None)
    tally.add("June", 1, 100)
    assert tally.line(7) == (
        "1001 records, 2 windows, 3 export jobs, 2 files, 2.5 MB of the day's 500 MB, 7 API calls, "
        "60 s waiting for Marketo, 30 s working"
    )


def closing_line(caplog: pytest.LogCaptureFixture) -> list[float]:
    """Return the figures of the one closing line."""
    (line,) = (r.getMessage() for r in caplog.records if "of the day's 500 MB" in r.getMessage())
    return [
        float(figure) for figure in re.findall(r"[\d.]+", line.replace("of the day's 500 MB", ""))
    ]


def metrics(caplog: pytest.LogCaptureFixture) -> dict[str, float]:
    """Return the last value of each metric of the stream of members."""
    points = [
        json.loads(r.getMessage().partition(": ")[2])
        for r in caplog.records
        if r.getMessage().startswith("METRIC")
    ]
    return {p["metric"]: p["value"] for p in points if p["tags"]["stream"] == "program_members"}


OURS = [metric.value for metric in ExportMetric]


def test_a_run_ends_with_a_line_and_metrics_of_the_same_figures(
    make_emulator: Callable[..., Emulator],
    virtual: Callable[[Emulator], VirtualRuns],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Operators read the line, machines the metrics; both are what the emulator has seen."""
    caplog.set_level("INFO")
    drill = virtual(make_emulator(programs=12, members=120, job_seconds=90.0))
    drill.emulator.faults.add(Fault(operation="export.job", outcome="Failed"))
    run = drill.run({"start_date": format_timestamp(drill.time.now - timedelta(days=40))})
    windows = {
        str(r.body["filter"]["updatedAt"]) for r in drill.emulator.requests.of("export.create")
    }
    sent = [job.file.size_bytes for job in drill.emulator.jobs if job.file]
    calls = sum(r.operation != "identity.token" for r in drill.emulator.requests)
    figures = [
        len(run.records()),
        len(windows),
        len(drill.emulator.jobs),
        len(sent),
        sum(sent),
        calls,
    ]
    found = metrics(caplog)
    assert [found[name] for name in OURS[:6]] == figures
    assert found["record_count"] == len(run.records())
    total = (drill.time.now - drill.time.began_at).total_seconds()
    assert found["export_waiting_seconds"] == pytest.approx(total, abs=1)
    assert closing_line(caplog) == pytest.approx(
        [*figures[:4], round(sum(sent) / 1e6, 1), calls, *(found[name] for name in OURS[6:])], abs=1
    )


def test_a_run_that_is_broken_off_says_what_it_has_done(
    make_emulator: Callable[..., Emulator],
    virtual: Callable[[Emulator], VirtualRuns],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The same line and metrics, before the error that ends the run."""
    caplog.set_level("INFO")
    drill = virtual(make_emulator(programs=12, members=120))
    drill.emulator.faults.add(Fault(operation="export.create", nth=2, code="607"))
    with pytest.raises(DailyQuotaExceededError) as caught:
        drill.run()
    records = len(caught.value.run.records())  # type: ignore[attr-defined]
    assert closing_line(caplog)[:3] == [records, 1 if records else 0, 1]
    assert metrics(caplog)["export_job_count"] == 1

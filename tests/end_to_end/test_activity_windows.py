"""Activities and windows of time: rows that lie outside, that come twice, and a quota too small."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from marketo_bulk.errors import DailyQuotaExceededError
from marketo_emulator.data.activities import Single
from tests.activity_truth import activities_of
from tests.stream_runs import StreamRuns
from tests.tap_runs import DAY_SECONDS, NO_RATE_LIMIT, created_jobs

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.tap_runs import TapRun

START = "2026-01-01T00:00:00Z"
END = "2026-06-15T11:59:00Z"
INTERESTING_MOMENT = 46


@pytest.fixture
def make_runs(
    make_emulator: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., StreamRuns]:
    """Return a function that makes runs of activities against a small emulator."""

    def make(**options: Any) -> StreamRuns:
        emulator = make_emulator(options=replace(NO_RATE_LIMIT, **options), job_seconds=50.0)
        return StreamRuns(emulator, monkeypatch, "activities", config={"start_date": START})

    return make


def table(runs: StreamRuns) -> dict[str, dict[str, Any]]:
    """Return the table that runs have filled."""
    return {key: record for (key,), record in runs.tables["activities"].items()}


def bookmark(runs: StreamRuns) -> str | None:
    """Return the bookmark in STATE."""
    return runs.state_of("activities").get("replication_key_value")


def stopped(runs: StreamRuns) -> TapRun:
    """Run until the quota is used up, and return what came before."""
    with pytest.raises(DailyQuotaExceededError) as caught:
        runs.run()
    return caught.value.run  # type: ignore[attr-defined, no-any-return]


@pytest.mark.fault(
    "V22",
    "a row's `activityDate` lies outside of its window",
    "writes it; the bookmark is the window's end",
)
@pytest.mark.parametrize("days_ago", [400, 3])
def test_v22_a_row_outside_of_its_window_is_written(
    make_runs: Callable[..., StreamRuns], days_ago: int
) -> None:
    """V22: where the filter goes by when a row was noted; before `start_date`, too."""
    runs = make_runs(activity_window="committed")
    runs.run()
    assert bookmark(runs) == END
    runs.emulator.advance(DAY_SECONDS)
    runs.emulator.store.add_activity(
        3, INTERESTING_MOMENT, seconds_ago=days_ago * DAY_SECONDS, primary_value="late"
    )
    runs.emulator.advance(3600)
    run = runs.run()
    (late,) = (r for r in run.records("activities") if r["primaryAttributeValue"] == "late")
    (job,) = created_jobs(runs.emulator)[-1:]
    assert late["activityDate"] < job["filter"]["createdAt"]["startAt"]
    assert bookmark(runs) == job["filter"]["createdAt"]["endAt"]
    runs.emulator.advance(3600)
    assert late not in runs.run().records("activities")


@pytest.mark.fault(
    "V23",
    "one `marketoGUID` is in two windows, with other attributes in the second",
    "one key, and the row read last comes last",
)
def test_v23_of_two_versions_the_later_one_stays(make_runs: Callable[..., StreamRuns]) -> None:
    """V23: the overlap brings a row again that has changed since."""
    runs = make_runs()
    runs.emulator.store.add_activity(
        3, INTERESTING_MOMENT, primary_value="moment", attributes={"Description": "first"}
    )
    runs.emulator.advance(120)
    runs.run()
    events = runs.emulator.store.log._events  # noqa: SLF001  # nothing else changes one
    happening = replace(events[-1].told().__next__()[1], attributes={"Description": "second"})
    events[-1] = Single(happening, events[-1].committed_at)
    runs.emulator.advance(300)
    runs.run()
    assert table(runs) == activities_of(runs.emulator, since=START)
    (kept,) = (r for r in table(runs).values() if r["primaryAttributeValue"] == "moment")
    assert kept["attributes"] == {"Description": "second"}


@pytest.mark.fault(
    "V31",
    "the export quota is used up when a job for activities is created (1029)",
    "stops with the bookmark where it was, and asks once; the next day's run makes up for it",
)
def test_v31_quota_used_up_before_the_first_window(make_runs: Callable[..., StreamRuns]) -> None:
    """V31: first load and later window alike."""
    runs = make_runs()
    for window in ("first load", "one more day"):
        runs.emulator.store.add_activity(3, INTERESTING_MOMENT, primary_value=window)
        runs.emulator.advance(3600)
        before, made = bookmark(runs), len(created_jobs(runs.emulator))
        runs.emulator.others_use(exported_bytes=10**9)
        assert stopped(runs).records("activities") == []
        assert bookmark(runs) == before
        assert len(created_jobs(runs.emulator)) == made + 1
        runs.emulator.advance(DAY_SECONDS)
        runs.run()
        assert table(runs) == activities_of(runs.emulator, since=START)
        assert window in {record["primaryAttributeValue"] for record in table(runs).values()}


@pytest.mark.fault(
    "V31",
    "… and every window is larger than the quota of a day",
    "each day's run goes further, by one refused job at most, until all is read",
)
def test_v31_windows_larger_than_the_quota_of_a_day(make_runs: Callable[..., StreamRuns]) -> None:
    """V31: a run on each day ends the backlog, without a loop."""
    runs = make_runs(daily_export_bytes=1)
    runs.config["max_queued_jobs"] = 1
    marks = [START]
    for _ in range(12):
        made = len(created_jobs(runs.emulator))
        try:
            runs.run()
        except DailyQuotaExceededError:
            marks.append(bookmark(runs) or START)
            assert len(created_jobs(runs.emulator)) - made <= 2
            runs.emulator.advance(DAY_SECONDS)
        else:
            break
    assert len(marks) > 3
    assert marks == sorted(set(marks))
    assert (bookmark(runs) or "") > marks[-1]
    assert table(runs) == activities_of(runs.emulator, since=START)

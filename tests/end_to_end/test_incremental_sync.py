"""Runs one after another keep a table equal to Marketo, asking for no more than needed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Literal

import pytest

from tap_marketo_bulk.output.writer import LineWriter
from tests.tap_runs import DAY_SECONDS, NO_RATE_LIMIT, created_jobs, make_tap, members_of, moment

if TYPE_CHECKING:
    from collections.abc import Callable

    from marketo_emulator import Emulator
    from tests.tap_runs import TapRun

    RunTap = Callable[..., TapRun]

NOW = datetime(2026, 6, 15, 12, tzinfo=timezone.utc)
SETTLING = timedelta(seconds=60)


def stamp(moment: datetime) -> str:
    """Return a moment as the wire has it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def windows_of(jobs: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Return the windows of jobs, in order."""
    return [tuple(job["filter"]["updatedAt"].values()) for job in jobs]


def test_first_run_without_start_date_takes_every_member_with_one_job_per_10_programs(
    make_emulator: Callable[..., Emulator], run_tap: RunTap
) -> None:
    """All members, 25 programs, three jobs, none with a window."""
    emulator = make_emulator(programs=25, members=500)
    run = run_tap(emulator)
    assert members_of(emulator) == run.table()
    jobs = created_jobs(emulator)
    assert [len(job["filter"]["programIds"]) for job in jobs] == [10, 10, 5]
    assert not any("updatedAt" in job["filter"] for job in jobs)


def test_second_run_asks_only_for_the_window_since_the_first(
    emulator: Emulator, run_tap: RunTap
) -> None:
    """A day later one job fetches what changed, and nothing else."""
    first = run_tap(emulator)
    emulator.advance(DAY_SECONDS)
    changed = {(lead, program) for program, lead in emulator.store.touch_members(7)}
    emulator.advance(3600)
    before = len(created_jobs(emulator))
    second = run_tap(emulator, state=first.last_state)
    assert changed == second.table().keys()
    assert members_of(emulator) == {**first.table(), **second.table()}
    end = NOW + timedelta(seconds=DAY_SECONDS + 3600)
    assert [(stamp(NOW - SETTLING), stamp(end - SETTLING))] == windows_of(
        created_jobs(emulator)[before:]
    )


def test_a_run_ends_with_one_cohort_at_its_end(emulator: Emulator, run_tap: RunTap) -> None:
    """State has one bookmark for all programs and no job in flight."""
    end = stamp(NOW - SETTLING)
    assert {
        "replication_key": "updatedAt",
        "replication_key_value": end,
        "program_bookmarks": [{"updatedAt": end, "programIds": "1001-1003"}],
        "export_jobs": [],
    } == run_tap(emulator).bookmark


def test_backfill_in_windows_of_31_days(
    make_emulator: Callable[..., Emulator], run_tap: RunTap
) -> None:
    """A start date a year back costs twelve windows; together they hold all that is younger."""
    emulator = make_emulator(programs=25, members=500)
    start = NOW - timedelta(days=365)
    run = run_tap(emulator, {"start_date": stamp(start)})
    young = {k: m for k, m in members_of(emulator).items() if m["updatedAt"] >= stamp(start)}
    assert young == run.table()
    windows = sorted(set(windows_of(created_jobs(emulator))))
    assert len(windows) == 12
    assert stamp(start) == windows[0][0]
    assert [end for _, end in windows[:-1]] == [begin for begin, _ in windows[1:]]


def test_window_days_cuts_shorter_windows(emulator: Emulator, run_tap: RunTap) -> None:
    """`window_days` is the longest stretch any job asks for."""
    run_tap(emulator, {"start_date": stamp(NOW - timedelta(days=20)), "window_days": 7})
    spans = {moment(end) - moment(start) for start, end in windows_of(created_jobs(emulator))}
    assert timedelta(days=7) == max(spans)


def test_backfill_snapshot_takes_memberships_whole_and_drops_older_rows(
    emulator: Emulator, run_tap: RunTap
) -> None:
    """One job without a window; rows before `start_date` are not written."""
    start = stamp(NOW - timedelta(days=200))
    run = run_tap(emulator, {"start_date": start, "backfill": "snapshot"})
    assert {k: m for k, m in members_of(emulator).items() if m["updatedAt"] >= start} == run.table()
    assert len(created_jobs(emulator)) == 1


def test_a_program_added_between_runs_is_backfilled_without_disturbing_the_others(
    emulator: Emulator, run_tap: RunTap
) -> None:
    """The old programs go on from their bookmark, the new one starts at its own age."""
    config = {"start_date": stamp(NOW - timedelta(days=300))}
    first = run_tap(emulator, config)
    emulator.advance(DAY_SECONDS)
    added = emulator.store.add_program(members=5, age_days=10).program_id
    emulator.advance(3600)
    before = len(created_jobs(emulator))
    second = run_tap(emulator, config, state=first.last_state)
    assert members_of(emulator).items() >= second.table().items()
    assert len([key for key in second.table() if key[1] == added]) == 5
    asked = [job["filter"]["programIds"] for job in created_jobs(emulator)[before:]]
    assert [[added], [1001, 1002, 1003]] in (sorted(asked, key=len), sorted(asked))
    assert second.bookmark["program_bookmarks"][0]["programIds"] == "1001-1004"


@pytest.mark.fault(
    "J15",
    "the subscription has no `updatedAt` filter (1035)",
    "extracts everything, drops what is older than the bookmark, says so once",
)
def test_a_subscription_without_the_updated_at_filter_is_extracted_whole_every_run(
    make_emulator: Callable[..., Emulator],
    run_tap: RunTap,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Code 1035: full extracts, filtered here by the bookmark, and said once."""
    emulator = make_emulator(
        programs=12, options=replace(NO_RATE_LIMIT, updated_at_filter_supported=False)
    )
    start = stamp(NOW - timedelta(days=300))
    first = run_tap(emulator, {"start_date": start})
    young = {k: m for k, m in members_of(emulator).items() if m["updatedAt"] >= start}
    assert young == first.table()
    assert sum("(code 1035)" in record.message for record in caplog.records) == 1
    emulator.advance(DAY_SECONDS)
    changed = {(lead, program) for program, lead in emulator.store.touch_members(7)}
    emulator.advance(3600)
    second = run_tap(emulator, {"start_date": start}, state=first.last_state)
    assert changed == second.table().keys()


def test_without_programs_nothing_is_asked_and_the_bookmark_stays(
    make_emulator: Callable[..., Emulator], run_tap: RunTap
) -> None:
    """Zero programs are no error."""
    emulator = make_emulator(programs=0, members=0)
    run = run_tap(emulator)
    assert (run.records(), created_jobs(emulator)) == ([], [])


@pytest.mark.parametrize("shape", ["header", "nothing"])
def test_zero_members_in_either_shape_of_an_empty_file(
    make_emulator: Callable[..., Emulator], run_tap: RunTap, shape: Literal["header", "nothing"]
) -> None:
    """A header alone and not a single byte both mean no rows; the bookmark moves."""
    emulator = make_emulator(members=0, options=replace(NO_RATE_LIMIT, empty_file=shape))
    run = run_tap(emulator)
    assert run.records() == []
    assert stamp(NOW - SETTLING) == run.bookmark["replication_key_value"]


def test_full_table_asks_without_window_and_keeps_no_bookmark(
    emulator: Emulator, run_tap: RunTap
) -> None:
    """A catalog may say FULL_TABLE: everything, every time."""
    catalog = make_tap(emulator).catalog_dict
    for entry in catalog["streams"]:
        if entry["tap_stream_id"] == "program_members":
            entry["replication_method"] = "FULL_TABLE"
            entry.pop("replication_key", None)
    for _ in range(2):
        run = run_tap(emulator, {"start_date": stamp(NOW - timedelta(days=9))}, catalog=catalog)
        assert members_of(emulator) == run.table()
        assert run.bookmark == {}


def test_programs_are_written_as_marketo_describes_them(
    emulator: Emulator, run_tap: RunTap
) -> None:
    """The stream of programs holds each program once, its moments in ISO form."""
    programs = run_tap(emulator).records("programs")
    assert sorted(program["id"] for program in programs) == [1001, 1002, 1003]
    assert all(datetime.fromisoformat(program["createdAt"]).tzinfo for program in programs)


@pytest.mark.parametrize("method", ["INCREMENTAL", "FULL_TABLE"])
def test_state_is_the_last_line_of_a_run_broken_off_within_a_file(
    emulator: Emulator,
    run_tap: RunTap,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
) -> None:
    """Also where nothing has changed since the STATE before the records."""
    write = LineWriter.write_lines

    def interrupted(writer: LineWriter, lines: bytes, *, flush: bool = False) -> None:
        write(writer, lines, flush=flush)
        if b'"type":"RECORD"' in lines:
            raise SystemExit(143)

    monkeypatch.setattr(LineWriter, "write_lines", interrupted)
    catalog = make_tap(emulator).catalog_dict
    for entry in catalog["streams"]:
        if entry["tap_stream_id"] == "program_members":
            entry["replication_method"] = method
    with pytest.raises(SystemExit) as caught:
        run_tap(emulator, catalog=catalog)
    run = caught.value.run  # type: ignore[attr-defined]
    assert run.records()
    assert run.messages[-1]["type"] == "STATE"
    assert run.bookmark.get("program_bookmarks", []) == []

"""Leads are synced by windows of `updatedAt`, beside the members and out of one queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.exceptions import AbortedSyncPausedException

from marketo_bulk.errors import RejectedError
from marketo_emulator import Fault
from marketo_emulator.data.fields import LEAD_FIELDS
from tests.tap_runs import DAY_SECONDS, TapRun, catalog_with, created_jobs, make_tap, members_of
from tests.virtual_runs import VirtualRuns

if TYPE_CHECKING:
    from collections.abc import Callable

    from marketo_emulator import Emulator

CONFIG = {"start_date": "2024-01-01T00:00:00Z"}


def leads_of(emulator: Emulator) -> dict[int, Any]:
    """Return the city of each lead."""
    return {lead["id"]: lead["city"] for lead in emulator.store.leads()}  # type: ignore[misc]


def cities(*runs: TapRun) -> dict[int, Any]:
    """Return the same of the table that runs have filled."""
    return {r["id"]: r["city"] for run in runs for r in run.records("leads")}


def test_leads_are_not_selected_by_default(emulator: Emulator, run_tap: Any) -> None:
    """They are in the catalog, and cost nothing."""
    tap = make_tap(emulator)
    with tap.client:
        entries = {entry["tap_stream_id"]: entry for entry in tap.catalog_dict["streams"]}
    leads = entries["leads"]
    assert list(leads["key_properties"]) == ["id"]
    assert (leads["replication_key"], leads["replication_method"]) == ("updatedAt", "INCREMENTAL")
    assert run_tap(emulator).records("leads") == []
    assert all("programIds" in job["filter"] for job in created_jobs(emulator))


def test_leads_come_once_and_then_what_has_changed(
    emulator: Emulator, run_tap: Callable[..., TapRun]
) -> None:
    """The second run brings one lead of all."""
    catalog = catalog_with(emulator, "leads")
    first = run_tap(emulator, CONFIG, catalog=catalog)
    assert cities(first) == leads_of(emulator)
    assert first.last_state["bookmarks"]["leads"] == {
        "replication_key": "updatedAt",
        "replication_key_value": "2026-06-15T11:59:00Z",
        "export_jobs": [],
    }
    assert all(set(job["filter"]) == {"updatedAt"} for job in created_jobs(emulator))
    emulator.advance(DAY_SECONDS)
    emulator.store.change_lead(3, city="Bonn")
    emulator.advance(3600)
    second = run_tap(emulator, CONFIG, catalog=catalog, state=first.last_state)
    assert [record["id"] for record in second.records("leads")] == [3]
    assert cities(first, second) == leads_of(emulator)


def test_full_table_brings_all_leads_whatever_the_bookmark(
    emulator: Emulator, run_tap: Callable[..., TapRun]
) -> None:
    """By windows all the same: an export of leads needs a date filter."""
    catalog = catalog_with(emulator, "leads")
    for entry in catalog["streams"]:
        entry["replication_method"] = "FULL_TABLE"
    state = {"bookmarks": {"leads": {"replication_key_value": "2026-06-14T00:00:00Z"}}}
    run = run_tap(emulator, CONFIG, catalog=catalog, state=state)
    assert cities(run) == leads_of(emulator)


def test_a_few_leads_need_no_start(
    emulator: Emulator, run_tap: Callable[..., TapRun], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--test` selects every stream: one window shows that it works."""
    monkeypatch.setattr(
        "tap_marketo_bulk.streams.export_stream.ExportStream.ABORT_AT_RECORD_COUNT", 1
    )
    emulator.store.change_lead(3, city="Bonn")
    emulator.advance(3600)
    with pytest.raises(AbortedSyncPausedException):
        run_tap(emulator, catalog=catalog_with(emulator, "leads"))
    (made,) = created_jobs(emulator)
    assert set(made["filter"]) == {"updatedAt"}
    assert "greeting" not in made["fields"]


def test_what_leads_bring_by_default(emulator: Emulator, run_tap: Callable[..., TapRun]) -> None:
    """Standard fields, but no predictions, and nothing that Marketo computes or a user made."""
    run = run_tap(emulator, CONFIG, catalog=catalog_with(emulator, "leads"))
    usual = {f.name for f in LEAD_FIELDS if not f.custom and f.data_type != "formula"}
    assert {*run.records("leads")[0]} == usual - {"urgency"}


def test_a_subscription_that_has_no_filter_at_all_fails(
    emulator: Emulator, run_tap: Callable[..., TapRun]
) -> None:
    """By creation leads can always be extracted: the error is Marketo's own."""
    emulator.faults.add(Fault(operation="export.create", code="1035", times=None))
    with pytest.raises(RejectedError, match="1035"):
        run_tap(emulator, CONFIG, catalog=catalog_with(emulator, "leads"))


def test_jobs_of_the_next_stream_are_queued_while_one_is_written(
    make_emulator: Callable[..., Emulator], monkeypatch: pytest.MonkeyPatch
) -> None:
    """STATE names them as soon as they are there."""
    emulator = make_emulator(job_seconds=50.0)
    catalog = catalog_with(emulator, "leads", "program_members")
    config = {"start_date": "2026-04-01T00:00:00Z", "max_queued_jobs": 5}
    run = VirtualRuns(emulator, monkeypatch).run(config, catalog=catalog)
    kinds = ["programIds" in job["filter"] for job in created_jobs(emulator)]
    assert kinds == sorted(kinds)
    assert len(kinds) > 5
    order = [m["stream"] for m in run.of_type("RECORD")]
    assert order == sorted(order)
    last_lead = max(i for i, m in enumerate(run.messages) if m.get("stream") == "leads")
    early = [m["value"]["bookmarks"] for m in run.messages[:last_lead] if m["type"] == "STATE"]
    assert any(marks.get("program_members", {}).get("export_jobs") for marks in early)
    assert [r["leadId"] for r in run.records()]
    assert run.table() == {
        key: member
        for key, member in members_of(emulator).items()
        if member["updatedAt"] >= config["start_date"]
    }


@pytest.mark.parametrize("seconds", [30, 70, 130])
def test_a_stop_leaves_the_jobs_of_all_streams_to_the_next_run(
    make_emulator: Callable[..., Emulator], monkeypatch: pytest.MonkeyPatch, seconds: int
) -> None:
    """No job is made twice, and none is left behind."""
    emulator = make_emulator(job_seconds=50.0)
    catalog = catalog_with(emulator, "leads", "program_members")
    config = {"start_date": "2026-04-01T00:00:00Z"}
    runs = VirtualRuns(emulator, monkeypatch)

    def stop() -> None:
        raise SystemExit(143)

    due = runs.time.now.timestamp() + seconds
    runs.time.at.append((runs.time.now.fromtimestamp(due, runs.time.now.tzinfo), stop))
    with pytest.raises(SystemExit) as caught:
        runs.run(config, catalog=catalog)
    first: TapRun = caught.value.run  # type: ignore[attr-defined]
    named = [
        job["exportId"]
        for mark in first.last_state["bookmarks"].values()
        for job in mark.get("export_jobs", ())
    ]
    begun = [job.export_id for job in emulator.jobs]
    written = len(first.of_type("STATE"))
    assert named
    assert set(named) <= set(begun)
    assert written
    second = runs.run(config, catalog=catalog, state=first.last_state)
    assert all(job.status.value != "Cancelled" for job in emulator.jobs)
    wanted = [str(job["filter"]) for job in created_jobs(emulator)]
    later_ends = [w for w in wanted[len(begun) :] if w in wanted[: len(begun)]]
    assert later_ends == []
    assert all(
        mark.get("export_jobs", []) == [] for mark in second.last_state["bookmarks"].values()
    )


def test_a_few_records_are_fetched_by_one_stream_alone(
    emulator: Emulator, run_tap: Callable[..., TapRun], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A test of the connection queues nothing for streams it may never come to."""
    catalog = catalog_with(emulator, "leads", "program_members")
    monkeypatch.setattr(
        "tap_marketo_bulk.streams.export_stream.ExportStream.ABORT_AT_RECORD_COUNT", 1
    )
    with pytest.raises(AbortedSyncPausedException):
        run_tap(emulator, CONFIG, catalog=catalog)
    assert created_jobs(emulator)
    assert all("programIds" not in job["filter"] for job in created_jobs(emulator))

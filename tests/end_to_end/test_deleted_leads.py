"""Deleted leads: from the paging of Marketo, each deletion once, and no name unasked."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from marketo_bulk import DecodeError
from marketo_emulator import Fault
from tests.stream_runs import StreamRuns
from tests.tap_runs import DAY_SECONDS, NO_RATE_LIMIT

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def make_runs(
    make_emulator: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., StreamRuns]:
    """Return a function that makes runs of deleted leads against a small emulator."""

    def make(**options: Any) -> StreamRuns:
        emulator = make_emulator(options=replace(NO_RATE_LIMIT, **options))
        return StreamRuns(emulator, monkeypatch, "deleted_leads")

    return make


def delete(runs: StreamRuns, *lead_ids: int) -> None:
    """Delete leads an hour before the next run."""
    for lead_id in lead_ids:
        runs.emulator.store.delete_lead(lead_id)
    runs.emulator.advance(3600)


def gone(runs: StreamRuns) -> list[int]:
    """Return the leads that the table says are gone."""
    return sorted(record["leadId"] for record in runs.tables["deleted_leads"].values())


@pytest.mark.fault("L14", "a page of deletions is empty, and there is more", "goes on")
@pytest.mark.fault("L15", "a token comes with the last page of deletions", "stops")
@pytest.mark.fault("L17", "a deletion's date has `+0000`", "reads it; `leadId` says who is gone")
@pytest.mark.parametrize("empty_pages", [False, True])
def test_deletions_come_once_and_then_the_new_ones(
    make_runs: Callable[..., StreamRuns],
    empty_pages: bool,  # noqa: FBT001
) -> None:
    """L14, L15, L17: the bookmark is the end of the run."""
    runs = make_runs(empty_activity_pages=empty_pages)
    delete(runs, 3, 4)
    run = runs.run()
    assert gone(runs) == [3, 4]
    assert runs.state_of("deleted_leads") == {
        "replication_key": "activityDate",
        "replication_key_value": "2026-06-15T12:59:00Z",
    }
    assert [set(record) for record in run.records("deleted_leads")] == [
        {
            "marketoGUID",
            "leadId",
            "activityDate",
            "activityTypeId",
            "primaryAttributeValueId",
        }
    ] * 2
    runs.emulator.advance(DAY_SECONDS)
    delete(runs, 5)
    assert [r["leadId"] for r in runs.run().records("deleted_leads")] == [5]
    assert gone(runs) == [3, 4, 5]


def test_many_pages_are_read(make_runs: Callable[..., StreamRuns]) -> None:
    """To the end that Marketo names."""
    runs = make_runs()
    added = [runs.emulator.store.add_lead() for _ in range(650)]
    delete(runs, *added)
    runs.run()
    assert gone(runs) == added


def test_a_name_goes_out_only_if_it_is_selected(make_runs: Callable[..., StreamRuns]) -> None:
    """The person has asked to be forgotten."""
    runs = make_runs()
    runs.emulator.store.change_lead(3, firstName="Jane", lastName="Doe")
    delete(runs, 3)
    assert "Jane" not in str(runs.run().messages)
    runs.fields["deleted_leads"] = ["primaryAttributeValue"]
    runs.state = None
    (record,) = runs.run().records("deleted_leads")
    assert "Jane" in record["primaryAttributeValue"]


def test_what_a_catalog_does_not_have_does_not_go_out(
    make_runs: Callable[..., StreamRuns], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The SDK lets it through: found by random schedules, whose catalogs have no name of a person.

    The SCHEMA lacks it, too.
    """
    runs = make_runs()
    catalog = runs.catalog()
    (entry,) = (e for e in catalog["streams"] if e["tap_stream_id"] == "deleted_leads")
    for name in ("primaryAttributeValue", "activityTypeId"):
        del entry["schema"]["properties"][name]
        entry["metadata"] = [m for m in entry["metadata"] if name not in m["breadcrumb"]]
    monkeypatch.setattr(runs, "catalog", lambda: catalog)
    delete(runs, 3)
    (record,) = runs.run().records("deleted_leads")
    assert record.keys() == {"marketoGUID", "leadId", "activityDate", "primaryAttributeValueId"}


@pytest.mark.fault("L18", "more than 14 days since the last run", "says so; `deletions_incomplete`")
def test_a_longer_gap_is_said(
    make_runs: Callable[..., StreamRuns], caplog: pytest.LogCaptureFixture
) -> None:
    """L18: what Marketo has forgotten is not there, and nobody is to believe that it is."""
    runs = make_runs()
    delete(runs, 3)
    runs.run()
    delete(runs, 4)
    runs.emulator.advance(15 * DAY_SECONDS)
    delete(runs, 5)
    runs.run()
    assert gone(runs) == [3, 5]
    assert "are lost: Marketo keeps them for 14 days" in caplog.text
    assert runs.state_of("deleted_leads")["deletions_incomplete"] is True


def test_the_overlap_does_not_reach_before_the_start(make_runs: Callable[..., StreamRuns]) -> None:
    """Deletions that `start_date` leaves out come with no later run either."""
    runs = make_runs()
    runs.config["start_date"] = "2026-06-15T12:30:00Z"
    delete(runs, 3)
    for lead_id in (4, 5):
        runs.run(activity_overlap_minutes=600)
        assert 3 not in gone(runs)
        delete(runs, lead_id)
    runs.run(activity_overlap_minutes=600)
    assert gone(runs) == [4, 5]


@pytest.mark.fault("L16", "a page of deletions leads back to itself", "fails; the bookmark stays")
def test_pages_in_circles_end_the_stream(make_runs: Callable[..., StreamRuns]) -> None:
    """L16: and nothing is taken for complete."""
    runs = make_runs()
    runs.emulator.faults.add(
        Fault(
            operation="activities.deleted",
            put={"moreResult": True},
            times=None,
        )
    )
    delete(runs, 3)
    with pytest.raises(DecodeError, match="already read"):
        runs.run()
    assert "replication_key_value" not in runs.state_of("deleted_leads")


@pytest.mark.fault("L20", "a lead is deleted and made again", "two ids")
@pytest.mark.fault("L21", "leads are merged", "the losers are in activity 32, not here")
def test_merges_are_no_deletions(make_runs: Callable[..., StreamRuns]) -> None:
    """L20, L21: as Marketo has it."""
    runs = make_runs()
    runs.emulator.store.merge_leads(6, 7)
    delete(runs, 3)
    runs.emulator.store.add_lead(email="person3@example.com")
    runs.run()
    assert gone(runs) == [3]

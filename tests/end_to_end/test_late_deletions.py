"""Who is gone stays gone: what tells of it comes after every row that was exported before."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from marketo_bulk import MarketoBulkError
from marketo_emulator import Fault
from tests.stream_runs import StreamRuns
from tests.tap_runs import DAY_SECONDS, TapRun, members_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from marketo_emulator import Emulator

CONFIG = {"start_date": "2026-04-20T00:00:00Z", "track_removed_members": True}
JOB_SECONDS = 3000.0
"""Longer than what is read again before a bookmark."""


class Warehouse:
    """Runs of the tap, and tables to which each row and each deletion is applied as it comes."""

    def __init__(self, runs: StreamRuns) -> None:
        self.runs = runs
        self.leads: set[int] = set()
        self.members: set[tuple[int, int]] = set()

    def run(self) -> TapRun:
        """Run once more, and load what it brings."""
        return self._loaded(self.runs.run())

    def run_fails(self) -> TapRun:
        """Run once more, and load what comes before the error at its end."""
        with pytest.raises(MarketoBulkError) as caught:
            self.runs.run()
        return self._loaded(caught.value.run)  # type: ignore[attr-defined]

    def _loaded(self, run: TapRun) -> TapRun:
        for message in run.of_type("RECORD"):
            self._apply(message["stream"], message["record"])
        return run

    def _apply(self, stream: str, record: dict[str, Any]) -> None:
        if stream == "leads":
            self.leads.add(record["id"])
        elif stream == "deleted_leads":
            self.leads.discard(record["leadId"])
        elif stream == "program_members":
            self.members.add((record["leadId"], record["programId"]))
        elif stream == "removed_program_members":
            self.members.discard((record["leadId"], record["programId"]))


@pytest.fixture
def make_warehouse(
    make_emulator: Callable[..., Emulator], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Warehouse]:
    """Return a function that makes a warehouse of some streams, with the catalog in an order."""

    def make(*streams: str, is_reversed: bool = False) -> Warehouse:
        emulator = make_emulator(members=40, job_seconds=JOB_SECONDS)
        runs = StreamRuns(emulator, monkeypatch, *streams, config=CONFIG)
        catalog = runs.catalog()
        catalog["streams"].sort(key=lambda each: each["tap_stream_id"], reverse=is_reversed)
        runs.catalog = lambda: catalog  # type: ignore[method-assign]
        return Warehouse(runs)

    return make


@pytest.mark.fault(
    "L19",
    "a lead is deleted, and a job created before has exported it",
    "its deletion comes after its row, in whatever order the catalog has the streams",
)
@pytest.mark.parametrize("is_reversed", [False, True])
@pytest.mark.parametrize("seconds", [300, 3500, 7000, 10_000])
def test_l19_deletions_come_after_the_rows_of_a_run(
    make_warehouse: Callable[..., Warehouse],
    seconds: int,
    is_reversed: bool,  # noqa: FBT001
) -> None:
    """L19: whenever the lead is deleted, it is gone after this run and the next."""
    warehouse = make_warehouse(
        "activities", "leads", "deleted_leads", "program_members", is_reversed=is_reversed
    )
    emulator = warehouse.runs.emulator
    lead_id = emulator.store.add_lead(firstName="Soon gone")
    emulator.advance(3600)
    # The job that is made again comes after those of the leads.
    emulator.faults.add(Fault(operation="export.job", nth=2, outcome="Failed"))
    time = warehouse.runs._runs.time  # noqa: SLF001  # of these runs
    time.at.append(
        (time.now + timedelta(seconds=seconds), lambda: emulator.store.delete_lead(lead_id))
    )
    written = [message["stream"] for message in warehouse.run().of_type("RECORD")]
    emulator.advance(DAY_SECONDS)
    warehouse.run()
    assert lead_id not in warehouse.leads
    assert "leads" not in written[(*written, "deleted_leads").index("deleted_leads") :]


@pytest.mark.fault("L19", "… and the run after takes that job over", "its deletion is told again")
def test_l19_a_job_taken_over_brings_nobody_back(make_warehouse: Callable[..., Warehouse]) -> None:
    """L19: a run that could not fetch the file has told the deletion days before."""
    warehouse = make_warehouse("leads", "deleted_leads")
    emulator = warehouse.runs.emulator
    lead_id = emulator.store.add_lead(firstName="Soon gone")
    emulator.advance(3600)
    emulator.faults.add(Fault(operation="export.file", code="603", times=None))
    warehouse.run_fails()
    emulator.store.delete_lead(lead_id)
    emulator.advance(DAY_SECONDS)
    assert len(warehouse.run_fails().records("deleted_leads")) == 1
    emulator.advance(DAY_SECONDS)
    emulator.faults.clear()
    run = warehouse.run()
    assert lead_id in {record["id"] for record in run.records("leads")}
    assert lead_id not in warehouse.leads
    emulator.advance(DAY_SECONDS)
    assert warehouse.run().records("deleted_leads") == []


@pytest.mark.fault("L19", "… and of a member who was removed", "the same")
def test_l19_a_job_taken_over_brings_no_member_back(
    make_warehouse: Callable[..., Warehouse],
) -> None:
    """L19: what tells of members comes last, too."""
    warehouse = make_warehouse("program_members", "removed_program_members")
    emulator = warehouse.runs.emulator
    warehouse.run()
    emulator.advance(DAY_SECONDS)
    lead_id, program_id = next(iter(members_of(emulator)))
    emulator.store.change_member(program_id, lead_id, registrationCode="A1")
    emulator.advance(3600)
    emulator.faults.add(Fault(operation="export.file", code="603", times=None))
    warehouse.run_fails()
    (job,) = warehouse.runs.state_of("program_members")["export_jobs"]
    emulator.store.remove_member(program_id, lead_id)
    emulator.advance(DAY_SECONDS)
    emulator.faults.clear()
    path = f"*/{job['exportId']}/file.json"
    emulator.faults.add(Fault(operation="export.file", path=path, code="603", times=None))
    assert len(warehouse.run_fails().records("removed_program_members")) == 1
    emulator.advance(DAY_SECONDS)
    emulator.faults.clear()
    run = warehouse.run()
    assert (lead_id, program_id) in run.table()
    assert warehouse.members <= set(members_of(emulator))

"""Streams apart: what one may not do, or gets wrong, costs no other stream."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from marketo_bulk import RejectedError
from marketo_emulator import Fault
from tests.activity_truth import activities_of
from tests.stream_runs import StreamRuns
from tests.tap_runs import NO_RATE_LIMIT

if TYPE_CHECKING:
    from collections.abc import Callable

CONFIG = {"start_date": "2026-01-01T00:00:00Z"}


def test_types_that_may_not_be_read_cost_activities_alone(
    make_emulator: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Members, written before, and leads, too."""
    options = replace(NO_RATE_LIMIT, missing_permissions=("activity",))
    emulator = make_emulator(options=options)
    streams = ("program_members", "leads", "activities")
    runs = StreamRuns(emulator, monkeypatch, *streams, config=CONFIG)
    with pytest.raises(RejectedError, match=r"stream activities: .*603"):
        runs.run()
    assert runs.tables["program_members"]
    assert runs.tables["leads"]
    assert runs.tables["activities"] == {}
    assert runs.state_of("leads")["replication_key_value"] == "2026-06-15T11:59:00Z"


@pytest.mark.parametrize(
    "rewrites",
    [
        ("everything_quoted", "carriage_returns_and_line_feeds"),
        ("columns_reversed", "byte_order_mark"),
        ("column_added", "no_final_line_feed"),
        ("header_upper_case",),
        ("row_repeated", "rows_reversed"),
    ],
    ids="+".join,
)
def test_files_written_otherwise_say_the_same(
    make_emulator: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, rewrites: tuple[str, ...]
) -> None:
    """Of every object, with awkward texts in one row of a hundred and more."""
    emulator = make_emulator(members=60)
    for lead in list(emulator.store.leads())[::7]:
        emulator.store.change_lead(
            int(lead["id"] or 0), city='a "b",\r\n\u2028;\t\\', company="NULL", title="🦩" * 200
        )
    emulator.advance(3600)
    emulator.faults.add(Fault(operation="export.job", rewrites=rewrites, times=None))
    streams = ("leads", "activities", "custom_object_car_c")
    runs = StreamRuns(emulator, monkeypatch, *streams, config=CONFIG)
    runs.run()
    leads = {lead["id"]: lead for lead in emulator.store.leads()}
    young = {i for i, lead in leads.items() if str(lead["updatedAt"]) >= CONFIG["start_date"]}
    assert {key for (key,) in runs.tables["leads"]} == young
    for (lead_id,), record in runs.tables["leads"].items():
        assert record == {name: leads[lead_id][name] for name in record}
    activities = {key: record for (key,), record in runs.tables["activities"].items()}
    assert activities == activities_of(emulator, since=CONFIG["start_date"])
    cars = {r["marketoGUID"]: r for r in runs.tables["custom_object_car_c"].values()}
    rows = {row["marketoGUID"]: row for row in emulator.store.object_rows("car_c")}
    assert cars == {k: r for k, r in rows.items() if str(r["updatedAt"]) >= CONFIG["start_date"]}

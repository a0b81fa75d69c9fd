"""Leads in full: without a start, after long, without the filter of changes, and by lists."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from marketo_bulk import ConfigurationError, RejectedError
from marketo_emulator import Fault, Options
from tests.stream_runs import StreamRuns
from tests.tap_runs import DAY_SECONDS, NO_RATE_LIMIT, created_jobs

if TYPE_CHECKING:
    from collections.abc import Callable

    from marketo_emulator import Emulator

END = "2026-06-15T11:59:00Z"
USUAL = {"replication_key", "replication_key_value", "export_jobs"}


@pytest.fixture
def make_runs(
    make_emulator: Callable[..., Emulator], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., StreamRuns]:
    """Return a function that makes runs of leads against a small emulator."""

    def make(
        config: dict[str, Any] | None = None, *, full: bool = False, **options: Any
    ) -> StreamRuns:
        emulator = make_emulator(options=replaced(**options), members=40, job_seconds=50.0)
        return StreamRuns(emulator, monkeypatch, "leads", config=config, full=full)

    return make


def replaced(**options: Any) -> Options:
    """Return the usual options with some of them changed."""
    return replace(NO_RATE_LIMIT, **options)


def assert_equal(runs: StreamRuns) -> None:
    """Hold the table against Marketo's, field by field."""
    table = {key: record for (key,), record in runs.tables["leads"].items()}
    leads = {lead["id"]: lead for lead in runs.emulator.store.leads()}
    assert table.keys() == leads.keys()
    for lead_id, record in table.items():
        assert record == {name: leads[lead_id][name] for name in record}


def filters(runs: StreamRuns) -> list[str]:
    """Return by which filter each job was asked for."""
    return ["+".join(job["filter"]) for job in created_jobs(runs.emulator)]


def change_some(runs: StreamRuns) -> None:
    """Change, add and leave leads, an hour before the next run."""
    runs.emulator.advance(DAY_SECONDS)
    runs.emulator.store.change_lead(3, city="Bonn")
    runs.emulator.store.add_lead(firstName="New")
    runs.emulator.advance(3600)


def test_without_a_start_leads_are_read_by_creation(make_runs: Callable[..., StreamRuns]) -> None:
    """From the oldest one on; then the changes alone."""
    runs = make_runs()
    runs.run()
    assert_equal(runs)
    assert runs.state_of("leads") == {
        "replication_key": "updatedAt",
        "replication_key_value": END,
        "export_jobs": [],
    }
    assert set(filters(runs)) == {"createdAt"}
    oldest = min(str(lead["createdAt"]) for lead in runs.emulator.store.leads())
    begun = created_jobs(runs.emulator)[0]["filter"]["createdAt"]["startAt"]
    assert begun < oldest < created_jobs(runs.emulator)[1]["filter"]["createdAt"]["startAt"]
    change_some(runs)
    made = len(filters(runs))
    run = runs.run()
    assert_equal(runs)
    assert filters(runs)[made:] == ["updatedAt"]
    assert len(run.records("leads")) == 2


def test_full_table_reads_by_creation_whatever_start_date_says(
    make_runs: Callable[..., StreamRuns],
) -> None:
    """Everything, each time."""
    runs = make_runs({"start_date": "2026-06-01T00:00:00Z"}, full=True)
    runs.run()
    assert_equal(runs)
    change_some(runs)
    runs.run()
    assert_equal(runs)
    assert set(filters(runs)) == {"createdAt"}


@pytest.mark.parametrize("how", ["run_killed", "run_stopped"])
@pytest.mark.parametrize("seconds", [70, 130, 260])
def test_an_interrupted_first_load_goes_on(
    make_runs: Callable[..., StreamRuns], how: str, seconds: int
) -> None:
    """From where it was; what changes meanwhile is not missed."""
    runs = make_runs()
    getattr(runs, how)(seconds)
    first = filters(runs)
    until = runs.state_of("leads").get("first_load_until")
    assert until is not None or seconds == 70
    change_some(runs)
    runs.run()
    assert_equal(runs)
    assert "first_load_until" not in runs.state_of("leads") or (
        runs.state_of("leads")["first_load_until"] is None
    )
    if until is not None:
        later = created_jobs(runs.emulator)[len(first) :]
        starts = [
            job["filter"]["createdAt"]["startAt"] for job in later if "createdAt" in job["filter"]
        ]
        assert all(start >= until for start in starts)
    # A run more, and nothing is left to say.
    change_some(runs)
    runs.run()
    assert_equal(runs)
    assert set(runs.state_of("leads")) == {
        "replication_key",
        "replication_key_value",
        "export_jobs",
    }


def test_an_old_bookmark_is_not_believed(
    make_runs: Callable[..., StreamRuns], caplog: pytest.LogCaptureFixture
) -> None:
    """Marketo may have forgotten the changes since then: everything is read again."""
    runs = make_runs()
    runs.run()
    change_some(runs)
    runs.emulator.advance(91 * DAY_SECONDS)
    made = len(filters(runs))
    runs.run()
    assert_equal(runs)
    assert set(filters(runs)[made:]) == {"createdAt"}
    assert caplog.text.count("more than 90 days old") == 1
    assert len(runs.state_of("leads")) == 3


def test_new_fields_get_their_history_without_a_start(make_runs: Callable[..., StreamRuns]) -> None:
    """As a first load does, which needs none."""
    runs = make_runs({"backfill_new_fields": True})
    runs.run()
    runs.fields["leads"] = ["urgency"]
    change_some(runs)
    run = runs.run()
    assert_equal(runs)
    assert len(run.records("leads")) == len(runs.tables["leads"])
    assert "urgency" in run.records("leads")[0]


def test_an_old_start_date_is_warned_of(
    make_runs: Callable[..., StreamRuns], caplog: pytest.LogCaptureFixture
) -> None:
    """It is followed all the same."""
    runs = make_runs({"start_date": "2024-01-01T00:00:00Z"})
    runs.run()
    assert_equal(runs)
    assert set(filters(runs)) == {"updatedAt"}
    assert caplog.text.count("start_date 2024-01-01T00:00:00Z is more than 90 days ago") == 1


@pytest.mark.parametrize(
    "config", [{}, {"start_date": "2024-01-01T00:00:00Z"}], ids=["all", "start"]
)
@pytest.mark.fault(
    "L1",
    "a create with `updatedAt` gets 1035",
    "reads all by `createdAt`, drops older ones here, remembers it",
)
def test_without_the_filter_of_changes_all_are_read_by_creation(
    make_runs: Callable[..., StreamRuns], caplog: pytest.LogCaptureFixture, config: dict[str, Any]
) -> None:
    """L1: the refusal is said once and remembered; after 30 days it is tried once more."""
    runs = make_runs(config, updated_at_filter_supported=False)
    for day in range(3):
        run = runs.run()
        assert_equal(runs)
        assert day == 0 or len(run.records("leads")) == 2
        change_some(runs)
    assert filters(runs).count("updatedAt") == 1
    assert caplog.text.count("cannot filter leads by updatedAt") == 1
    assert runs.state_of("leads")["filter_refused_at"]
    runs.emulator.advance(31 * DAY_SECONDS)
    runs.run()
    assert_equal(runs)
    assert filters(runs).count("updatedAt") == 2


@pytest.mark.fault("L2", "… although earlier runs worked", "does the same, and keeps the bookmark")
def test_a_filter_that_is_taken_away_and_comes_back(
    make_runs: Callable[..., StreamRuns], caplog: pytest.LogCaptureFixture
) -> None:
    """L2: the bookmark is kept; what is remembered is forgotten when the filter works again."""
    runs = make_runs()
    runs.run()
    runs.emulator.faults.add(Fault(operation="export.create", code="1035", nth=1, times=1))
    change_some(runs)
    run = runs.run()
    assert_equal(runs)
    assert len(run.records("leads")) == 2
    assert caplog.text.count("cannot filter leads by updatedAt") == 1
    runs.emulator.advance(31 * DAY_SECONDS)
    change_some(runs)
    runs.run()
    assert_equal(runs)
    assert runs.state_of("leads")["filter_refused_at"] is None
    change_some(runs)
    runs.run()
    assert set(runs.state_of("leads")) == {
        "replication_key",
        "replication_key_value",
        "export_jobs",
    }


@pytest.mark.parametrize("seconds", [70, 190])
def test_a_killed_run_without_the_filter_of_changes(
    make_runs: Callable[..., StreamRuns], seconds: int
) -> None:
    """The bookmark stays until all has been read."""
    runs = make_runs(updated_at_filter_supported=False)
    runs.run()
    change_some(runs)
    before = runs.state_of("leads")["replication_key_value"]
    runs.run_killed(seconds)
    assert runs.state_of("leads")["replication_key_value"] == before
    change_some(runs)
    runs.run()
    assert_equal(runs)
    assert runs.state_of("leads")["replication_key_value"] > before


def test_without_the_right_to_activities_every_year_is_read(
    make_runs: Callable[..., StreamRuns], caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing says when the oldest lead was made."""
    runs = make_runs(missing_permissions=("activity",))
    runs.run()
    assert_equal(runs)
    assert created_jobs(runs.emulator)[0]["filter"]["createdAt"]["startAt"] < "2007"
    assert "The oldest lead is not known" in caplog.text


def test_lists_are_read_whole_in_one_job_each(make_runs: Callable[..., StreamRuns]) -> None:
    """No window, whatever the bookmark says."""
    runs = make_runs(
        {"lead_static_list_ids": [100], "lead_smart_list_ids": [200]},
        smart_list_filters_supported=True,
    )
    store = runs.emulator.store
    store.put_on_list(100, [3, 4, 5])
    for lead_id in (5, 6):
        store.change_lead(lead_id, unsubscribed=True)
    expected = {3, 4} | {lead["id"] for lead in store.leads() if lead["unsubscribed"]}
    runs.run_stopped(30)
    for _ in range(2):
        run = runs.run()
        assert {record["id"] for record in run.records("leads")} <= expected
        assert {key for (key,) in runs.tables["leads"]} == expected
        runs.emulator.advance(DAY_SECONDS)
    assert sorted(set(filters(runs))) == ["smartListId", "staticListId"]
    assert runs.state_of("leads")["replication_key_value"] > END
    # The jobs of the first run were taken over.
    assert len(filters(runs)) == 4


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"lead_static_list_ids": [999]}, "lead_static_list_ids: Marketo refuses the list 999"),
        ({"lead_smart_list_ids": [201]}, "needs at least one filter"),
        ({"lead_smart_list_ids": [999]}, "lead_smart_list_ids: Marketo refuses the list 999"),
    ],
)
@pytest.mark.fault("L22", "a static or smart list that does not exist", "fails and names it")
@pytest.mark.fault("L23", "a smart list without a filter", "fails, and says that it needs one")
def test_a_list_that_cannot_be_read_is_named(
    make_runs: Callable[..., StreamRuns], config: dict[str, Any], said: str
) -> None:
    """L22, L23: the setting is wrong, and one line says which."""
    runs = make_runs(config, smart_list_filters_supported=True)
    with pytest.raises(ConfigurationError, match=said):
        runs.run()


def test_smart_lists_are_not_on_every_subscription(make_runs: Callable[..., StreamRuns]) -> None:
    """1035 is about the filter, and says what to use instead."""
    runs = make_runs({"lead_smart_list_ids": [200]})
    with pytest.raises(ConfigurationError, match=r"cannot export by smartListId.*static_list"):
        runs.run()


@pytest.mark.fault("L3", "fields are refused when a job is made", "leaves them out, names all")
@pytest.mark.fault("L26", "an empty window has no header", "is no error, and the bookmark moves")
def test_fields_that_are_refused(
    make_runs: Callable[..., StreamRuns], caplog: pytest.LogCaptureFixture
) -> None:
    """L3, L26: no nulls in their place."""
    runs = make_runs(refused_fields=("city", "salutation"), empty_file="nothing")
    runs.run()
    assert_equal(runs)
    assert "city" not in next(iter(runs.tables["leads"].values()))
    assert "records come without: salutation, city" in caplog.text


@pytest.mark.fault("L7", "most rows share one second of `updatedAt`", "loses none of them")
@pytest.mark.fault("L8", "a row's `updatedAt` lies outside its window", "writes it all the same")
@pytest.mark.fault("L9", "a lead changes between two windows", "comes with the later one")
@pytest.mark.fault("L10", "a lead is in two windows", "has one key")
@pytest.mark.fault("L11", "a lead has no name and no address", "is a row as any other")
@pytest.mark.fault("L13", "line ends, NUL, U+2028 and quotes in a cell", "are read; NUL goes")
def test_changes_of_all_kinds_are_found(make_runs: Callable[..., StreamRuns]) -> None:
    """L7 to L11, L13: a custom field, too, which the visible `updatedAt` does not show."""
    runs = make_runs()
    runs.fields["leads"] = ["contractEnd"]
    runs.run()
    runs.emulator.advance(DAY_SECONDS)
    store = runs.emulator.store
    lead_ids = [int(lead["id"] or 0) for lead in store.leads()]
    for lead_id in lead_ids[3:]:
        store.change_lead(lead_id, leadStatus="Mass update")
    store.change_lead(lead_ids[0], contractEnd="2027-01-31")
    store.change_lead(lead_ids[1], firstName=None, lastName=None, email=None)
    store.change_lead(lead_ids[2], city='Two\r\nlines, \u2028 "quoted" 🦩', company="null ")
    runs.emulator.advance(3600)
    run = runs.run()
    assert_equal(runs)
    assert len(run.records("leads")) == len(lead_ids)


@pytest.mark.fault("L24", "603 on activities, leads may be read", "deletions fail alone")
@pytest.mark.fault("L25", "a paging token comes without a result", "reads it at the top")
def test_leads_do_not_need_the_right_to_deletions(make_runs: Callable[..., StreamRuns]) -> None:
    """L24, L25: each stream by its own permission."""
    runs = make_runs({"start_date": "2024-01-01T00:00:00Z"}, missing_permissions=("activity",))
    runs.streams = ("leads", "deleted_leads")
    with pytest.raises(RejectedError, match="deleted_leads"):
        runs.run()
    assert_equal(runs)

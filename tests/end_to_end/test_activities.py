"""Activities: all wanted types in one job a window, attributes as they are in the file."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from marketo_bulk import ConfigurationError
from marketo_emulator import Fault
from tests.activity_truth import TYPE_NAMES, activities_of
from tests.stream_runs import StreamRuns
from tests.tap_runs import DAY_SECONDS, NO_RATE_LIMIT, created_jobs

if TYPE_CHECKING:
    from collections.abc import Callable

CONFIG = {"start_date": "2026-01-01T00:00:00Z"}
ALL_TYPES = sorted(set(TYPE_NAMES) - {37, 100_003})


@pytest.fixture
def make_runs(
    make_emulator: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., StreamRuns]:
    """Return a function that makes runs of activities against a small emulator."""

    def make(
        config: dict[str, Any] | None = None, *, full: bool = False, **options: Any
    ) -> StreamRuns:
        emulator = make_emulator(options=replace(NO_RATE_LIMIT, **options), job_seconds=50.0)
        return StreamRuns(
            emulator, monkeypatch, "activities", config={**CONFIG, **(config or {})}, full=full
        )

    return make


def assert_equal(runs: StreamRuns, **truth: Any) -> None:
    """Hold the table against Marketo's, value by value."""
    table = {key: record for (key,), record in runs.tables["activities"].items()}
    assert table == activities_of(runs.emulator, **{"since": CONFIG["start_date"], **truth})


def live_a_day(runs: StreamRuns) -> None:
    """Let a day pass in which things happen."""
    runs.emulator.advance(DAY_SECONDS)
    store = runs.emulator.store
    store.add_lead(firstName="New")
    store.change_lead(3, city="Bonn")
    store.add_activity(3, 46, primary_value="Web", attributes={"Date": "2026-01-05", "Flag": True})
    runs.emulator.advance(3600)


def test_activities_come_once_and_then_what_is_new(make_runs: Callable[..., StreamRuns]) -> None:
    """But for the minutes of the overlap; one job a window for all types."""
    runs = make_runs()
    runs.run()
    assert_equal(runs)
    assert runs.state_of("activities") == {
        "replication_key": "activityDate",
        "replication_key_value": "2026-06-15T11:59:00Z",
        "export_jobs": [],
    }
    jobs = created_jobs(runs.emulator)
    assert len(jobs) == 6
    assert all(set(job["filter"]) == {"createdAt", "activityTypeIds"} for job in jobs)
    assert all("actionResult" in job["fields"] for job in jobs)
    assert all("activityTypeName" not in job["fields"] for job in jobs)
    live_a_day(runs)
    run = runs.run()
    assert_equal(runs)
    assert 0 < len(run.records("activities")) < 20
    last = created_jobs(runs.emulator)[-1]["filter"]["createdAt"]
    assert last["startAt"] == "2026-06-15T11:49:00Z"


def test_full_table_brings_all_in_every_run(make_runs: Callable[..., StreamRuns]) -> None:
    """From start_date on."""
    runs = make_runs(full=True)
    runs.run()
    live_a_day(runs)
    runs.run()
    assert_equal(runs)


def test_without_a_start_what_marketo_keeps_is_read(
    make_runs: Callable[..., StreamRuns], caplog: pytest.LogCaptureFixture
) -> None:
    """And a line says since when."""
    runs = make_runs({"start_date": None})
    runs.run()
    assert_equal(runs, since="2024-05-16T11:59:00Z")
    assert "activities are read from 2024-05-16" in caplog.text


def test_flattening_makes_text_of_attributes(make_runs: Callable[..., StreamRuns]) -> None:
    """As the schema says that goes before."""
    flattening = {"flattening_enabled": True, "flattening_max_depth": 1}
    runs = make_runs(flattening)
    run = runs.run()
    (schema,) = run.of_type("SCHEMA")
    assert schema["schema"]["properties"]["attributes"] == {"type": ["string", "null"]}
    for record in runs.tables["activities"].values():
        record["attributes"] = json.loads(record["attributes"])
    assert_equal(runs)


@pytest.mark.parametrize("seconds", [70, 130])
def test_a_killed_run_is_made_up_for(make_runs: Callable[..., StreamRuns], seconds: int) -> None:
    """Jobs in STATE are taken over."""
    runs = make_runs()
    runs.run_killed(seconds)
    left = [job["exportId"] for job in runs.state_of("activities").get("export_jobs", [])]
    live_a_day(runs)
    runs.run()
    assert_equal(runs)
    taken = {job.export_id for job in runs.emulator.jobs if job.status.value == "Completed"}
    assert set(left) <= taken


@pytest.mark.parametrize(
    ("wanted", "type_ids"),
    [
        ([104, 113], {104, 113}),
        (["new lead", "Change Status in Progression"], {12, 104}),
        (["Change Revenue Stage"], {101, 102}),
        (["13", 13], {13}),
        (ALL_TYPES, set(ALL_TYPES)),
    ],
    ids=["ids", "names", "two of one name", "an id twice", "all"],
)
def test_types_are_chosen_by_id_or_name(
    make_runs: Callable[..., StreamRuns], wanted: list[Any], type_ids: set[int]
) -> None:
    """In one job a window, however many they are."""
    runs = make_runs({"activity_types": wanted, "start_date": "2026-05-20T00:00:00Z"})
    runs.run()
    assert_equal(runs, type_ids=type_ids, since="2026-05-20")
    (job,) = created_jobs(runs.emulator)
    assert set(job["filter"]["activityTypeIds"]) == type_ids


@pytest.mark.fault("V18", "a type that is set does not exist", "fails and names those there are")
@pytest.mark.fault("V19", "type 37 (Delete Lead) is set", "fails and names the stream to select")
@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ([999], "no type 999. It has .*104 Change Status in Progression"),
        (["New Led"], "no type 'New Led'"),
        ([37], "37 cannot be exported. Select the stream deleted_leads"),
        (["delete lead"], "cannot be exported. Select the stream deleted_leads"),
    ],
)
def test_a_type_that_cannot_be_had_is_named(
    make_runs: Callable[..., StreamRuns], wanted: list[Any], said: str
) -> None:
    """V18, V19: before a job is created."""
    runs = make_runs({"activity_types": wanted})
    with pytest.raises(ConfigurationError, match=said):
        runs.run()
    assert created_jobs(runs.emulator) == []


@pytest.mark.fault("V21", "a row comes late", "finds it within activity_overlap_minutes")
@pytest.mark.parametrize(
    ("late", "overlap", "found"), [(9, 10, True), (60, 10, False), (60, 90, True)]
)
def test_rows_that_come_late_are_found_in_the_overlap(
    make_runs: Callable[..., StreamRuns],
    late: int,
    overlap: int,
    found: bool,  # noqa: FBT001
) -> None:
    """V21: older ones are not, which the docs say."""
    runs = make_runs({"activity_overlap_minutes": overlap})
    runs.run()
    runs.emulator.advance(120)
    runs.emulator.store.add_activity(3, 46, seconds_ago=late * 60, primary_value="late")
    runs.emulator.advance(300)
    run = runs.run()
    brought = [r for r in run.records("activities") if r["primaryAttributeValue"] == "late"]
    assert bool(brought) is found


def test_the_overlap_does_not_reach_before_the_start(make_runs: Callable[..., StreamRuns]) -> None:
    """What `start_date` leaves out stays out, however much is read again."""
    start = "2026-06-10T00:00:00Z"
    runs = make_runs({"start_date": start, "activity_overlap_minutes": 30 * 24 * 60})
    for _ in range(2):
        live_a_day(runs)
        dates = [record["activityDate"] for record in runs.run().records("activities")]
        assert min(dates) >= start
    assert_equal(runs, since=start)


@pytest.mark.fault(
    "V4", "an attribute is missing, null or empty in three rows", "is as in the file"
)
@pytest.mark.parametrize("form", ["omitted", "empty", "null"])
def test_attributes_are_as_in_the_file(make_runs: Callable[..., StreamRuns], form: str) -> None:
    """V4: no value is added, changed or left out."""
    runs = make_runs({"activity_types": ALL_TYPES}, empty_attribute=form)
    runs.run()
    assert_equal(runs, type_ids=ALL_TYPES)


@pytest.mark.fault(
    "V1", "quotes, `\\`, line ends, emoji and commas in attributes", "equals the source"
)
@pytest.mark.fault("V3", "a cell of 5 MB", "is read")
@pytest.mark.fault("V27", "a primary attribute `null`, with quotes, lines and dots", "is that text")
@pytest.mark.fault("V25", "a row without a lead", "is kept")
@pytest.mark.fault("V29", "an action that was skipped, or failed", "is passed on in `actionResult`")
@pytest.mark.fault("V8", "a number for a text, a text for a number", "is as in the file")
@pytest.mark.fault("V9", "a boolean as text or number", "is as in the file")
@pytest.mark.fault("V10", "a moment without a zone", "is that text")
@pytest.mark.fault("V11", "an attribute is a list", "is that list")
@pytest.mark.fault("V13", "an attribute that the list of types lacks", "is there all the same")
@pytest.mark.fault("V26", "`campaignId` and the primary attribute are `null`", "are null")
def test_attributes_of_any_text(make_runs: Callable[..., StreamRuns]) -> None:
    """V1, V3, V25, V27, V29: JSON inside of CSV, of whatever size."""
    runs = make_runs()
    texts = ['a "b" \\ \r\n, 🦩 \u2028', 'a:1:{s:3:"x;y"}' * 350_000, "null", ""]
    for number, text in enumerate(texts):
        runs.emulator.store.add_activity(
            None if number == 2 else 3,
            46,
            primary_value=f"{text[:40]}.null",
            attributes={
                "Description": text,
                "Count": 2**60,
                "List": [887],
                "Ratio": 0.1,
                "Category": 4,
                "Change": "+10",
                "Flag": "True",
                "Moment": "2023-01-26 18:46:00",
            },
            result=("skipped", "failed", "succeeded", "succeeded")[number],
        )
    runs.emulator.advance(3600)
    runs.run()
    assert_equal(runs)


@pytest.mark.fault("V5", "`attributes` is `null` or empty", "is an empty object")
@pytest.mark.fault("V6", "`attributes` is no JSON", "is mended or kept as text; the run goes on")
@pytest.mark.fault(
    "V2", "a line end in an attribute that is not escaped", "one row, with that text"
)
@pytest.mark.fault("V7", "numbers come as text", "are that text")
@pytest.mark.fault("V12", "`attributes` is a list of names and values", "becomes an object")
@pytest.mark.fault("V28", "columns in another order", "goes by the header")
@pytest.mark.fault("V30", "a blank before a header", "is no part of it")
@pytest.mark.parametrize(
    ("rewrite", "changed"),
    [
        ("attributes_null", {}),
        ("attributes_empty", {}),
        ("attributes_invalid", {"Campaign Run ID": "102938"}),
        ("attributes_newline", {"Note": "two\nlines"}),
        ("attributes_numbers_as_text", None),
        ("attributes_array", None),
        ("header_blank", None),
        ("columns_reversed", None),
    ],
)
def test_attributes_in_odd_forms_cost_no_row(
    make_runs: Callable[..., StreamRuns], rewrite: str, changed: dict[str, Any] | None
) -> None:
    """V2, V5, V6, V7, V12, V30: nothing is dropped, and nothing ends the run."""
    runs = make_runs({"start_date": "2026-05-20T00:00:00Z"})
    runs.emulator.faults.add(Fault(operation="export.job", rewrites=(rewrite,)))
    runs.run()
    table = {key: record for (key,), record in runs.tables["activities"].items()}
    truth = activities_of(runs.emulator, since="2026-05-20")
    assert table.keys() == truth.keys()
    odd = [key for key in truth if table[key] != truth[key]]
    if rewrite == "attributes_numbers_as_text":
        for key in truth:
            expected = truth[key]["attributes"]
            assert table[key]["attributes"] == {
                n: str(v) if type(v) in {int, float} else v for n, v in expected.items()
            }
        return
    assert len(odd) == (changed is not None)
    for key in odd:
        base = {} if changed == {} else truth[key]["attributes"]
        assert table[key]["attributes"] == {**base, **(changed or {})}


@pytest.mark.fault("V24", "`marketoGUID` is no number", "is text in any case")
def test_guids_are_text(make_runs: Callable[..., StreamRuns]) -> None:
    """V24: of 128 characters, too."""
    runs = make_runs(activity_guid="long")
    runs.run()
    assert_equal(runs)
    assert all(isinstance(key, str) for (key,) in runs.tables["activities"])


@pytest.mark.fault("V16", "a row of a type that the list of types lacks", "is kept, without a name")
@pytest.mark.fault(
    "V15", "types without a primary attribute, of one name, of unknown kinds", "are read"
)
def test_a_type_that_is_not_listed(make_runs: Callable[..., StreamRuns]) -> None:
    """V15, V16: the list may be short once."""
    runs = make_runs()
    runs.emulator.faults.add(
        Fault(operation="activities.types", put={"result.0.id": 999_999}, times=None)
    )
    runs.run()
    assert activities_of(runs.emulator, since=CONFIG["start_date"]).keys() >= {
        key for (key,) in runs.tables["activities"]
    }


@pytest.mark.fault(
    "V32", "a window is older than what Marketo keeps", "is empty; the bookmark moves"
)
@pytest.mark.fault("V36", "all types are wanted", "one job a window, and not one a type")
def test_empty_windows_move_the_bookmark(make_runs: Callable[..., StreamRuns]) -> None:
    """V32, V36: with or without a header."""
    runs = make_runs(
        {"start_date": "2020-01-01T00:00:00Z", "activity_types": ALL_TYPES}, empty_file="nothing"
    )
    runs.run()
    assert runs.state_of("activities")["replication_key_value"] == "2026-06-15T11:59:00Z"
    assert_equal(runs, type_ids=ALL_TYPES, since="2020-01-01")
    assert len(created_jobs(runs.emulator)) == 77


def test_attributes_are_not_asked_for_where_nobody_wants_them(
    make_runs: Callable[..., StreamRuns],
) -> None:
    """A few columns cost a sixth; the name of the type needs its id alone."""
    runs = make_runs()
    catalog = runs.catalog()
    (entry,) = (e for e in catalog["streams"] if e["tap_stream_id"] == "activities")
    for item in entry["metadata"]:
        if item["breadcrumb"] and item["breadcrumb"][1] not in {"activityTypeName", "leadId"}:
            item["metadata"]["selected"] = False
    runs.catalog = lambda: catalog  # type: ignore[method-assign]
    run = runs.run()
    fields = created_jobs(runs.emulator)[0]["fields"]
    assert sorted(fields) == ["activityDate", "activityTypeId", "leadId", "marketoGUID"]
    truth = activities_of(runs.emulator, since=CONFIG["start_date"])
    wanted = ("marketoGUID", "leadId", "activityDate", "activityTypeName")
    for record in run.records("activities"):
        assert record == {name: truth[record["marketoGUID"]][name] for name in wanted}

"""Activities per type: one file for all types, the same values as in one stream."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketo_bulk import ActivityAttribute, ActivityType, ConfigurationError
from marketo_bulk.reader.columns import kind_of
from tap_marketo_bulk.streams.activity_columns import (
    OTHERS,
    TypedAttributes,
    column_names,
    stream_names,
)
from tap_marketo_bulk.sync.extract import ExportExtract
from tests.activity_truth import activities_of
from tests.end_to_end.test_batches import batches, records_of
from tests.stream_runs import StreamRuns
from tests.tap_runs import DAY_SECONDS, NO_RATE_LIMIT, catalog_with, created_jobs, make_tap

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from marketo_emulator import Emulator

CONFIG = {"start_date": "2026-01-01T00:00:00Z", "activity_streams": "per_type"}
STREAMS = {
    1: "activity_visit_webpage",
    6: "activity_send_email",
    12: "activity_new_lead",
    104: "activity_change_status_in_progression",
    100_001: "activity_attended_tour",
}


@pytest.fixture
def make_runs(
    make_emulator: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., StreamRuns]:
    """Return a function that makes runs of five types against a small emulator."""

    def make(config: dict[str, Any] | None = None, *, full: bool = False) -> StreamRuns:
        emulator = make_emulator(options=NO_RATE_LIMIT, job_seconds=50.0)
        return StreamRuns(
            emulator, monkeypatch, *STREAMS.values(), config={**CONFIG, **(config or {})}, full=full
        )

    return make


def text_of(value: object) -> str:
    """Return a value so that what is the same in two types is equal."""
    return value.lower() if isinstance(value, str) else json.dumps(value)


def assert_equal(runs: StreamRuns) -> None:
    """Hold each table against what `activities` would bring, attribute by attribute."""
    truth = activities_of(runs.emulator, type_ids=STREAMS, since=CONFIG["start_date"])
    for type_id, stream in STREAMS.items():
        table = {key: record for (key,), record in runs.tables[stream].items()}
        expected = {k: r for k, r in truth.items() if r["activityTypeId"] == type_id}
        assert table.keys() == expected.keys()
        for key, record in table.items():
            given = dict(expected[key])
            attributes = given.pop("attributes")
            assert {name: record[name] for name in given} == given
            others = record[OTHERS] or {}
            assert others.items() <= attributes.items()
            values = {n: v for n, v in record.items() if n not in given and n != OTHERS}
            typed = [text_of(v) for v in values.values() if v is not None]
            raw = [text_of(v) for n, v in attributes.items() if n not in others]
            assert sorted(typed) == sorted(raw)


def test_types_have_streams_of_their_own(make_runs: Callable[..., StreamRuns]) -> None:
    """In place of the one; none selected, and of two that are alike the later has its id."""
    tap = make_tap(make_runs().emulator, CONFIG)
    with tap.client:
        entries = {entry["tap_stream_id"]: entry for entry in tap.catalog_dict["streams"]}
    assert "activities" not in entries
    assert set(STREAMS.values()) <= set(entries)
    assert {"activity_change_revenue_stage", "activity_change_revenue_stage_102"} <= set(entries)
    tour = entries["activity_attended_tour"]["schema"]["properties"]
    assert {"attribute_lead_id", "tour_date", "tour_date_2", "rating", "guide_e_mail"} <= set(tour)
    assert tour["rating"]["type"] == ["number", "null"]


def test_one_job_brings_all_types(make_runs: Callable[..., StreamRuns]) -> None:
    """Each file is read once; then what is new comes, but for the overlap."""
    runs = make_runs()
    runs.emulator.store.add_activity(
        3,
        100_001,
        primary_value="Cellar",
        attributes={
            "Lead ID": "x",
            "Rating": 4.5,
            "tour date": "soon",
            "Unheard": [1],
            "Tour Date": "2026-01-01",
        },
    )
    runs.emulator.advance(3600)
    runs.run()
    assert_equal(runs)
    jobs = created_jobs(runs.emulator)
    assert len(jobs) == 6
    assert all(set(job["filter"]["activityTypeIds"]) == set(STREAMS) for job in jobs)
    assert runs.state_of("activities")["replication_key_value"] == "2026-06-15T12:59:00Z"
    runs.emulator.advance(DAY_SECONDS)
    runs.emulator.store.add_lead(firstName="New")
    runs.emulator.advance(3600)
    runs.run()
    assert_equal(runs)
    assert len(created_jobs(runs.emulator)) == 7


def test_a_killed_run_is_made_up_for(make_runs: Callable[..., StreamRuns]) -> None:
    """As for one stream."""
    runs = make_runs()
    runs.run_killed(130)
    runs.run()
    assert_equal(runs)


def test_full_table_says_so_of_every_type(make_runs: Callable[..., StreamRuns]) -> None:
    """Types without a row included."""
    runs = make_runs(full=True)
    run = runs.run()
    assert_equal(runs)
    said = {message["stream"] for message in run.of_type("ACTIVATE_VERSION")}
    assert said == set(STREAMS.values())


@pytest.mark.parametrize("removed", [None, "__NULL__"])
@pytest.mark.parametrize("has_batches", [False, True])
def test_a_type_that_stream_maps_remove_is_not_spoken_of(
    make_runs: Callable[..., StreamRuns],
    tmp_path: Path,
    removed: str | None,
    has_batches: bool,  # noqa: FBT001
) -> None:
    """No SCHEMA, of which a target would make a table, and no other message."""
    gone = STREAMS[12]
    output = {"batch_config": batches(tmp_path, "jsonl")} if has_batches else {}
    runs = make_runs({"stream_maps": {gone: removed}, **output}, full=True)
    messages = runs.run().messages
    named = {m["stream"] for m in messages if "stream" in m}
    assert named == set(STREAMS.values()) - {gone}
    assert all("key_properties" in m for m in messages if m["type"] == "SCHEMA")


@pytest.mark.parametrize("format_", ["jsonl", "parquet"])
def test_a_file_is_read_once_for_the_batches_of_all_types(
    make_runs: Callable[..., StreamRuns],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    format_: str,
) -> None:
    """However many types there are; a type without a row has no file."""
    reads = []
    chunks = ExportExtract.chunks

    def counted(extract: ExportExtract) -> Any:
        reads.append(extract)
        return chunks(extract)

    monkeypatch.setattr(ExportExtract, "chunks", counted)
    monkeypatch.setattr(ExportExtract, "records", None)
    runs = make_runs({"batch_config": batches(tmp_path, format_)})
    run = runs.run()
    assert len(reads) == len(created_jobs(runs.emulator))
    for stream, record in records_of(run):
        runs.tables[stream][(record["marketoGUID"],)] = {
            name: json.loads(value) if name == OTHERS and isinstance(value, str) else value
            for name, value in record.items()
        }
    assert_equal(runs)


def test_money_is_decimal_in_parquet(make_runs: Callable[..., StreamRuns], tmp_path: Path) -> None:
    """As in files of every other stream."""
    runs = make_runs({"batch_config": batches(tmp_path, "parquet")})
    runs.emulator.store.add_activity(3, 100_001, attributes={"Price Paid": 0.07, "Rating": 4.5})
    runs.emulator.advance(3600)
    runs.run()
    (path,) = tmp_path.glob("activity_attended_tour*")
    schema = pq.read_schema(path)
    assert str(schema.field("price_paid").type) == "decimal128(38, 9)"
    assert str(schema.field("rating").type) == "double"


def test_types_that_are_read_in_two_ways_are_refused(make_runs: Callable[..., StreamRuns]) -> None:
    """One file is for all of them."""
    runs = make_runs()
    catalog = runs.catalog()
    (entry,) = (e for e in catalog["streams"] if e["tap_stream_id"] == STREAMS[12])
    entry["replication_method"] = "FULL_TABLE"
    runs.catalog = lambda: catalog  # type: ignore[method-assign]
    with pytest.raises(ConfigurationError, match="need one replication-method"):
        runs.run()


NAMES = ["Lead ID", "Tour Date", "tour date", "Count", "Is Bot", "Rating", "Note"]
TYPES = ["string", "string", "date", "integer", "boolean", "float", "text"]
ATTRIBUTES = [ActivityAttribute(name, kind) for name, kind in zip(NAMES, TYPES, strict=True)]
values = {
    "string": st.text(), "date": st.text(), "text": st.text(),
    "integer": st.integers(-(2**40), 2**40) | st.integers(-99, 99).map(lambda n: f"{n:+d}"),
    "boolean": st.booleans() | st.sampled_from(["True", "false", 1, 0]),
    "float": st.floats(allow_nan=False, allow_infinity=False, width=32),
}  # fmt: skip
attributes = st.fixed_dictionaries(
    {}, optional={a.name: st.none() | values[a.data_type] for a in ATTRIBUTES}
).flatmap(
    lambda known: st.dictionaries(
        st.text().filter(lambda name: name not in NAMES), st.integers(), max_size=2
    ).map(lambda others: {**others, **known})
)


@pytest.mark.fault("V14", "two attributes come to one name, or to a column's", "a suffix each")
@given(attributes)
def test_both_ways_have_the_same_values(given_attributes: dict[str, Any]) -> None:
    """V14: every value is in one column, or among the others; none is changed but in its type."""
    columns = column_names(ATTRIBUTES, {"leadId", "activityDate"})
    kinds = {a.name: kind_of(a.data_type) for a in ATTRIBUTES}
    wanted = {*columns.values(), OTHERS}
    assert len(set(columns.values())) == len(ATTRIBUTES)
    record = TypedAttributes("s", columns, kinds, wanted).of(given_attributes)
    assert record.keys() == wanted
    for name, value in given_attributes.items():
        if name not in columns:
            assert record[OTHERS][name] == value
            continue
        typed = record[columns[name]]
        if name == "Count" and value is not None:
            assert typed == int(value)
        elif name == "Is Bot" and value is not None:
            assert typed == (str(value).lower() in {"true", "1"})
        else:
            assert typed == value


def test_names_of_streams_are_words_in_lower_case() -> None:
    """Whatever Marketo calls a type."""
    types = [ActivityType(9, "Click Link"), ActivityType(12, "click link!"), ActivityType(7, "Ü")]
    assert stream_names(types) == {
        7: "activity_7",
        9: "activity_click_link",
        12: "activity_click_link_12",
    }


def test_no_two_streams_have_one_name() -> None:
    """Not even where a name is what another would be called, or is that of the list of types."""
    names = {9: "A", 10: "A 12", 12: "a", 14: "Types", 15: "A 12 12"}
    found = stream_names(ActivityType(type_id, name) for type_id, name in names.items())
    assert found == {
        9: "activity_a",
        10: "activity_a_12",
        12: "activity_a_12_12",
        14: "activity_types_14",
        15: "activity_a_12_12_15",
    }


def test_a_choice_of_types_renames_no_stream(emulator: Emulator) -> None:
    """The rows of one type would come into the table of another."""
    all_of_them = {"activity_streams": "per_type"}
    one = {**all_of_them, "activity_types": [102]}
    name = "activity_change_revenue_stage_102"
    for config in (all_of_them, one):
        catalog = catalog_with(emulator, name, config=config)
        names = [entry["tap_stream_id"] for entry in catalog["streams"]]
        assert name in names
    assert "activity_change_revenue_stage" not in names


@pytest.mark.parametrize("attribute", ["leadid", "LeadId", "LEAD ID", "MarketoGuid"])
def test_columns_differ_by_more_than_case(attribute: str) -> None:
    """Warehouses take `leadid` and `leadId` for one column."""
    base = {"leadId", "marketoGUID"}
    (column,) = column_names([ActivityAttribute(attribute, "string")], base).values()
    assert column.startswith("attribute_")
    assert column not in {name.lower() for name in base}

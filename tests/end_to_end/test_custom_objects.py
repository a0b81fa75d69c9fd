"""Custom objects: a stream for each, by windows of `updatedAt`, and one may fail alone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from marketo_bulk import ConfigurationError, RejectedError
from marketo_emulator import Fault
from marketo_emulator.faults.rewrites import REWRITES
from tests.stream_runs import StreamRuns
from tests.tap_runs import DAY_SECONDS, NO_RATE_LIMIT, created_jobs, make_tap

if TYPE_CHECKING:
    from collections.abc import Callable

STREAMS = ("custom_object_car_c", "custom_object_purchaseHistory")


@pytest.fixture
def make_runs(
    make_emulator: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., StreamRuns]:
    """Return a function that makes runs of two custom objects against a small emulator."""

    def make(
        config: dict[str, Any] | None = None,
        *,
        streams: tuple[str, ...] = STREAMS,
        full: bool = False,
        **options: Any,
    ) -> StreamRuns:
        emulator = make_emulator(options=replace(NO_RATE_LIMIT, **options), job_seconds=50.0)
        return StreamRuns(emulator, monkeypatch, *streams, config=config, full=full)

    return make


def assert_equal(runs: StreamRuns, *streams: str) -> None:
    """Hold the tables against Marketo's, value by value."""
    for stream in streams or STREAMS:
        table = {record["marketoGUID"]: record for record in runs.tables[stream].values()}
        rows = runs.emulator.store.object_rows(stream.removeprefix("custom_object_"))
        assert table == {row["marketoGUID"]: row for row in rows}


def live_a_day(runs: StreamRuns) -> None:
    """Let a day pass in which records are made and changed."""
    runs.emulator.advance(DAY_SECONDS)
    store = runs.emulator.store
    store.put_object("car_c", vin="VIN00000000000003", leadID=3, make="Dacia, again")
    store.put_object("car_c", vin="new", leadID=4, price=12.5)
    store.put_object("purchaseHistory", leadEmail="person3@example.com", productName='"Cup"')
    runs.emulator.advance(3600)


@pytest.mark.fault("O4", "an object of companies, or of another object", "is not offered")
def test_objects_that_can_be_exported_are_offered(make_runs: Callable[..., StreamRuns]) -> None:
    """Those that are linked to leads, none selected; the key is that of Marketo and of the user."""
    emulator = make_runs().emulator
    tap = make_tap(emulator)
    with tap.client:
        entries = {e["tap_stream_id"]: e for e in tap.catalog_dict["streams"]}
    found = {name: e for name, e in entries.items() if name.startswith("custom_object_")}
    assert sorted(found) == [
        "custom_object_car_c",
        "custom_object_purchaseHistory",
        "custom_object_trackSubscription_c",
    ]
    keys = {name: list(entry["key_properties"]) for name, entry in found.items()}
    assert keys["custom_object_car_c"] == ["vin", "marketoGUID"]
    assert keys["custom_object_trackSubscription_c"] == ["leadID", "trackID", "marketoGUID"]
    roots = [i["metadata"] for e in found.values() for i in e["metadata"] if not i["breadcrumb"]]
    assert {root["selected-by-default"] for root in roots} == {False}


@pytest.mark.fault("O7", "an object with several dedupe fields", "they and the GUID are the key")
@pytest.mark.fault("O9", "types such as `String`, and such as nobody knows", "are text")
@pytest.mark.fault("O16", "amounts, dates and `null` in records", "are read by their type")
@pytest.mark.fault("O12", "a record changes between two runs", "comes with the next one")
def test_records_come_once_and_then_what_has_changed(make_runs: Callable[..., StreamRuns]) -> None:
    """O7, O9, O12, O16: from the day on that the object was made, without a setting."""
    runs = make_runs(streams=(*STREAMS, "custom_object_trackSubscription_c"))
    runs.run()
    assert_equal(runs, *runs.streams)
    assert runs.state_of(STREAMS[0]) == {
        "replication_key": "updatedAt",
        "replication_key_value": "2026-06-15T11:59:00Z",
        "export_jobs": [],
    }
    jobs = created_jobs(runs.emulator)
    assert all(set(job["filter"]) == {"updatedAt"} for job in jobs)
    live_a_day(runs)
    run = runs.run()
    assert_equal(runs, *runs.streams)
    assert len(run.records(STREAMS[0])) == 2


def test_full_table_brings_all(make_runs: Callable[..., StreamRuns]) -> None:
    """In every run."""
    runs = make_runs(full=True)
    runs.run()
    live_a_day(runs)
    run = runs.run()
    assert_equal(runs)
    assert len(run.records(STREAMS[0])) == 13


@pytest.mark.parametrize("seconds", [70, 200])
@pytest.mark.fault("O15", "a job is asked for under another object", "the stream knows its object")
def test_a_killed_run_is_made_up_for(make_runs: Callable[..., StreamRuns], seconds: int) -> None:
    """O15: jobs in STATE are taken over under the name of their object."""
    runs = make_runs()
    runs.run_killed(seconds)
    left = [j["exportId"] for s in STREAMS for j in runs.state_of(s).get("export_jobs", [])]
    live_a_day(runs)
    runs.run()
    assert_equal(runs)
    done = {job.export_id for job in runs.emulator.jobs if job.status.value == "Completed"}
    assert set(left) <= done


@pytest.mark.fault("O2", "an API name that does not exist", "fails and names those there are")
def test_a_name_that_does_not_exist_is_named(make_runs: Callable[..., StreamRuns]) -> None:
    """O2: the setting is wrong."""
    runs = make_runs({"custom_objects": ["Car_c"]})
    with pytest.raises(ConfigurationError, match=r"no custom object 'Car_c'. It has car_c, "):
        runs.run()


@pytest.mark.fault("O3", "custom objects are not enabled or allowed", "costs these streams alone")
@pytest.mark.parametrize(
    "options", [{"custom_objects_enabled": False}, {"missing_permissions": ("custom object",)}]
)
def test_objects_that_may_not_be_seen_cost_no_other_stream(
    make_emulator: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]
) -> None:
    """O3: discovery goes on without them, and a run that wants them fails at its end."""
    emulator = make_emulator(options=replace(NO_RATE_LIMIT))
    runs = StreamRuns(emulator, monkeypatch, "program_members", STREAMS[0])
    catalog = runs.catalog()
    for name, value in options.items():
        object.__setattr__(emulator.store._options, name, value)  # noqa: SLF001
    tap = make_tap(emulator)
    with tap.client:
        names = {entry["tap_stream_id"] for entry in tap.catalog_dict["streams"]}
    assert not any(name.startswith("custom_object_") for name in names)
    runs.catalog = lambda: catalog  # type: ignore[method-assign]
    with pytest.raises(RejectedError, match="custom_object_car_c"):
        runs.run()
    assert len(runs.tables["program_members"]) == 60


@pytest.mark.fault("O11", "1035 for `updatedAt`", "costs that stream alone")
def test_the_filter_of_changes_refused_costs_that_stream(
    make_emulator: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """O11: all others are written, and the run ends with an error that says so."""
    options = replace(NO_RATE_LIMIT, object_updated_at_filter_supported=False)
    emulator = make_emulator(options=options)
    runs = StreamRuns(emulator, monkeypatch, "program_members", STREAMS[0])
    with pytest.raises(RejectedError, match="cannot filter car_c by updatedAt"):
        runs.run()
    assert len(runs.tables["program_members"]) == 60
    assert runs.tables[STREAMS[0]] == {}


@pytest.mark.fault("O10", "a field is refused at the creation of a job", "comes without it")
def test_a_field_that_is_refused(
    make_runs: Callable[..., StreamRuns], caplog: pytest.LogCaptureFixture
) -> None:
    """O10: as for every object."""
    runs = make_runs(refused_fields=("mileage",))
    runs.run()
    assert "mileage" in caplog.text
    assert all("mileage" not in record for record in runs.tables[STREAMS[0]].values())
    assert len(runs.tables[STREAMS[0]]) == 12


@pytest.mark.fault("O5", "metadata says `apiName`, or no fields in the list", "reads either")
@pytest.mark.fault("O6", "links say `object`, or `parent`, or nothing", "reads either")
@pytest.mark.parametrize(
    "options",
    [{"object_name_key": "apiName"}, {"object_relation": "object"},
     {"object_relation_type": "parent"}],
)  # fmt: skip
def test_metadata_in_its_other_spellings(
    make_runs: Callable[..., StreamRuns], options: dict[str, Any]
) -> None:
    """O5, O6: as Adobe's pages have them."""
    runs = make_runs(streams=STREAMS[:1], **options)
    runs.run()
    assert_equal(runs, STREAMS[0])


def test_links_that_are_not_told_leave_an_object_in(make_runs: Callable[..., StreamRuns]) -> None:
    """O6: old instances tell none."""
    emulator = make_runs().emulator
    emulator.faults.add(
        Fault(operation="objects.list", drop=("result.0.relationships",), times=None)
    )
    tap = make_tap(emulator)
    with tap.client:
        names = [entry["tap_stream_id"] for entry in tap.catalog_dict["streams"]]
    assert STREAMS[0] in names


@pytest.mark.fault("O14", "an object is called as a stream is", "its stream has a prefix")
@pytest.mark.fault("O17", "an object without records", "is no error")
@pytest.mark.fault("O18", "the GUID is not selected", "comes all the same")
def test_the_key_comes_whatever_is_selected(make_runs: Callable[..., StreamRuns]) -> None:
    """O14, O17, O18: with files that have no header, too."""
    runs = make_runs({"start_date": "2026-06-10T00:00:00Z"}, empty_file="nothing")
    catalog = runs.catalog()
    for entry in catalog["streams"]:
        for item in entry["metadata"]:
            if item["breadcrumb"] and entry["tap_stream_id"] in STREAMS:
                item["metadata"]["selected"] = False
    runs.catalog = lambda: catalog  # type: ignore[method-assign]
    live_a_day(runs)
    run = runs.run()
    for record in run.records(STREAMS[0]):
        assert set(record) == {"marketoGUID", "vin", "updatedAt"}
    assert {r["vin"] for r in run.records(STREAMS[0])} >= {"new", "VIN00000000000003"}


@pytest.mark.fault("O8", "the header spells a field in another case than describe", "is that field")
@pytest.mark.parametrize(
    "spell",
    [lambda head: head.replace(b"leadID", b"leadId"), bytes.upper, bytes.lower],
    ids=["leadId", "upper", "lower"],
)
def test_o8_a_header_in_another_case(
    make_runs: Callable[..., StreamRuns],
    monkeypatch: pytest.MonkeyPatch,
    spell: Callable[[bytes], bytes],
) -> None:
    """O8: every value is where it belongs, under the name that describe has."""

    def respelt(content: bytes) -> bytes:
        head, line_end, rows = content.partition(b"\n")
        assert spell(head) != head
        return spell(head) + line_end + rows

    monkeypatch.setitem(REWRITES, "respelt", respelt)
    runs = make_runs({"start_date": "2024-01-01T00:00:00Z"}, streams=STREAMS[:1])
    runs.emulator.faults.add(Fault(operation="export.job", rewrites=("respelt",), times=None))
    runs.run()
    assert_equal(runs, STREAMS[0])
    assert None not in {record["leadID"] for record in runs.tables[STREAMS[0]].values()}


@pytest.mark.fault(
    "O13",
    "a record is deleted",
    "is absent from then on, and nothing tells of it; a FULL_TABLE run removes it",
)
def test_o13_a_deleted_record_is_absent(make_runs: Callable[..., StreamRuns]) -> None:
    """O13: an incremental run is fine, and brings what has changed besides."""
    runs, stream = make_runs(), STREAMS[0]
    runs.run()
    gone = next(iter(runs.emulator.store.object_rows("car_c")))["marketoGUID"]
    runs.emulator.store.remove_object("car_c", str(gone))
    live_a_day(runs)
    run = runs.run()
    assert gone not in {record["marketoGUID"] for record in run.records(stream)}
    assert len(run.records(stream)) == 2
    assert not run.of_type("ACTIVATE_VERSION")
    kept = {record["marketoGUID"] for record in runs.tables[stream].values()}
    assert kept - {row["marketoGUID"] for row in runs.emulator.store.object_rows("car_c")} == {gone}
    runs.full = True
    run = runs.run()
    (said,) = (m for m in run.of_type("ACTIVATE_VERSION") if m["stream"] == stream)
    # What does not have this version is removed by a target that heeds it.
    versions = {m["version"] for m in run.of_type("RECORD") if m["stream"] == stream}
    assert versions == {said["version"]}
    runs.tables[stream] = {}
    runs._load(run)  # noqa: SLF001  # what is left then
    assert_equal(runs, stream)

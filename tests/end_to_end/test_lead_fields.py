"""Fields of leads whose description or cells are odd: no row is lost, and nothing ends a run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from marketo_emulator import Fault
from tests.stream_runs import StreamRuns
from tests.tap_runs import NO_RATE_LIMIT, created_jobs, make_tap

if TYPE_CHECKING:
    from collections.abc import Callable

    from marketo_emulator import Emulator

CONFIG = {"start_date": "2024-01-01T00:00:00Z"}
CITY = {"name": "city", "displayName": "City", "dataType": "string"}
DESCRIBED_AGAIN = {"name": "city", "displayName": "City (old)", "dataType": "integer"}
SOAP_ALONE = {"displayName": "Legacy Segment", "dataType": "string"}


@pytest.fixture
def make_runs(
    make_emulator: Callable[..., Emulator], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., StreamRuns]:
    """Return a function that makes runs of leads against a small emulator."""

    def make(*fields: str, **options: Any) -> StreamRuns:
        emulator = make_emulator(options=replace(NO_RATE_LIMIT, **options), members=40)
        runs = StreamRuns(emulator, monkeypatch, "leads", config=CONFIG)
        runs.fields["leads"] = fields
        return runs

    return make


def place_of(emulator: Emulator, name: str) -> int:
    """Return where describe lists a field of leads."""
    return emulator.store.lead_fields.names.index(name)


def describe_otherwise(emulator: Emulator, *names: str, entry: object) -> None:
    """Have describe list something else in the places of some fields, from now on."""
    put = {f"result.0.fields.{place_of(emulator, name)}": entry for name in names}
    emulator.faults.add(Fault(operation="describe.leads", put=put, times=None))


def assert_equal(runs: StreamRuns, *absent: str) -> None:
    """Hold the table against Marketo's, value by value, for all fields but those."""
    leads = {lead["id"]: lead for lead in runs.emulator.store.leads()}
    table = {key: record for (key,), record in runs.tables["leads"].items()}
    assert table.keys() == leads.keys()
    for lead_id, record in table.items():
        assert record == {name: leads[lead_id][name] for name in record}
        assert not {*absent} & record.keys()


@pytest.mark.fault(
    "L4",
    "a field is described without a name for REST, with `null` for one, or twice",
    "is left out, which is said; of two the first counts",
)
@pytest.mark.parametrize(
    "entry",
    [SOAP_ALONE, {**SOAP_ALONE, "name": None}, {**SOAP_ALONE, "name": ""}, DESCRIBED_AGAIN],
    ids=["no name", "null", "empty", "twice"],
)
def test_l4_fields_without_a_name_and_twice(
    make_runs: Callable[..., StreamRuns], caplog: pytest.LogCaptureFixture, entry: dict[str, Any]
) -> None:
    """L4: describe lists them among the others; all rows come, each value of its own type."""
    runs = make_runs()
    describe_otherwise(runs.emulator, "country", "industry", entry=entry)
    (leads,) = (e for e in runs.catalog()["streams"] if e["tap_stream_id"] == "leads")
    assert not {"", None} & leads["schema"]["properties"].keys()
    runs.run()
    assert_equal(runs, "country", "industry")
    fields = created_jobs(runs.emulator)[0]["fields"]
    assert fields.count("city") == 1
    said = "2 fields have no name, left out" in caplog.text
    assert said is (entry is not DESCRIBED_AGAIN)


@pytest.mark.fault(
    "L5",
    "the two describe calls differ about a field",
    "one of them is asked; a field that export has not is refused, left out and named (L3)",
)
def test_l5_one_description_is_asked_and_refusals_correct_it(
    make_runs: Callable[..., StreamRuns], caplog: pytest.LogCaptureFixture
) -> None:
    """L5: describe2 has a field too many, and one under a type of its own."""
    runs = make_runs()
    emulator = runs.emulator
    unknown = {"name": "department", "displayName": "Department", "dataType": "string"}
    describe_otherwise(emulator, "website", entry=unknown)
    describe_otherwise(emulator, "numberOfEmployees", entry={**CITY, "name": "numberOfEmployees"})
    runs.run()
    assert not emulator.requests.of("describe.leads_before")
    assert emulator.requests.of("describe.leads")
    assert "records come without: department" in caplog.text
    for record in runs.tables["leads"].values():
        given = record["numberOfEmployees"]
        assert given is None or isinstance(given, str)
        record["numberOfEmployees"] = None if given is None else int(given)
    assert_equal(runs, "department", "website")


@pytest.mark.fault("L6", "a formula field is selected, and its column is empty", "is null")
@pytest.mark.parametrize("is_exported", [True, False])
def test_l6_a_formula_is_null_or_left_out(
    make_runs: Callable[..., StreamRuns],
    caplog: pytest.LogCaptureFixture,
    is_exported: bool,  # noqa: FBT001
) -> None:
    """L6: and where export refuses it, it is left out and named; no error either way."""
    runs = make_runs("greeting", formula_fields_exported=is_exported)
    runs.run()
    assert_equal(runs)
    values = [record.get("greeting", "absent") for record in runs.tables["leads"].values()]
    assert set(values) == ({None} if is_exported else {"absent"})
    assert ("records come without: greeting" in caplog.text) is not is_exported


@pytest.mark.fault("L12", "commas and semicolons in a cell of `cookies`", "is that text")
def test_l12_cookies_are_text(make_runs: Callable[..., StreamRuns]) -> None:
    """L12: several cookies stay one text; they come if they are selected, and not without."""
    runs = make_runs("cookies")
    store = runs.emulator.store
    store.schema("leads").add("cookies", "string", label="Cookies")
    texts = ["_mch-a.com-1, _mch-b.com-2", "a;b;c", ',;"', "_mch-a.com-1,", "1,5"]
    for lead_id, text in enumerate(texts, 1):
        store.change_lead(lead_id, cookies=text)
    runs.emulator.advance(3600)
    tap = make_tap(runs.emulator)
    with tap.client:
        (entry,) = (e for e in tap.catalog_dict["streams"] if e["tap_stream_id"] == "leads")
    (found,) = (m for m in entry["metadata"] if m["breadcrumb"] == ["properties", "cookies"])
    assert not found["metadata"].get("selected", found["metadata"].get("selected-by-default"))
    runs.run()
    assert_equal(runs)
    came = [runs.tables["leads"][(lead_id,)]["cookies"] for lead_id, _ in enumerate(texts, 1)]
    assert came == texts

"""Whatever schema a catalog has, records are what their SCHEMA says, or one line refuses."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from singer_sdk.typing import DEFAULT_JSONSCHEMA_VALIDATOR

from marketo_bulk import ConfigurationError, DecodeError, MarketoBulkError
from tests.tap_runs import NO_RATE_LIMIT, TapRun, created_jobs, make_tap, members_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from marketo_emulator import Emulator

DISCOVERED: dict[str, Any] = {}


def catalog_of(emulator: Emulator) -> dict[str, Any]:
    """Return a catalog as discovery gives it."""
    if emulator.base_url not in DISCOVERED:
        tap = make_tap(emulator)
        with tap.client:
            DISCOVERED[emulator.base_url] = json.loads(tap.catalog_json_text)
    return copy.deepcopy(DISCOVERED[emulator.base_url])


def entry_of(catalog: dict[str, Any], stream: str = "program_members") -> dict[str, Any]:
    """Return a stream's entry of a catalog."""
    entry: dict[str, Any]
    (entry,) = (s for s in catalog["streams"] if s["tap_stream_id"] == stream)
    return entry


def overridden(
    emulator: Emulator, schemas: dict[str, Any], stream: str = "program_members"
) -> dict[str, Any]:
    """Return a catalog with other schemas for some properties."""
    catalog = catalog_of(emulator)
    entry_of(catalog, stream)["schema"]["properties"].update(schemas)
    return catalog


def assert_as_announced(run: TapRun) -> None:
    """Hold every record against the SCHEMA sent before it, formats included."""
    validators: dict[str, Any] = {}
    for given_message in run.messages:
        # As a target reads it that keeps decimals: 19.99 is a multiple of 0.01 then.
        message = json.loads(json.dumps(given_message), parse_float=Decimal)
        if message["type"] == "SCHEMA":
            assert set(message["key_properties"]) <= message["schema"]["properties"].keys()
            assert set(message.get("bookmark_properties") or ()) <= (
                message["schema"]["properties"].keys()
            )
            validators[message["stream"]] = DEFAULT_JSONSCHEMA_VALIDATOR(
                message["schema"], format_checker=DEFAULT_JSONSCHEMA_VALIDATOR.FORMAT_CHECKER
            )
        elif message["type"] == "RECORD":
            validators[message["stream"]].validate(message["record"])
            known = validators[message["stream"]].schema["properties"].keys()
            assert message["record"].keys() <= known


HANDLED: list[tuple[str, dict[str, Any]]] = [
    ("guestCount", {"anyOf": [{"type": "integer"}, {"type": "null"}]}),
    ("guestCount", {"oneOf": [{"type": "null"}, {"type": "integer"}]}),
    ("guestCount", {"allOf": [{"type": ["integer", "null"]}]}),
    ("guestCount", {"type": ["null", "integer"], "minimum": -(10**30), "maximum": 10**30}),
    ("guestCount", {"type": ["number", "null"]}),
    ("guestCount", {"type": ["integer", "string", "null"]}),
    ("guestCount", {"type": ["string", "null"]}),
    ("guestCount", {}),
    ("guestCount", {"description": "no type at all"}),
    ("guestCount", {"type": ["integer", "null"], "format": "int64"}),
    ("guestCount", {"type": ["integer", "null"], "x-sql-datatype": "smallint"}),
    ("statusName", {"type": ["integer", "string", "null"]}),
    ("statusName", {"type": ["string", "null"], "maxLength": 255}),
    ("statusName", {"anyOf": [{"type": "string", "format": "date-time"}, {"type": ["string"]}]}),
    ("statusName", {"type": ["string", "null"], "format": "varchar"}),
    ("statusName", {"type": "string"}),
    ("ticketFee", {"type": ["number", "null"], "multipleOf": 0.01}),
    ("ticketFee", {"type": ["string", "null"]}),
    ("needsVisa", {"anyOf": [{"type": "boolean"}, {"type": "null"}]}),
    ("needsVisa", {"type": ["string", "null"]}),
    ("needsVisa", {"type": ["integer", "null"]}),
    ("needsVisa", {"enum": [True, False, None]}),
    ("checkedInAt", {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]}),
    ("checkedInAt", {"type": ["string", "null"]}),
    ("arrivalDate", {"type": ["string", "null"], "format": "date-time"}),
    ("arrivalDate", {"oneOf": [{"type": "string", "format": "date"}, {"type": "null"}]}),
    ("updatedAt", {"type": "string"}),
    ("updatedAt", {"type": ["string", "null"]}),
    ("updatedAt", {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]}),
    ("updatedAt", {}),
    ("leadId", {"type": "string"}),
    ("programId", {"type": ["number", "null"]}),
    ("program", {"$ref": "#/definitions/text"}),
]
"""A property, and a schema for it under which every record can be written."""

REFUSED: list[tuple[str, object]] = [
    ("guestCount", True),
    ("guestCount", False),
    ("guestCount", None),
    ("guestCount", "integer"),
    ("guestCount", ["integer"]),
    ("guestCount", {"type": "int"}),
    ("guestCount", {"type": []}),
    ("guestCount", {"type": [["integer"]]}),
    ("guestCount", {"type": {"integer": True}}),
    ("guestCount", {"type": "null"}),
    ("guestCount", {"type": ["array", "null"], "items": {"type": "integer"}}),
    ("guestCount", {"type": "object", "properties": {"n": {"type": "integer"}}}),
    ("guestCount", {"type": "object", "properties": {"n": True}}),
    ("guestCount", {"items": True}),
    ("guestCount", {"anyOf": []}),
    ("guestCount", {"anyOf": {}}),
    ("guestCount", {"anyOf": [True]}),
    ("guestCount", {"anyOf": [{"type": "array"}, {"type": "null"}]}),
    ("guestCount", {"allOf": [{"type": "integer"}, {"type": "string"}]}),
    ("guestCount", {"$ref": "#/definitions/nowhere"}),
    ("guestCount", {"$ref": "https://example.invalid/schema.json"}),
    ("guestCount", {"anyOf": [{"$ref": "#/nowhere"}, {"type": "null"}]}),
    ("guestCount", {"format": 5}),
    ("guestCount", {"pattern": "("}),
    ("updatedAt", {"type": "integer"}),
    ("updatedAt", {"type": ["boolean", "null"]}),
    ("updatedAt", {"type": "string", "format": "date"}),
]
"""A property, and a schema for it under which no record can be written."""


def named(case: tuple[str, object]) -> str:
    """Return how a case is called in a test's name."""
    return f"{case[0]}-{json.dumps(case[1], default=str)}"


@pytest.fixture(scope="module")
def shared() -> Any:
    """Return an emulator whose members have a value in most fields, and null in some."""
    from marketo_emulator import Emulator, VirtualClock  # noqa: PLC0415

    with Emulator(
        programs=3, members=60, job_seconds=0.0, options=NO_RATE_LIMIT, clock=VirtualClock()
    ) as emulator:
        yield emulator


@pytest.mark.fault(
    "T6.6",
    "a catalog has another schema for a property: `anyOf` of integer and null, no type, a `$ref`",
    "reads the cells as that schema wants them; every record is valid under its SCHEMA",
)
@pytest.mark.parametrize("case", HANDLED, ids=map(named, HANDLED))
def test_records_are_valid_under_an_overridden_schema(
    shared: Emulator, run_tap: Callable[..., TapRun], case: tuple[str, dict[str, Any]]
) -> None:
    """All members come, in both loops, and each is what SCHEMA says."""
    name, schema = case
    catalog = overridden(shared, {name: schema})
    entry_of(catalog)["schema"]["definitions"] = {"text": {"type": ["string", "null"]}}
    run = run_tap(shared, catalog=catalog)
    assert_as_announced(run)
    assert {(int(lead), int(program)) for lead, program in run.table()} == (
        members_of(shared).keys()
    )


@pytest.mark.parametrize("case", REFUSED, ids=map(named, REFUSED))
def test_a_schema_no_record_can_have_is_refused_before_any_job(
    shared: Emulator, run_tap: Callable[..., TapRun], case: tuple[str, object]
) -> None:
    """One line that names the property."""
    made = len(created_jobs(shared))
    with pytest.raises(ConfigurationError, match=rf"(?s){case[0]}|\$ref") as caught:
        run_tap(shared, catalog=overridden(shared, {case[0]: case[1]}))
    assert "\n" not in str(caught.value)
    assert len(created_jobs(shared)) == made


@pytest.mark.fault(
    "T6.6",
    "… a value breaks a limit of the catalog's schema (`maximum`, `enum`, null where none may be)",
    "fails and names the column, or makes it null and counts, as `on_bad_value` says",
)
@pytest.mark.parametrize(
    ("name", "schema", "can_be_null"),
    [
        ("guestCount", {"type": ["integer", "null"], "maximum": 0}, True),
        ("statusName", {"enum": ["Registered", None]}, True),
        ("statusName", {"type": ["string", "null"], "maxLength": 3}, True),
        ("statusName", {"type": ["string", "null"], "format": "ipv4"}, True),
        ("statusName", {"type": ["integer", "null"]}, True),
        ("checkedInAt", {"type": ["string", "null"], "format": "date"}, True),
        ("guestCount", {"type": "integer"}, False),
        ("guestCount", {"anyOf": [{"type": "integer"}, {"type": "number"}]}, False),
        ("guestCount", {"type": "integer", "maximum": 0}, False),
    ],
)
def test_a_value_the_schema_does_not_allow_is_no_record(
    shared: Emulator,
    run_tap: Callable[..., TapRun],
    caplog: pytest.LogCaptureFixture,
    name: str,
    schema: dict[str, Any],
    can_be_null: bool,  # noqa: FBT001
) -> None:
    """No record contradicts its SCHEMA, whatever is set."""
    catalog = overridden(shared, {name: schema})
    with pytest.raises(DecodeError, match=name) as caught:
        run_tap(shared, catalog=catalog)
    assert_as_announced(caught.value.run)  # type: ignore[attr-defined]
    if not can_be_null:
        with pytest.raises(DecodeError, match=name):
            run_tap(shared, {"on_bad_value": "null"}, catalog=catalog)
        return
    run = run_tap(shared, {"on_bad_value": "null"}, catalog=catalog)
    assert_as_announced(run)
    assert len(run.table()) == len(members_of(shared))
    assert any("do not fit its type" in r.message and name in r.message for r in caplog.records)


def test_a_check_that_fails_itself_is_no_verdict(
    shared: Emulator, run_tap: Callable[..., TapRun], caplog: pytest.LogCaptureFixture
) -> None:
    """No number has the digits to be divided by that: values are written, which is said once."""
    schema = {"type": ["number", "null"], "multipleOf": Decimal("1e-38")}
    run = run_tap(shared, catalog=overridden(shared, {"ticketFee": schema}))
    assert run.table() == members_of(shared)
    assert len([r for r in caplog.records if "ticketFee: the catalog" in r.message]) == 1


LEAVES = st.sampled_from(
    [
        {"type": kind}
        for kind in ("null", "boolean", "integer", "number", "string", "object", "array")
    ]
    + [{"type": ["string", "null"], "format": f} for f in ("date", "date-time", "ipv4", "odd")]
    + [{"type": ["integer", "null"], "minimum": 3}, {"enum": [1, "null", None, True, 0.5]}, {}]
    + [{"type": ["boolean", "string"]}, {"type": ["number", "null"], "multipleOf": 0.5}]
    + [{"type": ["integer", "string", "null"]}, {"const": 1}, {"not": {"type": "string"}}]
)
SCHEMAS = st.recursive(
    LEAVES,
    lambda inner: st.builds(
        lambda keyword, branches: {keyword: branches},
        st.sampled_from(["anyOf", "oneOf", "allOf"]),
        st.lists(inner, min_size=1, max_size=3),
    ),
    max_leaves=4,
)
FIELDS = ("guestCount", "statusName", "ticketFee", "needsVisa", "checkedInAt", "arrivalDate")


@pytest.mark.slow
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from((*FIELDS, "updatedAt", "leadId")),
    schema=SCHEMAS,
    policy=st.sampled_from(["fail", "null"]),
    maps=st.sampled_from([{}, {"stream_maps": {"program_members": {"n": "leadId"}}}]),
)
def test_any_schema_holds_or_is_refused(
    shared: Emulator,
    run_tap: Callable[..., TapRun],
    name: str,
    schema: dict[str, Any],
    policy: str,
    maps: dict[str, Any],
) -> None:
    """Whatever stands in the catalog: valid records and all of them, or one line."""
    catalog = overridden(shared, {name: schema})
    refusal = ""
    try:
        run = run_tap(shared, {"on_bad_value": policy, **maps}, catalog=catalog)
    except MarketoBulkError as error:
        run, refusal = getattr(error, "run", TapRun([])), str(error)
    assert_as_announced(run)
    assert "\n" not in refusal
    assert refusal or len(run.records()) == len(members_of(shared))


@pytest.mark.slow
@pytest.mark.fault(
    "T6.6",
    "… lacks `leadId`, `programId` or `updatedAt`, or has them deselected",
    "adds them with a warning; every record has its key",
)
@pytest.mark.parametrize("mode", ["windows", "snapshot", "1035", "FULL_TABLE"])
@pytest.mark.parametrize("absent", [("leadId",), ("programId",), ("updatedAt",), ("all",)])
@pytest.mark.parametrize("how", ["removed", "deselected", "unsupported"])
def test_what_no_record_is_without_is_put_back(
    make_emulator: Callable[..., Emulator],
    run_tap: Callable[..., TapRun],
    mode: str,
    absent: tuple[str, ...],
    how: str,
) -> None:
    """In whichever way members are extracted, all come with key and `updatedAt`."""
    emulator = make_emulator(
        options=replace(NO_RATE_LIMIT, updated_at_filter_supported=mode != "1035")
    )
    catalog = catalog_of(emulator)
    entry = entry_of(catalog)
    names = ("leadId", "programId", "updatedAt") if absent == ("all",) else absent
    for name in names:
        if how == "removed":
            del entry["schema"]["properties"][name]
            entry["schema"]["required"] = [n for n in entry["schema"]["required"] if n != name]
        for item in entry["metadata"]:
            if item["breadcrumb"] == ["properties", name]:
                item["metadata"] = (
                    {"inclusion": "unsupported"} if how == "unsupported" else {"selected": False}
                )
    config = {"start_date": "2020-01-01"}
    if mode == "FULL_TABLE":
        entry["replication_method"] = "FULL_TABLE"
    if mode == "snapshot":
        config["backfill"] = "snapshot"
    run = run_tap(emulator, config, catalog=catalog)
    assert_as_announced(run)
    assert run.table() == members_of(emulator)


def test_required_of_a_field_that_is_gone_is_refused(
    shared: Emulator, run_tap: Callable[..., TapRun]
) -> None:
    """A record would lack what SCHEMA requires."""
    catalog = overridden(shared, {"oldField": {"type": ["string", "null"]}})
    entry_of(catalog)["schema"]["required"].append("oldField")
    with pytest.raises(ConfigurationError, match="oldField"):
        run_tap(shared, catalog=catalog)


def test_required_of_a_field_export_refuses_ends_the_run(
    make_emulator: Callable[..., Emulator], run_tap: Callable[..., TapRun]
) -> None:
    """The field is not dropped: its records would contradict SCHEMA."""
    emulator = make_emulator(options=replace(NO_RATE_LIMIT, refused_fields=("quizScore",)))
    catalog = catalog_of(emulator)
    entry_of(catalog)["schema"]["required"].append("quizScore")
    with pytest.raises(MarketoBulkError, match="quizScore"):
        run_tap(emulator, catalog=catalog)


@pytest.mark.parametrize(
    "schemas",
    [
        {"id": {"type": "string"}},
        {"id": {"anyOf": [{"type": "integer"}, {"type": "null"}]}},
        {"headStart": {"type": ["string", "null"]}},
        {"headStart": {"anyOf": [{"type": "boolean"}, {"type": "null"}]}},
        {"folder": {"type": ["string", "null"]}},
        {"createdAt": {"type": "string"}},
        {"createdAt": {}},
        {"createdAt": {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]}},
        {"name": {"type": "string", "maxLength": 4000}},
        {"id": {"type": ["number"]}},
    ],
)
def test_programs_are_valid_under_an_overridden_schema(
    shared: Emulator, run_tap: Callable[..., TapRun], schemas: dict[str, Any]
) -> None:
    """The other stream keeps to its SCHEMA as well."""
    run = run_tap(shared, catalog=overridden(shared, schemas, "programs"))
    assert_as_announced(run)
    assert len(run.records("programs")) == 3


@pytest.mark.parametrize(
    ("schemas", "nullable"),
    [
        ({"name": {"type": "integer"}}, False),
        ({"name": {"type": ["integer", "null"]}}, True),
        ({"createdAt": {"type": ["string", "null"], "maxLength": 3}}, True),
        ({"id": {"type": ["integer", "null"], "maximum": 5}}, True),
    ],
)
def test_a_program_the_schema_does_not_allow_is_named(
    shared: Emulator,
    run_tap: Callable[..., TapRun],
    schemas: dict[str, Any],
    nullable: bool,  # noqa: FBT001
) -> None:
    """Program and property stand in the line; `on_bad_value` decides as it does for members."""
    catalog = overridden(shared, schemas, "programs")
    (name,) = schemas
    with pytest.raises(DecodeError, match=rf"program 1001: column {name}"):
        run_tap(shared, catalog=catalog)
    if nullable:
        run = run_tap(shared, {"on_bad_value": "null"}, catalog=catalog)
        assert_as_announced(run)
        assert {r[name] for r in run.records("programs")} == {None}

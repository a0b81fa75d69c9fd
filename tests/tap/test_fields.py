"""Discovery offers what Marketo describes, and selection decides what a job asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from marketo_bulk import FieldDescription
from marketo_bulk.reader.columns import Kind
from marketo_emulator.data.fields import LEAD_FIELDS, MEMBER_FIELDS
from tap_marketo_bulk.streams import program_members
from tap_marketo_bulk.streams.fields import column_of, property_of
from tap_marketo_bulk.streams.member_fields import MemberFields
from tests.tap_runs import created_jobs, make_tap, members_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from marketo_emulator import Emulator
    from tests.tap_runs import TapRun


def described(name: str, data_type: str) -> FieldDescription:
    """Return a field as describe lists it."""
    return FieldDescription(name, name, data_type)


def members_entry(catalog: dict[str, Any]) -> dict[str, Any]:
    """Return the catalog entry of the members."""
    entries: list[dict[str, Any]] = catalog["streams"]
    (entry,) = (s for s in entries if s["tap_stream_id"] == "program_members")
    return entry


def select(catalog: dict[str, Any], name: str, *, selected: bool) -> None:
    """Select or deselect a property of the members."""
    for item in members_entry(catalog)["metadata"]:
        if item["breadcrumb"] == ["properties", name]:
            item["metadata"]["selected"] = selected


def test_types_follow_the_data_type_catalogue() -> None:
    """Percent keeps its decimals, dates stay dates, what is unknown is text."""
    expected = {
        "boolean": {"type": ["boolean", "null"]},
        "integer": {"type": ["integer", "null"]},
        "score": {"type": ["integer", "null"]},
        "percent": {"type": ["number", "null"]},
        "currency": {"type": ["number", "null"]},
        "float": {"type": ["number", "null"]},
        "date": {"type": ["string", "null"], "format": "date"},
        "datetime": {"type": ["string", "null"], "format": "date-time"},
        "reference": {"type": ["string", "null"]},
        "hologram": {"type": ["string", "null"]},
    }
    assert expected == {kind: property_of(described("f", kind)) for kind in expected}


def test_a_lead_field_hidden_by_a_member_field_is_left_out() -> None:
    """Both have createdAt; an export brings the member's."""
    fields = MemberFields.from_describe(
        [described("createdAt", "datetime"), described("leadId", "integer")],
        [described("createdAt", "datetime"), described("email", "email")],
    )
    assert [f.name for f in fields.lead] == ["email"]


def test_a_type_overridden_in_the_catalog_decides_how_cells_are_read() -> None:
    """Who turns an integer into a string in the catalog gets the text of the cell."""
    assert column_of("n", {"type": ["string", "null"]}).kind is Kind.STRING
    assert column_of("n", {"type": "string", "format": "date"}).kind is Kind.DATE


def test_discover_offers_keys_bookmark_and_unselected_lead_fields(emulator: Emulator) -> None:
    """The catalog says what identifies a member, what moves, and what is there to be selected."""
    tap = make_tap(emulator)
    with tap.client:
        entry = members_entry(tap.catalog_dict)
    metadata = {tuple(m["breadcrumb"]): m["metadata"] for m in entry["metadata"]}
    assert list(entry["key_properties"]) == ["leadId", "programId"]
    assert (entry["replication_key"], entry["replication_method"]) == ("updatedAt", "INCREMENTAL")
    assert entry["schema"]["properties"]["programId"] == {"type": ["integer"]}
    assert metadata["properties", "leadId"]["inclusion"] == "automatic"
    assert metadata["properties", "programId"]["inclusion"] == "automatic"
    assert metadata["properties", "email"]["selected-by-default"] is False
    assert "selected-by-default" not in metadata["properties", "statusName"]
    assert {"quizScore", "ticketFee", "needsVisa"} <= entry["schema"]["properties"].keys()


@pytest.mark.parametrize(
    ("patterns", "offered"),
    [
        ([], set()),
        (["email"], {"email"}),
        (["EMAIL", "first*", "*Name"], {"email", "firstName", "lastName"}),
        (["nosuchfield"], set()),
    ],
)
def test_lead_fields_keeps_the_rest_out_of_the_catalog(
    emulator: Emulator, patterns: list[str], offered: set[str]
) -> None:
    """Shell patterns, whatever the case; member fields stay."""
    tap = make_tap(emulator, {"lead_fields": patterns})
    with tap.client:
        properties = members_entry(tap.catalog_dict)["schema"]["properties"]
    lead = {lead_field.name for lead_field in LEAD_FIELDS}
    member = {member_field.name for member_field in MEMBER_FIELDS}
    assert (properties.keys() & lead) - member == offered
    assert "quizScore" in properties


def test_what_many_lead_fields_cost_is_said(
    emulator: Emulator,
    run_tap: Callable[..., TapRun],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One line, once, with figures; few fields are not worth a line."""
    monkeypatch.setattr(program_members, "MANY_LEAD_FIELDS", 2)
    catalog = make_tap(emulator).catalog_dict
    select(catalog, "email", selected=True)
    run_tap(emulator, catalog=catalog)
    assert not any("lead fields are selected" in record.message for record in caplog.records)
    select(catalog, "firstName", selected=True)
    run_tap(emulator, catalog=catalog)
    (line,) = (r.message for r in caplog.records if "lead fields are selected" in r.message)
    assert line.startswith("2 lead fields are selected: even an empty member takes ")
    assert "of the day's 500 MB" in line


def test_lead_fields_are_not_asked_for_by_default(
    emulator: Emulator, run_tap: Callable[..., TapRun]
) -> None:
    """Every byte counts against 500 MB a day."""
    run = run_tap(emulator)
    (job,) = created_jobs(emulator)
    assert "email" not in job["fields"]
    assert "email" not in run.of_type("SCHEMA")[0]["schema"]["properties"]


def test_selecting_a_lead_field_brings_it(
    emulator: Emulator, run_tap: Callable[..., TapRun]
) -> None:
    """A selected lead field is in the job, in SCHEMA and in the records."""
    catalog = make_tap(emulator).catalog_dict
    select(catalog, "email", selected=True)
    run = run_tap(emulator, catalog=catalog)
    emails = {lead["id"]: lead["email"] for lead in emulator.store.leads()}
    assert {key: emails[key[0]] for key in members_of(emulator)} == {
        key: record["email"] for key, record in run.table().items()
    }


def test_deselecting_a_member_field_takes_it_out_of_the_job(
    emulator: Emulator, run_tap: Callable[..., TapRun]
) -> None:
    """What is not wanted is not asked for; the key cannot be deselected."""
    catalog = make_tap(emulator).catalog_dict
    for name in ("dietaryNotes", "leadId", "updatedAt"):
        select(catalog, name, selected=False)
    run = run_tap(emulator, catalog=catalog)
    (job,) = created_jobs(emulator)
    assert "dietaryNotes" not in job["fields"]
    assert {"leadId", "updatedAt"} <= set(job["fields"])
    assert all("dietaryNotes" not in r and r["updatedAt"] for r in run.records())


def test_a_field_the_catalog_does_not_know_is_neither_asked_for_nor_written(
    emulator: Emulator, run_tap: Callable[..., TapRun]
) -> None:
    """A field made in Marketo after discovery has no place in SCHEMA."""
    catalog = make_tap(emulator).catalog_dict
    entry = members_entry(catalog)
    del entry["schema"]["properties"]["quizScore"]
    entry["metadata"] = [m for m in entry["metadata"] if "quizScore" not in m["breadcrumb"]]
    run = run_tap(emulator, catalog=catalog)
    assert "quizScore" not in created_jobs(emulator)[0]["fields"]
    assert not any("quizScore" in record for record in run.records())


def test_a_field_that_is_gone_from_marketo_is_named_and_left_out(
    emulator: Emulator, run_tap: Callable[..., TapRun], caplog: pytest.LogCaptureFixture
) -> None:
    """An old catalog goes on working."""
    catalog = make_tap(emulator).catalog_dict
    members_entry(catalog)["schema"]["properties"]["oldField"] = {"type": ["string", "null"]}
    run = run_tap(emulator, catalog=catalog)
    assert members_of(emulator) == run.table()
    assert any("oldField" in record.message for record in caplog.records)


def test_describe_and_programs_are_asked_for_once_in_a_run(
    emulator: Emulator, run_tap: Callable[..., TapRun]
) -> None:
    """Two streams and a catalog cost one describe of each kind and one list of programs."""
    run_tap(emulator)
    asked = [(r.operation, *r.query.values()) for r in emulator.requests if "export" not in r.path]
    assert sorted(set(asked)) == sorted(asked)

"""Fields that are added, removed and retyped."""

from __future__ import annotations

import csv
import io
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest

from marketo_emulator.data.fields import LEAD_FIELDS, MEMBER_FIELDS

if TYPE_CHECKING:
    from tests.emulator.harness import Marketo

TODAY = {"startAt": "2026-06-15T17:30:00Z", "endAt": "2026-06-15T19:00:00Z"}
DESCRIBED = {
    "leads": "/rest/v1/leads/describe2.json",
    "program_members": "/rest/v1/programs/members/describe.json",
    "car_c": "/rest/v1/customobjects/car_c/describe.json",
}
REMOVED = {"leads": "city", "program_members": "eventRole", "car_c": "make"}
kinds = pytest.mark.parametrize("kind", list(DESCRIBED))


def described(marketo: Marketo, kind: str) -> dict[str, str]:
    """Return data types by name, as describe has them."""
    fields = marketo.get(DESCRIBED[kind])["result"][0]["fields"]
    return {field["name"]: field["dataType"] for field in fields}


def create(marketo: Marketo, kind: str, field: str) -> dict[str, Any]:
    """Return the answer to the creation of an export of one field."""
    path, condition = {
        "leads": ("leads", {"createdAt": TODAY}),
        "program_members": ("program/members", {"programId": 1001}),
        "car_c": ("customobjects/car_c", {"updatedAt": TODAY}),
    }[kind]
    body = {"fields": [field], "filter": condition}
    return marketo.post(f"/bulk/v1/{path}/export/create.json", body)


@kinds
def test_added_field_is_described_and_can_be_exported(marketo: Marketo, kind: str) -> None:
    """Empty at first."""
    schema = marketo.emulator.store.schema(kind)
    before = described(marketo, kind)
    schema.add("shoeSize", "float", label="Shoe Size")
    assert described(marketo, kind) == {**before, "shoeSize": "float"}
    assert create(marketo, kind, "shoesize")["success"] is True
    with pytest.raises(ValueError, match="already"):
        schema.add("shoeSize", "integer")


@kinds
def test_removed_field_is_gone(marketo: Marketo, kind: str) -> None:
    """From describe, and from what can be exported."""
    name = REMOVED[kind]
    schema = marketo.emulator.store.schema(kind)
    before = described(marketo, kind)
    schema.remove(name)
    assert described(marketo, kind) == {k: v for k, v in before.items() if k != name}
    refused = create(marketo, kind, name)
    assert refused["errors"][0]["message"] == f"Invalid fields [{name}]"
    with pytest.raises(KeyError):
        schema.remove(name)


@kinds
def test_retyped_field_has_the_new_type(marketo: Marketo, kind: str) -> None:
    """Under its name."""
    schema = marketo.emulator.store.schema(kind)
    schema.retype(REMOVED[kind], "integer")
    assert described(marketo, kind)[REMOVED[kind]] == "integer"
    assert create(marketo, kind, REMOVED[kind])["success"] is True
    with pytest.raises(ValueError, match="there is no data type 'colour'"):
        schema.retype(REMOVED[kind], "colour")


def test_values_are_converted_or_lost(marketo: Marketo) -> None:
    """Where they fit the new type they stay."""
    store = marketo.emulator.store
    for program_id, lead_id, value in ((1001, 1, "12"), (1001, 2, "many"), (1001, 3, None)):
        store.add_member(program_id, lead_id, eventRole=value)
    store.schema("program_members").retype("eventRole", "integer")
    assert [store.member(1001, lead_id)["eventRole"] for lead_id in (1, 2, 3)] == [12, None, None]
    store.change_member(1001, 2, eventRole=7)
    store.schema("program_members").retype("eventRole", "string")
    assert [store.member(1001, lead_id)["eventRole"] for lead_id in (1, 2)] == ["12", "7"]


def test_new_rows_have_the_new_field(marketo: Marketo) -> None:
    """Members, leads and records made by whatever way, and imports may fill it."""
    store = marketo.emulator.store
    for kind in DESCRIBED:
        store.schema(kind).add("shoeSize", "float")
    store.add_member(1001, store.add_lead(shoeSize=44.5), shoeSize=43)
    store.add_program("New", members=3)
    store.put_object("car_c", vin="V1", shoeSize=1)
    data = {"file": (BytesIO(b"email,shoeSize\nnew@example.com,39.5\n"), "f.csv")}
    marketo.send("POST", "/bulk/v1/leads.json?format=csv", data=data)
    marketo.clock.advance(600)
    sizes = {lead["shoeSize"] for lead in store.leads()}
    assert sizes == {None, 44.5, 39.5}
    assert 43 in {member["shoeSize"] for member in store.members()}


def test_import_of_a_removed_column_fails_rows(marketo: Marketo) -> None:
    """As for any column that is no field."""
    marketo.emulator.store.schema("leads").remove("city")
    data = {"file": (BytesIO(b"email,city\nnew@example.com,Bonn\n"), "f.csv")}
    marketo.send("POST", "/bulk/v1/leads.json?format=csv", data=data)
    marketo.clock.advance(600)
    failures = marketo.send("GET", "/bulk/v1/leads/batch/3401/failures.json").data
    assert failures.endswith(b",Field 'city' not found\n")


def test_job_made_before_a_change_still_has_its_columns(marketo: Marketo) -> None:
    """Members joined with their leads, while fields of both come, go and change."""
    store = marketo.emulator.store
    lead_id = store.add_lead(city="Bonn", email="x@example.com")
    store.add_member(1001, lead_id, eventRole="Host")
    export_id = marketo.create(["leadId", "eventRole", "email", "city"], programId=1001)
    store.schema("program_members").add("shoeSize", "float")
    store.schema("leads").add("hatSize", "float")
    store.schema("program_members").retype("eventRole", "integer")
    store.schema("leads").remove("city")
    marketo.enqueue(export_id)
    marketo.clock.advance(300)
    text = marketo.file(export_id).data.decode()
    rows = {row["leadId"]: row for row in csv.DictReader(io.StringIO(text, newline=""))}
    assert rows[str(lead_id)] == {
        "leadId": str(lead_id), "eventRole": "Host", "email": "x@example.com", "city": "Bonn"
    }  # fmt: skip


def test_names_that_differ_in_case_are_two_fields(marketo: Marketo) -> None:
    """The exact name is found first, any other spelling is the older one."""
    store = marketo.emulator.store
    store.schema("leads").add("LoyaltyTier", "string")
    store.add_lead(loyaltyTier="old", LoyaltyTier="new")
    fields = ["loyaltyTier", "LoyaltyTier", "LOYALTYTIER"]
    row = marketo.export(fields, "leads", createdAt=TODAY).split(b"\n")[1]
    assert row == b"old,new,old"


@pytest.mark.parametrize(
    ("kind", "name"),
    [("leads", "id"), ("leads", "updatedAt"), ("program_members", "leadId"),
     ("program_members", "statusName"), ("car_c", "marketoGUID")],
)  # fmt: skip
def test_types_the_emulator_works_with_are_fixed(marketo: Marketo, kind: str, name: str) -> None:
    """Though such a field can be hidden, and all goes on."""
    schema = marketo.emulator.store.schema(kind)
    with pytest.raises(ValueError, match="is fixed"):
        schema.retype(name, "string")
    schema.remove(name)
    store = marketo.emulator.store
    store.add_member(1001, store.add_lead())
    store.touch_members(5)
    store.put_object("car_c", vin="V1", leadID=1)
    assert name not in described(marketo, kind)


def test_instances_do_not_share_fields(marketo: Marketo) -> None:
    """What one adds, the next does not have."""
    marketo.emulator.store.schema("leads").add("shoeSize", "float")
    marketo.emulator.store.schema("program_members").remove("eventRole")
    assert "shoeSize" not in LEAD_FIELDS.names
    assert "eventRole" in MEMBER_FIELDS.names


def test_activities_of_a_new_field_are_told(marketo: Marketo) -> None:
    """With the number describe gives it."""
    store = marketo.emulator.store
    store.schema("leads").add("shoeSize", "float", label="Shoe Size")
    store.change_lead(7, shoeSize=44.5)
    numbers = {
        field["rest"]["name"]: field["id"]
        for field in marketo.get("/rest/v1/leads/describe.json")["result"]
        if "rest" in field
    }
    fields = ["primaryAttributeValueId", "primaryAttributeValue"]
    file = marketo.export(fields, "activities", createdAt=TODAY, activityTypeIds=[13])
    assert file.split(b"\n")[1].decode() == f"{numbers['shoeSize']},Shoe Size"

"""The describe endpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.emulator.harness import Marketo

STANDARD = {
    "acquiredBy": "boolean",
    "attendanceLikelihood": "integer",
    "createdAt": "datetime",
    "isExhausted": "boolean",
    "leadId": "integer",
    "membershipDate": "datetime",
    "nurtureCadence": "string",
    "program": "string",
    "programId": "integer",
    "reachedSuccess": "boolean",
    "reachedSuccessDate": "datetime",
    "registrationLikelihood": "integer",
    "statusName": "string",
    "statusReason": "string",
    "trackName": "string",
    "updatedAt": "datetime",
    "waitlistPriority": "integer",
    "registrationCode": "string",
    "webinarUrl": "string",
}


def test_member_description_is_complete(marketo: Marketo) -> None:
    """Name, keys, searchable fields and every standard field with its type."""
    description = marketo.get("/rest/v1/programs/members/describe.json")["result"][0]
    fields = {field["name"]: field for field in description["fields"]}
    assert description["name"] == "API Program Membership"
    assert description["dedupeFields"] == ["leadId", "programId"]
    assert ["statusName"] in description["searchableFields"]
    assert {name: fields[name]["dataType"] for name in STANDARD} == STANDARD
    assert fields["nurtureCadence"]["length"] == 4
    updateable = {name for name in STANDARD if fields[name]["updateable"]}
    assert updateable == {"registrationCode", "webinarUrl"}
    assert all(fields[name]["displayName"] == name for name in STANDARD)


def test_member_description_has_custom_fields_of_every_type(marketo: Marketo) -> None:
    """At most twenty, and no type left out."""
    description = marketo.get("/rest/v1/programs/members/describe.json")["result"][0]
    custom = [field for field in description["fields"] if field["name"] not in STANDARD]
    assert len(custom) <= 20
    assert {field["dataType"] for field in custom} == {
        "string", "text", "textarea", "email", "phone", "url", "integer", "score", "percent",
        "float", "currency", "boolean", "date", "datetime", "reference",
    }  # fmt: skip


def test_superseded_member_description_has_fields_alone(marketo: Marketo) -> None:
    """The singular path knows less, in another name."""
    description = marketo.get("/rest/v1/program/members/describe.json")["result"][0]
    current = marketo.get("/rest/v1/programs/members/describe.json")["result"][0]
    assert set(description) == {"name", "fields"}
    assert description["name"] == "API Program Member"
    assert description["fields"] == current["fields"]


def test_lead_descriptions_agree(marketo: Marketo) -> None:
    """`rest.readOnly` in one is the opposite of `updateable` in the other."""
    old = marketo.get("/rest/v1/leads/describe.json")["result"]
    new = marketo.get("/rest/v1/leads/describe2.json")["result"][0]
    current = {field["name"]: not field["updateable"] for field in new["fields"]}
    superseded = {
        field["rest"]["name"]: field["rest"]["readOnly"] for field in old if "rest" in field
    }
    assert current == superseded
    assert new["name"] == "API Lead"
    assert ["email"] in new["searchableFields"]
    assert {"formula", "reference", "percent"} <= {field["dataType"] for field in new["fields"]}


def test_superseded_lead_description_has_a_field_without_rest(marketo: Marketo) -> None:
    """Not every field is one of the REST API, nor every one of SOAP."""
    old = marketo.get("/rest/v1/leads/describe.json")["result"]
    assert [field["displayName"] for field in old if "rest" not in field] == ["Legacy Segment"]
    assert any("soap" not in field for field in old)
    assert len({field["id"] for field in old}) == len(old)

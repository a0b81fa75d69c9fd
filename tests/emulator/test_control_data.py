"""The control calls about leads, activities, lists, custom objects, programs and fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.emulator.harness import Marketo


def control(marketo: Marketo, method: str, path: str, body: object = None) -> Any:
    """Return the JSON of a control call, whatever its status."""
    more: dict[str, Any] = {} if body is None else {"json": body}
    return marketo.wire.open(f"/_emulator{path}", method=method, **more).get_json()


def test_leads_come_change_merge_and_go(marketo: Marketo) -> None:
    """And each is told by an activity."""
    made = control(marketo, "POST", "/leads", {"firstName": "Ann", "leadScore": 5})
    other = control(marketo, "POST", "/leads", {})["id"]
    lead_id = made["id"]
    changed = control(marketo, "POST", f"/leads/{lead_id}", {"loyaltyTier": None, "city": "Bonn"})
    assert (made["firstName"], changed["city"]) == ("Ann", "Bonn")
    assert control(marketo, "POST", f"/leads/{lead_id}/merge", {"losers": [other]})["id"] == lead_id
    assert control(marketo, "DELETE", f"/leads/{lead_id}") == {}
    assert control(marketo, "DELETE", f"/leads/{lead_id}") == {"error": f"there is no {lead_id}"}
    today = [
        (row["activityTypeId"], row["leadId"])
        for row in control(marketo, "GET", "/activities")
        if row["activityDate"] == "2026-06-15T18:00:00+0000"
    ]
    kinds = [number for number, _ in today]
    assert (kinds.count(12), kinds.count(32), kinds.count(37)) == (2, 1, 1)


def test_activities_are_added_also_late(marketo: Marketo) -> None:
    """With whatever attributes."""
    body = {
        "activityTypeId": 1,
        "leadId": None,
        "seconds_ago": 7200,
        "primaryAttributeValueId": 4,
        "primaryAttributeValue": "Page",
        "attributes": {"x": [1, {"y": None}]},
        "campaignId": 3,
        "actionResult": "failed",
    }
    assert control(marketo, "POST", "/activities", body) == {}
    row = control(marketo, "GET", "/activities")[-1]
    assert (row["activityDate"], row["leadId"]) == ("2026-06-15T16:00:00+0000", None)
    assert row["attributes"] == [{"name": "x", "value": [1, {"y": None}]}]


def test_lists_objects_and_programs_change(marketo: Marketo) -> None:
    """By their ids and names."""
    control(marketo, "POST", "/lists/100", {"add": [7, 8]})
    control(marketo, "POST", "/lists/100", {"remove": [7]})
    assert control(marketo, "GET", "/lists")[0]["leads"] == [8]
    guid = control(marketo, "POST", "/objects/car_c", {"vin": "V1", "leadID": 7})["marketoGUID"]
    assert guid in {row["marketoGUID"] for row in control(marketo, "GET", "/objects/car_c")}
    assert control(marketo, "DELETE", f"/objects/car_c/{guid}") == {}
    assert {found["name"] for found in control(marketo, "GET", "/objects")} >= {
        "car_c",
        "warranty_c",
    }
    folder = {"type": "Program", "value": 1001, "folderName": "Outer"}
    tags = [{"tagType": "Owner", "tagValue": "Ann"}]
    changed = control(
        marketo, "POST", "/programs/1002", {"name": "New", "folder": folder, "tags": tags}
    )
    assert (changed["name"], changed["folder"], changed["tags"]) == ("New", folder, tags)
    lead_id = control(marketo, "POST", "/members/1002", {})["leadId"]
    assert lead_id in marketo.emulator.store.member_rows[1002]


def test_fields_come_change_and_go(marketo: Marketo) -> None:
    """Of leads, members and custom objects."""
    for kind in ("leads", "program_members", "car_c"):
        body = {"name": "shoeSize", "data_type": "float", "label": "Shoe Size", "length": None}
        added = control(marketo, "POST", f"/fields/{kind}", body)
        assert added[-1]["displayName"] == "Shoe Size"
        retyped = control(marketo, "POST", f"/fields/{kind}/shoeSize", {"data_type": "integer"})
        assert retyped[-1]["dataType"] == "integer"
        removed = control(marketo, "DELETE", f"/fields/{kind}/shoeSize")
        assert removed == control(marketo, "GET", f"/fields/{kind}")
        assert "shoeSize" not in {field["name"] for field in removed}


@pytest.mark.parametrize(
    ("method", "path", "body", "error"),
    [
        ("POST", "/leads", {"nope": 1}, "there is no 'nope'"),
        ("POST", "/leads", {"id": 5}, '"id" cannot be changed; '),
        ("POST", "/leads", {"leadScore": "5"}, '"leadScore" is "5", not integer or null; '),
        ("POST", "/leads", {"city": 5}, '"city" is 5, not text or null; '),
        ("POST", "/leads", {"updatedAt": "yesterday"}, '"updatedAt" is "yesterday", not moment'),
        ("POST", "/leads", {"dateOfBirth": "1.2.2020"}, '"dateOfBirth" is "1.2.2020", not date'),
        ("POST", "/leads", {"isReference": 1}, '"isReference" is 1, not true or false or null; '),
        ("POST", "/leads/9999", {}, "there is no 9999"),
        ("POST", "/leads/1/merge", {"losers": []}, "a merge needs 1 to 25 leads"),
        ("POST", "/leads/1/merge", {"losers": [9999]}, "there is no 9999"),
        ("POST", "/leads/1/merge", {}, '"losers" is missing; '),
        ("POST", "/lists/7", {"add": [1]}, "there is no 7"),
        ("POST", "/lists/100", {"add": [9999]}, "there is no 9999"),
        ("POST", "/objects/nope", {}, "there is no 'nope'"),
        ("POST", "/objects/car_c", {"marketoGUID": "x"}, '"marketoGUID" cannot be changed; '),
        ("DELETE", "/objects/car_c/x", None, "there is no 'x'"),
        ("POST", "/activities", {"leadId": 1}, '"activityTypeId" is missing; '),
        ("POST", "/activities", {"activityTypeId": 1, "attributes": []}, '"attributes" is a list'),
        ("POST", "/members/9999", {}, "there is no 9999"),
        ("POST", "/members/1001", {"leadId": 9999}, "there is no 9999"),
        ("POST", "/programs/9999", {"name": "x"}, "there is no 9999"),
        ("POST", "/programs/1001", {"folder": {"id": 1}}, '"folder" is an object, not object {"ty'),
        ("POST", "/programs/1001", {"tags": [{}]}, '"tags" is a list, not list of objects'),
        ("POST", "/fields/nope", {"name": "x", "data_type": "float"}, "there is no 'nope'"),
        ("POST", "/fields/leads", {"name": "x"}, '"data_type" is missing; '),
        ("POST", "/fields/leads", {"name": "", "data_type": "float"}, '"name" is "", not text'),
        ("POST", "/fields/leads", {"name": "x", "data_type": "colour"}, '"data_type" is "colour"'),
        ("POST", "/fields/leads", {"name": "city", "data_type": "text"}, "there is already"),
        ("POST", "/fields/leads/id", {"data_type": "text"}, "the data type of 'id' is fixed"),
        ("DELETE", "/fields/leads/nope", None, "there is no 'nope'"),
    ],
)
def test_what_makes_no_sense_changes_nothing(
    marketo: Marketo, method: str, path: str, body: object, error: str
) -> None:
    """And is answered with what was wrong."""
    store = marketo.emulator.store
    before = list(store.leads()), list(store.members()), list(store.object_rows("car_c"))
    answer = control(marketo, method, path, body)
    assert answer["error"].startswith(error)
    after = list(store.leads()), list(store.members()), list(store.object_rows("car_c"))
    assert after == before

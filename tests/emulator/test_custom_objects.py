"""Custom objects: metadata, export, deletion."""

from __future__ import annotations

import csv
import io
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from tests.emulator.harness import NOON, refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.emulator.harness import Marketo

LIST = "/rest/v1/customobjects.json"
TODAY = {"startAt": "2026-06-15T17:30:00Z", "endAt": "2026-06-15T19:00:00Z"}
CARS = "customobjects/car_c"


def create(name: str) -> str:
    """Return the path of a create call."""
    return f"/bulk/v1/customobjects/{name}/export/create.json"


def rows(marketo: Marketo, name: str, fields: list[str], **conditions: Any) -> list[dict[str, str]]:
    """Return the rows of an export."""
    marketo.emulator.revoke_tokens()
    marketo.sign_in()
    text = marketo.export(fields, f"customobjects/{name}", **conditions).decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_list_has_everything_but_fields(marketo: Marketo) -> None:
    """Without the draft."""
    listed = {found["name"]: found for found in marketo.get(LIST)["result"]}
    assert set(listed) == {
        "car_c", "trackSubscription_c", "track_c", "purchaseHistory", "supplier_c"
    }  # fmt: skip
    assert all("fields" not in found for found in listed.values())
    assert listed["trackSubscription_c"]["dedupeFields"] == ["leadID", "trackID"]
    assert listed["car_c"]["idField"] == "marketoGUID"
    assert listed["car_c"]["relationships"] == [
        {"field": "leadID", "type": "child", "relatedTo": {"name": "Lead", "field": "Id"}}
    ]
    assert [found["name"] for found in marketo.get(LIST, names="track_c,car_c")["result"]] == [
        "track_c", "car_c"
    ]  # fmt: skip


def test_describe_has_the_fields(marketo: Marketo) -> None:
    """With one type that is spelt with a capital."""
    described = marketo.get("/rest/v1/customobjects/car_c/describe.json")["result"][0]
    fields = {field["name"]: field for field in described["fields"]}
    assert fields["model"]["dataType"] == "String"
    assert fields["marketoGUID"] == {
        "name": "marketoGUID",
        "displayName": "Marketo GUID",
        "dataType": "string",
        "length": 36,
        "updateable": False,
        "crmManaged": False,
    }


def test_metadata_has_other_keys_by_option(make: Callable[..., Marketo]) -> None:
    """As OpenAPI, and as one of the samples."""
    marketo = make(
        object_name_key="apiName", object_relation="object", object_relation_type="parent"
    )
    found = marketo.get("/rest/v1/customobjects/car_c/describe.json")["result"][0]
    assert "name" not in found
    assert found["apiName"] == "car_c"
    assert found["relationships"][0]["type"] == "parent"
    assert found["relationships"][0]["object"]["name"] == "Lead"


@pytest.mark.parametrize("name", ["nope", "warranty_c", "Car_C", "car"])
@pytest.mark.parametrize("code", ["1013", "610"])
def test_unknown_objects_are_refused(make: Callable[..., Marketo], name: str, code: str) -> None:
    """A draft, and a name in other letter case, too."""
    marketo = make(unknown_object_code=code)
    body = {"fields": ["marketoGUID"], "filter": {"updatedAt": TODAY}}
    answers = [
        marketo.get(f"/rest/v1/customobjects/{name}/describe.json"),
        marketo.get(LIST, names=name),
        marketo.post(create(name), body),
    ]
    assert [refusal(answer)[0] for answer in answers] == [code] * 3


def test_objects_can_be_switched_off(make: Callable[..., Marketo]) -> None:
    """With 1026 everywhere."""
    marketo = make(custom_objects_enabled=False)
    body = {"fields": ["marketoGUID"], "filter": {"updatedAt": TODAY}}
    answers = [
        marketo.get(LIST),
        marketo.get("/rest/v1/customobjects/car_c/describe.json"),
        marketo.post(create("car_c"), body),
    ]
    assert [refusal(answer)[0] for answer in answers] == ["1026"] * 3


@pytest.mark.parametrize("name", ["track_c", "supplier_c"])
@pytest.mark.parametrize("code", ["1003", "610"])
def test_objects_not_linked_to_leads_are_not_exported(
    make: Callable[..., Marketo], name: str, code: str
) -> None:
    """One behind another object, and one of companies."""
    body = {"fields": ["marketoGUID"], "filter": {"updatedAt": TODAY}}
    assert make(unexportable_object_code=code).error(create(name), body)[0] == code


def test_export_holds_what_the_store_has(marketo: Marketo) -> None:
    """In all windows together: each record once, with the spelling asked for."""
    fields = ["marketoGUID", "leadId", "vin", "isLeased", "price", "purchasedOn", "serviceNotes"]
    found, start = [], datetime(2025, 5, 1, tzinfo=timezone.utc)
    while start < NOON:
        end = start + timedelta(days=31, seconds=-1)
        span = {"startAt": f"{start:%Y-%m-%dT%H:%M:%SZ}", "endAt": f"{end:%Y-%m-%dT%H:%M:%SZ}"}
        found += rows(marketo, "car_c", fields, updatedAt=span)
        start = end + timedelta(seconds=1)
    stored = {row["marketoGUID"]: row for row in marketo.emulator.store.object_rows("car_c")}
    assert list(found[0]) == fields
    assert sorted(row["marketoGUID"] for row in found) == sorted(map(str, stored))
    for row in found:
        record = stored[row["marketoGUID"]]
        assert row["leadId"] == str(record["leadID"])
        assert (
            row["isLeased"]
            == {"True": "true", "False": "false", "None": "null"}[str(record["isLeased"])]
        )
        assert row["serviceNotes"] == (record["serviceNotes"] or "null")


def test_changed_record_is_in_a_later_window(marketo: Marketo) -> None:
    """Made or changed by its dedupe fields, in any letter case."""
    store = marketo.emulator.store
    guid = store.put_object("car_c", vin="V1", leadID=7)
    assert store.put_object("car_c", vin="v1", make="Saab") == guid
    assert rows(marketo, "car_c", ["marketoGUID", "make"], updatedAt=TODAY) == [
        {"marketoGUID": guid, "make": "Saab"}
    ]
    store.remove_object("car_c", guid)
    assert rows(marketo, "car_c", ["marketoGUID"], updatedAt=TODAY) == []


def test_lists_choose_leads_whose_records_come(marketo: Marketo) -> None:
    """By id or by address, whatever the link is."""
    store = marketo.emulator.store
    guid = store.put_object("car_c", vin="V1", leadID=7)
    email = str(store.lead(7)["email"]).upper()
    bought = store.put_object("purchaseHistory", leadEmail=email, productName="Lamp")
    store.put_on_list(100, [7])
    cars = rows(marketo, "car_c", ["marketoGUID"], staticListId=100)
    lamps = rows(marketo, "purchaseHistory", ["marketoGUID"], staticListName="Newsletter readers")
    assert guid in {row["marketoGUID"] for row in cars}
    assert bought in {row["marketoGUID"] for row in lamps}
    assert len(cars) == sum(row["leadID"] == 7 for row in store.object_rows("car_c"))


@pytest.mark.parametrize("exported", [True, False])
def test_orphans_are_exported_by_date(make: Callable[..., Marketo], *, exported: bool) -> None:
    """Or not, by option."""
    marketo = make(orphans_exported=exported)
    marketo.emulator.store.put_object("car_c", vin="V1", leadID=99_999)
    assert len(rows(marketo, "car_c", ["vin"], updatedAt=TODAY)) == int(exported)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"filter": {"updatedAt": TODAY}}, "1002"),
        ({"fields": [], "filter": {"updatedAt": TODAY}}, "1002"),
        ({"fields": ["vin"]}, "1003"),
        ({"fields": ["vin"], "filter": {}}, "1003"),
        ({"fields": ["vin"], "filter": {"createdAt": TODAY}}, "1003"),
        ({"fields": ["vin"], "filter": {"updatedAt": TODAY, "staticListId": 100}}, "1003"),
        ({"fields": ["vin"], "filter": {"smartListId": 200}}, "1035"),
        ({"fields": ["vin"], "filter": {"staticListId": 7}}, "1013"),
        ({"fields": ["vin", "nope"], "filter": {"updatedAt": TODAY}}, "1003"),
        ({"fields": ["vin"], "format": "XML", "filter": {"updatedAt": TODAY}}, "1003"),
    ],
)
def test_creates_that_make_no_sense_are_refused(
    marketo: Marketo, body: dict[str, Any], code: str
) -> None:
    """With a code that says of which kind."""
    assert marketo.error(create("car_c"), body)[0] == code


def test_updated_at_may_be_missing(make: Callable[..., Marketo]) -> None:
    """By option, as for members."""
    marketo = make(object_updated_at_filter_supported=False)
    body = {"fields": ["vin"], "filter": {"updatedAt": TODAY}}
    assert marketo.error(create("car_c"), body)[0] == "1035"


def test_fields_may_be_refused(make: Callable[..., Marketo]) -> None:
    """As for members, all of them named."""
    marketo = make(refused_fields=("make", "model"))
    body = {"fields": ["vin", "make", "model"], "filter": {"updatedAt": TODAY}}
    assert marketo.error(create("car_c"), body)[1] == "Invalid fields [make, model]"


def test_job_is_found_under_its_own_name_alone(marketo: Marketo) -> None:
    """Its status, its file and its place in the list."""
    export_id = marketo.create(["vin"], CARS, updatedAt=TODAY)
    other = f"/bulk/v1/customobjects/purchaseHistory/export/{export_id}"
    assert refusal(marketo.get(f"{other}/status.json"))[0] == "1013"
    assert refusal(marketo.post(f"{other}/enqueue.json"))[0] == "1013"
    assert marketo.send("GET", f"{other}/file.json").status_code == 404
    assert len(marketo.get(f"/bulk/v1/{CARS}/export.json")["result"]) == 1
    assert marketo.get("/bulk/v1/customobjects/purchaseHistory/export.json")["result"] == []


def test_empty_object_has_a_file_as_any_job_without_rows(marketo: Marketo) -> None:
    """The header alone."""
    assert marketo.export(["vin"], CARS, updatedAt=TODAY) == b"vin\n"


def test_records_are_deleted_by_call(marketo: Marketo) -> None:
    """By dedupe fields or by id; one that is not there is skipped."""
    store = marketo.emulator.store
    store.put_object("car_c", vin="V1", leadID=7)
    guid = store.put_object("car_c", vin="V2", leadID=7)
    path = "/rest/v1/customobjects/car_c/delete.json"
    by_key = marketo.post(
        path, {"deleteBy": "dedupeFields", "input": [{"vin": "V1"}, {"vin": "V9"}]}
    )
    by_id = marketo.post(path, {"deleteBy": "idField", "input": [{"marketoGUID": guid}, 5]})
    assert [row["status"] for row in by_key["result"]] == ["deleted", "skipped"]
    assert [row["status"] for row in by_id["result"]] == ["deleted", "skipped"]
    assert by_key["result"][1]["reasons"][0]["code"] == "1013"
    assert not {"V1", "V2"} & {row["vin"] for row in store.object_rows("car_c")}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "1003"),
        ({"input": []}, "1003"),
        ({"input": [{}] * 301}, "1003"),
        ({"input": [{}], "deleteBy": "name"}, "1001"),
    ],
)
def test_deletion_that_makes_no_sense_is_refused(
    marketo: Marketo, body: dict[str, Any], code: str
) -> None:
    """With a code that says of which kind."""
    assert marketo.error("/rest/v1/customobjects/car_c/delete.json", body)[0] == code


def test_schema_calls_need_another_subscription(marketo: Marketo) -> None:
    """616."""
    assert refusal(marketo.get("/rest/v1/customobjects/schema.json"))[0] == "616"

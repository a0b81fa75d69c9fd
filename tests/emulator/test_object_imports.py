"""The import of custom objects."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest

from tests.emulator.harness import refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.emulator.harness import Marketo

BASE = "/bulk/v1/customobjects"


def upload(marketo: Marketo, text: str, name: str = "car_c") -> dict[str, Any]:
    """Post a file and return the answer."""
    data = {"file": (BytesIO(text.encode()), "objects.csv")}
    reply = marketo.send("POST", f"{BASE}/{name}/import.json?format=csv", data=data)
    return dict(reply.get_json())


def run(marketo: Marketo, text: str, name: str = "car_c") -> dict[str, Any]:
    """Import a file to its end and return the last status."""
    batch_id = upload(marketo, text, name)["result"][0]["batchId"]
    marketo.clock.advance(600)
    return dict(marketo.get(f"{BASE}/{name}/import/{batch_id}/status.json")["result"][0])


def record(marketo: Marketo, vin: str) -> dict[str, Any]:
    """Return the car with this number."""
    (found,) = [row for row in marketo.emulator.store.object_rows("car_c") if row["vin"] == vin]
    return found


def test_answer_and_status_have_words_of_their_own(marketo: Marketo) -> None:
    """No importId, another counter, and "members" for objects."""
    reply = upload(marketo, "vin,leadID\nV1,7\nV2,8\n")
    assert reply["result"] == [{"batchId": 3401, "status": "Queued", "objectApiName": "car_c"}]
    marketo.clock.advance(600)
    assert marketo.get(f"{BASE}/car_c/import/3401/status.json")["result"] == [
        {
            "batchId": 3401,
            "status": "Complete",
            "objectApiName": "car_c",
            "operation": "import",
            "importTime": "90 second(s)",
            "numOfObjectsProcessed": 2,
            "numOfRowsFailed": 0,
            "numOfRowsWithWarning": 0,
            "message": "Import succeeded, 2 records imported (2 members)",
        }
    ]


def test_records_are_made_and_changed_by_their_key(marketo: Marketo) -> None:
    """In any letter case; an empty cell leaves a value alone."""
    run(marketo, "vin,leadID,make,price\nV1,7,Saab,1.5\n")
    made = record(marketo, "V1")
    run(marketo, "vin,make,model\nv1,,900\n")
    changed = record(marketo, "v1")
    assert (changed["marketoGUID"], changed["make"]) == (made["marketoGUID"], "Saab")
    assert (changed["model"], changed["price"]) == ("900", 1.5)
    assert changed["createdAt"] < changed["updatedAt"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (" vin,leadID\nV1,7\n", "missing.dedupe.fields"),
        ("VIN,leadID\nV1,7\n", "missing.dedupe.fields"),
        ("leadID\n7\n", "missing.dedupe.fields"),
        ("vin,leadID\n,7\n", "missing.dedupe.fields"),
        ("vin,leadID\nV1,99999\n", "Lead not found"),
        ("vin,modelYear\nV1,2020.5\n", "Invalid data type in field Model Year"),
        ("vin,isLeased\nV1,yes\n", "Invalid data type in field Is Leased"),
        ("vin,purchasedOn\nV1,1.2.2020\n", "Invalid data type in field Purchased On"),
        ("vin,marketoGUID\nV1,x\n", "Field 'marketoGUID' is read only"),
        ("vin,nope\nV1,x\n", "Field 'nope' not found"),
        (f"vin,make\nV1,{'x' * 256}\n", "Value too long in field Make"),
    ],
)
def test_rows_that_fail_are_in_the_failures_file(marketo: Marketo, text: str, reason: str) -> None:
    """With the header as it came, blanks and all; the job is complete."""
    status = run(marketo, text)
    assert (status["status"], status["numOfObjectsProcessed"]) == ("Complete", 0)
    assert status["numOfRowsFailed"] == 1
    failures = marketo.send("GET", f"{BASE}/car_c/import/3401/failures.json").data.decode()
    header, row = text.splitlines()
    assert failures == f"{header},Import Failure Reason\n{row},{reason}\n"
    assert marketo.send("GET", f"{BASE}/car_c/import/3401/warnings.json").status_code == 404


def test_unknown_link_is_stored_by_option(make: Callable[..., Marketo]) -> None:
    """As an orphan."""
    marketo = make(unknown_link="store")
    assert run(marketo, "vin,leadID\nV1,99999\n")["numOfObjectsProcessed"] == 1
    assert record(marketo, "V1")["leadID"] == 99_999


def test_link_by_address_ignores_letter_case(marketo: Marketo) -> None:
    """And a compound key is two columns."""
    text = (
        "leadEmail,productName,quantity\nPERSON7@example.com,Lamp,1\nperson7@example.com,lamp,2\n"
    )
    status = run(marketo, text, "purchaseHistory")
    assert status["message"] == "Import succeeded, 2 records imported (1 members)"


def test_edge_object_can_be_imported_though_not_exported(marketo: Marketo) -> None:
    """It has no link to leads."""
    assert run(marketo, "trackID,room\nT9,Attic\n", "track_c")["numOfObjectsProcessed"] == 1


@pytest.mark.parametrize("name", ["nope", "warranty_c", "CAR_C"])
def test_unknown_object_is_refused(marketo: Marketo, name: str) -> None:
    """A draft, too."""
    assert refusal(upload(marketo, "vin\nV1\n", name))[0] == "1013"


def test_objects_can_be_switched_off(make: Callable[..., Marketo]) -> None:
    """With 1026."""
    assert refusal(upload(make(custom_objects_enabled=False), "vin\nV1\n"))[0] == "1026"


def test_batch_is_found_under_its_own_name_alone(marketo: Marketo) -> None:
    """The status, and the files."""
    upload(marketo, "vin\n\n V1\n")
    for what in ("status", "failures", "warnings"):
        reply = marketo.get(f"{BASE}/track_c/import/3401/{what}.json")
        assert refusal(reply)[0] == "1013"


@pytest.mark.parametrize("policy", ["refuse", "fail_job", "ignore"])
def test_unknown_column_follows_the_option(make: Callable[..., Marketo], policy: str) -> None:
    """As for leads."""
    marketo = make(unknown_import_column=policy)
    text = "vin,nope\nV1,x\n"
    if policy == "refuse":
        assert refusal(upload(marketo, text))[0] == "1006"
        return
    status = run(marketo, text)
    assert status["status"] == {"fail_job": "Failed", "ignore": "Complete"}[policy]

"""The import of program members."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest

from marketo_emulator import Fault
from tests.emulator.harness import refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.emulator.harness import Marketo

TODAY = {"startAt": "2026-06-15T17:30:00Z", "endAt": "2026-06-15T19:00:00Z"}
TRADE_SHOW = 1005


def upload(
    marketo: Marketo, text: str, program_id: int = TRADE_SHOW, **parameters: str
) -> dict[str, Any]:
    """Post a file and return the answer."""
    query = {"format": "csv", "programMemberStatus": "On List", **parameters}
    return dict(
        marketo.send(
            "POST",
            f"/bulk/v1/program/{program_id}/members/import.json",
            query_string={name: value for name, value in query.items() if value},
            data={"file": (BytesIO(text.encode()), "members.csv")},
        ).get_json()
    )


def path(batch_id: int, what: str = "status") -> str:
    """Return the path of a call about a batch: without the program."""
    return f"/bulk/v1/program/members/import/{batch_id}/{what}.json"


def run(marketo: Marketo, text: str, **parameters: Any) -> dict[str, Any]:
    """Import a file to its end and return the last status."""
    batch_id = upload(marketo, text, **parameters)["result"][0]["batchId"]
    marketo.clock.advance(600)
    return dict(marketo.get(path(batch_id))["result"][0])


def member(marketo: Marketo, email: str) -> dict[str, Any]:
    """Return the membership of the person with this address."""
    store = marketo.emulator.store
    (lead,) = [lead for lead in store.leads() if lead["email"] == email]
    return store.member(TRADE_SHOW, int(lead["id"] or 0))


def test_answer_and_status_are_as_for_leads(marketo: Marketo) -> None:
    """With one id in two types, and counters at the end."""
    reply = upload(marketo, "email\nnew@example.com\n\n")
    assert reply["result"] == [{"batchId": 3401, "importId": "3401", "status": "Queued"}]
    marketo.clock.advance(600)
    assert marketo.get(path(3401))["result"] == [
        {
            "batchId": 3401,
            "importId": "3401",
            "status": "Complete",
            "numOfLeadsProcessed": 1,
            "numOfRowsFailed": 0,
            "numOfRowsWithWarning": 0,
            "message": "Import succeeded, 1 records imported (1 members)",
        }
    ]


def test_new_person_becomes_lead_and_member(marketo: Marketo) -> None:
    """Acquired by the program, with the status of the file, fields of both kinds set."""
    run(marketo, "email,firstName,eventRole,guestCount\nnew@example.com,Ann,Host,3\n")
    made = member(marketo, "new@example.com")
    lead = marketo.emulator.store.lead(int(made["leadId"]))
    assert (made["statusName"], made["eventRole"], made["guestCount"]) == ("On List", "Host", 3)
    assert (made["acquiredBy"], lead["acquisitionProgramId"]) == (True, str(TRADE_SHOW))
    assert (lead["firstName"], made["membershipDate"]) == ("Ann", "2026-06-15T18:01:30Z")


def test_known_person_keeps_the_rest(marketo: Marketo) -> None:
    """Found by address in any letter case; a member already is updated."""
    store = marketo.emulator.store
    store.add_member(TRADE_SHOW, 7, statusName="On List", eventRole="Press")
    before = store.lead(7)
    run(
        marketo,
        "email,dietaryNotes\nPERSON7@example.com,none\n",
        programMemberStatus="Visited Booth",
    )
    after = store.member(TRADE_SHOW, 7)
    assert (after["statusName"], after["eventRole"]) == ("Visited Booth", "Press")
    assert after["dietaryNotes"] == "none"
    assert store.lead(7)["firstName"] == before["firstName"]


def test_success_step_is_noted(marketo: Marketo) -> None:
    """And so is the status, as an activity of the program."""
    run(marketo, "email\nnew@example.com\n", programMemberStatus='Met "VIP" 🦩')
    made = member(marketo, "new@example.com")
    assert (made["reachedSuccess"], made["reachedSuccessDate"]) == (True, "2026-06-15T18:01:30Z")
    told = marketo.export(
        ["leadId", "activityTypeId", "primaryAttributeValueId"], "activities", createdAt=TODAY
    ).decode()
    lead_id = made["leadId"]
    assert told.split()[1:] == [f"{lead_id},12,{lead_id}", f"{lead_id},104,{TRADE_SHOW}"]


@pytest.mark.parametrize(
    ("program_id", "parameters", "code"),
    [
        (9999, {}, "1013"),
        (TRADE_SHOW, {"programMemberStatus": ""}, "1002"),
        (TRADE_SHOW, {"format": ""}, "1002"),
        (TRADE_SHOW, {"format": "xml"}, "1001"),
        (TRADE_SHOW, {"programMemberStatus": "Attended"}, "1025"),
        (TRADE_SHOW, {"programMemberStatus": "on list"}, "1025"),
        (TRADE_SHOW, {"programMemberStatus": "On List "}, "1025"),
        (TRADE_SHOW, {"programMemberStatus": "Not in Program"}, "1025"),
    ],
)
def test_what_makes_no_sense_is_refused(
    marketo: Marketo, program_id: int, parameters: dict[str, str], code: str
) -> None:
    """At the POST, with a code that says of which kind."""
    assert refusal(upload(marketo, "email\na@example.com\n", program_id, **parameters))[0] == code


@pytest.mark.parametrize("format_", ["csv", "CSV", "tsv", "SSV"])
def test_format_is_taken_in_any_letter_case(marketo: Marketo, format_: str) -> None:
    """Guide and OpenAPI differ."""
    delimiter = {"csv": ",", "tsv": "\t", "ssv": ";"}[format_.lower()]
    text = f"email{delimiter}firstName\nnew@example.com{delimiter}Ann\n"
    assert run(marketo, text, format=format_)["numOfLeadsProcessed"] == 1


def test_parameters_may_come_as_parts(marketo: Marketo) -> None:
    """As curl sends them in the guide."""
    reply = marketo.send(
        "POST",
        f"/bulk/v1/program/{TRADE_SHOW}/members/import.json",
        data={
            "format": "csv",
            "programMemberStatus": "On List",
            "file": (BytesIO(b"email\na@example.com\n"), "f.csv"),
        },
    )
    assert reply.get_json()["success"] is True


def test_options_let_more_statuses_in(make: Callable[..., Marketo]) -> None:
    """Other letter case, and the end of a membership."""
    marketo = make(status_case_matters=False, not_in_program_refused=False)
    run(marketo, "email\nnew@example.com\n", programMemberStatus="ON LIST")
    assert member(marketo, "new@example.com")["statusName"] == "On List"
    run(marketo, "email\nnew@example.com\n", programMemberStatus="Not in Program")
    with pytest.raises(KeyError):
        member(marketo, "new@example.com")


def test_unknown_status_may_fail_the_job(make: Callable[..., Marketo]) -> None:
    """Instead of the call."""
    marketo = make(unknown_status="fail_job")
    status = run(marketo, "email\nnew@example.com\n", programMemberStatus="Nope")
    assert (status["status"], status["numOfLeadsProcessed"]) == ("Failed", 0)
    assert "Program status not found" in status["message"]


def test_email_program_may_refuse(make: Callable[..., Marketo]) -> None:
    """Or take members, which is the default."""
    text, status = "email\na@example.com\n", {"programMemberStatus": "Sent"}
    assert upload(make(), text, 1001, **status)["success"] is True
    refused = upload(make(email_program_refused=True), text, 1001, **status)
    assert refusal(refused)[0] == "1003"


@pytest.mark.parametrize(
    ("policy", "processed", "failed", "warned", "status"),
    [
        ("keep", 1, 0, 0, "Visited Booth"),
        ("warn", 1, 0, 1, "Visited Booth"),
        ("fail_row", 0, 1, 0, "Visited Booth"),
        ("apply", 1, 0, 0, "On List"),
    ],
)
def test_earlier_status(
    make: Callable[..., Marketo], policy: str, processed: int, failed: int, warned: int, status: str
) -> None:
    """Is kept out in one of several ways, or not; the rest of the row counts, unless it failed."""
    marketo = make(status_regression=policy)
    store = marketo.emulator.store
    store.add_member(TRADE_SHOW, 7, statusName="Visited Booth", eventRole="Press")
    ended = run(marketo, "email,eventRole\nperson7@example.com,Host\n")
    after = store.member(TRADE_SHOW, 7)
    assert ended["numOfLeadsProcessed"] == processed
    assert (ended["numOfRowsFailed"], ended["numOfRowsWithWarning"]) == (failed, warned)
    assert after["statusName"] == status
    assert after["eventRole"] == ("Press" if failed else "Host")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("email,city\n,Bonn\n", "missing.dedupe.fields"),
        ("city\nBonn\n", "missing.dedupe.fields"),
        ("email,leadScore\na@example.com,x\n", "Invalid data type in field Lead Score"),
        ("email,guestCount\na@example.com,1.5\n", "Invalid data type in field Guest Count"),
        ("email,statusName\na@example.com,Sent\n", "Field 'statusName' is read only"),
        ("email,nope\na@example.com,1\n", "Field 'nope' not found"),
        (" email\na@example.com\n", "missing.dedupe.fields"),
    ],
)
def test_rows_that_fail_are_in_the_failures_file(marketo: Marketo, text: str, reason: str) -> None:
    """With the reason as one more column; the lead is not made."""
    leads = len(marketo.emulator.store.lead_rows)
    status = run(marketo, text)
    assert (status["numOfLeadsProcessed"], status["numOfRowsFailed"]) == (0, 1)
    header, row = marketo.send("GET", path(3401, "failures")).data.decode().splitlines()
    assert header.endswith(",Import Failure Reason")
    assert row.endswith(f",{reason}")
    assert len(marketo.emulator.store.lead_rows) == leads
    assert marketo.send("GET", path(3401, "warnings")).status_code == 404


def test_row_with_a_warning_is_imported(marketo: Marketo) -> None:
    """Though the address is none."""
    status = run(marketo, "email\nnobody\n")
    assert (status["numOfLeadsProcessed"], status["numOfRowsWithWarning"]) == (1, 1)
    warnings = marketo.send("GET", path(3401, "warnings")).data
    assert warnings == b"email,Import Warning Reason\nnobody,Invalid email address\n"


def test_of_people_with_one_address_the_last_changed_is_taken(marketo: Marketo) -> None:
    """And only that one."""
    store = marketo.emulator.store
    store.change_lead(3, email="same@example.com")
    marketo.clock.advance(5)
    store.change_lead(2, email="same@example.com")
    run(marketo, "email\nsame@example.com\n")
    assert 2 in store.member_rows[TRADE_SHOW]


def test_later_row_wins(marketo: Marketo) -> None:
    """Two rows of one address make one member."""
    status = run(marketo, "email,eventRole\na@example.com,One\nA@example.com,Two\n")
    assert status["message"] == "Import succeeded, 2 records imported (1 members)"
    assert member(marketo, "a@example.com")["eventRole"] == "Two"


def test_program_deleted_meanwhile_fails_the_job(marketo: Marketo) -> None:
    """With a message."""
    batch_id = upload(marketo, "email\na@example.com\n")["result"][0]["batchId"]
    marketo.emulator.store.remove_program(TRADE_SHOW)
    marketo.clock.advance(600)
    status = marketo.get(path(batch_id))["result"][0]
    assert (status["status"], status["message"]) == ("Failed", "Import failed: Program not found")


def test_all_imports_share_one_queue(make: Callable[..., Marketo]) -> None:
    """Leads, members and custom objects together."""
    marketo = make(max_queued_imports=2)
    upload(marketo, "email\na@example.com\n")
    file = {"file": (BytesIO(b"vin\nV1\n"), "f.csv")}
    marketo.send("POST", "/bulk/v1/customobjects/car_c/import.json?format=csv", data=file)
    leads = {"file": (BytesIO(b"email\na@example.com\n"), "f.csv")}
    full = marketo.send("POST", "/bulk/v1/leads.json?format=csv", data=leads).get_json()
    assert refusal(full)[0] == "1016"


def test_batch_is_found_under_its_own_kind_alone(marketo: Marketo) -> None:
    """Elsewhere it is unknown."""
    batch_id = upload(marketo, "email\na@example.com\n")["result"][0]["batchId"]
    for other in (
        f"/bulk/v1/leads/batch/{batch_id}.json",
        f"/bulk/v1/customobjects/car_c/import/{batch_id}/status.json",
    ):
        assert refusal(marketo.get(other))[0] == "1013"


def test_job_can_be_made_to_fail_by_kind(marketo: Marketo) -> None:
    """The path of the fault says which."""
    marketo.emulator.faults.add(
        Fault(operation="import.job", path="leads", outcome="Failed"),
        Fault(operation="import.job", path="program/members", outcome="Failed", message="No."),
    )
    status = run(marketo, "email\na@example.com\n")
    assert (status["status"], status["message"]) == ("Failed", "No.")
    assert marketo.emulator.faults.fired() == [0, 1]


def test_body_is_as_long_as_an_import_may_be(make: Callable[..., Marketo]) -> None:
    """Longer than other bodies, and 413 from its own limit on."""
    marketo = make(max_body_bytes=1000, max_import_body_bytes=5000)
    fits = upload(marketo, "email\n" + "a@example.com\n" * 200)
    assert fits["success"] is True
    content = BytesIO(b"email\n" + b"a@example.com\n" * 400)
    reply = marketo.send(
        "POST", f"/bulk/v1/program/{TRADE_SHOW}/members/import.json", data={"file": (content, "f")}
    )
    assert reply.status_code == 413

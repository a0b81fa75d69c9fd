"""The body of a create call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.emulator.harness import refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.emulator.harness import Marketo

CREATE = "/bulk/v1/program/members/export/create.json"
LEADS = "/bulk/v1/leads/export/create.json"
PROGRAM = {"programId": 1001}
BAD_FILTER = ("1003", "Invalid value specified for attribute 'filter'")


def header(content: bytes) -> str:
    """Return the first line."""
    return content.split(b"\n")[0].decode()


def test_invalid_fields_are_all_named(marketo: Marketo) -> None:
    """The refusal lists every field it does not know, as it was spelt."""
    body = {"fields": ["leadId", "nope", "NOR this"], "filter": PROGRAM}
    assert marketo.error(CREATE, body) == ("1003", "Invalid fields [nope, NOR this]")


def test_formula_is_described_but_refused(marketo: Marketo) -> None:
    """Formula fields are not exported."""
    body = {"fields": ["greeting"], "filter": PROGRAM}
    assert marketo.error(CREATE, body) == ("1003", "Invalid fields [greeting]")


def test_formula_is_exported_by_option(make: Callable[..., Marketo]) -> None:
    """Nobody knows for certain."""
    marketo = make(formula_fields_exported=True)
    assert header(marketo.export(["greeting"], programId=1001)) == "greeting"


def test_fields_refused_by_option_are_named(make: Callable[..., Marketo]) -> None:
    """An instance may refuse what it describes."""
    marketo = make(refused_fields=("webinarUrl", "city"))
    body = {"fields": ["leadId", "webinarUrl", "city"], "filter": PROGRAM}
    assert marketo.error(CREATE, body) == ("1003", "Invalid fields [webinarUrl, city]")


@pytest.mark.parametrize("fields", [None, [], "leadId"])
def test_fields_are_required(marketo: Marketo, fields: object) -> None:
    """A list, and not an empty one."""
    assert marketo.error(CREATE, {"fields": fields, "filter": PROGRAM}) == (
        "1002",
        "Missing value for required parameter 'fields'",
    )


@pytest.mark.parametrize("conditions", [None, {}, [], {"colour": "red"}, {"programIds": []}])
def test_filter_is_required(marketo: Marketo, conditions: object) -> None:
    """An object of known conditions, with the text seen on the wire."""
    assert marketo.error(CREATE, {"fields": ["leadId"], "filter": conditions}) in (
        BAD_FILTER,
        ("1003", "Exactly one of 'programId' and 'programIds' must be specified"),
    )


@pytest.mark.parametrize("more", [{"format": "XML"}, {"format": 1}, {"columnHeaderNames": ["x"]}])
def test_other_attributes_are_checked(marketo: Marketo, more: dict[str, Any]) -> None:
    """A value that means nothing is refused under its name."""
    code, text = marketo.error(CREATE, {"fields": ["leadId"], "filter": PROGRAM, **more})
    assert (code, text) == ("1003", f"Invalid value specified for attribute '{next(iter(more))}'")


def test_body_that_is_no_json_is_609(marketo: Marketo) -> None:
    """A body must parse."""
    reply = marketo.send("POST", CREATE, data=b"{", content_type="application/json")
    assert refusal(reply.get_json()) == ("609", "Invalid JSON")


def test_body_that_is_no_object_is_1003(marketo: Marketo) -> None:
    """A list is JSON, but not a request."""
    assert marketo.error(CREATE, [1])[0] == "1003"


def test_body_of_another_type_is_612(marketo: Marketo) -> None:
    """The content type must be JSON's."""
    reply = marketo.send("POST", CREATE, data=b"{}", content_type="text/plain")
    assert refusal(reply.get_json()) == ("612", "Invalid Content Type")


def test_columns_follow_the_request_in_its_spelling(marketo: Marketo) -> None:
    """Order and letter case of the header are those of `fields`, not of describe."""
    content = marketo.export(["statusName", "LEADID", "firstName"], programId=1001)
    assert header(content) == "statusName,LEADID,firstName"


def test_header_names_can_be_mapped(marketo: Marketo) -> None:
    """`columnHeaderNames` wins; a field it leaves out keeps its own name."""
    body = {
        "fields": ["leadId", "statusName"],
        "filter": PROGRAM,
        "columnHeaderNames": {"leadId": "Lead, id"},
    }
    export_id = marketo.post(CREATE, body)["result"][0]["exportId"]
    marketo.enqueue(export_id)
    marketo.clock.advance(600)
    assert header(marketo.file(export_id).data) == '"Lead, id",statusName'


def test_header_names_are_labels_by_option(make: Callable[..., Marketo]) -> None:
    """The other reading: member fields under the labels of the user interface."""
    marketo = make(header_names="ui_labels")
    content = marketo.export(["membershipDate", "statusName", "city"], programId=1001)
    assert header(content) == "Member Date,Status,city"


def test_program_ids_add_a_leading_column(marketo: Marketo) -> None:
    """`programId` comes first, and again where it was asked for."""
    one = marketo.export(["leadId"], programIds=[1001])
    two = marketo.export(["leadId", "programId"], programIds=[1001, 1002])
    assert header(one) == "programId,leadId"
    assert header(two) == "programId,leadId,programId"


def test_program_id_comes_once_by_option(make: Callable[..., Marketo]) -> None:
    """Whether it is repeated is undocumented."""
    marketo = make(program_id_repeated=False)
    content = marketo.export(["leadId", "programId"], programIds=[1001])
    assert header(content) == "programId,leadId"


def test_lead_fields_join_the_member(marketo: Marketo) -> None:
    """A member export may have fields of the lead, custom ones too."""
    content = marketo.export(["leadId", "email", "customerNumber"], programId=1001).decode()
    for line in content.splitlines()[1:]:
        lead_id, email, number = line.split(",")
        assert email == f"person{lead_id}@example.com"
        assert int(number) == 500_000 + int(lead_id)


@pytest.mark.parametrize("whose", ["member", "lead"])
def test_shared_timestamps_are_those_of_the_option(
    make: Callable[..., Marketo], whose: str
) -> None:
    """`updatedAt` exists on both sides; the member's wins by default."""
    marketo = make(shared_timestamps=whose)
    lines = marketo.export(["leadId", "updatedAt"], programId=1001).decode().splitlines()
    lead_id, updated_at = lines[1].split(",")
    store = marketo.emulator.store
    member, lead = store.member(1001, int(lead_id)), store.lead(int(lead_id))
    assert member["updatedAt"] != lead["updatedAt"]
    assert updated_at == {"member": member, "lead": lead}[whose]["updatedAt"]


def test_booleans_of_members_are_digits_and_of_leads_words(make: Callable[..., Marketo]) -> None:
    """Each export has its own style; a lead field in a member export goes by the option."""
    marketo = make()
    window = {"startAt": "2026-05-15T00:00:00Z", "endAt": "2026-06-15T00:00:00Z"}
    member = marketo.export(["reachedSuccess", "unsubscribed"], programId=1001)
    lead = marketo.export(["unsubscribed"], kind="leads", updatedAt=window)
    mixed = make(lead_booleans_in_member_export="words").export(["unsubscribed"], programId=1001)
    assert set(member.decode().split("\n")[1:-1]) <= {"0,0", "1,0", "0,1", "1,1"}
    assert set(lead.decode().split("\n")[1:-1]) <= {"true", "false"}
    assert set(mixed.decode().split("\n")[1:-1]) <= {"true", "false"}


def test_lead_export_knows_no_member_fields(marketo: Marketo) -> None:
    """Leads have no status in a program."""
    body = {"fields": ["id", "statusName"], "filter": {"staticListId": 100}}
    assert marketo.error(LEADS, body) == ("1003", "Invalid fields [statusName]")

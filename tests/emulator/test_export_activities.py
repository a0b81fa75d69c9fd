"""The export of activities: filter, columns, attributes, lateness, keeping."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from marketo_emulator import Fault
from tests.emulator.harness import refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.emulator.harness import Marketo

CREATE = "/bulk/v1/activities/export/create.json"
TODAY = {"startAt": "2026-06-15T17:30:00Z", "endAt": "2026-06-15T19:00:00Z"}
ALL = [
    "marketoGUID", "leadId", "activityDate", "activityTypeId", "campaignId",
    "primaryAttributeValueId", "primaryAttributeValue", "attributes",
]  # fmt: skip


def export(marketo: Marketo, fields: list[str] | None = None, **conditions: object) -> bytes:
    """Run an export of today's activities."""
    marketo.emulator.revoke_tokens()
    marketo.sign_in()
    return marketo.export(fields or ALL, "activities", **{"createdAt": TODAY, **conditions})


def rows(marketo: Marketo, fields: list[str] | None = None, **conditions: object) -> list[Any]:
    """Return the rows of an export of today's activities."""
    text = export(marketo, fields, **conditions).decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


def attributes(marketo: Marketo, type_id: int) -> list[Any]:
    """Return the attributes of today's activities of one type."""
    return [json.loads(row["attributes"]) for row in rows(marketo, activityTypeIds=[type_id])]


def test_default_columns_come_without_fields(marketo: Marketo) -> None:
    """Also for an empty list, as connectors send it."""
    bodies: tuple[dict[str, list[str]], ...] = ({}, {"fields": []})
    for body in bodies:
        reply = marketo.post(CREATE, {"filter": {"createdAt": TODAY}, **body})
        export_id = reply["result"][0]["exportId"]
        marketo.enqueue(export_id, "activities")
        marketo.clock.advance(300)
        assert marketo.file(export_id, "activities").data.split(b"\n")[0].decode() == ",".join(ALL)


def test_fields_can_be_required_by_option(make: Callable[..., Marketo]) -> None:
    """As OpenAPI has it."""
    body = {"filter": {"createdAt": TODAY}}
    assert make(activity_fields_required=True).error(CREATE, body)[0] == "1002"


def test_fields_come_in_the_order_asked_for(marketo: Marketo) -> None:
    """In any letter case, with `actionResult` and headers of one's own."""
    marketo.emulator.store.add_activity(7, 1, result="skipped")
    body = {
        "fields": ["ACTIONRESULT", "leadId"],
        "filter": {"createdAt": TODAY},
        "columnHeaderNames": {"leadId": "who"},
    }
    export_id = marketo.post(CREATE, body)["result"][0]["exportId"]
    marketo.enqueue(export_id, "activities")
    marketo.clock.advance(300)
    assert marketo.file(export_id, "activities").data == b"ACTIONRESULT,who\nskipped,7\n"


@pytest.mark.parametrize(
    ("conditions", "text"),
    [
        ({"activityTypeIds": [1]}, "'createdAt' is required"),
        ({"createdAt": TODAY, "updatedAt": TODAY}, "'filter'"),
        ({"createdAt": TODAY, "activityTypeIds": [37]}, "Delete Lead"),
        ({"createdAt": TODAY, "activityTypeIds": [1, 9999]}, "[9999]"),
        ({"createdAt": TODAY, "activityTypeIds": []}, "activityTypeIds"),
        ({"createdAt": TODAY, "activityTypeIds": ["1"]}, "activityTypeIds"),
        ({"createdAt": TODAY, "primaryAttributeValueIds": [1]}, "asset group"),
        (
            {"createdAt": TODAY, "activityTypeIds": [1], "primaryAttributeValueIds": [1]},
            "asset group",
        ),
        (
            {"createdAt": TODAY, "activityTypeIds": [13, 104], "primaryAttributeValueIds": [1]},
            "asset group",
        ),
        (
            {
                "createdAt": TODAY,
                "activityTypeIds": [104],
                "primaryAttributeValueIds": [1],
                "primaryAttributeValues": ["x"],
            },
            "exclude",
        ),
        (
            {
                "createdAt": TODAY,
                "activityTypeIds": [104],
                "primaryAttributeValueIds": list(range(51)),
            },
            "50",
        ),
        ({"createdAt": {**TODAY, "startAt": "2026-06-15T17:30:00.000Z"}}, "createdAt"),
        ({"createdAt": {"startAt": "2026-05-01T00:00:00Z", "endAt": TODAY["endAt"]}}, "31 days"),
        (
            {"createdAt": {"startAt": "2026-06-16T00:00:00Z", "endAt": "2026-06-17T00:00:00Z"}},
            "future",
        ),
    ],
)
def test_filters_that_make_no_sense_are_refused(
    marketo: Marketo, conditions: dict[str, Any], text: str
) -> None:
    """With 1003, and with what was wrong."""
    code, message = marketo.error(CREATE, {"filter": conditions})
    assert code == "1003"
    assert text in message


def test_unknown_fields_are_named(marketo: Marketo) -> None:
    """All of them."""
    body = {"fields": ["leadId", "nope", 3], "filter": {"createdAt": TODAY}}
    assert marketo.error(CREATE, body) == ("1003", "Invalid fields [nope, 3]")


def test_offsets_of_windows_are_understood(marketo: Marketo) -> None:
    """As `-00:00` in Adobe's sample."""
    marketo.emulator.store.add_activity(7, 1)
    span = {"startAt": "2026-06-15T17:30:00-00:00", "endAt": "2026-06-15T20:00:00+01:00"}
    assert len(rows(marketo, createdAt=span)) == 1


def test_changes_of_a_lead_are_told_field_by_field(marketo: Marketo) -> None:
    """With the number and label of describe; scores have a type of their own."""
    store = marketo.emulator.store
    before = store.lead(7)
    store.change_lead(7, city="Köln", leadScore=5, lastOrderAt="2026-01-02T03:04:05Z")
    numbers = {
        field["rest"]["name"]: field["id"]
        for field in marketo.get("/rest/v1/leads/describe.json")["result"]
        if "rest" in field
    }
    told = rows(marketo, activityTypeIds=[13, 22])
    assert {(row["primaryAttributeValueId"], row["activityTypeId"]) for row in told} == {
        (str(numbers["city"]), "13"),
        (str(numbers["leadScore"]), "22"),
        (str(numbers["lastOrderAt"]), "13"),
    }
    city = next(row for row in told if row["primaryAttributeValue"] == "City")
    assert json.loads(city["attributes"])["New Value"] == "Köln"
    assert json.loads(city["attributes"])["Old Value"] == before["city"]
    order = next(row for row in told if row["primaryAttributeValue"] == "Last Order At")
    assert json.loads(order["attributes"])["New Value"] == "2026-01-02 03:04:05"
    score = next(row for row in told if row["activityTypeId"] == "22")
    assert json.loads(score["attributes"])["New Value"] == 5


def test_new_lead_has_its_own_id_as_primary_attribute(marketo: Marketo) -> None:
    """And its name, or null."""
    lead_id = marketo.emulator.store.add_lead(firstName=None, lastName=None, email=None)
    (row,) = rows(marketo, activityTypeIds=[12])
    assert (row["leadId"], row["primaryAttributeValueId"]) == (str(lead_id), str(lead_id))
    assert row["primaryAttributeValue"] == "null"


def test_status_of_a_member_is_told(marketo: Marketo) -> None:
    """Joining, changing and leaving; data has a row of its own, silent fields none."""
    store = marketo.emulator.store
    store.add_member(1001, 1, statusName="Sent")
    store.change_member(1001, 1, statusName="02 Opened", eventRole="Host")
    store.change_member(1001, 1, isExhausted=True, waitlistPriority=7)
    store.remove_member(1001, 1)
    told = rows(marketo, activityTypeIds=[104, 123])
    assert {row["primaryAttributeValueId"] for row in told} == {"1001"}
    steps = [
        (json.loads(row["attributes"])["Old Status"], json.loads(row["attributes"])["New Status"])
        for row in told
        if row["activityTypeId"] == "104"
    ]
    assert steps[-2:] == [("Sent", "02 Opened"), ("02 Opened", "Not in Program")]
    assert [row["activityTypeId"] for row in told].count("123") == 1


def test_nurturing_is_told(marketo: Marketo) -> None:
    """Entry, stream and cadence; the cadence with a capital and four letters."""
    store = marketo.emulator.store
    lead_id = store.add_lead()
    store.add_member(1003, lead_id, trackName="Early Stage", nurtureCadence="norm")
    store.change_member(1003, lead_id, trackName="Late Stage, hot", nurtureCadence="paus")
    told = [
        row["activityTypeId"]
        for row in rows(marketo, activityTypeIds=[113, 114, 115])
        if row["leadId"] == str(lead_id)
    ]
    assert sorted(told) == ["113", "114", "115", "115"]
    cadences = attributes(marketo, 115)
    assert {"New Nurture Cadence": "Paus", "Previous Nurture Cadence": "Norm"} in cadences


def test_primary_attributes_filter(marketo: Marketo) -> None:
    """By program id or by its name."""
    store = marketo.emulator.store
    for program_id in (1001, 1002):
        store.add_member(program_id, 1)
    by_id = rows(marketo, activityTypeIds=[104], primaryAttributeValueIds=[1002])
    marketo.clock.advance(1)
    name = store.programs[1002].name
    by_name = rows(marketo, activityTypeIds=[104], primaryAttributeValues=[name])
    assert [row["primaryAttributeValueId"] for row in by_id] == ["1002"]
    assert by_name == by_id


NASTY = {
    "Form Fields": 'a:2:{s:6:"module";s:1:"x";} "q" \\ \r\n',
    "Emoji": "🦩, \u2028",
    "Campaign Run ID": 102938,
    "Category": "4",
    "Flag": "True",
    "Merge IDs": [887],
    "Lead ID": "mine",
    "unknown key": 1.5,
}


def test_attributes_survive_the_file(marketo: Marketo) -> None:
    """Quotes twice escaped, line ends, emoji, numbers as text, lists."""
    marketo.emulator.store.add_activity(7, 2, attributes=NASTY)
    assert attributes(marketo, 2) == [NASTY]


def test_attributes_longer_than_a_cell_is_allowed_to_be(marketo: Marketo) -> None:
    """More than 131,072 characters once quotes are doubled."""
    marketo.emulator.store.add_activity(7, 2, attributes={"Form Fields": '"' * 66_000})
    assert len(export(marketo, activityTypeIds=[2])) > 131_072


@pytest.mark.parametrize(
    ("form", "stated"), [("omitted", {"a": 1}), ("empty", {"a": 1, "b": "", "c": ""}),
                         ("null", {"a": 1, "b": None, "c": None})]
)  # fmt: skip
def test_attributes_without_value(
    make: Callable[..., Marketo], form: str, stated: dict[str, Any]
) -> None:
    """Left out, empty text, or null."""
    marketo = make(empty_attribute=form)
    marketo.emulator.store.add_activity(7, 2, attributes={"a": 1, "b": "", "c": None})
    assert attributes(marketo, 2) == [stated]


def test_attributes_as_a_list(make: Callable[..., Marketo]) -> None:
    """As OpenAPI's example has them."""
    marketo = make(activity_attributes="array")
    marketo.emulator.store.add_activity(7, 2, attributes={"a": 1})
    assert attributes(marketo, 2) == [[{"name": "a", "value": 1}]]


def test_guid_is_of_digits_or_long(make: Callable[..., Marketo]) -> None:
    """And none comes twice."""
    for form, length in (("digits", 12), ("long", 128)):
        marketo = make(activity_guid=form)
        marketo.emulator.store.touch_members(20)
        guids = [row["marketoGUID"] for row in rows(marketo, ["marketoGUID"])]
        assert len(set(guids)) == len(guids)
        assert {len(guid) for guid in guids} == {length}
        assert all(guid.isdigit() for guid in guids) is (form == "digits")


def test_late_row_has_an_earlier_date(marketo: Marketo) -> None:
    """It is missing from the window until it is noted, and in it from then on."""
    span = {"startAt": "2026-06-15T15:00:00Z", "endAt": "2026-06-15T16:30:00Z"}
    before = rows(marketo, createdAt=span, activityTypeIds=[1])
    marketo.emulator.store.add_activity(7, 1, seconds_ago=7800)
    after = rows(marketo, createdAt=span, activityTypeIds=[1])
    assert len(after) == len(before) + 1


def test_window_by_the_moment_of_noting(make: Callable[..., Marketo]) -> None:
    """By option a late row is in the window in which it was noted, with its own date."""
    marketo = make(activity_window="committed")
    marketo.emulator.store.add_activity(7, 1, seconds_ago=7 * 86_400)
    (row,) = rows(marketo, activityTypeIds=[1])
    assert row["activityDate"] == "2026-06-08T18:00:00Z"


def test_commit_delay_holds_rows_back(make: Callable[..., Marketo]) -> None:
    """For one type, by an amount that differs from row to row."""
    marketo = make(activity_commit_delays=((1, 1000, 3000),))
    for _ in range(20):
        marketo.emulator.store.add_activity(7, 1)
        marketo.emulator.store.add_activity(7, 2)
    counts = []
    for _ in range(5):
        counts.append(len(rows(marketo, activityTypeIds=[1])))
        marketo.clock.advance(200)
    assert counts[0] == 0
    assert counts[-1] == 20
    assert len(set(counts)) > 2
    assert len(rows(marketo, activityTypeIds=[2])) == 20


def test_earlier_visits_come_with_a_new_lead(make: Callable[..., Marketo]) -> None:
    """Days older than the lead itself, and noted only now."""
    marketo = make(earlier_visits=3)
    lead_id = marketo.emulator.store.add_lead()
    span = {"startAt": "2026-05-16T00:00:00Z", "endAt": "2026-06-15T17:00:00Z"}
    visits = [
        row
        for row in rows(marketo, createdAt=span, activityTypeIds=[1])
        if row["leadId"] == str(lead_id)
    ]
    assert len(visits) == 3


def test_busy_types_are_kept_for_ninety_days(marketo: Marketo) -> None:
    """Others for 25 months, and New Lead for ever."""
    store = marketo.emulator.store
    store.add_activity(7, 1)
    store.add_activity(7, 46)
    lead_id = store.add_lead()
    seen = []
    for days in (89, 2, 700):
        marketo.clock.advance(days * 86_400)
        found = rows(marketo, activityTypeIds=[1, 12, 46])
        seen.append(sorted(row["activityTypeId"] for row in found))
    assert seen == [["1", "12", "46"], ["12", "46"], ["12"]]
    assert str(lead_id) in {row["leadId"] for row in rows(marketo, activityTypeIds=[12])}


def test_history_is_there_and_the_same_for_the_same_seed(make: Callable[..., Marketo]) -> None:
    """Activities of before the start, with every lead's beginning."""
    span = {"startAt": "2026-05-16T00:00:00Z", "endAt": "2026-06-15T18:00:00Z"}
    one, other = (export(make(), createdAt=span) for _ in range(2))
    assert one == other
    assert one.count(b"\n") > 20


def test_history_does_not_change_with_what_happens(make: Callable[..., Marketo]) -> None:
    """Asked for before or after changes, it is the history."""
    span = {"startAt": "2026-05-16T00:00:00Z", "endAt": "2026-06-15T17:00:00Z"}
    early, late = make(), make()
    before = export(early, createdAt=span)
    late.emulator.store.touch_members(30)
    late.emulator.store.delete_lead(7)
    assert export(late, createdAt=span) == before


def test_jobs_share_queue_and_quota(make: Callable[..., Marketo]) -> None:
    """Activities take places from members, and bytes of the day."""
    marketo = make(daily_export_bytes=10, max_queued_exports=1)
    first = marketo.create(ALL, "activities", createdAt=TODAY)
    second = marketo.create(["leadId"], programId=1001)
    marketo.enqueue(first, "activities")
    assert refusal(marketo.enqueue(second))[1] == "Too many jobs in queue"
    marketo.clock.advance(300)
    assert marketo.status(first, "activities")["status"] == "Completed"
    assert "quota" in refusal(marketo.enqueue(second))[1]


def test_job_is_found_under_its_own_kind_alone(marketo: Marketo) -> None:
    """In lists, too."""
    export_id = marketo.create(ALL, "activities", createdAt=TODAY)
    assert refusal(marketo.get(f"/bulk/v1/leads/export/{export_id}/status.json"))[0] == "1013"
    assert marketo.file(export_id, "leads").status_code == 404
    assert marketo.get("/bulk/v1/leads/export.json")["result"] == []
    assert len(marketo.get("/bulk/v1/activities/export.json")["result"]) == 1


def test_file_is_a_snapshot_of_the_start(marketo: Marketo) -> None:
    """What is noted later is not in it."""
    export_id = marketo.create(ALL, "activities", createdAt=TODAY, activityTypeIds=[1])
    marketo.enqueue(export_id, "activities")
    marketo.status(export_id, "activities")
    marketo.emulator.store.add_activity(7, 1)
    marketo.clock.advance(300)
    assert marketo.file(export_id, "activities").data.count(b"\n") == 1


@pytest.mark.parametrize(
    ("rewrite", "cell"),
    [
        ("attributes_null", "null"),
        ("attributes_empty", ""),
        ("attributes_invalid", '{"a": 1, "Campaign Run ID": ""102938""}'),
        ("attributes_newline", '{"a": 1, "Note": "two\nlines"}'),
        ("attributes_numbers_as_text", '{"a": "1"}'),
        ("attributes_array", '[{"name": "a", "value": 1}]'),
    ],
)
def test_attributes_can_be_spoilt(marketo: Marketo, rewrite: str, cell: str) -> None:
    """In the file of a job for good."""
    marketo.emulator.faults.add(
        Fault(operation="export.job", path="activities", rewrites=(rewrite,))
    )
    marketo.emulator.store.add_activity(7, 2, attributes={"a": 1})
    (row,) = rows(marketo, activityTypeIds=[2])
    assert row["attributes"] == cell


def test_header_with_a_blank(marketo: Marketo) -> None:
    """Before the last name."""
    marketo.emulator.faults.add(Fault(operation="export.job", rewrites=("header_blank",)))
    marketo.emulator.store.add_activity(7, 2)
    assert export(marketo).split(b"\n")[0].endswith(b", attributes")

"""The calls about activities: types, tokens, pages, deleted leads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.emulator.harness import refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.emulator.harness import Marketo

LIST = "/rest/v1/activities.json"
DELETED = "/rest/v1/activities/deletedleads.json"
TOKEN = "/rest/v1/activities/pagingtoken.json"
TYPES = "/rest/v1/activities/types.json"
NOW = "2026-06-15T18:00:00Z"


def token(marketo: Marketo, since: str = NOW) -> str:
    """Return a fresh paging token."""
    return str(marketo.get(TOKEN, sinceDatetime=since)["nextPageToken"])


def pages(marketo: Marketo, path: str, since: str = NOW, **query: Any) -> list[dict[str, Any]]:
    """Return all pages up to the one that says there is no more."""
    found, place = [], token(marketo, since)
    while True:
        found.append(marketo.get(path, nextPageToken=place, **query))
        place = found[-1]["nextPageToken"]
        if not found[-1]["moreResult"]:
            return found


def test_types_are_many_and_awkward(marketo: Marketo) -> None:
    """New Lead has no primary attribute, two share a name, a custom one hides among them."""
    types = {known["id"]: known for known in marketo.get(TYPES)["result"]}
    names = [known["name"] for known in types.values()]
    data_types = {a["dataType"] for known in types.values() for a in known["attributes"]}
    assert len(types) >= 40
    assert len(set(names)) < len(names)
    assert "primaryAttribute" not in types[12]
    assert types[104]["primaryAttribute"] == {"name": "Program ID", "dataType": "integer"}
    assert {"integer", "Integer", "datetime", "array", "currency"} <= data_types
    assert types[100_001]["apiName"] == "attendedTour_c"
    assert 100_003 not in types


def test_custom_types_are_told_apart(marketo: Marketo) -> None:
    """In a call of their own, without attributes; describe has those."""
    listed = marketo.get("/rest/v1/activities/external/types.json")["result"]
    assert {known["status"] for known in listed} == {"approved", "approved with draft", "draft"}
    assert all("attributes" not in known for known in listed)
    described = marketo.get("/rest/v1/activities/external/type/attendedTour_c/describe.json")
    attributes = described["result"][0]["attributes"]
    assert [a["name"] for a in attributes if a["isPrimary"]] == ["Tour Name"]
    unknown = marketo.get("/rest/v1/activities/external/type/nope/describe.json")
    assert refusal(unknown)[0] == "1013"


def test_paging_token_comes_at_the_top(marketo: Marketo) -> None:
    """Without a result."""
    reply = marketo.get(TOKEN, sinceDatetime=NOW)
    assert set(reply) == {"requestId", "success", "nextPageToken"}


@pytest.mark.parametrize("name", ["sinceDatetime", "sinceDateTime", "SINCEDATETIME"])
@pytest.mark.parametrize("moment", [NOW, "2026-06-15T19:00:00+01:00", "2026-06-15"])
def test_paging_token_is_given_for_every_spelling(marketo: Marketo, name: str, moment: str) -> None:
    """Of the name, and of the moment."""
    assert marketo.get(TOKEN, **{name: moment})["success"] is True


@pytest.mark.parametrize(
    ("path", "query", "code"),
    [
        (TOKEN, {}, "1002"),
        (TOKEN, {"sinceDatetime": "yesterday"}, "1003"),
        (DELETED, {}, "1002"),
        (DELETED, {"nextPageToken": "nonsense"}, "1003"),
        (DELETED, {"nextPageToken": "ünsinn"}, "1003"),
        (LIST, {"activityTypeIds": "1"}, "1002"),
        (LIST, {"nextPageToken": "?", "batchSize": "301", "activityTypeIds": "1"}, "1003"),
        (LIST, {"nextPageToken": "?", "batchSize": "x", "activityTypeIds": "1"}, "1001"),
        (LIST, {"nextPageToken": "?"}, "1002"),
        (LIST, {"nextPageToken": "?", "activityTypeIds": "one"}, "1001"),
        (LIST, {"nextPageToken": "?", "activityTypeIds": "1,2,3,4,5,6,7,8,9,10,11"}, "1003"),
        (LIST, {"nextPageToken": "?", "activityTypeIds": "1,2", "assetIds": "3"}, "1003"),
        (LIST, {"nextPageToken": "?", "activityTypeIds": "1", "listId": "999"}, "1013"),
    ],
)
def test_calls_that_make_no_sense_are_refused(
    marketo: Marketo, path: str, query: dict[str, str], code: str
) -> None:
    """With a code that says of which kind."""
    given = {key: token(marketo) if value == "?" else value for key, value in query.items()}
    assert refusal(marketo.get(path, **given))[0] == code


def test_pages_hold_everything_once_in_order(marketo: Marketo) -> None:
    """A token with every page, the last included, from which reading goes on later."""
    store = marketo.emulator.store
    for number in range(25):
        store.add_activity(7, 1, primary_id=number, attributes={"Webpage URL": "/", "Empty": ""})
    found = pages(marketo, LIST, activityTypeIds="1", batchSize=10)
    rows = [row for page in found for row in page["result"]]
    assert [len(page["result"]) for page in found] == [10, 10, 5]
    assert [row["primaryAttributeValueId"] for row in rows] == list(range(25))
    assert rows[0]["attributes"] == [{"name": "Webpage URL", "value": "/"}]
    assert rows[0]["activityDate"] == "2026-06-15T18:00:00+0000"
    place = found[-1]["nextPageToken"]
    assert marketo.get(LIST, activityTypeIds="1", nextPageToken=place)["result"] == []
    store.add_activity(8, 1)
    later = marketo.get(LIST, activityTypeIds="1", nextPageToken=place)
    assert [row["leadId"] for row in later["result"]] == [8]


def test_rows_that_come_late_are_on_a_later_page(marketo: Marketo) -> None:
    """As long as they are not older than the token's beginning."""
    store = marketo.emulator.store
    since = "2026-06-15T17:00:00Z"
    store.add_activity(7, 1)
    place = pages(marketo, LIST, since, activityTypeIds="1")[-1]["nextPageToken"]
    marketo.clock.advance(60)
    store.add_activity(8, 1, seconds_ago=1800)
    store.add_activity(9, 1, seconds_ago=8000)
    later = marketo.get(LIST, activityTypeIds="1", nextPageToken=place)
    assert [row["leadId"] for row in later["result"]] == [8]


def test_pages_can_be_narrowed(marketo: Marketo) -> None:
    """By asset, by lead, and by list."""
    store = marketo.emulator.store
    for lead_id in (7, 8, 9):
        store.add_activity(lead_id, 2, primary_id=lead_id * 10)
    store.put_on_list(100, [9])

    def leads(**query: Any) -> list[int]:
        found = pages(marketo, LIST, activityTypeIds="2", **query)
        return [row["leadId"] for page in found for row in page["result"]]

    assert leads(assetIds="70,80") == [7, 8]
    assert leads(leadIds="8") == [8]
    assert leads(listId="100") == [9]


def test_large_lists_are_refused_by_option(make: Callable[..., Marketo]) -> None:
    """From a number of leads on."""
    marketo = make(activity_list_limit=3)
    marketo.emulator.store.put_on_list(100, [1, 2, 3])
    reply = marketo.get(LIST, activityTypeIds="1", nextPageToken=token(marketo), listId="100")
    assert refusal(reply)[0] == "1003"


def test_deleted_leads_are_listed(marketo: Marketo) -> None:
    """With their name, and without attributes; exports never have them."""
    store = marketo.emulator.store
    store.change_lead(7, firstName="Ada", lastName="Null")
    store.delete_lead(7)
    (page,) = pages(marketo, DELETED)
    (row,) = page["result"]
    assert (row["leadId"], row["activityTypeId"], row["attributes"]) == (7, 37, [])
    assert row["primaryAttributeValue"] == "Ada Null"
    assert all(lead["id"] != 7 for lead in store.leads())
    assert all(member["leadId"] != 7 for member in store.members())
    span = {"startAt": "2026-06-15T17:30:00Z", "endAt": "2026-06-15T19:00:00Z"}
    assert b",37," not in marketo.export(["leadId", "activityTypeId"], "activities", createdAt=span)


def test_deletions_are_kept_for_two_weeks(marketo: Marketo) -> None:
    """Then nothing tells of them."""
    marketo.emulator.store.delete_lead(7)
    counts = []
    for days in (13, 2):
        marketo.clock.advance(days * 86_400)
        marketo.sign_in()
        counts.append(sum(len(page["result"]) for page in pages(marketo, DELETED)))
    assert counts == [1, 0]


def test_empty_pages_come_by_option(make: Callable[..., Marketo]) -> None:
    """With a new token, and with more to come."""
    marketo = make(empty_activity_pages=True)
    for lead_id in (1, 2, 3):
        marketo.emulator.store.delete_lead(lead_id)
    found = pages(marketo, DELETED, batchSize=2)
    assert [len(page["result"]) for page in found] == [0, 2, 0, 1]
    assert len({page["nextPageToken"] for page in found}) == 4


@pytest.mark.parametrize("code", ["1003", "610"])
def test_token_of_another_call_is_refused(make: Callable[..., Marketo], code: str) -> None:
    """A fresh one is good for both."""
    marketo = make(foreign_token_code=code)
    place = pages(marketo, DELETED)[-1]["nextPageToken"]
    reply = marketo.get(LIST, activityTypeIds="1", nextPageToken=place)
    assert refusal(reply)[0] == code


def test_lead_made_again_has_a_new_id(marketo: Marketo) -> None:
    """The same address does not bring the old one back."""
    store = marketo.emulator.store
    email = store.lead(7)["email"]
    store.delete_lead(7)
    assert store.add_lead(email=email) != 7

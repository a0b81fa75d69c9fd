"""Activities by REST: types, tokens, and pages that end where Marketo says so."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest

from marketo_bulk import Activity, ActivityAttribute, ActivityPage, ActivityType, DecodeError
from marketo_bulk.activities import pages
from marketo_bulk.activities.pages import activities_request
from tests.client.scripted import Exchange, envelope, failure

if TYPE_CHECKING:
    from marketo_bulk.client import MarketoBulk
    from tests.client.scripted import ScriptedServer

LIST = "/rest/v1/activities.json"
DELETED = "/rest/v1/activities/deletedleads.json"
TOKEN = "/rest/v1/activities/pagingtoken.json"
TYPES = "/rest/v1/activities/types.json"
NOON = datetime(2026, 10, 20, 12, tzinfo=timezone.utc)


def entry(guid: object = "7", **members: object) -> dict[str, object]:
    """Return one activity as Marketo shows it."""
    return {
        "marketoGUID": guid,
        "leadId": 9,
        "activityDate": "2026-10-20T12:00:00+0000",
        "activityTypeId": 37,
        "attributes": [],
    } | members


def page(*entries: object, token: str = "t2", more: bool = False) -> Exchange:
    """Return an answer with these activities."""
    return envelope(*entries, nextPageToken=token, moreResult=more)


def read(client: MarketoBulk, token: str = "t1") -> list[ActivityPage]:
    """Return all pages of deleted leads."""
    return list(client.iter_deleted_leads(token))


def test_paging_token_stands_at_the_top(client: MarketoBulk, server: ScriptedServer) -> None:
    """Without a result; asked for with the name of Adobe's samples and without an offset."""
    server.script(TOKEN, Exchange(body=b'{"success":true,"nextPageToken":"GIYD"}'))
    assert client.get_paging_token(NOON) == "GIYD"
    assert server.calls()[0].query == {"sinceDatetime": "2026-10-20T12:00:00Z"}


def test_missing_paging_token_is_an_error(client: MarketoBulk, server: ScriptedServer) -> None:
    """Nothing can be read without one."""
    server.script(TOKEN, envelope())
    with pytest.raises(DecodeError, match="no nextPageToken"):
        client.get_paging_token(NOON)


@pytest.mark.fault("V37", "an empty page of activities, and there is more", "goes on")
@pytest.mark.parametrize(
    ("answers", "guids", "tokens"),
    [
        ([page(entry("a"))], [["a"]], ["t1"]),
        ([page()], [[]], ["t1"]),
        ([Exchange(body=b'{"success":true,"moreResult":false}')], [[]], ["t1"]),
        (
            [page(token="t2", more=True), page(entry("a"), token="t3")],
            [[], ["a"]],
            ["t1", "t2"],
        ),
        (
            [page(entry("a"), token="t2", more=True), page(entry("b"), token="t2")],
            [["a"], ["b"]],
            ["t1", "t2"],
        ),
    ],
    ids=["one", "none", "no result", "an empty page before the end", "a token on the last page"],
)
def test_pages_end_where_there_is_no_more(
    client: MarketoBulk,
    server: ScriptedServer,
    answers: list[Exchange],
    guids: list[list[str]],
    tokens: list[str],
) -> None:
    """Neither an empty page nor a token says anything about the end."""
    server.script(DELETED, *answers)
    found = [[one.marketo_guid for one in each.activities] for each in read(client)]
    assert found == guids
    assert [call.query["nextPageToken"] for call in server.calls()] == tokens
    assert {call.query["batchSize"] for call in server.calls()} == {"300"}


def test_last_page_has_the_token_to_go_on_with(client: MarketoBulk, server: ScriptedServer) -> None:
    """Whoever comes again needs no new one."""
    server.script(DELETED, page(entry(), token="t9"))
    assert [each.next_page_token for each in read(client)] == ["t9"]


@pytest.mark.parametrize("token", ["t1", "t2"])
def test_pages_in_circles_are_an_error(
    client: MarketoBulk, server: ScriptedServer, token: str
) -> None:
    """A token that was used leads back."""
    answers = [page(entry(), token="t2", more=True), page(entry(), token=token, more=True)]
    server.script(DELETED, *answers)
    with pytest.raises(DecodeError, match=r"list deleted leads: .*already read"):
        read(client)


def test_pages_without_end_are_an_error(
    client: MarketoBulk, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """New tokens for ever are noticed, too."""
    monkeypatch.setattr(pages, "PAGES_MAX", 3)
    server.script(DELETED, *(page(token=f"n{number}", more=True) for number in range(3)))
    with pytest.raises(DecodeError, match="did not end after 3"):
        read(client)


def test_more_without_a_token_is_an_error(client: MarketoBulk, server: ScriptedServer) -> None:
    """The rest cannot be read, and is not forgotten in silence."""
    server.script(DELETED, envelope(entry(), moreResult=True))
    with pytest.raises(DecodeError, match="no nextPageToken"):
        read(client)


def test_passing_fault_of_a_page_is_retried(client: MarketoBulk, server: ScriptedServer) -> None:
    """As for every other call."""
    server.script(DELETED, failure("608"), page(entry("a")))
    assert [one.marketo_guid for one in read(client)[0].activities] == ["a"]


def test_activities_are_asked_for_by_type(client: MarketoBulk, server: ScriptedServer) -> None:
    """All chosen in one call."""
    server.script(LIST, page(entry()))
    list(client.iter_activities("t1", [104, 113], lead_ids=[5, 6]))
    assert server.calls()[0].query == {
        "activityTypeIds": "104,113",
        "leadIds": "5,6",
        "batchSize": "300",
        "nextPageToken": "t1",
    }


@pytest.mark.parametrize(
    ("type_ids", "chosen"),
    [([], {}), (range(11), {}), ([1], {"lead_ids": range(31)}), ([1, 2], {"asset_ids": [5]})],
    ids=["no type", "11 types", "31 leads", "assets of two types"],
)
def test_what_marketo_refuses_is_not_asked(type_ids: list[int], chosen: dict[str, Any]) -> None:
    """The limits are documented."""
    with pytest.raises(ValueError, match=r"activity type|leads"):
        activities_request(type_ids, **chosen)


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({}, {}),
        ({"activityDate": "2026-10-20T14:00:00+02:00"}, {}),
        ({"leadId": "9", "activityTypeId": 37.0}, {}),
        ({"id": 5, "unheardOf": [1]}, {}),
        ({"marketoGUID": None, "id": 7}, {}),
        ({"marketoGUID": "007"}, {"marketo_guid": "007"}),
        ({"leadId": None}, {"lead_id": None}),
        ({"campaignId": 3, "primaryAttributeValueId": 4, "primaryAttributeValue": "null"},
         {"campaign_id": 3, "primary_attribute_value_id": 4, "primary_attribute_value": "null"}),
        ({"attributes": None}, {}),
        ({"attributes": [{"name": "Source", "value": "x"}, {"name": "Merge IDs", "value": [8]}]},
         {"attributes": {"Source": "x", "Merge IDs": [8]}}),
        ({"attributes": {"Source Type": "x"}}, {"attributes": {"Source Type": "x"}}),
        ({"attributes": [{"name": "Source Type"}]}, {"attributes": {"Source Type": None}}),
    ],
)  # fmt: skip
def test_activity_is_read(members: dict[str, object], expected: dict[str, Any]) -> None:
    """In every form that has been seen or is documented."""
    usual: dict[str, Any] = {
        "marketo_guid": "7", "lead_id": 9, "activity_date": NOON, "type_id": 37,
    }  # fmt: skip
    assert Activity.parse(entry(**members)) == Activity(**(usual | expected))


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"marketoGUID": None}, "lacks its marketoGUID"),
        ({"marketoGUID": ["x"]}, "marketoGUID is a list"),
        ({"activityDate": None}, "activityDate"),
        ({"activityDate": "yesterday"}, "not a Marketo timestamp"),
        ({"activityTypeId": None}, "activityTypeId"),
        ({"activityTypeId": "Jane Doe"}, "activityTypeId is other text"),
        ({"leadId": 1.5}, "leadId is a number with a fraction"),
        ({"leadId": True}, "leadId is a boolean"),
        ({"attributes": "x"}, "attributes are neither"),
        ({"attributes": [{"value": "x"}]}, "attributes are neither"),
    ],
)
def test_activity_that_cannot_be_read_is_an_error(members: dict[str, object], said: str) -> None:
    """It says what is wrong, and shows no value of a person."""
    with pytest.raises(DecodeError, match=re.escape(said)) as caught:
        Activity.parse(entry(**members))
    assert "Jane" not in str(caught.value)


def test_values_of_persons_are_not_shown() -> None:
    """A deleted person's name is the primary attribute."""
    found = Activity.parse(entry(primaryAttributeValue="Jane", attributes={"Email": "jane@x"}))
    assert not re.search("(?i)jane", repr(found))


def test_types_are_read_as_real_instances_list_them(
    client: MarketoBulk, server: ScriptedServer
) -> None:
    """Without a primary attribute, without attributes, without a type or a name, and twice."""
    server.script(
        TYPES,
        envelope(
            {"id": 12, "name": "New Lead", "attributes": [{"name": "Source", "dataType": "text"}]},
            {"id": 104, "name": "Change Status", "description": "d", "apiName": "a",
             "primaryAttribute": {"name": "Program ID", "dataType": "Integer"}},
            {"id": "9", "attributes": [{"name": "A"}, {"dataType": "text"}, None]},
            {"id": 12, "name": "New Lead again"},
        ),
    )  # fmt: skip
    assert client.list_activity_types() == [
        ActivityType(12, "New Lead", attributes=(ActivityAttribute("Source", "text"),)),
        ActivityType(104, "Change Status", "a", "d", ActivityAttribute("Program ID", "Integer")),
        ActivityType(9, "9", attributes=(ActivityAttribute("A", "string"),)),
    ]


def test_type_without_an_id_is_an_error(client: MarketoBulk, server: ScriptedServer) -> None:
    """Its activities could not be told from others."""
    server.script(TYPES, envelope({"name": "New Lead"}))
    with pytest.raises(DecodeError, match="no id"):
        client.list_activity_types()

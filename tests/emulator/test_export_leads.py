"""The export of leads: filters, and what `updatedAt` means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.emulator.harness import Marketo

CREATE = "/bulk/v1/leads/export/create.json"
TODAY = {"startAt": "2026-06-15T17:30:00Z", "endAt": "2026-06-15T19:00:00Z"}


def exported(marketo: Marketo, **conditions: Any) -> list[int]:
    """Return the ids of the leads in an export."""
    return [int(line) for line in marketo.export(["id"], "leads", **conditions).split()[1:]]


def test_change_of_a_custom_field_is_exported_though_not_shown(marketo: Marketo) -> None:
    """The filter goes by any field, the column by standard ones."""
    store = marketo.emulator.store
    before = store.lead(7)["updatedAt"]
    store.change_lead(7, loyaltyTier="Gold")
    store.change_lead(8, city="Köln")
    assert exported(marketo, updatedAt=TODAY) == [7, 8]
    assert store.lead(7)["updatedAt"] == before
    assert store.lead(8)["updatedAt"] == "2026-06-15T18:00:00Z"


def test_any_change_is_shown_by_option(make: Callable[..., Marketo]) -> None:
    """Custom fields, too."""
    marketo = make(lead_updated_at="any_field")
    marketo.emulator.store.change_lead(7, loyaltyTier="Gold")
    assert marketo.emulator.store.lead(7)["updatedAt"] == "2026-06-15T18:00:00Z"


@pytest.mark.parametrize("moves", [False, True])
def test_change_of_partition_may_move_the_filter(
    make: Callable[..., Marketo], *, moves: bool
) -> None:
    """And never what is shown; an activity tells of it."""
    marketo = make(partition_change_moves_filter=moves)
    store = marketo.emulator.store
    before = store.lead(7)["updatedAt"]
    store.change_lead(7, leadPartitionId="2")
    assert store.lead(7)["updatedAt"] == before
    assert exported(marketo, updatedAt=TODAY) == [7] * moves
    told = marketo.export(["activityTypeId"], "activities", createdAt=TODAY)
    assert told.split()[1:] == [b"100"]


def test_lists_and_memberships_leave_the_lead_alone(marketo: Marketo) -> None:
    """They are no fields."""
    store = marketo.emulator.store
    store.put_on_list(100, [7])
    store.touch_members(30)
    assert exported(marketo, updatedAt=TODAY) == []


def test_lead_changed_again_leaves_older_windows(marketo: Marketo) -> None:
    """Only the last change counts."""
    store = marketo.emulator.store
    store.change_lead(7, loyaltyTier="Gold")
    marketo.clock.advance(600)
    store.change_lead(7, loyaltyTier="Silver")
    early = {**TODAY, "endAt": "2026-06-15T18:05:00Z"}
    assert exported(marketo, updatedAt=early) == []
    assert exported(marketo, updatedAt=TODAY) == [7]


@pytest.mark.parametrize("by", ["Id", "Name"])
def test_static_lists_are_found_by_id_and_by_name(marketo: Marketo, by: str) -> None:
    """Each its own leads; an unknown one is 1013."""
    store = marketo.emulator.store
    store.put_on_list(100, [5])
    store.put_on_list(101, [9, 7])
    wanted = {"Id": 101, "Name": "Webinar follow-up"}[by]
    assert exported(marketo, **{f"staticList{by}": wanted}) == [7, 9]
    body = {"fields": ["id"], "filter": {f"staticList{by}": {"Id": 5, "Name": "x"}[by]}}
    assert marketo.error(CREATE, body)[0] == "1013"


def test_smart_lists_need_an_option(marketo: Marketo, make: Callable[..., Marketo]) -> None:
    """Then they are what matches when the file is written; one without filter is refused."""
    body = {"fields": ["id"], "filter": {"smartListId": 200}}
    assert marketo.error(CREATE, body)[0] == "1035"
    able = make(smart_list_filters_supported=True)
    wanted = [lead["id"] for lead in able.emulator.store.leads() if lead["unsubscribed"]]
    assert exported(able, smartListId=200) == wanted
    assert exported(able, smartListName="Unsubscribed people") == wanted
    for conditions, code in (({"smartListId": 201}, "1003"), ({"smartListId": 7}, "1013")):
        assert able.error(CREATE, {"fields": ["id"], "filter": conditions})[0] == code


@pytest.mark.parametrize("attribute", ["createdAt", "updatedAt"])
def test_window_of_the_future_is_refused(marketo: Marketo, attribute: str) -> None:
    """An end in the future is fine."""
    span = {"startAt": "2026-06-15T18:00:01Z", "endAt": "2026-06-16T18:00:00Z"}
    body = {"fields": ["id"], "filter": {attribute: span}}
    assert marketo.error(CREATE, body)[0] == "1003"
    assert exported(marketo, **{attribute: {**span, "startAt": "2026-06-15T18:00:00Z"}}) == []


def test_leads_of_one_second_are_all_exported(marketo: Marketo) -> None:
    """A mass update gives many the same moment."""
    for lead_id in range(1, 40):
        marketo.emulator.store.change_lead(lead_id, city="Bonn")
    span = {"startAt": "2026-06-15T18:00:00Z", "endAt": "2026-06-15T18:00:00Z"}
    assert exported(marketo, updatedAt=span) == list(range(1, 40))


def test_lead_without_name_and_address_is_exported(marketo: Marketo) -> None:
    """It is known all the same."""
    empty = dict.fromkeys(("email", "firstName", "lastName"))
    lead_id = marketo.emulator.store.add_lead(**empty)
    file = marketo.export(["id", "email", "firstName"], "leads", createdAt=TODAY)
    assert file == f"id,email,firstName\n{lead_id},null,null\n".encode()

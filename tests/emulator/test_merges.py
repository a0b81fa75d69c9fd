"""Merges and deletions of leads."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.emulator.harness import Marketo

TODAY = {"startAt": "2026-06-15T17:30:00Z", "endAt": "2026-06-15T19:00:00Z"}


def activities(marketo: Marketo, type_id: int) -> list[dict[str, str]]:
    """Return today's activities of a type."""
    fields = ["leadId", "primaryAttributeValueId", "attributes"]
    text = marketo.export(fields, "activities", createdAt=TODAY, activityTypeIds=[type_id])
    return list(csv.DictReader(io.StringIO(text.decode(), newline="")))


def test_winner_keeps_its_id_and_gets_what_it_lacks(marketo: Marketo) -> None:
    """Values, lists, memberships, custom objects."""
    store = marketo.emulator.store
    store.change_lead(1, city="Bonn", loyaltyTier=None)
    store.change_lead(2, city="Köln", loyaltyTier="Gold")
    programs = {row["programId"] for row in store.members() if row["leadId"] in {1, 2}}
    store.put_on_list(100, [2])
    store.put_object("car_c", vin="V1", leadID=2)
    store.merge_leads(1, 2)
    winner = store.lead(1)
    assert (winner["city"], winner["loyaltyTier"]) == ("Bonn", "Gold")
    assert 2 not in store.lead_rows
    assert store.static_lists[100].lead_ids == {1}
    assert {row["programId"] for row in store.members() if row["leadId"] == 1} == programs
    assert not [row for row in store.members() if row["leadId"] == 2]
    assert [row["leadID"] for row in store.object_rows("car_c") if row["vin"] == "V1"] == [1]


def test_merge_is_told_by_one_activity(marketo: Marketo) -> None:
    """Of the winner, with the losers as numbers; deleted leads do not list them."""
    marketo.emulator.store.merge_leads(1, 2, 3)
    (row,) = activities(marketo, 32)
    assert (row["leadId"], row["primaryAttributeValueId"]) == ("1", "1")
    assert json.loads(row["attributes"]) == {"Merge IDs": [2, 3], "Merge Source": "leaddb"}
    token = marketo.get("/rest/v1/activities/pagingtoken.json", sinceDatetime="2026-06-15")
    place = token["nextPageToken"]
    assert marketo.get("/rest/v1/activities/deletedleads.json", nextPageToken=place)["result"] == []


def test_losers_are_deleted_leads_by_option(make: Callable[..., Marketo]) -> None:
    """Nobody knows for certain."""
    marketo = make(deletions_include_merged=True)
    marketo.emulator.store.merge_leads(1, 2)
    token = marketo.get("/rest/v1/activities/pagingtoken.json", sinceDatetime="2026-06-15")
    place = token["nextPageToken"]
    listed = marketo.get("/rest/v1/activities/deletedleads.json", nextPageToken=place)["result"]
    assert [row["leadId"] for row in listed] == [2]


@pytest.mark.parametrize("moves", [True, False])
@pytest.mark.parametrize("told", [True, False])
def test_membership_that_moves(make: Callable[..., Marketo], *, moves: bool, told: bool) -> None:
    """Counts as updated, and is told as a status, as the options say."""
    marketo = make(merge_moves_member_updated_at=moves, merge_notes_status=told)
    store = marketo.emulator.store
    winner, loser = store.add_lead(), store.add_lead()
    store.add_member(1001, loser, updatedAt="2026-01-01T00:00:00Z")
    before = len(activities(marketo, 104))
    store.merge_leads(winner, loser)
    moved = store.member(1001, winner)["updatedAt"] != "2026-01-01T00:00:00Z"
    assert moved is moves
    assert len(activities(marketo, 104)) - before == int(told)


def test_merge_that_makes_no_sense_changes_nothing(marketo: Marketo) -> None:
    """Without a loser, with the winner among them, with too many, or with somebody unknown."""
    store = marketo.emulator.store
    before = list(store.leads()), list(store.members())
    for losers in ((), (1,), (2, 1), tuple(range(2, 30))):
        with pytest.raises(ValueError, match="a merge needs 1 to 25"):
            store.merge_leads(1, *losers)
    for winner, losers in ((1, (2, 9999)), (9999, (1,))):
        with pytest.raises(KeyError):
            store.merge_leads(winner, *losers)
    assert (list(store.leads()), list(store.members())) == before


def test_deleted_lead_leaves_lists_and_programs(marketo: Marketo) -> None:
    """Its custom objects stay, as orphans."""
    store = marketo.emulator.store
    store.put_on_list(100, [7])
    store.put_object("car_c", vin="V1", leadID=7)
    store.delete_lead(7)
    assert store.static_lists[100].lead_ids == set()
    assert [row["leadID"] for row in store.object_rows("car_c") if row["vin"] == "V1"] == [7]
    with pytest.raises(KeyError):
        store.delete_lead(7)


def test_job_that_waits_survives_a_deletion(marketo: Marketo) -> None:
    """The file is what is there when it starts."""
    store = marketo.emulator.store
    store.put_on_list(100, [7, 8])
    export_id = marketo.create(["id"], "leads", staticListId=100)
    store.delete_lead(7)
    marketo.enqueue(export_id, "leads")
    marketo.clock.advance(300)
    assert marketo.file(export_id, "leads").data == b"id\n8\n"

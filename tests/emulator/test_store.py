"""Looking at the data and changing it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from marketo_emulator.data.fields import LEAD_FIELDS, MEMBER_FIELDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.emulator.harness import Marketo

NOW = "2026-06-15T18:00:00Z"


def test_there_are_as_many_members_as_asked_for(make: Callable[..., Marketo]) -> None:
    """Over all programs together, each pair of program and lead once."""
    store = make(programs=8, members=321).emulator.store
    keys = {(member["programId"], member["leadId"]) for member in store.members()}
    assert len(keys) == store.member_count == 321
    assert len(store.programs) == 8


def test_members_and_leads_have_every_field(marketo: Marketo) -> None:
    """By their REST names, in the order of describe."""
    store = marketo.emulator.store
    assert tuple(next(store.members())) == MEMBER_FIELDS.names
    assert tuple(next(store.leads())) == LEAD_FIELDS.names


def test_changed_member_is_updated_now(marketo: Marketo) -> None:
    """Other fields stay as they are."""
    store = marketo.emulator.store
    lead_id = next(iter(store.member_rows[1003]))
    before = store.member(1003, lead_id)
    store.change_member(1003, lead_id, dietaryNotes="none")
    after = store.member(1003, lead_id)
    assert after == {**before, "dietaryNotes": "none", "updatedAt": NOW}


def test_success_once_reached_stays(marketo: Marketo) -> None:
    """A status of success sets flag and date; a later one does not take them back."""
    store = marketo.emulator.store
    lead_id = next(iter(store.member_rows[1002]))
    store.change_member(1002, lead_id, reachedSuccess=False, reachedSuccessDate=None)
    store.change_member(1002, lead_id, statusName="Attended")
    reached = store.member(1002, lead_id)
    marketo.clock.advance(60)
    store.change_member(1002, lead_id, statusName="No Show")
    after = store.member(1002, lead_id)
    assert (reached["reachedSuccess"], reached["reachedSuccessDate"]) == (True, NOW)
    assert (after["reachedSuccess"], after["reachedSuccessDate"]) == (True, NOW)
    assert after["statusName"] == "No Show"


def test_moments_may_be_given_as_text(marketo: Marketo) -> None:
    """In the form in which they are read."""
    store = marketo.emulator.store
    lead_id = next(iter(store.member_rows[1003]))
    store.change_member(1003, lead_id, updatedAt="2026-01-01T00:00:00Z")
    assert store.member(1003, lead_id)["updatedAt"] == "2026-01-01T00:00:00Z"


@pytest.mark.parametrize("name", ["nope", "programID"])
def test_unknown_field_cannot_be_changed(marketo: Marketo, name: str) -> None:
    """A misspelt name is an error."""
    lead_id = next(iter(marketo.emulator.store.member_rows[1003]))
    with pytest.raises(KeyError, match=name):
        marketo.emulator.store.change_member(1003, lead_id, **{name: 1})


def test_touch_changes_as_many_as_asked_for(marketo: Marketo) -> None:
    """The same ones for the same seed, each updated now."""
    store = marketo.emulator.store
    touched = store.touch_members(10, seed=3)
    updated = {
        (member["programId"], member["leadId"])
        for member in store.members()
        if member["updatedAt"] == NOW
    }
    assert set(touched) == updated
    assert len(touched) == 10
    assert store.touch_members(10, seed=3) == touched
    assert len(store.touch_members(10_000)) == 120


def test_added_member_is_a_new_lead_of_now(marketo: Marketo) -> None:
    """Unless a lead is named."""
    store = marketo.emulator.store
    leads = len(store.lead_rows)
    program_id, lead_id = store.add_member(1006)
    assert store.member(program_id, lead_id)["createdAt"] == NOW
    assert len(store.lead_rows) == leads + 1
    assert store.add_member(1006, 1, eventRole="Host") == (1006, 1)
    assert store.member(1006, 1)["eventRole"] == "Host"


def test_removed_member_leaves_no_trace(marketo: Marketo) -> None:
    """Gone from the program, still a lead."""
    store = marketo.emulator.store
    lead_id = next(iter(store.member_rows[1003]))
    store.remove_member(1003, lead_id)
    assert lead_id not in store.member_rows[1003]
    assert store.lead(lead_id)["id"] == lead_id


def test_added_program_is_listed_with_its_members(marketo: Marketo) -> None:
    """With a name, an age and members changed now."""
    store = marketo.emulator.store
    program = store.add_program("Fresh", members=5, age_days=1)
    listed = marketo.get(f"/rest/asset/v1/program/{program.program_id}.json")["result"][0]
    members = [member for member in store.members() if member["programId"] == program.program_id]
    assert (listed["name"], listed["createdAt"]) == ("Fresh", "2026-06-14T18:00:00Z+0000")
    assert [member["updatedAt"] for member in members] == [NOW] * 5
    assert {member["program"] for member in members} == {"Fresh"}


def test_removed_program_is_gone(marketo: Marketo) -> None:
    """With its members; its id is not given again."""
    store = marketo.emulator.store
    store.remove_program(1008)
    assert all(member["programId"] != 1008 for member in store.members())
    assert store.add_program().program_id == 1009


def test_members_need_a_program(make: Callable[..., Marketo]) -> None:
    """None can be made out of nothing."""
    with pytest.raises(ValueError, match="5 members need a program"):
        make(programs=0, members=5)

"""The seeded data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from marketo_emulator.data.fields import LEAD_FIELDS, MEMBER_FIELDS
from marketo_emulator.data.seed import lead_walk, program_sizes

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.emulator.harness import Marketo


def test_same_seed_same_data(make: Callable[..., Marketo]) -> None:
    """Given the same moment."""
    first, second = make().emulator.store, make().emulator.store
    assert list(first.members()) == list(second.members())
    assert list(first.leads()) == list(second.leads())


def test_members_change_over_two_years(make: Callable[..., Marketo]) -> None:
    """After their program was made, in every quarter, never in the future."""
    store = make(members=2000).emulator.store
    updated = [str(member["updatedAt"]) for member in store.members()]
    quarters = {f"{moment[:4]}-{(int(moment[5:7]) - 1) // 3}" for moment in updated}
    assert len(quarters) >= 8
    assert max(updated) <= "2026-06-15T18:00:00Z"
    for member in store.members():
        created = store.programs[int(str(member["programId"]))].created_at
        row = store.member_rows[int(str(member["programId"]))][int(str(member["leadId"]))]
        joined = row[MEMBER_FIELDS.position["createdAt"]]
        changed = row[MEMBER_FIELDS.position["updatedAt"]]
        assert created <= int(str(joined)) <= int(str(changed))


def test_a_history_is_as_long_as_asked_for(make: Callable[..., Marketo]) -> None:
    """People, programs, activities and custom objects alike; a third week is for the leads."""
    store = make(programs=3, members=50, history_days=10).emulator.store
    rows = [*store.members(), *store.leads(), *store.object_rows("car_c")]
    oldest = min(str(row["createdAt"]) for row in rows)
    assert "2026-06-03T17:00:00Z" <= oldest < "2026-06-08T00:00:00Z"
    with pytest.raises(ValueError, match="a history has 3 days or more, not 2"):
        make(history_days=2)


def test_member_fields_are_all_filled_somewhere(make: Callable[..., Marketo]) -> None:
    """And nearly all are empty somewhere."""
    members = list(make(members=2000).emulator.store.members())
    empty = {name for name in MEMBER_FIELDS.names if all(m[name] is None for m in members)}
    full = {name for name in MEMBER_FIELDS.names if all(m[name] is not None for m in members)}
    assert empty == set()
    assert full == {
        "acquiredBy", "createdAt", "isExhausted", "leadId", "membershipDate", "program",
        "programId", "reachedSuccess", "statusName", "updatedAt",
    }  # fmt: skip


@pytest.mark.parametrize(
    "awkward", [",", '"', "\n", "\r\n", "\t", "\u2028", "🦩", "中", "  ", "NULL"]
)
def test_texts_are_awkward(make: Callable[..., Marketo], awkward: str) -> None:
    """Every kind of text that breaks readers is there."""
    members = make(members=2000).emulator.store.members()
    assert any(awkward in str(member["dietaryNotes"]) for member in members)


def test_cadence_belongs_to_nurture_programs(make: Callable[..., Marketo]) -> None:
    """Others have none."""
    marketo = make(members=500)
    for member in marketo.emulator.store.members():
        nurtures = marketo.emulator.store.programs[int(str(member["programId"]))].nurtures
        assert (member["nurtureCadence"] in {"norm", "paus"}) is nurtures


def test_no_value_is_the_null_of_files(make: Callable[..., Marketo]) -> None:
    """A text that reads `null` could not be told from nothing."""
    store = make(members=2000).emulator.store
    for row in (*store.members(), *store.leads()):
        assert not {"null", ""} & {value for value in row.values() if isinstance(value, str)}


def test_addresses_are_unique_and_go_nowhere(make: Callable[..., Marketo]) -> None:
    """All of them at a reserved domain."""
    emails = [str(lead["email"]) for lead in make(members=500).emulator.store.leads()]
    assert len(set(emails)) == len(emails)
    assert all(email.endswith("@example.com") for email in emails)


@pytest.mark.parametrize(("programs", "members"), [(1, 10), (3, 0), (8, 120), (50, 999), (0, 0)])
def test_sizes_sum_up(programs: int, members: int) -> None:
    """Whatever the numbers; the sixth program is empty."""
    sizes = program_sizes(programs, members)
    assert len(sizes) == programs
    assert sum(sizes) == members
    assert sizes[5:6] in ([], [0])


@pytest.mark.parametrize("leads", [1, 2, 10, 97, 1000])
def test_walk_visits_every_lead_once(leads: int) -> None:
    """In an order of its own."""
    assert sorted(lead_walk(5, leads)) == list(range(1, leads + 1))


def test_lead_fields_are_about_forty_with_the_odd_ones() -> None:
    """Some read-only, some custom, one formula."""
    types = [field.data_type for field in LEAD_FIELDS]
    assert 40 <= len(LEAD_FIELDS) <= 50
    assert types.count("formula") == 1
    assert any(not field.updateable for field in LEAD_FIELDS)
    assert any(field.custom for field in LEAD_FIELDS)

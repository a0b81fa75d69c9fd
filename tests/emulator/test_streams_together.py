"""Everything at once: what exports of adjoining windows hold is what happened."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from tests.emulator.harness import Marketo

_TYPES = (1, 2, 6, 46)


def happen(marketo: Marketo, random: Random) -> None:
    """Let one thing happen."""
    store = marketo.emulator.store
    leads = list(store.lead_rows)
    lead_id = random.choice(leads)
    actions: tuple[Callable[[], object], ...] = (
        lambda: store.add_lead(city="Bonn"),
        lambda: store.change_lead(lead_id, city=random.choice(("Rom", "Oslo"))),
        lambda: store.change_lead(lead_id, loyaltyTier=random.choice(("Gold", "Silver"))),
        lambda: store.add_activity(lead_id, random.choice(_TYPES)),
        lambda: store.touch_members(3, seed=random.randrange(99)),
        lambda: store.add_member(1001, lead_id),
        lambda: store.put_on_list(100, [lead_id]),
        lambda: store.delete_lead(lead_id),
        lambda: store.merge_leads(*random.sample(leads, 2)),
        lambda: store.put_object("car_c", vin=f"V{random.randrange(9)}", leadID=lead_id),
        lambda: store.change_program(1002, description="new"),
    )
    random.choice(actions)()


def windows(start: datetime, end: datetime, seconds: int) -> Iterator[dict[str, str]]:
    """Return adjoining windows, whose ends are included."""
    while start < end:
        last = start + timedelta(seconds=seconds - 1)
        yield {"startAt": f"{start:%Y-%m-%dT%H:%M:%SZ}", "endAt": f"{last:%Y-%m-%dT%H:%M:%SZ}"}
        start = last + timedelta(seconds=1)


def rows(marketo: Marketo, kind: str, fields: list[str], **conditions: Any) -> list[dict[str, str]]:
    """Return the rows of an export."""
    marketo.emulator.revoke_tokens()
    marketo.sign_in()
    text = marketo.export(fields, kind, **conditions).decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.mark.parametrize("seed", range(4))
def test_exports_hold_what_happened(make: Callable[..., Marketo], seed: int) -> None:
    """Activities each once, leads and records by their last change, members as they are."""
    marketo, random = make(programs=4, members=40), Random(seed)
    start = marketo.clock.now()
    for _ in range(80):
        marketo.clock.advance(random.randrange(60))
        happen(marketo, random)
    end = marketo.clock.now() + timedelta(seconds=1)
    marketo.clock.advance(60)
    store = marketo.emulator.store
    exported: dict[str, list[str]] = {"activities": [], "leads": [], "cars": []}
    for span in windows(start, end, 700):
        found = rows(marketo, "activities", ["marketoGUID"], createdAt=span)
        exported["activities"] += [row["marketoGUID"] for row in found]
        found = rows(marketo, "leads", ["id"], updatedAt=span)
        exported["leads"] += [row["id"] for row in found]
        found = rows(marketo, "customobjects/car_c", ["vin"], updatedAt=span)
        exported["cars"] += [row["vin"] for row in found]
    happened = [
        str(activity.number)
        for activity in store.log.readable(store.now, least=int(start.timestamp()))
        if activity.happening.type_id != 37
    ]
    assert sorted(exported["activities"]) == sorted(happened)
    changed = {
        str(lead_id)
        for lead_id in store.lead_rows
        if store.changed_at(lead_id) >= start.timestamp()
    }
    assert sorted(exported["leads"]) == sorted(changed)
    noted = f"{start:%Y-%m-%dT%H:%M:%SZ}"
    cars = [row["vin"] for row in store.object_rows("car_c") if str(row["updatedAt"]) >= noted]
    assert sorted(exported["cars"]) == sorted(str(vin) for vin in cars)
    members = rows(marketo, "program/members", ["leadId"], programIds=list(store.programs))
    assert len(members) == store.member_count
    assert {int(row["leadId"]) for row in members} <= set(store.lead_rows)


@pytest.mark.parametrize("seed", range(2))
def test_activities_tell_which_programs_changed(make: Callable[..., Marketo], seed: int) -> None:
    """Every program with a member that joined, left or changed, from the five types alone."""
    marketo, random = make(programs=8, members=80), Random(seed)
    store = marketo.emulator.store
    start = marketo.clock.now()
    before = {program_id: dict(members) for program_id, members in store.member_rows.items()}
    for _ in range(20):
        marketo.clock.advance(30)
        program_id = random.choice((1001, 1003, 1005))
        members = list(store.member_rows[program_id])
        if members and random.random() < 0.5:
            store.remove_member(program_id, random.choice(members))
        else:
            store.add_member(program_id)
    span = next(windows(start, marketo.clock.now(), 3600))
    told = rows(
        marketo,
        "activities",
        ["primaryAttributeValueId"],
        createdAt=span,
        activityTypeIds=[104, 113, 114, 115, 123],
    )
    changed = {
        str(program_id)
        for program_id, members in store.member_rows.items()
        if members != before[program_id]
    }
    assert changed <= {row["primaryAttributeValueId"] for row in told} <= {"1001", "1003", "1005"}

"""Stream events: what happens to leads, to activities and to custom objects meanwhile."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING, Any, cast

from marketo_emulator.data.fields import LEAD_FIELDS

if TYPE_CHECKING:
    from marketo_emulator.data.store import Store
    from marketo_emulator.world import World as EmulatedWorld

_UPDATED_AT = LEAD_FIELDS.position["updatedAt"]
LINKED = ("car_c", "trackSubscription_c", "purchaseHistory")
TOLD: tuple[tuple[int, str, dict[str, Any]], ...] = (
    (1, "example.com/late", {"Webpage URL": "/late", "User Agent": "", "Query Parameters": "a,b"}),
    (46, "Web", {"Description": 'Said "maybe",\r\nlater', "Date": "2026-01-05"}),
    (2, "Form", {"Form Fields": 'a:1:{s:5:"Email";s:3:"a;b";}', "Webform ID": None}),
    (22, "Lead Score", {"Change Value": "+1", "Old Value": None, "New Value": 1}),
)
"""Type, primary attribute and attributes of what somebody does."""


class StreamEvents:
    """Each method lets an event happen; one that has lost its object does nothing."""

    def __init__(self, store: Store, emulated: EmulatedWorld) -> None:
        self._store = store
        self._emulated = emulated

    def write_leads(self, count: int, seed: int) -> None:
        """Change a standard field."""
        for number, lead_id in self._some_leads(count, seed):
            self._store.change_lead(lead_id, firstName=f'Name "{seed}", {number}')

    def write_custom_field(self, count: int, seed: int) -> None:
        """Change a field that `updatedAt` may not tell of."""
        for number, lead_id in self._some_leads(count, seed):
            self._store.change_lead(lead_id, loyaltyTier=f"tier {seed} {number}")

    def write_leads_late(self, count: int, seed: int, behind: int) -> None:
        """Change leads at a moment that has passed: changes may take a while to show up."""
        now = self._store.now
        for number, lead_id in self._some_leads(count, seed):
            before = max(self._store.changed_at(lead_id), self._updated_at(lead_id))
            moment = max(now - behind, before)
            self._store.change_lead(lead_id, firstName=f"late {seed} {number}", updatedAt=moment)

    def new_leads(self, count: int) -> None:
        """Make leads."""
        for _ in range(count):
            self._store.add_lead()

    def delete_lead(self, seed: int) -> None:
        """Delete a lead."""
        for _, lead_id in self._some_leads(1, seed):
            self._store.delete_lead(lead_id)

    def merge_leads(self, count: int, seed: int) -> None:
        """Merge some leads into another."""
        ids = [lead_id for _, lead_id in self._some_leads(count + 1, seed)]
        if len(ids) > 1:
            self._store.merge_leads(*ids)

    def act(self, count: int, seed: int) -> None:
        """Let leads do something."""
        self.act_late(count, seed, 0)

    def act_late(self, count: int, seed: int, behind: int) -> None:
        """Let leads have done something so many seconds ago, which is noted now."""
        for number, lead_id in self._some_leads(count, seed):
            type_id, primary, attributes = TOLD[(seed + number) % len(TOLD)]
            self._store.add_activity(
                lead_id, type_id, seconds_ago=behind, primary_id=seed,
                primary_value=primary, attributes=attributes,
            )  # fmt: skip

    def put_objects(self, count: int, seed: int, behind: int) -> None:
        """Change records of custom objects, perhaps at a moment that has passed."""
        random = Random(seed)
        for name in LINKED:
            found = self._store.objects[name]
            known = list(found.rows)
            field = {"car_c": "mileage", "trackSubscription_c": "wantsLunch"}.get(name, "quantity")
            value = {"mileage": seed / 4, "wantsLunch": bool(seed % 2)}.get(field, seed)
            for guid in random.sample(known, min(count, len(known))):
                before = cast("int", found.rows[guid][found.fields.position["updatedAt"]])
                moment = max(self._store.now - behind, before)
                found.put(guid, {field: value}, moment)

    def new_objects(self, count: int, seed: int) -> None:
        """Make records of custom objects."""
        for number, lead_id in self._some_leads(count, seed):
            text = f"{seed}-{number}"
            put = self._store.put_object
            put("car_c", leadID=lead_id, vin=text, model=f"Model, {text}")
            put("trackSubscription_c", leadID=lead_id, trackID=text)
            put("purchaseHistory", leadEmail=f"person{lead_id}@example.com", productName=text)

    def remove_object(self, seed: int) -> None:
        """Delete a record of each custom object, which nothing tells of."""
        random = Random(seed)
        for name in LINKED:
            known = list(self._store.objects[name].rows)
            if known:
                self._store.remove_object(name, random.choice(known))

    def forbid(self, permission: str) -> None:
        """Take a permission away."""
        self._permit((permission,))

    def allow(self) -> None:
        """Give all permissions back."""
        self._permit(())

    # -- inside ---------------------------------------------------------------------------------

    def _permit(self, missing: tuple[str, ...]) -> None:
        self._emulated.options = replace(self._emulated.options, missing_permissions=missing)

    def _some_leads(self, count: int, seed: int) -> list[tuple[int, int]]:
        ids = list(self._store.lead_rows)
        return list(enumerate(Random(seed).sample(ids, min(count, len(ids)))))

    def _updated_at(self, lead_id: int) -> int:
        return cast("int", self._store.lead_rows[lead_id][_UPDATED_AT])

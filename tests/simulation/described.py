"""Description: the fields that describe lists in one world, all of them or a few.

Fewer fields make a schedule cheaper, and each world another instance to discover; which values a
field may hold is the same for all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from marketo_emulator.data.fields import MEMBER_FIELDS, FieldSet

if TYPE_CHECKING:
    from collections.abc import Collection

    from marketo_emulator.data.store import Store

ALWAYS = frozenset(
    {"dietaryNotes", "leadId", "programId", "registrationCode", "statusName", "updatedAt"}
)
"""The key, the date, and what changes: awkward texts are among it."""
OPTIONAL = tuple(name for name in MEMBER_FIELDS.names if name not in ALWAYS)
LEAD_FIELDS_KEPT = 3
LEAD_FIELDS_ASKED = frozenset(
    {"id", "email", "firstName", "leadStatus", "leadScore", "urgency", "createdAt", "updatedAt"}
    | {"loyaltyTier", "lastOrderAt", "greeting", "leadPartitionId"}
)
"""Those of an instance whose leads are asked for: of each kind that is selected or left out."""


def member_fields(optional: Collection[str] | None) -> FieldSet:
    """Return the member fields that are described; None stands for all."""
    if optional is None:
        return MEMBER_FIELDS
    kept = ALWAYS.union(optional)
    return FieldSet(tuple(field for field in MEMBER_FIELDS if field.name in kept))


def describe_only(
    store: Store, optional: Collection[str] | None, *, asks_for_leads: bool = False
) -> None:
    """Hide all other fields of an instance that nothing has been asked of yet."""
    if optional is None:
        return
    kept = member_fields(optional).names
    for field in store.member_fields.fields:
        if field.name not in kept:
            store.member_fields.remove(field.name)
    leads = {field.name for field in store.lead_fields.fields[:LEAD_FIELDS_KEPT]}
    if asks_for_leads:
        leads |= LEAD_FIELDS_ASKED
    for field in store.lead_fields.fields:
        if field.name not in leads:
            store.lead_fields.remove(field.name)

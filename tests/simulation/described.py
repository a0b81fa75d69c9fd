"""Description: the fields that describe lists in one world, all of them or a few.

Fewer fields make a schedule cheaper, and each world another instance to discover; which values a
field may hold is the same for all of them.
"""

from __future__ import annotations

import contextlib
from types import SimpleNamespace
from typing import TYPE_CHECKING

from marketo_emulator import fields, metadata
from marketo_emulator.fields import LEAD_FIELDS, MEMBER_FIELDS, FieldSet

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

ALWAYS = frozenset(
    {"dietaryNotes", "leadId", "programId", "registrationCode", "statusName", "updatedAt"}
)
"""The key, the date, and what changes: awkward texts are among it."""
OPTIONAL = tuple(name for name in MEMBER_FIELDS.names if name not in ALWAYS)
LEAD_FIELDS_KEPT = 3


def member_fields(optional: Collection[str] | None) -> FieldSet:
    """Return the member fields that are described; None stands for all."""
    if optional is None:
        return MEMBER_FIELDS
    kept = ALWAYS.union(optional)
    return FieldSet(tuple(field for field in MEMBER_FIELDS if field.name in kept))


@contextlib.contextmanager
def described(optional: Collection[str] | None) -> Iterator[None]:
    """Let the emulator describe no more than these, and then again what it always does."""
    if optional is None:
        yield
        return
    fewer = SimpleNamespace(
        MEMBER_FIELDS=member_fields(optional),
        LEAD_FIELDS=FieldSet(LEAD_FIELDS.fields[:LEAD_FIELDS_KEPT]),
        member_description=fields.member_description,
        lead_description=fields.lead_description,
    )
    before = vars(metadata)["fields"]
    vars(metadata)["fields"] = fewer
    try:
        yield
    finally:
        vars(metadata)["fields"] = before

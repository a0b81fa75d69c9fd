"""Member fields: which fields an export of program members can bring."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from marketo_bulk import FieldDescription
from tap_marketo_bulk.streams.fields import Fields

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


logger = logging.getLogger(__name__)

LEAD_ID = "leadId"
PROGRAM_ID = "programId"
UPDATED_AT = "updatedAt"
KEYS: Mapping[str, str] = {LEAD_ID: "integer", PROGRAM_ID: "integer"}

MEMBER_LABELS: Mapping[str, str] = {
    "isExhausted": "Nurture Exhausted",
    "membershipDate": "Member Date",
    "reachedSuccess": "Success",
    "reachedSuccessDate": "Success Date",
    "statusName": "Status",
    "trackName": "Nurture Track",
}
"""What the user interface calls standard fields, where that is not their name in words.

Describe does not tell; Adobe's sample of an export has such a header.
"""

ALWAYS_THERE: Mapping[str, FieldDescription] = {
    LEAD_ID: FieldDescription(LEAD_ID, "Lead Id", "integer"),
    PROGRAM_ID: FieldDescription(PROGRAM_ID, "Program Id", "integer"),
    UPDATED_AT: FieldDescription(UPDATED_AT, "Updated At", "datetime"),
}
"""What every export has, whether describe lists it or not."""


@dataclass(frozen=True, slots=True)
class MemberFields:
    """The fields a program member export can bring."""

    member: tuple[FieldDescription, ...]
    lead: tuple[FieldDescription, ...]
    """Those whose name is no member field's: of two fields of one name, the export brings the
    member's."""

    @classmethod
    def from_describe(
        cls,
        member: Iterable[FieldDescription],
        lead: Iterable[FieldDescription],
        *,
        lead_patterns: Sequence[str] | None = None,
    ) -> MemberFields:
        """Return what both describe calls list, without lead fields a member field hides.

        `lead_patterns` are shell patterns, whatever the case; None lets in every lead field.
        """
        members = tuple(member)
        listed = {field.name for field in members}
        unlisted = [name for name in ALWAYS_THERE if name not in listed]
        if unlisted:
            logger.warning(
                "Marketo's description of program members lacks %s, without which there is no "
                "record: asked for all the same",
                ", ".join(unlisted),
            )
        members += tuple(ALWAYS_THERE[name] for name in unlisted)
        names = {field.name.lower() for field in members}
        others = (f for f in lead if f.name.lower() not in names)
        return cls(members, tuple(f for f in others if _matches(f.name, lead_patterns)))

    def to_fields(self) -> Fields:
        """Return the same in the order of the catalog; lead fields are not selected by default."""
        return Fields(
            (*self.member, *self.lead),
            KEYS,
            member_labels(self.member),
            frozenset(described.name for described in self.lead),
        )


def member_labels(member: Iterable[FieldDescription]) -> dict[str, str]:
    """Return what else a header may call these fields of members."""
    return {f.name: MEMBER_LABELS[f.name] for f in member if f.name in MEMBER_LABELS}


def _matches(name: str, patterns: Sequence[str] | None) -> bool:
    return patterns is None or any(fnmatchcase(name.lower(), p.lower()) for p in patterns)

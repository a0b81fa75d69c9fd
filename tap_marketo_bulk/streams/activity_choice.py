"""Activity choice: which types of activities are wanted, by the ids and names of a setting."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from marketo_bulk import ConfigurationError
from marketo_bulk.activities.activity_types import DELETE_LEAD

if TYPE_CHECKING:
    from collections.abc import Sequence

    from marketo_bulk import ActivityType

logger = logging.getLogger(__name__)

SETTING = "activity_types"
SHOWN_MAX = 80

FREQUENT_IDS = frozenset({1, 3, 6, 7, 13, 19, 22, 24, 36, 47})
FREQUENT_NAMES = frozenset(
    name.casefold()
    for name in (
        "Add to List", "Change Data Value", "Change Score", "Click Link", "Email Delivered",
        "Request Campaign", "Send Email", "Sync Lead to Microsoft", "Sync Lead to SFDC",
        "Sync Lead Updates to SFDC", "Update Opportunity", "Visit Webpage",
    )
)  # fmt: skip
"""What a busy instance has most of, and keeps for 90 days.

Source: Marketo Activities Data Retention Policy (vendor support).
"""


def chosen_types(
    types: Sequence[ActivityType], wanted: Sequence[int | str]
) -> tuple[ActivityType, ...]:
    """Return the types that are wanted; without any wish all but the most frequent ones.

    Shape: a name means every type that has it, whatever the case.
    Raises: ConfigurationError for what is no type of this instance, or cannot be exported.
    """
    exported = [each for each in types if each.type_id != DELETE_LEAD]
    if not wanted:
        return tuple(each for each in exported if not _is_frequent(each))
    found: dict[int, ActivityType] = {}
    for wish in wanted:
        meant = [each for each in types if _means(wish, each)]
        if any(each.type_id == DELETE_LEAD for each in meant):
            raise ConfigurationError(
                f"{SETTING}: {wish!r} cannot be exported. Select the stream deleted_leads instead"
            )
        if not meant:
            raise ConfigurationError(
                f"{SETTING}: this Marketo instance has no type {wish!r}. It has "
                + ", ".join(f"{each.type_id} {each.name}" for each in exported[:SHOWN_MAX])
            )
        found.update((each.type_id, each) for each in meant)
    return tuple(sorted(found.values(), key=lambda each: each.type_id))


def wishes_met(types: Sequence[ActivityType], wanted: Sequence[int | str]) -> tuple[int | str, ...]:
    """Return the wishes that mean one of some types."""
    return tuple(wish for wish in wanted if any(_means(wish, each) for each in types))


def check_archived(types: Sequence[ActivityType], wanted: Sequence[int | str]) -> None:
    """Return if all types of an archive are wanted, or nothing says which are.

    Raises: ConfigurationError if some are not: a replay brings whatever is in a file.
    """
    others = [each for each in types if not any(_means(wish, each) for wish in wanted)]
    if wanted and others:
        raise ConfigurationError(
            f"{SETTING}: the archive has activities of other types as well, which a replay does "
            "not leave out: "
            + ", ".join(f"{each.type_id} {each.name}" for each in others[:SHOWN_MAX])
            + f". Remove {SETTING}, filter by stream_maps, or set activity_streams to per_type and "
            "select streams"
        )


def _is_frequent(each: ActivityType) -> bool:
    return each.type_id in FREQUENT_IDS or each.name.casefold() in FREQUENT_NAMES


def _means(wish: int | str, each: ActivityType) -> bool:
    said = str(wish).strip()
    return said == str(each.type_id) or said.casefold() == each.name.casefold()

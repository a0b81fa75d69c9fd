"""Activity types: what `types.json` lists, as values.

The list differs by instance and grows, and holds custom types without a mark. New Lead has been
seen without a primary attribute, and two types with one name.
Source: Adobe, REST API > Lead Database > Activities (read 2026-08-17).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from marketo_bulk.activities.members import number, text
from marketo_bulk.http.permissions import READ_ACTIVITY
from marketo_bulk.http.protocol import Request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from marketo_bulk.http.protocol import Envelope

DELETE_LEAD = 37
"""The one type that no list of activities and no export has: deleted leads have their own call."""


@dataclass(frozen=True, slots=True)
class ActivityAttribute:
    """One attribute; `name` is the key in an activity, `data_type` Marketo's word for its type."""

    name: str
    data_type: str = "string"


@dataclass(frozen=True, slots=True)
class ActivityType:
    """One type of activity."""

    type_id: int
    name: str
    api_name: str = ""
    description: str = ""
    primary_attribute: ActivityAttribute | None = None
    attributes: tuple[ActivityAttribute, ...] = ()


def types_request() -> Request:
    """Return the call for all types."""
    return Request(
        method="GET",
        target="/rest/v1/activities/types.json",
        operation="list activity types",
        permission=READ_ACTIVITY,
    )


def parse_types(envelope: Envelope) -> list[ActivityType]:
    """Return the types of an answer, each id once.

    Raises: DecodeError if one has no id.
    """
    found: dict[int, ActivityType] = {}
    for entry in envelope.result or ():
        type_id = number(entry, "id")
        if type_id is None:
            raise envelope.fault("an activity type has no id")
        found.setdefault(type_id, _parse_type(type_id, entry))
    return list(found.values())


def _parse_type(type_id: int, entry: Mapping[str, object]) -> ActivityType:
    attributes = entry.get("attributes")
    parsed = map(_parse_attribute, attributes if isinstance(attributes, list) else ())
    return ActivityType(
        type_id=type_id,
        # A type without a name has its id for one, so that it can be told from others.
        name=text(entry, "name") or str(type_id),
        api_name=text(entry, "apiName") or "",
        description=text(entry, "description") or "",
        primary_attribute=_parse_attribute(entry.get("primaryAttribute")),
        attributes=tuple(attribute for attribute in parsed if attribute),
    )


def _parse_attribute(entry: object) -> ActivityAttribute | None:
    """Return an attribute; None where there is none, or none with a name."""
    name = text(entry, "name") if isinstance(entry, dict) else None
    if not isinstance(entry, dict) or not name:
        return None
    # Every value can be read as text, so an attribute of no announced type is a string.
    return ActivityAttribute(name, text(entry, "dataType") or "string")

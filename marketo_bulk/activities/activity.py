"""Activity: one thing that happened, as the REST calls show it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from marketo_bulk.activities.members import number, text
from marketo_bulk.errors import DecodeError
from marketo_bulk.timestamps import parse_timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Activity:
    """One activity. Values of persons are hidden from `repr`.

    Shape: `marketo_guid` is text, which may be digits; it does not sort by time.
        `lead_id` may be that of a lead that has since been merged into another.
        `primary_attribute_value` is the name at the time. `attributes` are by display name; one
        without a value may be missing, None or empty.
    """

    marketo_guid: str
    lead_id: int | None
    activity_date: datetime
    type_id: int
    campaign_id: int | None = None
    primary_attribute_value_id: int | None = None
    primary_attribute_value: str | None = field(default=None, repr=False)
    attributes: Mapping[str, object] = field(default_factory=dict, repr=False)

    @classmethod
    def parse(cls, entry: Mapping[str, object]) -> Activity:
        """Return the activity one object of a `result` list describes.

        Raises: DecodeError if it has no id, date or type, or one that cannot be read.
        """
        # Old instances have a number called id alone; the new name is for both.
        guid = text(entry, "marketoGUID") or text(entry, "id")
        date, type_id = text(entry, "activityDate"), number(entry, "activityTypeId")
        if not guid or not date or type_id is None:
            raise DecodeError("an activity lacks its marketoGUID, activityDate or activityTypeId")
        return cls(
            marketo_guid=guid,
            lead_id=number(entry, "leadId"),
            activity_date=parse_timestamp(date),
            type_id=type_id,
            campaign_id=number(entry, "campaignId"),
            primary_attribute_value_id=number(entry, "primaryAttributeValueId"),
            primary_attribute_value=text(entry, "primaryAttributeValue"),
            attributes=_attributes(entry.get("attributes")),
        )


def _attributes(value: object) -> Mapping[str, object]:
    """Return the attributes by name: a list of names and values, or the object that files have."""
    if value is None:
        return {}
    if isinstance(value, dict):
        return value
    if isinstance(value, list) and all(
        isinstance(each, dict) and isinstance(each.get("name"), str) for each in value
    ):
        return {each["name"]: each.get("value") for each in value}
    raise DecodeError("attributes are neither a list of names and values nor an object")

"""The activity as it is read: its columns, its id and its attributes in the form of the day."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from marketo_emulator.data.values import moment_text

if TYPE_CHECKING:
    from marketo_emulator.data.activities import Activity, Happening
    from marketo_emulator.data.values import Value
    from marketo_emulator.options import Options

    Row = tuple[Value, ...]

DEFAULT_COLUMNS = (
    "marketoGUID", "leadId", "activityDate", "activityTypeId", "campaignId",
    "primaryAttributeValueId", "primaryAttributeValue", "attributes",
)  # fmt: skip
COLUMNS = (*DEFAULT_COLUMNS, "actionResult")
DATA_TYPES = {
    "marketoGUID": "string",
    "leadId": "integer",
    "activityDate": "datetime",
    "activityTypeId": "integer",
    "campaignId": "integer",
    "primaryAttributeValueId": "integer",
    "primaryAttributeValue": "string",
    "attributes": "attributes",
    "actionResult": "string",
}
_LONG = 128


def guid_text(number: int, options: Options) -> str:
    """Return an activity's marketoGUID: digits, or 128 characters that are none (C14.55)."""
    if options.activity_guid == "digits":
        return str(number)
    return hashlib.sha512(str(number).encode()).hexdigest()[:_LONG]


def activity_row(activity: Activity, options: Options) -> Row:
    """Return the values of `COLUMNS`; the attributes as JSON (C§23.3)."""
    happening = activity.happening
    shown: object = stated_attributes(happening, options)
    if options.activity_attributes == "array":
        shown = named_attributes(happening, options)
    return (
        guid_text(activity.number, options),
        happening.lead_id,
        happening.at,
        happening.type_id,
        happening.campaign_id,
        happening.primary_id,
        happening.primary_value,
        json.dumps(shown, ensure_ascii=False),
        happening.result,
    )


def activity_document(activity: Activity, options: Options) -> dict[str, object]:
    """Return an activity as the REST calls show it (C§22.7, C§23.10)."""
    happening = activity.happening
    shown: dict[str, object] = {
        "id": activity.number,
        "marketoGUID": guid_text(activity.number, options),
        "leadId": happening.lead_id,
        "activityDate": moment_text(happening.at).replace("Z", "+0000"),
        "activityTypeId": happening.type_id,
    }
    if happening.campaign_id is not None:
        shown["campaignId"] = happening.campaign_id
    if happening.primary_id is not None:
        shown["primaryAttributeValueId"] = happening.primary_id
        shown["primaryAttributeValue"] = happening.primary_value
    return {**shown, "attributes": named_attributes(happening, options)}


def stated_attributes(happening: Happening, options: Options) -> dict[str, Any]:
    """Return the attributes; one without a value is left out, empty text or null (C14.44)."""
    if options.empty_attribute == "omitted":
        stated = happening.attributes.items()
        return {name: value for name, value in stated if value is not None and value != ""}
    empty = "" if options.empty_attribute == "empty" else None
    return {
        name: empty if value is None or value == "" else value
        for name, value in happening.attributes.items()
    }


def named_attributes(happening: Happening, options: Options) -> list[dict[str, Any]]:
    """Return the attributes as the REST calls list them."""
    stated = stated_attributes(happening, options)
    return [{"name": name, "value": value} for name, value in stated.items()]

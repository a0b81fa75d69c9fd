"""Activity types: the stream of the types of activities that an instance has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from singer_sdk import typing as th
from typing_extensions import override

from tap_marketo_bulk.streams.activity_columns import TYPES_STREAM
from tap_marketo_bulk.streams.asset_records import AssetWords
from tap_marketo_bulk.streams.asset_stream import AssetStream, whole_table_by

if TYPE_CHECKING:
    from collections.abc import Iterator

    from marketo_bulk.activities.activity_types import ActivityAttribute

ATTRIBUTE = th.ObjectType(
    th.Property("name", th.StringType),
    th.Property("dataType", th.StringType),
)


class ActivityTypes(AssetStream):
    """Types of activities with their attributes, all of them in every run."""

    name = TYPES_STREAM
    words = AssetWords("activity type", "activity types")
    primary_keys = ("id",)
    rules = whole_table_by("id", "integer")
    selected_by_default = False
    schema = th.PropertiesList(
        th.Property("id", th.IntegerType, required=True),
        th.Property("name", th.StringType),
        th.Property("apiName", th.StringType),
        th.Property("description", th.StringType),
        th.Property("primaryAttribute", ATTRIBUTE),
        th.Property("attributes", th.ArrayType(ATTRIBUTE)),
    ).to_dict()

    @override
    def assets(self) -> Iterator[dict[str, Any]]:
        for each in self._marketo_tap.client.list_activity_types():
            primary = each.primary_attribute
            yield {
                "id": each.type_id,
                "name": each.name,
                "apiName": each.api_name or None,
                "description": each.description or None,
                "primaryAttribute": None if primary is None else _told(primary),
                "attributes": [_told(attribute) for attribute in each.attributes],
            }


def _told(attribute: ActivityAttribute) -> dict[str, str]:
    return {"name": attribute.name, "dataType": attribute.data_type}

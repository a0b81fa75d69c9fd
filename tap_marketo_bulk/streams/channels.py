"""Channels: the stream of channels, with the statuses that members of a program can have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from singer_sdk import typing as th
from typing_extensions import override

from tap_marketo_bulk.streams.asset_records import AssetWords
from tap_marketo_bulk.streams.asset_stream import AssetStream, whole_table_by

if TYPE_CHECKING:
    from collections.abc import Iterable

STATUS = th.ObjectType(
    th.Property("name", th.StringType),
    th.Property("description", th.StringType),
    th.Property("step", th.IntegerType),
    th.Property("hidden", th.BooleanType),
    th.Property("success", th.BooleanType),
    th.Property("type", th.StringType),
    additional_properties=True,
)


class Channels(AssetStream):
    """Channels of programs, all of them in every run."""

    name = "channels"
    words = AssetWords("channel", "channels", key="name")
    primary_keys = ("name",)
    rules = whole_table_by("name", "string")
    selected_by_default = False
    schema = th.PropertiesList(
        th.Property("name", th.StringType, required=True),
        th.Property("id", th.IntegerType),
        th.Property("applicableProgramType", th.StringType),
        th.Property("progressionStatuses", th.ArrayType(STATUS)),
        th.Property("createdAt", th.DateTimeType),
        th.Property("updatedAt", th.DateTimeType),
    ).to_dict()

    @override
    def assets(self) -> Iterable[dict[str, Any]]:
        return self._marketo_tap.client.iter_channels()

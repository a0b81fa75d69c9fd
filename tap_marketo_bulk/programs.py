"""Programs: the stream of program assets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marketo_bulk.timestamps import parse_timestamp
from singer_sdk import Stream
from singer_sdk import typing as th
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_marketo_bulk.tap import TapMarketoBulk

TIMESTAMPS = ("createdAt", "updatedAt")

FOLDER = th.ObjectType(
    th.Property("type", th.StringType),
    th.Property("value", th.IntegerType),
    th.Property("folderName", th.StringType),
    additional_properties=True,
)


class Programs(Stream):
    """Marketing programs, all of them in every run."""

    name = "programs"
    primary_keys = ("id",)
    schema = th.PropertiesList(
        th.Property("id", th.IntegerType, required=True),
        th.Property("name", th.StringType),
        th.Property("description", th.StringType),
        th.Property("createdAt", th.DateTimeType),
        th.Property("updatedAt", th.DateTimeType),
        th.Property("url", th.StringType),
        th.Property("type", th.StringType),
        th.Property("channel", th.StringType),
        th.Property("folder", FOLDER),
        th.Property("status", th.StringType),
        th.Property("workspace", th.StringType),
        th.Property("headStart", th.BooleanType),
        th.Property("sfdcId", th.StringType),
        th.Property("sfdcName", th.StringType),
    ).to_dict()

    def __init__(self, tap: TapMarketoBulk) -> None:
        super().__init__(tap)
        self._marketo_tap = tap

    @override
    def get_records(self, context: Any) -> Iterator[dict[str, Any]]:
        for asset in self._marketo_tap.program_assets():
            record = dict(asset)
            for name in TIMESTAMPS:
                if record.get(name):
                    record[name] = parse_timestamp(record[name]).isoformat()
            yield record

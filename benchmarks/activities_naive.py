"""Driver of a plain SDK tap for activities: `activities_naive.py FILE [SETTINGS]`.

`csv.DictReader`, `json.loads` of the attributes, and the SDK's defaults for all the rest. With
`activity_streams: per_type` attributes are columns, as its authors would write it; one stream then
has the columns of all types, so that the file is read once.
"""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from activity_file import HEADER, INTEGERS, TYPES
from singer_sdk import Stream, Tap
from singer_sdk import typing as th
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterator

KINDS: dict[str, th.JSONTypeHelper[Any]] = {
    "integer": th.IntegerType(),
    "boolean": th.BooleanType(),
    "string": th.StringType(),
}
COLUMNS = {
    name.lower().replace(" ", "_"): kind
    for _, attributes in TYPES.values()
    for name, kind in attributes.items()
}
BASE = [
    th.Property(name, th.IntegerType() if name in INTEGERS else th.StringType())
    for name in HEADER
    if name not in {"attributes", "activityDate"}
] + [th.Property("activityDate", th.DateTimeType())]


class NaiveActivities(Stream):
    """The stream."""

    name = "activities"
    primary_keys = ("marketoGUID",)
    replication_key = "activityDate"

    @property
    def splits(self) -> bool:
        """Whether attributes are columns."""
        return self.config.get("activity_streams") == "per_type"

    @property
    @override
    def schema(self) -> dict[str, Any]:
        own = (
            [th.Property(name, KINDS[kind]) for name, kind in COLUMNS.items()]
            if self.splits
            else [th.Property("attributes", th.ObjectType(additional_properties=True))]
        )
        return th.PropertiesList(*BASE, *own).to_dict()

    @override
    def get_records(self, context: Any) -> Iterator[dict[str, Any]]:
        splits = self.splits
        with Path(sys.argv[1]).open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                attributes = json.loads(row.pop("attributes"))
                record: dict[str, Any] = {
                    name: None if cell == "null" else int(cell) if name in INTEGERS else cell
                    for name, cell in row.items()
                }
                if splits:
                    for name, value in attributes.items():
                        record[name.lower().replace(" ", "_")] = value
                else:
                    record["attributes"] = attributes
                yield record


class NaiveTap(Tap):
    """The tap."""

    name = "tap-naive"

    @override
    def discover_streams(self) -> list[Stream]:
        return [NaiveActivities(self)]


if __name__ == "__main__":
    NaiveTap(config=json.loads(sys.argv[2]) if len(sys.argv) > 2 else {}).sync_all()  # noqa: PLR2004

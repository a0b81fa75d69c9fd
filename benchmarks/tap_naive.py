"""Driver of a plain SDK tap, what the SDK's template leads to: `tap_naive.py FILE [SETTINGS]`.

`csv.DictReader`, a cell turned into its type where the schema asks for one, and the SDK's defaults
for all the rest.
"""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from export_file import COLUMNS
from singer_sdk import Stream, Tap
from singer_sdk import typing as th
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TYPES: dict[str, th.JSONTypeHelper[Any]] = {
    "integer": th.IntegerType(),
    "score": th.IntegerType(),
    "currency": th.NumberType(),
    "float": th.NumberType(),
    "boolean": th.BooleanType(),
    "date": th.DateType(),
    "datetime": th.DateTimeType(),
}
PARSERS: dict[str, Callable[[str], Any]] = {
    "integer": int,
    "score": int,
    "currency": float,
    "float": float,
    "boolean": lambda cell: cell == "true",
}


class NaiveMembers(Stream):
    """The stream."""

    name = "program_members"
    primary_keys = ("leadId", "programId")
    replication_key = "updatedAt"
    schema = th.PropertiesList(
        *(th.Property(name, TYPES.get(kind, th.StringType())) for name, kind in COLUMNS.items())
    ).to_dict()

    @override
    def get_records(self, context: Any) -> Iterator[dict[str, Any]]:
        parsers = {name: PARSERS.get(kind, str) for name, kind in COLUMNS.items()}
        with Path(sys.argv[1]).open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                yield {
                    name: None if cell == "null" else parsers[name](cell)
                    for name, cell in row.items()
                }


class NaiveTap(Tap):
    """The tap."""

    name = "tap-naive"

    @override
    def discover_streams(self) -> list[Stream]:
        return [NaiveMembers(self)]


if __name__ == "__main__":
    NaiveTap(config=json.loads(sys.argv[2]) if len(sys.argv) > 2 else {}).sync_all()  # noqa: PLR2004

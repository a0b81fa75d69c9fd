"""Driver of this tap for activities: `activities_ours.py FILE [SETTINGS]` writes its messages.

Streams, loops, row reader and writer are the tap's own. What is left out is Marketo: discovery,
jobs and downloads.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1]))

from activity_file import TYPES
from tap_ours import CONFIG, LocalExtract
from typing_extensions import override

from marketo_bulk import ActivityAttribute, ActivityType, RowReader
from tap_marketo_bulk.streams import activity_streams
from tap_marketo_bulk.streams.activities import Activities
from tap_marketo_bulk.streams.activity_streams import ActivitiesPerType, type_streams
from tap_marketo_bulk.streams.export_stream import ExportStream
from tap_marketo_bulk.tap import TapMarketoBulk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from singer_sdk import Stream

    from tap_marketo_bulk.output.extract import Extract


def local_extracts(stream: ExportStream) -> Iterator[Extract]:
    """Yield the one file there is."""
    yield LocalExtract(RowReader(stream.selection().columns), Path(sys.argv[1]))


class LocalActivities(ExportStream):
    """The one stream of all types."""

    selected_by_default = True

    @override
    def extracts(self) -> Iterator[Extract]:
        return local_extracts(self)


class LocalActivitiesPerType(ActivitiesPerType):
    """The stream that feeds those of the types."""

    @override
    def extracts(self) -> Iterator[Extract]:
        return local_extracts(self)


class LocalTap(TapMarketoBulk):
    """The tap, with types it need not ask for."""

    @override
    def discover_streams(self) -> list[Stream]:
        self.instance.activity_types = [
            ActivityType(
                type_id,
                name,
                attributes=tuple(ActivityAttribute(*each) for each in attributes.items()),
            )
            for type_id, (name, attributes) in TYPES.items()
        ]
        if not self.settings.splits_activities:
            one = LocalActivities(self, Activities(self.instance))
            one.selected_by_default = True
            return [one]
        streams = type_streams(self, self.instance)
        for stream in streams:
            stream.selected_by_default = True
        return [*streams]


if __name__ == "__main__":
    activity_streams.ActivitiesPerType = LocalActivitiesPerType  # type: ignore[misc]  # reads a file
    settings = json.loads(sys.argv[2]) if len(sys.argv) > 2 else {}  # noqa: PLR2004
    LocalTap(config={**CONFIG, **settings}).sync_all()

"""Programs: the stream of program assets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from singer_sdk import typing as th
from typing_extensions import override

from marketo_bulk.limits import RATE_WINDOW_SECONDS
from singer_marketo.settings import connection_from
from tap_marketo_bulk.streams.asset_records import AssetWords
from tap_marketo_bulk.streams.asset_stream import AssetStream, whole_table_by
from tap_marketo_bulk.streams.program_list import check_ids

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tap_marketo_bulk.tap import TapMarketoBulk  # noqa: TID251  # for its type alone

FOLDER = th.ObjectType(
    th.Property("type", th.StringType),
    th.Property("value", th.IntegerType),
    th.Property("folderName", th.StringType),
    additional_properties=True,
)
LISTED = (
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
)
"""What the list of programs brings."""

TAG = th.ObjectType(
    th.Property("tagType", th.StringType),
    th.Property("tagValue", th.StringType),
    additional_properties=True,
)
COST = th.ObjectType(
    th.Property("startDate", th.StringType),
    th.Property("cost", th.NumberType),
    th.Property("note", th.StringType),
    additional_properties=True,
)
DETAILS = (
    th.Property("tags", th.ArrayType(TAG)),
    th.Property("costs", th.ArrayType(COST)),
    th.Property("startDate", th.StringType),
    th.Property("endDate", th.StringType),
)
"""What Marketo tells of one program at a time."""


class Programs(AssetStream):
    """Marketing programs, all that are chosen in every run."""

    name = "programs"
    words = AssetWords("program", "programs")
    primary_keys = ("id",)
    rules = whole_table_by("id", "integer")

    def __init__(self, tap: TapMarketoBulk) -> None:
        details = DETAILS if tap.settings.programs_detail else ()
        super().__init__(tap, th.PropertiesList(*LISTED, *details).to_dict())

    @override
    def batch_title(self) -> tuple[str, ...]:
        return "all", "", self._marketo_tap.settings.program_terms

    @override
    def assets(self) -> Iterable[dict[str, Any]]:
        instance = self._marketo_tap.instance
        # Without the rows of one that is not seen, a target would take them for gone.
        check_ids(instance.listed_programs, instance.settings.program_ids)
        listed = instance.program_assets
        wanted = [detail.name for detail in DETAILS if self.is_wanted(detail.name)]
        return self._detailed(listed, wanted) if wanted else listed

    def _detailed(
        self, listed: Iterable[dict[str, Any]], wanted: list[str]
    ) -> Iterator[dict[str, Any]]:
        """Yield programs with what a call for each of them tells."""
        programs, client = list(listed), self._marketo_tap.client
        rate = connection_from(self.config).calls_per_20_seconds
        self.logger.info(
            "programs_detail: %d calls, one for each program; %.0f s at least at "
            "calls_per_20_seconds %d",
            len(programs),
            len(programs) * RATE_WINDOW_SECONDS / rate,
            rate,
        )
        gone = 0
        for program in programs:
            detail = client.get_program(program["id"])
            gone += detail is None
            told = detail or {}
            yield {**program, **{name: told[name] for name in wanted if name in told}}
        if gone:
            self.logger.warning(
                "programs_detail: %d programs were deleted or hidden after they were listed: "
                "they come without details",
                gone,
            )

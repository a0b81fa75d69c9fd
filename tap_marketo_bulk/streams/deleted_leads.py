"""Deleted leads: who is gone, from the call that Marketo has for them."""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from singer_sdk import typing as th
from singer_sdk.helpers.conform import TypeConformanceLevel
from typing_extensions import override

from marketo_bulk import format_timestamp
from marketo_bulk.limits import DELETED_LEADS_RETENTION_DAYS
from tap_marketo_bulk.output.whole_stream import BookmarksByRun
from tap_marketo_bulk.streams.stream_rules import INCREMENTAL, StreamRules
from tap_marketo_bulk.sync.asked import Asked, shown_names
from tap_marketo_bulk.sync.clock_check import AHEAD_MAX, ClockCheck
from tap_marketo_bulk.sync.names import StreamNames
from tap_marketo_bulk.sync.state import read_bookmarks
from tap_marketo_bulk.sync.times import RunTimes, overlapping

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from marketo_bulk import Activity
    from tap_marketo_bulk.tap import TapMarketoBulk  # noqa: TID251  # for its type alone

KEPT = timedelta(days=DELETED_LEADS_RETENTION_DAYS)
PERSONS_NAME = "primaryAttributeValue"
INCOMPLETE = "deletions_incomplete"
"""The key of a state that says so once deletions have been missed."""


class DeletedLeads(BookmarksByRun):
    """Leads that were deleted, incremental by `activityDate`; each row is one deletion."""

    name = "deleted_leads"
    names = StreamNames(stream=name, bookmark="activityDate", record="deletion")
    primary_keys = ("marketoGUID",)
    replication_key = "activityDate"
    tells_of_gone = True
    optional_fields = frozenset({PERSONS_NAME})
    """A person's name goes out only if it is selected."""
    selected_by_default = False
    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE
    schema = th.PropertiesList(
        th.Property("marketoGUID", th.StringType, required=True),
        th.Property("leadId", th.IntegerType),
        th.Property("activityDate", th.DateTimeType),
        th.Property("activityTypeId", th.IntegerType),
        th.Property("primaryAttributeValueId", th.IntegerType),
        th.Property(PERSONS_NAME, th.StringType),
    ).to_dict()
    rules = StreamRules(
        key=primary_keys,
        # A whole table would be that of 14 days, and a target would forget all other deletions.
        methods=(INCREMENTAL,),
        replication_key=replication_key,
        automatic={
            "marketoGUID": {"type": ["string"]},
            "activityDate": {"type": ["string", "null"], "format": "date-time"},
        },
    )

    def __init__(self, tap: TapMarketoBulk) -> None:
        self._marketo_tap = tap
        super().__init__(tap)

    @override
    def get_records(self, context: Any) -> Iterator[dict[str, Any]]:
        tap, (start, times) = self._marketo_tap, self._span
        token = tap.client.get_paging_token(start)
        # The SDK lets through what a catalog does not have, and so a person's name.
        left_out = [name for name in self.schema["properties"] if not self.is_wanted(name)]
        for page in tap.client.iter_deleted_leads(token):
            for deletion in page.activities:
                record = _record(deletion)
                for name in left_out:
                    del record[name]
                yield record
        self._asked.put_into(cast("dict[str, Any]", self.tap_state), self.name)
        self.stream_state.update(
            replication_key=self.replication_key, replication_key_value=format_timestamp(times.end)
        )
        self.state_manager.is_flushed = False

    @override
    def batch_title(self) -> tuple[str, ...]:
        start, _ = self._span
        return (format_timestamp(start),)

    @cached_property
    def _span(self) -> tuple[datetime, RunTimes]:
        """Return from when on the run reads, and its times."""
        times = RunTimes.at(self._marketo_tap.client.server_now())
        return self._start(times), times

    def _start(self, times: RunTimes) -> datetime:
        """Return from when on to read: from the bookmark, or from the oldest job taken over.

        The file of such a job has leads whose deletion an earlier run has told; their rows have
        been written once more.
        """
        start, job = self._since_bookmark(times), self._marketo_tap.exports.oldest_taken_over
        return start if job is None else min(start, max(times.now - KEPT, job - self._margin))

    @cached_property
    def _asked(self) -> Asked:
        wanted = [name for name in self.schema["properties"] if self.is_wanted(name)]
        return Asked.of(wanted, (), self._marketo_tap.settings.start_date)

    def _reads_all_again(self) -> bool:
        """Return whether new fields are to get their history; say if they lack it."""
        before = Asked.from_state(self.tap_state, self.name)
        new = () if before is None else self._asked.new_fields(before)
        if new and self._marketo_tap.settings.backfill_new_fields:
            self.logger.info(
                "These fields are new: %s. All deletions that Marketo has are read once more",
                shown_names(new),
            )
            return True
        if before is not None:
            self._asked.warn_of_more_than(before, self.names)
        return False

    @property
    def _margin(self) -> timedelta:
        # A job would say when it was created. Here nothing tells whether Marketo's `Date`, which
        # bookmarks go by, is ahead of the clock that deletions are dated by.
        return self._marketo_tap.settings.activity_overlap + AHEAD_MAX

    def _since_bookmark(self, times: RunTimes) -> datetime:
        """Return a little before the bookmark, as rows may come late."""
        settings, oldest = self._marketo_tap.settings, times.now - KEPT
        segments = read_bookmarks(self.stream_state, self.names)
        settled = ClockCheck(self.names, times.end, times.now).bookmarks(segments)
        if not settled or self._reads_all_again():
            return max(oldest, min(settings.start_date or oldest, times.end))
        bookmark = settled[0].bookmark
        if bookmark < oldest:
            self.stream_state[INCOMPLETE] = True
            self.logger.warning(
                "Deletions between %s and %s are lost: Marketo keeps them for %d days, and the "
                "last run is longer ago. Run leads once as FULL_TABLE to learn who is left.",
                format_timestamp(bookmark),
                format_timestamp(oldest),
                KEPT.days,
            )
        return max(oldest, overlapping(bookmark, self._margin, settings.start_date))


def _record(deletion: Activity) -> dict[str, Any]:
    return {
        "marketoGUID": deletion.marketo_guid,
        "leadId": deletion.lead_id,
        "activityDate": format_timestamp(deletion.activity_date.replace(microsecond=0)),
        "activityTypeId": deletion.type_id,
        "primaryAttributeValueId": deletion.primary_attribute_value_id,
        PERSONS_NAME: deletion.primary_attribute_value,
    }

"""Removed program members: who is a member of a program no more, for a warehouse to delete.

No export tells: whoever is removed is just not in it. An activity says "Not in Program"; an export
of the ids of all members of that program shows who has not come back since.
"""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from singer_sdk import typing as th
from typing_extensions import override

from marketo_bulk import DecodeError
from marketo_bulk.errors import ConfigurationError
from marketo_bulk.timestamps import floor_second
from tap_marketo_bulk.output.whole_stream import FULL_TABLE, WholeStream
from tap_marketo_bulk.streams.program_activities import CHANGE_STATUS
from tap_marketo_bulk.streams.program_list import program_of
from tap_marketo_bulk.streams.still_members import OWNER, still_members
from tap_marketo_bulk.streams.stream_rules import StreamRules
from tap_marketo_bulk.sync.cohorts import moment_in
from tap_marketo_bulk.sync.names import StreamNames
from tap_marketo_bulk.sync.run import run_options
from tap_marketo_bulk.sync.state import Bookmarks, read_bookmarks
from tap_marketo_bulk.sync.windows import format_timestamp

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from tap_marketo_bulk.streams.still_members import Membership
    from tap_marketo_bulk.sync.cohorts import Segment
    from tap_marketo_bulk.tap import TapMarketoBulk  # noqa: TID251  # for its type alone

NOT_IN_PROGRAM = "not in program"
NEW_STATUS = "New Status"
NOTICED_AT = "noticedAt"
UNTIL = "until"
"""The key in STATE: up to when activities have been read, and all they told is written."""
COHORTS = "program_bookmarks"
"""The key in STATE of the same for each program."""
NAMES = StreamNames(OWNER, UNTIL, "removal", "program", "programIds", COHORTS)

OVERLAP = timedelta(hours=1)
SETTLING = timedelta(seconds=60)


class RemovedProgramMembers(WholeStream):
    """Memberships that have ended since the last run."""

    name = OWNER
    primary_keys = ("leadId", "programId")
    selected_by_default = False
    tells_of_gone = True
    rules = StreamRules(
        key=primary_keys,
        methods=(FULL_TABLE,),
        replication_key=None,
        automatic={name: {"type": ["integer"]} for name in primary_keys},
    )
    schema = th.PropertiesList(
        th.Property("leadId", th.IntegerType, required=True),
        th.Property("programId", th.IntegerType, required=True),
        th.Property(NOTICED_AT, th.DateTimeType),
    ).to_dict()

    def __init__(self, tap: TapMarketoBulk) -> None:
        super().__init__(tap)
        self._marketo_tap = tap

    @property
    @override
    def is_versioned(self) -> bool:
        # What an earlier run has told stays true.
        return False

    @override
    def get_records(self, context: Any) -> Iterator[dict[str, Any]]:
        tap = self._marketo_tap
        bookmarks, since, end = self._span
        ended = self._ended_since(since, end)
        if ended:
            options = run_options(tap.settings, tap.instance.places, tap.exports.bytes_budget)
            members, unknown = still_members(tap.client, ended, options, tap.clock)
            noticed = {NOTICED_AT: format_timestamp(end)} if self.is_wanted(NOTICED_AT) else {}
            for lead_id, program_id in sorted(ended - members):
                if program_id not in unknown:
                    yield {"leadId": lead_id, "programId": program_id, **noticed}
        # All of it is written by now. A program that is left out this time stays where it was.
        bookmarks.move(since, end)
        self.stream_state[UNTIL] = format_timestamp(end)
        self.stream_state[COHORTS] = bookmarks.to_state(())[COHORTS]

    @override
    def batch_title(self) -> tuple[str, ...]:
        # Of this run alone: what an earlier one has told stays true.
        _, since, end = self._span
        terms = self._marketo_tap.settings.program_terms
        began = format_timestamp(min(since.values(), default=end))
        return str(self.stream_state.get(UNTIL, "first")), began, terms

    @cached_property
    def _span(self) -> tuple[Bookmarks, dict[int, datetime], datetime]:
        """Return the bookmarks, from when on the run reads of each program, and up to when."""
        tap = self._marketo_tap
        end = floor_second(tap.client.server_now() - SETTLING)
        wanted = [int(asset["id"]) for asset in tap.instance.program_assets]
        bookmarks = Bookmarks(NAMES, self._segments(), wanted, lists_all=False)
        return bookmarks, self._since(wanted, bookmarks.marks, end), end

    def _segments(self) -> list[Segment]:
        """Return up to when the programs of the state have been read.

        Raises: ConfigurationError if the state does not parse.
        """
        return read_bookmarks(self.stream_state, NAMES) if COHORTS in self.stream_state else []

    def _since(
        self, wanted: Iterable[int], marks: Mapping[int, datetime], end: datetime
    ) -> dict[int, datetime]:
        """Return from when on the activities of each program are to be read.

        Raises: ConfigurationError if the state does not parse.
        """
        state = self.stream_state
        # The file of a job taken over has members of whom an earlier run has told that they left.
        latest = min(end, self._marketo_tap.exports.oldest_taken_over or end)
        if UNTIL not in state:
            # What was removed before the first run of the stream is in no table, or not to be told.
            start = self._marketo_tap.settings.start_date or end
            return dict.fromkeys(wanted, min(start, latest))
        try:
            last_run = moment_in(state, UNTIL)
        except ValueError as error:
            raise ConfigurationError(
                f"the state of {self.name} is not readable: {error}. Correct it, or remove it; "
                "the stream then begins anew."
            ) from error
        unmarked = self._before_seen(last_run) if COHORTS in state else {}
        return {i: min(marks.get(i) or unmarked.get(i, last_run), latest) - OVERLAP for i in wanted}

    def _before_seen(self, last_run: datetime) -> dict[int, datetime]:
        """Return from when on to read of each program, if no run has read of it yet.

        It may have been there, and not in the list; before it was created nobody has left it.
        """
        start = self._marketo_tap.settings.start_date
        if start is None:
            return {}
        found = {}
        for asset in self._marketo_tap.instance.program_assets:
            program = program_of(asset)
            found[program.scope_id] = min(max(start, program.created_at or start), last_run)
        return found

    def _ended_since(self, since: Mapping[int, datetime], end: datetime) -> set[Membership]:
        """Return the memberships in some programs whose last change of status was their end."""
        oldest = min(since.values(), default=end)
        if oldest >= end:
            return set()
        client = self._marketo_tap.client
        last: dict[Membership, tuple[datetime, bool]] = {}
        token = client.get_paging_token(oldest)
        for page in client.iter_activities(token, [CHANGE_STATUS]):
            for activity in page.activities:
                lead_id, program_id = activity.lead_id, activity.primary_attribute_value_id
                if lead_id is None or program_id is None or program_id not in since:
                    continue
                if activity.activity_date < since[program_id]:
                    continue
                status = activity.attributes.get(NEW_STATUS)
                if not isinstance(status, str):
                    raise DecodeError(f"an activity of type {CHANGE_STATUS} lacks {NEW_STATUS}")
                has_ended = status.strip().lower() == NOT_IN_PROGRAM
                said = activity.activity_date, has_ended
                # Of one second, the export decides.
                last[lead_id, program_id] = max(said, last.get((lead_id, program_id), said))
        return {membership for membership, (_, has_ended) in last.items() if has_ended}

"""Program activities: which programs Marketo's activities name."""

from __future__ import annotations

import logging
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING

from marketo_bulk import DecodeError, RejectedError
from marketo_bulk.errors import JobError
from marketo_bulk.timestamps import floor_second
from tap_marketo_bulk.streams.activity_export import exported_activities
from tap_marketo_bulk.sync.run import run_options
from tap_marketo_bulk.sync.windows import Window

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from marketo_bulk import Activity
    from tap_marketo_bulk.streams.activity_export import Named
    from tap_marketo_bulk.streams.instance import Instance

logger = logging.getLogger(__name__)

CHANGE_STATUS = 104
NAMING_TYPES = (CHANGE_STATUS, 113, 114, 115, 123)
"""Types whose primary attribute is a program: a change of status, entry into an engagement program,
of stream and cadence, and of member data. No other type has been seen to name one."""

MEASURED_PAGES = 5
"""So many pages are read before it is judged how many more there are."""

MORE_PAGES_MAX = 20
"""If more pages than these are to be expected, one job takes their place: it costs five calls, and
two minutes or more."""


_LEAST = timedelta(seconds=1)


class ProgramActivities:
    """What the activities of one instance tell of programs."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance

    def named_between(self, since: datetime, until: datetime) -> dict[int, datetime] | None:
        """Return the programs named between two moments, each with its last activity of then.

        Shape: None, with a warning, where activities cannot be had. A run up to `until` would not
            find what was named later: the next one is told of it again, and reads it once.
        """
        try:
            listed = self._instance.activity_type_ids
            types = [type_id for type_id in NAMING_TYPES if type_id in listed]
            if CHANGE_STATUS not in types:
                _warn(f"the list of activity types lacks type {CHANGE_STATUS}, Change Status")
                return None
            told = self._told(types, since)
            return _last_of_each(each for each in told if each[2] <= until)
        except (RejectedError, DecodeError, JobError) as error:
            _warn(str(error))
            return None

    def _told(self, types: Sequence[int], since: datetime) -> Iterator[Named]:
        """Yield what activities tell: page by page while there are few, else by one job."""
        client = self._instance.client
        now = floor_second(client.server_now())
        pages = client.iter_activities(client.get_paging_token(since), types)
        measured = list(islice(pages, MEASURED_PAGES))
        dates = [activity.activity_date for page in measured for activity in page.activities]
        for page in measured:
            yield from map(_named, page.activities)
        if not measured or not measured[-1].more_result:
            return
        # Pages come in the order in which activities were noted, about that of their dates.
        begun, reached = min(dates, default=since), max(dates, default=now)
        left = (now - reached) / max(reached - begun, _LEAST) * MEASURED_PAGES
        if left > MORE_PAGES_MAX:
            logger.info("About %d more pages of activities: one export job reads them", left)
            window = Window(since, now)
            options = run_options(self._instance.settings, self._instance.places)
            clock = self._instance.clock()
            yield from exported_activities(client, types, window, options, clock)
            return
        for page in pages:
            yield from map(_named, page.activities)


def _named(activity: Activity) -> Named:
    return activity.type_id, activity.primary_attribute_value_id, activity.activity_date


def _last_of_each(told: Iterable[Named]) -> dict[int, datetime]:
    last: dict[int, datetime] = {}
    for type_id, program_id, date in told:
        # A server that ignores the filter is believed no less; ids of other types are no programs.
        if program_id is not None and type_id in NAMING_TYPES:
            last[program_id] = max(date, last.get(program_id, date))
    return last


def _warn(reason: str) -> None:
    logger.warning(
        "Activities do not tell which programs have changed, so that every program is read in "
        "spite of changed_programs: %s",
        reason,
    )

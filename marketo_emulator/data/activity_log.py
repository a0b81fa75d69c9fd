"""The activity log: every change of the instance, read by exports and by calls (C§23)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marketo_emulator.data.activities import MOST_PER_EVENT, Activity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from marketo_emulator.data.activities import Event
    from marketo_emulator.options import Options

_DAY = 86_400
_FIRST_OF_HISTORY = 2000
_FIRST = 700_000_000
_DELETED_LEAD = 37
# C§23.9: what a busy instance has most of is kept shortest.
_SHORT_LIVED = frozenset({1, 3, 6, 7, 13, 19, 22, 24, 36, 47})
_KEPT_FOR_EVER = frozenset({12})


class ActivityLog:
    """All events in the order in which they were noted.

    `history` makes those of before the start, when somebody first asks for them.
    """

    def __init__(self, options: Options) -> None:
        self._options = options
        self.history: Callable[[], Iterable[Event]] = tuple
        self._past: list[Event] | None = None
        self._events: list[Event] = []

    def add(self, event: Event) -> None:
        """Note what happened."""
        self._events.append(event)

    def __len__(self) -> int:
        return len(self._events)

    def readable(self, now: int, *, least: int = 0, most: int | None = None) -> Iterator[Activity]:
        """Return the activities that can be read now, those of the history first.

        Units: `least` and `most` bound what the window of an export is about, in seconds since
        1970; both are included.
        """
        by_date = self._options.activity_window == "activityDate"
        end = now + (1 << 40) if most is None else most
        for number, event in self._numbered():
            if by_date and not least <= event.at <= end:
                continue
            for activity in self._activities(number, event):
                moment = activity.happening.at if by_date else activity.committed_at
                if least <= moment <= end and self._is_kept(activity, now):
                    yield activity

    def ever_readable(self, now: int) -> Iterator[Activity]:
        """Return the activities that could be read until now, those that are kept no longer too."""
        for number, event in self._numbered():
            for activity in self._activities(number, event):
                if activity.committed_at <= now:
                    yield activity

    def _numbered(self) -> Iterator[tuple[int, Event]]:
        if self._past is None:
            self._past = list(self.history())
        for index, event in enumerate(self._past):
            yield _FIRST_OF_HISTORY + index * MOST_PER_EVENT, event
        for index, event in enumerate(self._events):
            yield (_FIRST + len(self._past) + index) * MOST_PER_EVENT, event

    def _activities(self, first: int, event: Event) -> Iterator[Activity]:
        for place, happening in event.told():
            number = first + place
            delay = self._delay(happening.type_id, number)
            yield Activity(number, happening, event.committed_at + delay)

    def _delay(self, type_id: int, number: int) -> int:
        """Return the seconds after which a row of this type can be read, spread by its number."""
        for slow_type, least, most in self._options.activity_commit_delays:
            if slow_type in {0, type_id}:
                return least + number * 7919 // MOST_PER_EVENT % (most - least + 1)
        return 0

    def _is_kept(self, activity: Activity, now: int) -> bool:
        if activity.committed_at > now:
            return False
        options, type_id = self._options, activity.happening.type_id
        if type_id in _KEPT_FOR_EVER:
            return True
        if type_id == _DELETED_LEAD:
            days = options.deletion_retention_days
        elif type_id in _SHORT_LIVED:
            days = options.busy_activity_retention_days
        else:
            days = options.activity_retention_days
        return activity.happening.at >= now - days * _DAY

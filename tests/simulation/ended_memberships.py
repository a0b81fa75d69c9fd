"""Ended memberships: who is a member of a program no more, as activities tell it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from marketo_emulator.data.activities import Activity

CHANGE_STATUS = 104
NOT_IN_PROGRAM = "Not in Program"
NOTED_LATE = 3_000
"""Seconds by which an end may be noted late, and still be found for certain."""

Membership = tuple[int, int]
"""A lead and a program."""


class EndedMemberships:
    """What the changes of status among some activities, each with its id, say of memberships."""

    def __init__(self, activities: Iterable[tuple[str, Activity]]) -> None:
        changes = [
            activity
            for _, activity in activities
            if activity.happening.type_id == CHANGE_STATUS and activity.happening.lead_id
        ]
        changes.sort(key=lambda activity: (activity.happening.at, activity.number))
        self._last = {_membership(activity): activity for activity in changes}
        self.ever = {_membership(activity) for activity in changes if _is_end(activity)}
        """Those that have ended at some time."""

    def that_last(self) -> Iterator[tuple[int, int, int]]:
        """Yield lead, program and moment of those that ended, and of which no more is told.

        Shape: those that were noted too late to be found for certain are left out.
        """
        for (lead_id, program_id), activity in self._last.items():
            at = activity.happening.at
            if _is_end(activity) and activity.committed_at - at <= NOTED_LATE:
                yield lead_id, program_id, at


def ids_in(ranges: str) -> set[int]:
    """Return the ids of ranges as STATE has them: `1001-1003,1007`."""
    ends = [part.split("-") for part in ranges.split(",") if part]
    return {i for part in ends for i in range(int(part[0]), int(part[-1]) + 1)}


def _membership(activity: Activity) -> Membership:
    return activity.happening.lead_id or 0, activity.happening.primary_id or 0


def _is_end(activity: Activity) -> bool:
    return bool(activity.happening.attributes["New Status"] == NOT_IN_PROGRAM)

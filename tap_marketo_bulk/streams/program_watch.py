"""Program watch: what tells which programs have changed, activities and the list of programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marketo_bulk import DecodeError
from tap_marketo_bulk.streams.program_activities import ProgramActivities
from tap_marketo_bulk.streams.program_list import moment_of
from tap_marketo_bulk.sync.choice import Altered

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta

    from tap_marketo_bulk.streams.instance import Instance


class ProgramWatch:
    """What one instance tells of its programs."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance

    @property
    def full_check(self) -> timedelta:
        """Return within which time every program is read."""
        return self._instance.settings.full_check

    def altered(self, since: Mapping[int, datetime]) -> Altered:
        """Return the programs that were altered, each since a moment of its own.

        They are read whole: every record has the program's name, and none says that it is new.
        """
        assets = ((int(asset["id"]), asset) for asset in self._instance.program_assets)
        return Altered(
            frozenset(i for i, asset in assets if i in since and _is_altered(asset, since[i]))
        )

    def told(self, since: datetime, until: datetime) -> Mapping[int, datetime] | None:
        """Return the programs that activities name."""
        return ProgramActivities(self._instance).named_between(since, until)


def _is_altered(asset: Mapping[str, Any], since: datetime) -> bool:
    try:
        created, updated = (moment_of(asset, name) for name in ("createdAt", "updatedAt"))
    except DecodeError:
        return False  # it is read when it is due
    return updated is not None and updated > since and updated != created

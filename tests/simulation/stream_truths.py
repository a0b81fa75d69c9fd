"""Stream truths: what the emulator has of each stream, as a record should show it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from marketo_emulator.data.activity_rows import guid_text, stated_attributes
from marketo_emulator.data.activity_types import ACTIVITY_TYPES, DELETE_LEAD
from marketo_emulator.data.programs import CHANNELS
from marketo_emulator.data.values import moment_text, readable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from marketo_emulator.data.activities import Activity
    from marketo_emulator.data.activity_types import ActivityType
    from marketo_emulator.data.fields import FieldSet
    from marketo_emulator.data.store import Store
    from marketo_emulator.data.values import Value
    from marketo_emulator.options import Options

    Row = tuple[Value, ...]

TYPES = {each.type_id: each for each in ACTIVITY_TYPES}
BUSY = frozenset({1, 3, 6, 7, 13, 19, 22, 24, 36, 47})
"""Types that come only if they are asked for."""

LATEST_SECONDS = 500_000
"""By how much an activity may be noted late."""

_NO_WORD = re.compile(r"[^0-9a-z]+")


class Versions:
    """All that rows of one kind have ever been, oldest first; `note` is told when some changed."""

    def __init__(self, rows: Callable[[], Mapping[Any, Row]], fields: FieldSet) -> None:
        self._rows = rows
        self._fields = fields
        self._versions: dict[Any, list[Row]] = {}

    def note(self) -> None:
        """Write down what has changed."""
        for key, row in self._rows().items():
            versions = self._versions.setdefault(key, [])
            if not versions or versions[-1] is not row:
                versions.append(row)

    def was(self, key: Any, record: Mapping[str, Any]) -> bool:
        """Return whether a record has ever been true of a row."""
        return any(self._is(row, record) for row in self._versions.get(key, ()))

    def now(self) -> Mapping[Any, Row]:
        """Return the rows there are."""
        return self._rows()

    def is_now(self, key: Any, record: Mapping[str, Any]) -> bool:
        """Return whether a record is true of a row now."""
        return self._is(self._rows()[key], record)

    def value(self, key: Any, name: str) -> Value:
        """Return a value of a row as it is now."""
        return self._rows()[key][self._fields.position[name]]

    def _is(self, row: Row, record: Mapping[str, Any]) -> bool:
        return all(
            readable(row[self._fields.position[field.name]], field.data_type) == record[field.name]
            for field in self._fields
            if field.name in record
        )


class ActivityTruth:
    """Activities by their ids, deletions among them, as records of each stream show them."""

    def __init__(self, store: Store, options: Options) -> None:
        self._store = store
        self._options = options
        self._known: dict[str, Activity] = {}
        # What came before is all there, but for what is noted days late.
        self.note()
        self._first = store.now - LATEST_SECONDS

    def note(self) -> None:
        """Write down what can be read now."""
        least = 0 if not self._known else self._first
        for activity in self._store.log.readable(self._store.now, least=least):
            self._known[guid_text(activity.number, self._options)] = activity

    def known(self) -> Iterable[tuple[str, Activity]]:
        """Return what was readable whenever that was written down."""
        return self._known.items()

    def readable(self) -> Iterator[tuple[str, Activity]]:
        """Yield what can be read now, each with its id."""
        for activity in self._store.log.readable(self._store.now):
            yield guid_text(activity.number, self._options), activity

    def is_true(self, guid: str, record: Mapping[str, Any], *, as_columns: bool) -> bool:
        """Return whether a record shows what happened."""
        activity = self._known.get(guid) or self._forgotten(guid)
        if activity is None:
            return False
        wanted = self._deletion(activity) if self._is_deletion(activity) else self._base(activity)
        if not self._is_deletion(activity):
            stated = stated_attributes(activity.happening, self._options)
            type_ = TYPES[activity.happening.type_id]
            wanted |= _columns(type_, stated) if as_columns else {"attributes": stated}
        return all(wanted.get(name, ...) == value for name, value in record.items())

    def _forgotten(self, guid: str) -> Activity | None:
        """Return what a run that waited for weeks has read, and Marketo keeps no longer."""
        for activity in self._store.log.ever_readable(self._store.now):
            if guid_text(activity.number, self._options) == guid:
                return activity
        return None

    @staticmethod
    def _is_deletion(activity: Activity) -> bool:
        return activity.happening.type_id == DELETE_LEAD

    def _deletion(self, activity: Activity) -> dict[str, Any]:
        happening = activity.happening
        return {
            "marketoGUID": guid_text(activity.number, self._options),
            "leadId": happening.lead_id,
            "activityDate": moment_text(happening.at),
            "activityTypeId": happening.type_id,
            "primaryAttributeValueId": happening.primary_id,
        }

    def _base(self, activity: Activity) -> dict[str, Any]:
        happening = activity.happening
        return {
            **self._deletion(activity),
            "activityTypeName": TYPES[happening.type_id].name,
            "campaignId": happening.campaign_id,
            "primaryAttributeValue": happening.primary_value,
            "actionResult": happening.result,
        }


def wanted_types(config: Mapping[str, Any]) -> frozenset[int]:
    """Return the types of activities that the settings ask for."""
    wishes = config.get("activity_types")
    if wishes is None:
        return frozenset(TYPES) - BUSY - {DELETE_LEAD}
    return frozenset(
        each.type_id for each in ACTIVITY_TYPES if {each.type_id, each.name} & {*wishes}
    )


def channels() -> dict[str, dict[str, Any]]:
    """Return the channels by name, as they are listed."""
    return {channel.name: channel.shown() for channel in CHANNELS}


def activity_types() -> dict[int, dict[str, Any]]:
    """Return the types of activities by id, as they are listed."""
    return {each.type_id: each.shown() for each in ACTIVITY_TYPES if each.status != "draft"}


def agrees(record: Mapping[str, Any], shown: Mapping[str, Any]) -> bool:
    """Return whether a record has what a list shows; what is not there, or empty, is null."""
    return all(_plain(value) == _plain(shown.get(name)) for name, value in record.items())


def _plain(value: object) -> object:
    """Return a value without what a list and a record say in different words."""
    if isinstance(value, str) and value:
        return value.replace("Z+0000", "+00:00")
    return value or None


def _columns(type_: ActivityType, stated: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes as columns, for types whose names come to no other column's."""
    columns = {
        _NO_WORD.sub("_", name.lower()).strip("_"): _typed(stated.get(name), kind)
        for name, kind in type_.attributes
    }
    listed = {name for name, _ in type_.attributes}
    others = {name: value for name, value in stated.items() if name not in listed}
    return {**columns, "other_attributes": others or None}


def _typed(value: object, kind: str) -> object:
    if kind.lower() in {"integer", "boolean"}:
        return None if value == "" else value
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, separators=(",", ":"))

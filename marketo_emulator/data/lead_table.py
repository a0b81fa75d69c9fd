"""The leads: their rows, the lists they are on, and what changes them.

Rows are tuples and never change: a new row takes the place of the old one. An export can
therefore keep what it saw when it started by keeping the rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from marketo_emulator.clock import to_epoch
from marketo_emulator.data.activities import Happening, Single
from marketo_emulator.data.activity_log import ActivityLog
from marketo_emulator.data.changes import LeadChange
from marketo_emulator.data.fields import LEAD_FIELDS
from marketo_emulator.data.rows import changed, shown
from marketo_emulator.data.seed import FIRST_LEAD_ID, Seed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from marketo_emulator.clock import Clock
    from marketo_emulator.data.values import Value
    from marketo_emulator.options import Options

    Row = tuple[Value, ...]

_LEAD = LEAD_FIELDS.position
_DAY = 86_400
_ADD_TO_LIST, _REMOVE_FROM_LIST = 24, 25


@dataclass(slots=True)
class StaticList:
    """A list that leads are put on by hand or by an import."""

    list_id: int
    name: str
    lead_ids: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class SmartList:
    """A list of the leads whose fields have these values; without any it has no filter."""

    list_id: int
    name: str
    values: Mapping[str, Value] = field(default_factory=dict)


class LeadTable:
    """All leads; looked at and changed at the present moment."""

    def __init__(
        self,
        clock: Clock,
        at: Callable[[], AbstractContextManager[object]],
        seed: Seed,
        options: Options,
    ) -> None:
        self._clock = clock
        self._at = at
        self._seed = seed
        self._options = options
        self.log = ActivityLog(options)
        self.lead_fields = LEAD_FIELDS.copy()
        self.lead_rows: dict[int, Row] = {}
        self.lead_changed_at: dict[int, int] = {}
        """When a lead's fields last changed, if that is not what its `updatedAt` shows (C§22.2)."""
        self.static_lists = {
            100: StaticList(100, "Newsletter readers"),
            101: StaticList(101, "Webinar follow-up"),
        }
        self.smart_lists = {
            200: SmartList(200, "Unsubscribed people", {"unsubscribed": True}),
            201: SmartList(201, "Everybody"),
        }
        self.partitions = ("Default", "EMEA")
        self._next_lead_id = FIRST_LEAD_ID

    @property
    def now(self) -> int:
        """The present moment in seconds since 1970."""
        return to_epoch(self._clock.now())

    # -- looking --------------------------------------------------------------------------------

    def leads(self) -> Iterator[dict[str, Value]]:
        """Return every lead by the REST names of its fields."""
        with self._at():
            kept = list(self.lead_rows.values())
        return (shown(row, self.lead_fields) for row in kept)

    def lead(self, lead_id: int) -> dict[str, Value]:
        """Return one lead; KeyError if there is none."""
        with self._at():
            return shown(self.lead_rows[lead_id], self.lead_fields)

    def changed_at(self, lead_id: int) -> int:
        """Return what the filter `updatedAt` of lead exports goes by."""
        seen = self.lead_rows[lead_id][_LEAD["updatedAt"]]
        return self.lead_changed_at.get(lead_id, int(seen or 0))

    def smart_list_members(self, smart_list: SmartList) -> list[int]:
        """Return the ids of the leads on a smart list now."""
        wanted = [(self.lead_fields.position[k], v) for k, v in smart_list.values.items()]
        return [
            lead_id
            for lead_id, row in self.lead_rows.items()
            if all(row[position] == value for position, value in wanted)
        ]

    # -- changing -------------------------------------------------------------------------------

    def add_lead(self, **values: Value) -> int:
        """Make a lead now and return its id."""
        with self._at():
            now = self.now
            lead_id = self._new_lead(now)
            row = changed(self.lead_rows[lead_id], self.lead_fields, {"updatedAt": now, **values})
            self._put_lead(lead_id, None, row, now, "Web service API")
            for number in range(self._options.earlier_visits):
                self._add_earlier_visit(lead_id, number, now)
        return lead_id

    def change_lead(self, lead_id: int, **values: Value) -> None:
        """Change fields of a lead by REST name, now.

        Units: moments as seconds since 1970 or as `2019-04-12T05:58:10Z`.
        Raises: KeyError for a lead or a field that does not exist.
        """
        with self._at():
            self._change_lead(lead_id, values, self.now, "Web service API")

    def import_lead(
        self, lead_id: int | None, values: dict[str, Value], now: int, source: str = "List import"
    ) -> int:
        """Change a lead, or make one that has these values and no others; returns its id.

        For imports alone, which happen at moments that may have passed.
        """
        if lead_id is not None:
            self._change_lead(lead_id, values, now, source)
            return lead_id
        lead_id = self._next_lead_id
        self._next_lead_id += 1
        born: dict[str, Value] = {"id": lead_id, "createdAt": now, "unsubscribed": False}
        values = {**born, "emailInvalid": False, "leadPartitionId": "1", "updatedAt": now, **values}
        row = changed((None,) * self.lead_fields.width, self.lead_fields, values)
        self._put_lead(lead_id, None, row, now, source)
        return lead_id

    def put_on_list(self, list_id: int, lead_ids: Iterable[int]) -> None:
        """Put leads on a static list."""
        with self._at():
            self.import_list(list_id, lead_ids, self.now)

    def import_list(self, list_id: int, lead_ids: Iterable[int], now: int) -> None:
        """Do what `put_on_list` does at a moment that may have passed."""
        static_list = self.static_lists[list_id]
        for lead_id in sorted(set(lead_ids) - static_list.lead_ids):
            static_list.lead_ids.add(lead_id)
            self._note_list(_ADD_TO_LIST, static_list, lead_id, now)

    def take_off_list(self, list_id: int, lead_ids: Iterable[int]) -> None:
        """Take leads off a static list."""
        with self._at():
            static_list = self.static_lists[list_id]
            for lead_id in sorted(set(lead_ids) & static_list.lead_ids):
                static_list.lead_ids.discard(lead_id)
                self._note_list(_REMOVE_FROM_LIST, static_list, lead_id, self.now)

    def add_activity(
        self,
        lead_id: int | None,
        type_id: int,
        *,
        seconds_ago: int = 0,
        primary_id: int | None = None,
        primary_value: str | None = None,
        attributes: Mapping[str, Any] | None = None,
        campaign_id: int | None = None,
        result: str = "succeeded",
    ) -> None:
        """Note an activity now that happened now, or some seconds ago: one that comes late."""
        with self._at():
            now = self.now
            happening = Happening(
                now - seconds_ago,
                lead_id,
                type_id,
                primary_id,
                primary_value,
                attributes or {},
                campaign_id,
                result,
            )
            self.log.add(Single(happening, now))

    # -- inside ---------------------------------------------------------------------------------

    def _new_lead(self, created_at: int | None) -> int:
        lead_id = self._next_lead_id
        self._next_lead_id += 1
        row = self._seed.lead(lead_id, created_at)
        self.lead_rows[lead_id] = row + (None,) * (self.lead_fields.width - len(row))
        return lead_id

    def _change_lead(
        self, lead_id: int, values: Mapping[str, Value], now: int, source: str
    ) -> None:
        before = self.lead_rows[lead_id]
        told = "updatedAt" in values
        if not told and self._moves_visible(values):
            values, told = {"updatedAt": now, **values}, True
        after = changed(before, self.lead_fields, values)
        self._put_lead(lead_id, before, after, now, source)
        if not told and (
            set(values) - {"leadPartitionId"} or self._options.partition_change_moves_filter
        ):
            self.lead_changed_at[lead_id] = now

    def _moves_visible(self, values: Mapping[str, Value]) -> bool:
        """Whether `updatedAt` shows such a change: it knows of standard fields (C§22.2)."""
        if self._options.lead_updated_at == "any_field":
            return True
        standard = self.lead_fields.standard
        return any(name in standard and name != "leadPartitionId" for name in values)

    def _put_lead(
        self, lead_id: int, before: Row | None, after: Row, now: int, source: str
    ) -> None:
        self.lead_rows[lead_id] = after
        self.lead_changed_at.pop(lead_id, None)
        self.log.add(LeadChange(now, before, after, self.lead_fields, source))

    def _add_earlier_visit(self, lead_id: int, number: int, now: int) -> None:
        """Note a visit of before the person was known, which comes late (C§23.7)."""
        at = now - (number * 9 + lead_id % 7 + 1) * _DAY
        attributes = {"Webpage URL": "/pricing", "Query Parameters": "", "User Agent": "Mozilla"}
        visit = Happening(at, lead_id, 1, 4000 + number, "example.com/pricing", attributes)
        self.log.add(Single(visit, now))

    def _note_list(self, type_id: int, static_list: StaticList, lead_id: int, at: int) -> None:
        happening = Happening(
            at, lead_id, type_id, static_list.list_id, static_list.name, {"Source": "API"}
        )
        self.log.add(Single(happening, at))

"""The export filter: which members or leads a file is about (C§6, C§7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from marketo_emulator.data.fields import LEAD_FIELDS, MEMBER_FIELDS
from marketo_emulator.exports.windows import Window, refuse_future, unsupported, window_of
from marketo_emulator.wire.errors import InvalidDataError, MarketoError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from marketo_emulator.data.store import Store
    from marketo_emulator.data.values import Value
    from marketo_emulator.options import Options

    Row = tuple[Value, ...]

_MEMBER_KEYS = {
    "programId", "programIds", "isExhausted", "nurtureCadence", "statusNames", "updatedAt",
}  # fmt: skip
_LEAD_KEYS = {
    "createdAt", "updatedAt", "staticListId", "staticListName", "smartListId", "smartListName",
}  # fmt: skip
_DATES = ("createdAt", "updatedAt")


@dataclass(frozen=True, slots=True)
class MemberFilter:
    """Conditions on members, all of which must hold."""

    program_ids: tuple[int, ...]
    leading_program_id: bool
    exhausted: bool | None
    cadence: str | None
    statuses: frozenset[str] | None
    window: Window | None

    def rows(self, store: Store, _now: int) -> Iterator[Row]:
        """Return the members that pass, program by program; deleted programs have none."""
        for program_id in self.program_ids:
            yield from filter(self._passes, store.member_rows.get(program_id, {}).values())

    def _passes(self, row: Row) -> bool:
        position = MEMBER_FIELDS.position
        return (
            (self.window is None or self.window.holds(row[position["updatedAt"]]))
            and (self.statuses is None or row[position["statusName"]] in self.statuses)
            and (self.exhausted is None or row[position["isExhausted"]] is self.exhausted)
            and (self.cadence is None or row[position["nurtureCadence"]] == self.cadence)
        )


@dataclass(frozen=True, slots=True)
class LeadWindow:
    """Leads made or changed within a span."""

    attribute: str
    window: Window

    def rows(self, store: Store, _now: int) -> Iterator[Row]:
        """Return the leads that pass, by id; changes count that `updatedAt` does not show."""
        window = self.window
        if self.attribute == "updatedAt":
            changed_at = store.changed_at
            return (
                row for lead_id, row in store.lead_rows.items() if window.holds(changed_at(lead_id))
            )
        position = LEAD_FIELDS.position[self.attribute]
        return (row for row in store.lead_rows.values() if window.holds(row[position]))


@dataclass(frozen=True, slots=True)
class LeadList:
    """Leads that are on a list when the file is written."""

    list_id: int
    smart: bool = False

    def lead_ids(self, store: Store) -> list[int]:
        """Return the ids in order; a list that is gone by then has nobody on it."""
        if self.smart:
            return sorted(store.smart_list_members(store.smart_lists[self.list_id]))
        return sorted(store.static_lists[self.list_id].lead_ids)

    def rows(self, store: Store, _now: int) -> Iterator[Row]:
        """Return the leads that are on it."""
        return (store.lead_rows[lead_id] for lead_id in self.lead_ids(store))


def member_filter(conditions: Mapping[str, Any], store: Store, options: Options) -> MemberFilter:
    """Return the checked filter of a member export.

    Raises: MarketoError 1003 or 1035.
    """
    if set(conditions) - _MEMBER_KEYS:
        raise InvalidDataError("Invalid value specified for attribute 'filter'")
    program_ids = _program_ids(conditions, store, options)
    exhausted = conditions.get("isExhausted")
    if not isinstance(exhausted, bool | None):
        raise InvalidDataError("Invalid value specified for attribute 'isExhausted'")
    return MemberFilter(
        program_ids=program_ids,
        leading_program_id="programIds" in conditions,
        exhausted=exhausted,
        cadence=_cadence(conditions, options),
        statuses=_statuses(conditions, store),
        window=_window(conditions, "updatedAt", options),
    )


def lead_filter(
    conditions: Mapping[str, Any], store: Store, options: Options
) -> LeadWindow | LeadList:
    """Return the checked filter of a lead export.

    Raises: MarketoError 1003, 1013 or 1035.
    """
    if set(conditions) - _LEAD_KEYS or len(conditions) != 1:
        raise InvalidDataError("Invalid value specified for attribute 'filter'")
    attribute, value = next(iter(conditions.items()))
    window = _window(conditions, attribute, options) if attribute in _DATES else None
    if window is None:
        return list_filter(attribute, value, store, options)
    refuse_future(window, attribute, store.now)
    return LeadWindow(attribute, window)


def list_filter(attribute: str, value: object, store: Store, options: Options) -> LeadList:
    """Return the checked filter by static or smart list, by id or by name (C§22.1).

    Raises: MarketoError 1003 for a smart list without a filter, 1013 or 1035.
    """
    by_id = attribute.endswith("Id")
    if attribute.startswith("static"):
        for static_list in store.static_lists.values():
            if value == (static_list.list_id if by_id else static_list.name):
                return LeadList(static_list.list_id)
        raise MarketoError("1013", "Static list not found")
    if not options.smart_list_filters_supported:
        raise unsupported(attribute)
    for smart_list in store.smart_lists.values():
        if value == (smart_list.list_id if by_id else smart_list.name):
            if not smart_list.values:
                raise InvalidDataError("Smart list must have at least one filter")
            return LeadList(smart_list.list_id, smart=True)
    raise MarketoError("1013", "Smart list not found")


def _program_ids(conditions: Mapping[str, Any], store: Store, options: Options) -> tuple[int, ...]:
    if ("programId" in conditions) == ("programIds" in conditions):
        raise InvalidDataError("Exactly one of 'programId' and 'programIds' must be specified")
    ids = [conditions["programId"]] if "programId" in conditions else conditions["programIds"]
    if not isinstance(ids, list) or not ids or not all(type(number) is int for number in ids):
        raise InvalidDataError("Invalid value specified for attribute 'filter'")
    if len(ids) > options.max_program_ids:
        raise InvalidDataError(f"At most {options.max_program_ids} 'programIds' can be specified")
    unknown = [str(number) for number in ids if number not in store.programs]
    if unknown:
        text = f"Invalid program ids [{', '.join(unknown)}]"
        raise MarketoError(options.unknown_program_code, text)
    return tuple(dict.fromkeys(ids))


def _cadence(conditions: Mapping[str, Any], options: Options) -> str | None:
    """Return the stored form of whichever spelling was sent (C14.1)."""
    if "nurtureCadence" not in conditions:
        return None
    spelling = conditions["nurtureCadence"]
    if spelling not in options.cadence_spellings:
        raise InvalidDataError("Invalid value specified for attribute 'nurtureCadence'")
    return str(spelling)[:4]


def _statuses(conditions: Mapping[str, Any], store: Store) -> frozenset[str] | None:
    if "statusNames" not in conditions:
        return None
    names = conditions["statusNames"]
    if not isinstance(names, list) or not names:
        raise InvalidDataError("Invalid value specified for attribute 'statusNames'")
    known = store.known_statuses()
    unknown = [str(name) for name in names if name not in known]
    if unknown:
        raise InvalidDataError(f"Invalid status names [{', '.join(unknown)}]")
    return frozenset(names)


def _window(conditions: Mapping[str, Any], attribute: str, options: Options) -> Window | None:
    refused = attribute == "updatedAt" and not options.updated_at_filter_supported
    if refused and attribute in conditions:
        raise unsupported(attribute)
    return window_of(conditions, attribute, options)

"""The export filter: which members or leads a file is about (C§6, C§7)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from marketo_emulator.errors import InvalidDataError, MarketoError
from marketo_emulator.fields import LEAD_FIELDS, MEMBER_FIELDS
from marketo_emulator.seed import DAY
from marketo_emulator.values import parse_moment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from marketo_emulator.options import Options
    from marketo_emulator.store import Store
    from marketo_emulator.values import Value

    Row = tuple[Value, ...]

_MEMBER_KEYS = {
    "programId", "programIds", "isExhausted", "nurtureCadence", "statusNames", "updatedAt",
}  # fmt: skip
_LEAD_KEYS = {
    "createdAt", "updatedAt", "staticListId", "staticListName", "smartListId", "smartListName",
}  # fmt: skip
_UNSUPPORTED_LEAD_KEYS = ("smartListId", "smartListName")
# C§6: W3C form without fractions of a second.
_WINDOW_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:?\d\d)?")


@dataclass(frozen=True, slots=True)
class Window:
    """A span of whole seconds."""

    start: int
    end: int
    end_included: bool

    def holds(self, moment: Value) -> bool:
        """Whether a stored moment lies in it."""
        seconds = int(moment or 0)
        return self.start <= seconds < self.end + self.end_included


@dataclass(frozen=True, slots=True)
class MemberFilter:
    """Conditions on members, all of which must hold."""

    program_ids: tuple[int, ...]
    leading_program_id: bool
    exhausted: bool | None
    cadence: str | None
    statuses: frozenset[str] | None
    window: Window | None

    def rows(self, store: Store) -> Iterator[Row]:
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
class LeadFilter:
    """The one condition on leads."""

    attribute: str
    window: Window | None
    list_id: int | None

    def rows(self, store: Store) -> Iterator[Row]:
        """Return the leads that pass, by id."""
        if self.window is not None:
            position = LEAD_FIELDS.position[self.attribute]
            return (row for row in store.lead_rows.values() if self.window.holds(row[position]))
        members = store.static_lists[self.list_id or 0].lead_ids
        return (store.lead_rows[lead_id] for lead_id in sorted(members))


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


def lead_filter(conditions: Mapping[str, Any], store: Store, options: Options) -> LeadFilter:
    """Return the checked filter of a lead export.

    Raises: MarketoError 1003, 1013 or 1035.
    """
    if set(conditions) - _LEAD_KEYS or len(conditions) != 1:
        raise InvalidDataError("Invalid value specified for attribute 'filter'")
    attribute, value = next(iter(conditions.items()))
    if attribute in _UNSUPPORTED_LEAD_KEYS:
        raise _unsupported(attribute)
    if attribute in {"createdAt", "updatedAt"}:
        return LeadFilter(attribute, _window(conditions, attribute, options), None)
    for static_list in store.static_lists.values():
        if value == static_list.list_id if attribute == "staticListId" else static_list.name:
            return LeadFilter(attribute, None, static_list.list_id)
    raise MarketoError("1013", "Static list not found")


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
    if attribute not in conditions:
        return None
    if attribute == "updatedAt" and not options.updated_at_filter_supported:
        raise _unsupported(attribute)
    span = conditions[attribute]
    if not isinstance(span, dict) or set(span) != {"startAt", "endAt"}:
        raise InvalidDataError(f"Invalid value specified for attribute '{attribute}'")
    start, end = (_moment(attribute, span[key]) for key in ("startAt", "endAt"))
    if start > end:
        raise InvalidDataError(f"'startAt' is after 'endAt' in attribute '{attribute}'")
    if end - start > options.max_window_days * DAY:
        raise InvalidDataError(
            f"Date range of attribute '{attribute}' exceeds {options.max_window_days:g} days"
        )
    return Window(start, end, options.window_end_included)


def _moment(attribute: str, value: object) -> int:
    if isinstance(value, str) and _WINDOW_MOMENT.fullmatch(value):
        try:
            return parse_moment(value)
        except ValueError:
            pass
    raise InvalidDataError(f"Invalid value specified for attribute '{attribute}'")


def _unsupported(attribute: str) -> MarketoError:
    text = f"Unsupported filter type for target subscription: {attribute}"
    return MarketoError("1035", text)

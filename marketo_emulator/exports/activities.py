"""The export of activities: its filter, and its columns (C§23.1, C§23.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from marketo_emulator.data.activity_rows import COLUMNS, DATA_TYPES, DEFAULT_COLUMNS, activity_row
from marketo_emulator.data.activity_types import ACTIVITY_TYPES, ASSET_GROUPS, DELETE_LEAD
from marketo_emulator.data.values import cell_writer
from marketo_emulator.exports.request import (
    ACTIVITIES,
    Column,
    ExportRequest,
    requested_filter,
    requested_format,
    requested_headers,
)
from marketo_emulator.exports.windows import Window, refuse_future, window_of
from marketo_emulator.wire.errors import InvalidDataError, MarketoError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from marketo_emulator.data.activities import Happening
    from marketo_emulator.data.store import Store
    from marketo_emulator.data.values import Value
    from marketo_emulator.options import Options

    Row = tuple[Value, ...]

_KEYS = {"createdAt", "activityTypeIds", "primaryAttributeValueIds", "primaryAttributeValues"}
_MOST_VALUES = 50
_BAD_FILTER = "Invalid value specified for attribute 'filter'"


@dataclass(frozen=True, slots=True)
class ActivitySource:
    """Activities of a window, of some types and about some assets."""

    window: Window
    type_ids: frozenset[int] | None
    primary_ids: frozenset[int] | None
    primary_values: frozenset[str] | None
    options: Options

    def rows(self, store: Store, now: int) -> Iterator[Row]:
        """Return what can be read of them now; deleted leads are never among them."""
        for activity in store.log.readable(now, least=self.window.start, most=self.window.last):
            if self._passes(activity.happening):
                yield activity_row(activity, self.options)

    def _passes(self, happening: Happening) -> bool:
        return (
            happening.type_id != DELETE_LEAD
            and (self.type_ids is None or happening.type_id in self.type_ids)
            and (self.primary_ids is None or happening.primary_id in self.primary_ids)
            and (self.primary_values is None or happening.primary_value in self.primary_values)
        )


def activity_request(body: Mapping[str, Any], store: Store, options: Options) -> ExportRequest:
    """Return the checked request.

    Raises: MarketoError 1002 or 1003; the texts of most refusals are guesses (C20.21).
    """
    conditions = requested_filter(body)
    file_format = requested_format(body)
    columns = _columns(body, options)
    if set(conditions) - _KEYS:
        raise InvalidDataError(_BAD_FILTER)
    window = window_of(conditions, "createdAt", options)
    if window is None:
        raise InvalidDataError("'createdAt' is required in attribute 'filter'")
    refuse_future(window, "createdAt", store.now)
    type_ids = _type_ids(conditions)
    ids = _listed(conditions, "primaryAttributeValueIds", int)
    values = _listed(conditions, "primaryAttributeValues", str)
    if ids is not None or values is not None:
        _check_assets(type_ids, both=ids is not None and values is not None)
    source = ActivitySource(window, type_ids, _frozen(ids), _frozen(values), options)
    return ExportRequest(ACTIVITIES, file_format, columns, source)


def _frozen(values: list[Any] | None) -> frozenset[Any] | None:
    return None if values is None else frozenset(values)


def _columns(body: Mapping[str, Any], options: Options) -> tuple[Column, ...]:
    names = body.get("fields", [])
    if not isinstance(names, list):
        raise InvalidDataError("Invalid value specified for attribute 'fields'")
    if not names and options.activity_fields_required:
        raise MarketoError("1002", "Missing value for required parameter 'fields'")
    known = {name.lower(): name for name in COLUMNS}
    invalid = [str(name) for name in names if str(name).lower() not in known]
    if invalid:
        raise InvalidDataError(f"Invalid fields [{', '.join(invalid)}]")
    headers = requested_headers(body)
    return tuple(
        Column(
            headers.get(name, name),
            COLUMNS.index(known[name.lower()]),
            cell_writer(DATA_TYPES[known[name.lower()]], "words"),
        )
        for name in names or DEFAULT_COLUMNS
    )


def _type_ids(conditions: Mapping[str, Any]) -> frozenset[int] | None:
    ids = _listed(conditions, "activityTypeIds", int)
    if ids is None:
        return None
    if DELETE_LEAD in ids:
        raise InvalidDataError("Activity type 'Delete Lead' is not supported")
    known = {known.type_id for known in ACTIVITY_TYPES}
    unknown = [str(number) for number in ids if number not in known]
    if unknown:
        raise InvalidDataError(f"Invalid activity type ids [{', '.join(unknown)}]")
    return frozenset(ids)


def _listed(conditions: Mapping[str, Any], name: str, kind: type) -> list[Any] | None:
    if name not in conditions:
        return None
    values = conditions[name]
    if not isinstance(values, list) or not values or any(type(v) is not kind for v in values):
        raise InvalidDataError(f"Invalid value specified for attribute '{name}'")
    if name != "activityTypeIds" and len(values) > _MOST_VALUES:
        raise InvalidDataError(f"At most {_MOST_VALUES} '{name}' can be specified")
    return values


def _check_assets(type_ids: frozenset[int] | None, *, both: bool) -> None:
    """Refuse a filter by asset without types, or with types of more than one group (C§23.1)."""
    if both:
        raise InvalidDataError(
            "'primaryAttributeValueIds' and 'primaryAttributeValues' exclude each other"
        )
    groups = {ASSET_GROUPS.get(number, "") for number in type_ids or ()}
    if len(groups) != 1 or "" in groups:
        raise InvalidDataError("'activityTypeIds' must be of one asset group")

"""The export of custom objects: its filter, and its columns (C§24.1, C§24.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from marketo_emulator.data.fields import LEAD_FIELDS
from marketo_emulator.data.values import cell_writer
from marketo_emulator.exports.filters import LeadList, list_filter
from marketo_emulator.exports.request import (
    CUSTOM_OBJECTS,
    Column,
    ExportRequest,
    requested_fields,
    requested_filter,
    requested_format,
    requested_headers,
)
from marketo_emulator.exports.windows import Window, refuse_future, unsupported, window_of
from marketo_emulator.wire.errors import InvalidDataError, MarketoError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from marketo_emulator.data.custom_objects import Link, ObjectType
    from marketo_emulator.data.store import Store
    from marketo_emulator.data.values import Value
    from marketo_emulator.options import Options

    Row = tuple[Value, ...]

_KEYS = {"updatedAt", "staticListId", "staticListName", "smartListId", "smartListName"}


@dataclass(frozen=True, slots=True)
class ObjectWindow:
    """Records made or changed within a span."""

    name: str
    window: Window
    orphans: bool

    def rows(self, store: Store, _now: int) -> Iterator[Row]:
        """Return the records that pass."""
        found = store.objects[self.name]
        position = found.fields.position["updatedAt"]
        known = None if self.orphans else _link_values(store, found, store.lead_rows)
        for row in list(found.rows.values()):
            if self.window.holds(row[position]) and (known is None or _linked(found, row) in known):
                yield row


@dataclass(frozen=True, slots=True)
class ObjectsOfList:
    """Records linked to the leads on a list."""

    name: str
    leads: LeadList

    def rows(self, store: Store, _now: int) -> Iterator[Row]:
        """Return the records that pass."""
        found = store.objects[self.name]
        wanted = _link_values(store, found, self.leads.lead_ids(store))
        return (row for row in list(found.rows.values()) if _linked(found, row) in wanted)


def find_object(name: str, store: Store, options: Options) -> ObjectType:
    """Return the custom object of this API name.

    Raises: MarketoError 1026 where there are none, and as the options say for an unknown one.
    """
    if not options.custom_objects_enabled:
        raise MarketoError("1026", "Custom objects are not enabled for this subscription")
    found = store.objects.get(name)
    if found is None or found.state == "draft":
        raise MarketoError(options.unknown_object_code, f"Object '{name}' not found")
    return found


def object_request(
    kind: str, body: Mapping[str, Any], store: Store, options: Options
) -> ExportRequest:
    """Return the checked request.

    Raises: MarketoError 1002, 1003, 1013, 1026 or 1035.
    """
    found = find_object(kind.removeprefix(CUSTOM_OBJECTS), store, options)
    if found.lead_link is None:
        text = f"Object '{found.name}' is not linked to leads"
        raise MarketoError(options.unexportable_object_code, text)
    names, conditions = requested_fields(body), requested_filter(body)
    file_format = requested_format(body)
    columns = _columns(found, names, requested_headers(body), options)
    if set(conditions) - _KEYS or len(conditions) != 1:
        raise InvalidDataError("Invalid value specified for attribute 'filter'")
    attribute, value = next(iter(conditions.items()))
    if attribute != "updatedAt":
        leads = list_filter(attribute, value, store, options)
        return ExportRequest(kind, file_format, columns, ObjectsOfList(found.name, leads))
    if not options.object_updated_at_filter_supported:
        raise unsupported(attribute)
    window = window_of(conditions, attribute, options)
    if window is None:
        raise InvalidDataError("Invalid value specified for attribute 'filter'")
    refuse_future(window, attribute, store.now)
    source = ObjectWindow(found.name, window, options.orphans_exported)
    return ExportRequest(kind, file_format, columns, source)


def _columns(
    found: ObjectType, names: list[Any], headers: Mapping[str, str], options: Options
) -> tuple[Column, ...]:
    """Return the columns; the header echoes the spelling of the request (C§5.8)."""
    fields = [None if not isinstance(name, str) else found.fields.get(name) for name in names]
    invalid = [
        str(name)
        for name, known in zip(names, fields, strict=True)
        if known is None or name in options.refused_fields
    ]
    if invalid:
        raise InvalidDataError(f"Invalid fields [{', '.join(invalid)}]")
    return tuple(
        Column(
            headers.get(name, name),
            found.fields.position[known.name],
            cell_writer(known.data_type, "words"),
        )
        for name, known in zip(names, fields, strict=True)
        if known is not None
    )


def _link(found: ObjectType) -> Link:
    if found.lead_link is None:
        raise MarketoError("1003", f"Object '{found.name}' is not linked to leads")
    return found.lead_link


def _linked(found: ObjectType, row: Row) -> Value:
    return _folded(row[found.fields.position[_link(found).field]])


def _link_values(store: Store, found: ObjectType, lead_ids: Any) -> set[Value]:  # noqa: ANN401 - ids
    position = LEAD_FIELDS.position[_link(found).lead_field]
    return {_folded(store.lead_rows[lead_id][position]) for lead_id in lead_ids}


def _folded(value: Value) -> Value:
    return value.casefold() if isinstance(value, str) else value

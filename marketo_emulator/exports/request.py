"""The export request: the body of a create call, checked and understood (C§5.1, C§6, C§7)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from marketo_emulator.data.fields import MEMBER_FIELDS, Field, FieldSet
from marketo_emulator.data.values import cell_writer
from marketo_emulator.exports.filters import MemberFilter, lead_filter, member_filter
from marketo_emulator.wire.errors import InvalidDataError, MarketoError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from marketo_emulator.data.store import Store
    from marketo_emulator.data.values import Value
    from marketo_emulator.options import Options

    Row = tuple[Value, ...]

MEMBERS = "program/members"
LEADS = "leads"
ACTIVITIES = "activities"
CUSTOM_OBJECTS = "customobjects/"
"""What the kind of an export of custom objects begins with; the API name follows."""
_FORMAT = re.compile(r"CSV|TSV|SSV", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the file: its header, and where its values are in a joined row."""

    header: str
    position: int
    write: Callable[[Value], str] | None


class Source(Protocol):
    """What the rows of a file come from."""

    def rows(self, store: Store, now: int) -> Iterator[Row]:
        """Return the rows that pass the filter at this moment."""


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """What an export was asked for."""

    kind: str
    file_format: str
    columns: tuple[Column, ...]
    source: Source

    def rows(self, store: Store, now: int) -> Iterator[Row]:
        """Return the rows that pass the filter at this moment."""
        return self.source.rows(store, now)


@dataclass(frozen=True, slots=True)
class MembersWithLeads:
    """Members joined with their leads, for the columns that come from those."""

    members: MemberFilter
    width: int
    """How many values of a member's row come before those of the lead."""

    def rows(self, store: Store, now: int) -> Iterator[Row]:
        """Return the joined rows."""
        lead_id = MEMBER_FIELDS.position["leadId"]
        width, leads = self.width, store.lead_rows
        return (row[:width] + leads[row[lead_id]] for row in self.members.rows(store, now))  # type: ignore[index]


def requested_fields(body: Mapping[str, Any]) -> list[Any]:
    """Return the names asked for, checked to be there.

    Raises: MarketoError 1002.
    """
    names = body.get("fields")
    if not isinstance(names, list) or not names:
        raise MarketoError("1002", "Missing value for required parameter 'fields'")
    return names


def requested_filter(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the conditions, checked to be there.

    Raises: MarketoError 1003.
    """
    conditions = body.get("filter")
    if not isinstance(conditions, dict) or not conditions:
        raise InvalidDataError("Invalid value specified for attribute 'filter'")
    return conditions


def requested_format(body: Mapping[str, Any]) -> str:
    """Return the format of the file.

    Raises: MarketoError 1003.
    """
    file_format = body.get("format", "CSV")
    if not isinstance(file_format, str) or not _FORMAT.fullmatch(file_format):
        raise InvalidDataError("Invalid value specified for attribute 'format'")
    return file_format.upper()


def requested_headers(body: Mapping[str, Any]) -> dict[str, str]:
    """Return the headers asked for, by field.

    Raises: MarketoError 1003.
    """
    headers = body.get("columnHeaderNames", {})
    if not isinstance(headers, dict) or not all(isinstance(text, str) for text in headers.values()):
        raise InvalidDataError("Invalid value specified for attribute 'columnHeaderNames'")
    return headers


def people_request(
    kind: str, body: Mapping[str, Any], store: Store, options: Options
) -> ExportRequest:
    """Return the checked request for members or leads.

    Raises: MarketoError 1002, 1003 or 1035, with a text that names what was refused.
    """
    names, conditions = requested_fields(body), requested_filter(body)
    file_format = requested_format(body)
    columns = _Columns(kind, store, options, requested_headers(body)).build(names)
    if kind == LEADS:
        source = lead_filter(conditions, store, options)
        return ExportRequest(kind, file_format, columns, source)
    members = member_filter(conditions, store, options)
    columns = _with_program_id(columns, members, options)
    width = store.member_fields.width
    joins_leads = any(column.position >= width for column in columns)
    joined: Source = MembersWithLeads(members, width) if joins_leads else members
    return ExportRequest(kind, file_format, columns, joined)


class _Columns:
    """Turns requested names into columns; headers echo the requested spelling (C§5.8)."""

    def __init__(
        self, kind: str, store: Store, options: Options, headers: Mapping[str, str]
    ) -> None:
        self._kind = kind
        self._members, self._leads = store.member_fields, store.lead_fields
        self._options = options
        self._headers = headers

    def build(self, names: list[Any]) -> tuple[Column, ...]:
        invalid = [str(name) for name in names if self._find(name) is None]
        if invalid:
            raise InvalidDataError(f"Invalid fields [{', '.join(invalid)}]")
        return tuple(self._column(name) for name in names)

    def _find(self, name: object) -> tuple[Field, FieldSet] | None:
        if not isinstance(name, str) or name in self._options.refused_fields:
            return None
        for fields in self._sources(name):
            field = fields.get(name)
            if field is not None:
                formula = field.data_type == "formula"
                refused = formula and not self._options.formula_fields_exported
                return None if refused else (field, fields)
        return None

    def _sources(self, name: str) -> tuple[FieldSet, ...]:
        if self._kind == LEADS:
            return (self._leads,)
        shared = name.lower() in {"createdat", "updatedat"}
        if shared and self._options.shared_timestamps == "lead":
            return (self._leads,)
        return (self._members, self._leads)

    def _column(self, name: str) -> Column:
        found = self._find(name)
        if found is None:
            raise InvalidDataError(f"Invalid fields [{name}]")
        field, fields = found
        of_member = fields is self._members
        labelled = self._options.header_names == "ui_labels" and of_member
        header = self._headers.get(name, field.label if labelled else name)
        joined = self._kind == MEMBERS and not of_member
        digits = self._kind == MEMBERS and (
            of_member or self._options.lead_booleans_in_member_export == "digits"
        )
        return Column(
            header,
            fields.position[field.name] + (self._members.width if joined else 0),
            cell_writer(field.data_type, "digits" if digits else "words"),
        )


def _with_program_id(
    columns: tuple[Column, ...], chosen: MemberFilter, options: Options
) -> tuple[Column, ...]:
    """Return the columns with the leading one that `programIds` adds (C14.6, C20.7)."""
    if not chosen.leading_program_id:
        return columns
    position = MEMBER_FIELDS.position["programId"]
    if not options.program_id_repeated:
        columns = tuple(column for column in columns if column.position != position)
    return (Column("programId", position, None), *columns)

"""The export request: the body of a create call, checked and understood (C§5.1, C§6, C§7)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from marketo_emulator.errors import InvalidDataError, MarketoError
from marketo_emulator.export_filters import LeadFilter, MemberFilter, lead_filter, member_filter
from marketo_emulator.fields import LEAD_FIELDS, MEMBER_FIELDS, Field, FieldSet
from marketo_emulator.values import cell_writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from marketo_emulator.options import Options
    from marketo_emulator.store import Store
    from marketo_emulator.values import Value

    Row = tuple[Value, ...]

MEMBERS = "program/members"
LEADS = "leads"
_FORMAT = re.compile(r"CSV|TSV|SSV", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the file: its header, and where its values are in a joined row."""

    header: str
    position: int
    write: Callable[[Value], str] | None


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """What an export was asked for."""

    kind: str
    file_format: str
    columns: tuple[Column, ...]
    filter: MemberFilter | LeadFilter
    joins_leads: bool

    def rows(self, store: Store) -> Iterator[Row]:
        """Return the rows that pass the filter now, joined with their leads if columns need it."""
        if isinstance(self.filter, LeadFilter):
            return self.filter.rows(store)
        members = self.filter.rows(store)
        if not self.joins_leads:
            return members
        lead_id = MEMBER_FIELDS.position["leadId"]
        leads = store.lead_rows
        return (row + leads[row[lead_id]] for row in members)  # type: ignore[index]


def parse_export_request(
    kind: str, body: Mapping[str, Any], store: Store, options: Options
) -> ExportRequest:
    """Return the checked request.

    Raises: MarketoError 1002, 1003 or 1035, with a text that names what was refused.
    """
    names = body.get("fields")
    if not isinstance(names, list) or not names:
        raise MarketoError("1002", "Missing value for required parameter 'fields'")
    conditions = body.get("filter")
    if not isinstance(conditions, dict) or not conditions:
        raise InvalidDataError("Invalid value specified for attribute 'filter'")
    file_format = body.get("format", "CSV")
    if not isinstance(file_format, str) or not _FORMAT.fullmatch(file_format):
        raise InvalidDataError("Invalid value specified for attribute 'format'")
    columns = _Columns(kind, options, _header_map(body)).build(names)
    chosen: MemberFilter | LeadFilter
    if kind == MEMBERS:
        chosen = member_filter(conditions, store, options)
        columns = _with_program_id(columns, chosen, options)
    else:
        chosen = lead_filter(conditions, store, options)
    joins_leads = kind == MEMBERS and any(
        column.position >= len(MEMBER_FIELDS) for column in columns
    )
    return ExportRequest(kind, file_format.upper(), columns, chosen, joins_leads)


def _header_map(body: Mapping[str, Any]) -> dict[str, str]:
    headers = body.get("columnHeaderNames", {})
    if not isinstance(headers, dict) or not all(isinstance(text, str) for text in headers.values()):
        raise InvalidDataError("Invalid value specified for attribute 'columnHeaderNames'")
    return headers


class _Columns:
    """Turns requested names into columns; headers echo the requested spelling (C§5.8)."""

    def __init__(self, kind: str, options: Options, headers: Mapping[str, str]) -> None:
        self._kind = kind
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
            return (LEAD_FIELDS,)
        shared = name.lower() in {"createdat", "updatedat"}
        if shared and self._options.shared_timestamps == "lead":
            return (LEAD_FIELDS,)
        return (MEMBER_FIELDS, LEAD_FIELDS)

    def _column(self, name: str) -> Column:
        found = self._find(name)
        if found is None:
            raise InvalidDataError(f"Invalid fields [{name}]")
        field, fields = found
        labelled = self._options.header_names == "ui_labels" and fields is MEMBER_FIELDS
        header = self._headers.get(name, field.label if labelled else name)
        joined = self._kind == MEMBERS and fields is LEAD_FIELDS
        digits = self._kind == MEMBERS and (
            fields is MEMBER_FIELDS or self._options.lead_booleans_in_member_export == "digits"
        )
        return Column(
            header,
            fields.position[field.name] + (len(MEMBER_FIELDS) if joined else 0),
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

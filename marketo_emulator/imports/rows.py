"""The import row: one line of an uploaded file, checked and turned into values (C§8)."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING

from marketo_emulator.data.values import parse_cell

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from marketo_emulator.data.fields import Field, FieldSet
    from marketo_emulator.data.values import Value
    from marketo_emulator.options import Options

MISSING_KEY = "missing.dedupe.fields"
INVALID_EMAIL = "Invalid email address"
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_TEXT_BYTES = 30_000


@dataclass(frozen=True, slots=True)
class ImportRow:
    """What a line says, or why it cannot be imported."""

    cells: Sequence[str]
    key: Value = None
    values: Mapping[str, Value] = field(default_factory=dict)
    failure: str = ""
    warning: str = ""


class RowReader:
    """Understands the lines under one header; header names are not trimmed (C§8.1)."""

    def __init__(
        self,
        header: Sequence[str],
        lookup: Field,
        options: Options,
        sources: Sequence[FieldSet],
    ) -> None:
        self.header = header
        self._lookup = lookup
        self._fields = [
            next(filter(None, (fields.get(name) for fields in sources)), None) for name in header
        ]
        self._ignores_unknown = options.unknown_import_column == "ignore"
        self._clears = options.blank_import_cell == "clear"

    def unknown_columns(self) -> list[str]:
        """Return the columns that are no field."""
        return [
            name for name, field in zip(self.header, self._fields, strict=True) if field is None
        ]

    def read(self, cells: Sequence[str]) -> ImportRow:
        """Return the row, with the first reason found against it."""
        if failure := self._failure(cells):
            return ImportRow(cells, failure=failure)
        values: dict[str, Value] = {}
        warning = ""
        for known, cell in zip(self._fields, cells, strict=True):
            if known is None or not (cell or self._clears):
                continue
            values[known.name] = parse_cell(cell, known.data_type) if cell else None
            if cell and known.data_type == "email" and not _EMAIL.fullmatch(cell):
                warning = INVALID_EMAIL
        key = values.get(self._lookup.name)
        if key is None:
            return ImportRow(cells, failure=MISSING_KEY)
        values.pop("id", None)
        return ImportRow(cells, key, values, warning=warning)

    def _failure(self, cells: Sequence[str]) -> str:
        """Return what is wrong with the line, or ""; without a key nothing else matters."""
        if len(cells) != len(self.header):
            return f"Row has {len(cells)} columns, header has {len(self.header)}"  # guess
        if self._lookup not in self._fields:
            return MISSING_KEY
        refusals = map(self._refusal, self.header, self._fields, cells)
        return next(filter(None, refusals), "")

    def _refusal(self, name: str, known: Field | None, cell: str) -> str:
        if known is None:
            return "" if self._ignores_unknown else f"Field '{name}' not found"
        if not known.updateable and known.name != self._lookup.name:
            return f"Field '{known.name}' is read only"  # guess
        return cell_refusal(known, cell)


def cell_refusal(known: Field, cell: str) -> str:
    """Return what is wrong with a cell of a field, or ""; the label names the field (C§8.3)."""
    try:
        if cell:
            parse_cell(cell, known.data_type)
    except ValueError:
        return f"Invalid data type in field {known.label}"
    if known.data_type == "email" and not cell.isascii():
        return INVALID_EMAIL
    too_long = len(cell.encode()) > _TEXT_BYTES or len(cell) > (known.length or _TEXT_BYTES)
    return f"Value too long in field {known.label}" if too_long else ""  # guess


def read_lines(content: bytes, delimiter: str) -> Iterator[list[str]]:
    """Return the lines of a file, blank ones left out.

    Raises: ValueError for bytes that are not UTF-8, csv.Error for what csv cannot read.
    """
    text = io.StringIO(content.decode("utf-8"), newline="")
    return (cells for cells in csv.reader(text, delimiter=delimiter) if cells)


def reason_file(
    header: Sequence[str], rows: Sequence[tuple[Sequence[str], str]], title: str, delimiter: str
) -> bytes:
    """Return a failures or warnings file: the lines as they came, and a column with the reason."""
    lines: list[str] = []
    # See export_file: only this terminator has both kinds of line end quoted.
    writer = csv.writer(
        SimpleNamespace(write=lines.append), delimiter=delimiter, lineterminator="\r\n"
    )
    writer.writerow([*header, title])
    writer.writerows([*cells, reason] for cells, reason in rows)
    return "".join(f"{line[:-2]}\n" for line in lines).encode()


def folded(value: Value) -> Value:
    """Return a value as keys are compared: letters folded."""
    return value.casefold() if isinstance(value, str) else value


def lookup_field(name: str, fields: FieldSet) -> Field | None:
    """Return a field that leads can be found by: id, e-mail, or a custom one of a fitting type."""
    field = fields.get(name)
    if field is None or field.name in {"id", "email"}:
        return field
    fits = field.custom and field.data_type in {"string", "email", "integer"}
    return field if fits else None

"""The import of custom objects: what a row does (C§10)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from marketo_emulator.data.custom_objects import FIXED_FIELDS
from marketo_emulator.data.values import parse_cell
from marketo_emulator.exports.request import CUSTOM_OBJECTS
from marketo_emulator.imports.rows import MISSING_KEY, ImportRow, cell_refusal, folded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from marketo_emulator.data.custom_objects import ObjectType
    from marketo_emulator.data.store import Store
    from marketo_emulator.data.values import Value
    from marketo_emulator.options import Options

_UNKNOWN_LINK = "Lead not found"


@dataclass(frozen=True, slots=True)
class ObjectImport:
    """Records of one custom object, by its dedupe fields."""

    name: str
    list_id: int | None = None

    @property
    def kind(self) -> str:
        """The part of the path that says which object."""
        return CUSTOM_OBJECTS + self.name

    def reader(self, header: Sequence[str], store: Store, options: Options) -> ObjectReader:
        """Return what understands the lines under this header."""
        return ObjectReader(header, store.objects[self.name], options)

    def begin(self, store: Store, options: Options) -> ObjectRows:
        """Return what takes the rows."""
        return ObjectRows(store.objects[self.name], store, options)


class ObjectReader:
    """Understands lines; names in the header are not trimmed and must be exact (C§10)."""

    def __init__(self, header: Sequence[str], found: ObjectType, options: Options) -> None:
        self.header = header
        known = {field.name: field for field in found.fields}
        self._fields = [known.get(name) for name in header]
        self._dedupe = found.dedupe
        self._ignores_unknown = options.unknown_import_column == "ignore"
        self._clears = options.blank_import_cell == "clear"

    def unknown_columns(self) -> list[str]:
        """Return the columns that are no field of the object."""
        return [name for name, field in zip(self.header, self._fields, strict=True) if not field]

    def read(self, cells: Sequence[str]) -> ImportRow:
        """Return the row, with the first reason found against it."""
        if failure := self._failure(cells):
            return ImportRow(cells, failure=failure)
        values: dict[str, Value] = {}
        for known, cell in zip(self._fields, cells, strict=True):
            if known is not None and (cell or self._clears):
                values[known.name] = parse_cell(cell, known.data_type) if cell else None
        if any(values.get(name) is None for name in self._dedupe):
            return ImportRow(cells, failure=MISSING_KEY)
        return ImportRow(cells, None, values)

    def _failure(self, cells: Sequence[str]) -> str:
        if len(cells) != len(self.header):
            return f"Row has {len(cells)} columns, header has {len(self.header)}"  # guess
        if not set(self._dedupe) <= set(self.header):
            return MISSING_KEY
        for name, known, cell in zip(self.header, self._fields, cells, strict=True):
            if known is None:
                if not self._ignores_unknown:
                    return f"Field '{name}' not found"
            elif known.name in FIXED_FIELDS:
                return f"Field '{known.name}' is read only"  # guess
            elif refusal := cell_refusal(known, cell):
                return refusal
        return ""


class ObjectRows:
    """Rows on their way into the store; a later one of a key sees what an earlier one did."""

    def __init__(self, found: ObjectType, store: Store, options: Options) -> None:
        self._found = found
        self._store = store
        self._keys = found.keys()
        self._links = self._known_links() if options.unknown_link == "fail_row" else None
        self.ids: set[object] = set()

    def apply(self, row: ImportRow, now: int) -> tuple[str, str]:
        """Change or make the record; returns why it failed, and no warning."""
        link = self._found.lead_link
        if link is not None and self._links is not None:
            value = row.values.get(link.field)
            if value is not None and folded(value) not in self._links:
                return _UNKNOWN_LINK, ""
        key = self._found.key(row.values)
        guid = self._keys.setdefault(key, "") or self._store.new_guid()
        self._keys[key] = guid
        self._found.put(guid, row.values, now)
        self.ids.add(guid)
        return "", ""

    def finish(self, now: int) -> None:
        """Do nothing more: there is no list."""

    def _known_links(self) -> set[Value]:
        link, store = self._found.lead_link, self._store
        if link is None:
            return set()
        position = store.lead_fields.position[link.lead_field]
        return {folded(row[position]) for row in store.lead_rows.values()}

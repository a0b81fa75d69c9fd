"""The import of leads: parameters, and what a row does (C§8)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from marketo_emulator.data.fields import LEAD_FIELDS
from marketo_emulator.imports.rows import RowReader, folded, lookup_field
from marketo_emulator.wire.errors import MarketoError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from marketo_emulator.data.fields import Field
    from marketo_emulator.data.store import Store
    from marketo_emulator.data.values import Value
    from marketo_emulator.imports.rows import ImportRow
    from marketo_emulator.options import Options


@dataclass(frozen=True, slots=True)
class LeadImport:
    """Leads by a lookup field, put on a list if there is one."""

    lookup: Field
    list_id: int | None
    partition: int
    """Place of the partition among all of them, counted from 1."""
    kind: str = "leads"

    def reader(self, header: Sequence[str], store: Store, options: Options) -> RowReader:
        """Return what understands the lines under this header."""
        return RowReader(header, self.lookup, options, (store.lead_fields,))

    def begin(self, store: Store, options: Options) -> LeadRows:
        """Return what takes the rows."""
        return LeadRows(self, store, options)


class LeadRows:
    """Rows on their way into the store; a later one of a key sees what an earlier one did."""

    def __init__(self, request: LeadImport, store: Store, _options: Options) -> None:
        self._request = request
        self._store = store
        self._found = leads_by(store, request.lookup)
        self.ids: set[object] = set()

    def apply(self, row: ImportRow, now: int) -> tuple[str, str]:
        """Change or make the lead; returns why it failed and a warning, both "" if it is well."""
        lookup, key = self._request.lookup, folded(row.key)
        ids = self._found.get(key, [])
        if len(ids) > 1:
            return "Multiple leads match lookup criteria", ""
        if not ids and lookup.name == "id":
            return f"Value for lookup field '{lookup.name}' not found", ""
        values = dict(row.values)
        if not ids:
            values.setdefault("leadPartitionId", str(self._request.partition))
        lead_id = self._store.import_lead(ids[0] if ids else None, values, now)
        self._found[key] = [lead_id]
        self.ids.add(lead_id)
        return "", ""

    def finish(self, now: int) -> None:
        """Put the leads on the list."""
        if self._request.list_id is not None:
            lead_ids = {lead_id for lead_id in self.ids if isinstance(lead_id, int)}
            self._store.import_list(self._request.list_id, lead_ids, now)


def lead_import(parameters: Mapping[str, str], store: Store) -> LeadImport:
    """Return the checked parameters.

    Raises: MarketoError 1006, 1001, 1013, 1008.
    """
    lookup = parameters.get("lookupField", "")
    found = lookup_field(lookup or "email", store.lead_fields)
    if found is None:
        raise MarketoError("1006", f"Lookup field '{lookup}' not found")
    list_id, partition = parameters.get("listId", ""), parameters.get("partitionName", "")
    if list_id and not list_id.isdecimal():
        raise MarketoError("1001", f"Invalid value '{list_id}'. Required of type 'Integer'")
    if list_id and int(list_id) not in store.static_lists:
        raise MarketoError("1013", "Static list not found")
    if partition and partition not in store.partitions:
        raise MarketoError("1008", f"Access denied to partition '{partition}'")
    place = store.partitions.index(partition) + 1 if partition else 1
    return LeadImport(found, int(list_id) if list_id else None, place)


def leads_by(store: Store, lookup: Field) -> dict[Value, list[int]]:
    """Return the ids of the leads by the value of a field, letters folded."""
    position = store.lead_fields.position[lookup.name]
    found: dict[Value, list[int]] = {}
    for lead_id, row in store.lead_rows.items():
        if row[position] is not None:
            found.setdefault(folded(row[position]), []).append(lead_id)
    return found


EMAIL = next(field for field in LEAD_FIELDS if field.name == "email")

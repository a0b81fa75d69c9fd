"""Young instance: one whose leads and custom objects are weeks old, and not years.

What Marketo has of them is read by windows of 31 days: so a first load takes a few jobs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from marketo_emulator.data.history import past_events
from marketo_emulator.data.rows import changed

if TYPE_CHECKING:
    from marketo_emulator.data.fields import FieldSet
    from marketo_emulator.data.store import Store
    from marketo_emulator.data.values import Value

    Row = tuple[Value, ...]

SHRUNK_BY = 24
"""Leads are two and a half years old at most, and then five weeks."""


def make_young(store: Store) -> None:
    """Move all that has happened to leads and to custom objects into the last weeks."""
    now = store.now
    for lead_id, row in store.lead_rows.items():
        store.lead_rows[lead_id] = _moved(row, store.lead_fields, now)
    for found in store.objects.values():
        found.created_at = _moment(found.created_at, now)
        for guid, row in found.rows.items():
            found.rows[guid] = _moved(row, found.fields, now)
    leads = dict(store.lead_rows)
    members = {program_id: dict(rows) for program_id, rows in store.member_rows.items()}
    programs = list(store.programs.values())
    store.log.history = lambda: past_events(leads, members, programs)


def _moved(row: Row, fields: FieldSet, now: int) -> Row:
    moments = {
        name: _moment(cast("int", row[fields.position[name]]), now)
        for name in ("createdAt", "updatedAt")
    }
    return changed(row, fields, moments)


def _moment(before: int, now: int) -> int:
    return now - (now - before) // SHRUNK_BY

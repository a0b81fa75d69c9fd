"""The store: programs, members, leads, lists and custom objects, to look at and to change."""

from __future__ import annotations

from itertools import islice
from random import Random
from typing import TYPE_CHECKING, Any
from uuid import UUID

from marketo_emulator.clock import to_epoch
from marketo_emulator.data.activities import Happening, Single
from marketo_emulator.data.activity_types import DELETE_LEAD
from marketo_emulator.data.changes import lead_name
from marketo_emulator.data.fields import LEAD_FIELDS, MEMBER_FIELDS
from marketo_emulator.data.history import past_events
from marketo_emulator.data.member_table import MemberTable
from marketo_emulator.data.object_seed import fill_objects, object_types
from marketo_emulator.data.rows import changed, shown
from marketo_emulator.data.schema import Schema
from marketo_emulator.data.seed import Seed, lead_walk, program_sizes
from marketo_emulator.options import Options

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from marketo_emulator.clock import Clock
    from marketo_emulator.data.values import Value

    Row = tuple[Value, ...]

_LEAD = LEAD_FIELDS.position
_MEMBER = MEMBER_FIELDS.position
_MERGE_LEADS, _CHANGE_STATUS = 32, 104
_MOST_LOSERS = 25
_FIXED_LEAD_FIELDS = frozenset({"id", "email", "createdAt", "updatedAt", "leadPartitionId"})
_FIXED_MEMBER_FIELDS = frozenset(field.name for field in MEMBER_FIELDS if not field.updateable)

QUIET_SECONDS = 3600
"""How long before the start the made-up history ends: clients leave the last minutes alone."""


class Store(MemberTable):
    """Everything the emulated instance knows; looked at and changed at the present moment."""

    def __init__(
        self,
        clock: Clock,
        at: Callable[[], AbstractContextManager[object]],
        *,
        seed: int,
        options: Options | None = None,
    ) -> None:
        ended_at = to_epoch(clock.now()) - QUIET_SECONDS
        options = options or Options()
        super().__init__(clock, at, Seed(seed, ended_at, options.history_days), options)
        self.objects = object_types(ended_at, options.history_days)
        self._seed_number, self._ended_at = seed, ended_at
        self._guids = Random(seed + 1)  # noqa: S311 - ids of made-up objects, not secrets

    def fill(self, programs: int, members: int) -> None:
        """Make this many programs, and members that they share out between them.

        Raises: ValueError for members without a program.
        """
        if members and not programs:
            message = f"{members} members need a program to be members of"
            raise ValueError(message)
        sizes = program_sizes(programs, members)
        leads = max([10, members * 3 // 5, *sizes])
        for _ in range(leads):
            self._new_lead(None)
        for created_at, size in zip(self._seed.creation_dates(programs), sizes, strict=True):
            program = self._new_program(created_at)
            rows = self.member_rows[program.program_id]
            for lead_id in islice(lead_walk(program.program_id * 97, leads), size):
                rows[lead_id] = self._seed.member(program, lead_id)
        fill_objects(
            self.objects, list(islice(self.lead_rows, 50)), seed=self._seed_number,
            now=self._ended_at, history_days=self._options.history_days,
        )  # fmt: skip
        kept_leads = dict(self.lead_rows)
        kept_members = {program_id: dict(rows) for program_id, rows in self.member_rows.items()}
        kept_programs = list(self.programs.values())
        self.log.history = lambda: past_events(kept_leads, kept_members, kept_programs)

    # -- leads that go --------------------------------------------------------------------------

    def delete_lead(self, lead_id: int) -> None:
        """Delete a lead with its memberships; an activity says so for two weeks."""
        with self._at():
            row = self._take_out(lead_id)
            self._note_deletion(lead_id, row, self.now)

    def merge_leads(self, winner: int, *losers: int) -> None:
        """Merge leads into one that keeps its id; lists, memberships and objects move to it.

        Raises: KeyError for a lead that does not exist; ValueError without a loser, for the winner
        among them or for more than 25.
        """
        with self._at():
            rows = {lead_id: self.lead_rows[lead_id] for lead_id in losers}
            now, winning = self.now, self.lead_rows[winner]
            if not 1 <= len(rows) <= _MOST_LOSERS or winner in rows:
                raise ValueError(f"a merge needs 1 to {_MOST_LOSERS} leads beside the winner")
            for lead_id, row in rows.items():
                self._move_memberships(lead_id, winner, now)
                self._move_objects(lead_id, winner, now)
                for static_list in self.static_lists.values():
                    if lead_id in static_list.lead_ids:
                        static_list.lead_ids.add(winner)
                gained: dict[str, Value] = {
                    field.name: value
                    for field in self.lead_fields
                    if (value := row[self.lead_fields.position[field.name]]) is not None
                    and self.lead_rows[winner][self.lead_fields.position[field.name]] is None
                }
                self._take_out(lead_id)
                if gained:
                    self._change_lead(winner, gained, now, "Merge")
                if self._options.deletions_include_merged:
                    self._note_deletion(lead_id, row, now)
            attributes: dict[str, Any] = {"Merge IDs": list(rows), "Merge Source": "leaddb"}
            merged = Happening(now, winner, _MERGE_LEADS, winner, lead_name(winning), attributes)
            self.log.add(Single(merged, now))

    # -- custom objects -------------------------------------------------------------------------

    def object_rows(self, name: str) -> Iterator[dict[str, Value]]:
        """Return every record of a custom object by the names of its fields."""
        with self._at():
            found = self.objects[name]
            return iter([shown(row, found.fields) for row in found.rows.values()])

    def put_object(self, name: str, **values: Value) -> str:
        """Make a record, or change the one with the same dedupe fields; returns its marketoGUID."""
        with self._at():
            return self.import_object(name, values, self.now)

    def import_object(self, name: str, values: dict[str, Value], now: int) -> str:
        """Do what `put_object` does at a moment that may have passed."""
        found = self.objects[name]
        guid = found.keys().get(found.key(values)) or self.new_guid()
        found.put(guid, values, now)
        return guid

    def new_guid(self) -> str:
        """Return an id for a record."""
        return str(UUID(int=self._guids.getrandbits(128), version=4))

    def remove_object(self, name: str, guid: str) -> None:
        """Delete a record; nothing tells of it (C§24.4)."""
        with self._at():
            del self.objects[name].rows[guid]

    # -- fields ---------------------------------------------------------------------------------

    def schema(self, kind: str) -> Schema:
        """Return what changes the fields of `leads`, `program_members` or a custom object.

        Raises: KeyError for another name.
        """
        if kind == "leads":
            return Schema(self.lead_fields, lambda: [self.lead_rows], _FIXED_LEAD_FIELDS)
        if kind == "program_members":
            tables = self.member_rows
            return Schema(self.member_fields, lambda: list(tables.values()), _FIXED_MEMBER_FIELDS)
        found = self.objects[kind]
        fixed = frozenset({field.name for field in found.fields if not field.updateable})
        return Schema(found.fields, lambda: [found.rows], fixed)

    # -- inside ---------------------------------------------------------------------------------

    def _take_out(self, lead_id: int) -> Row:
        row = self.lead_rows.pop(lead_id)
        self.lead_changed_at.pop(lead_id, None)
        for rows in self.member_rows.values():
            rows.pop(lead_id, None)
        for static_list in self.static_lists.values():
            static_list.lead_ids.discard(lead_id)
        return row

    def _note_deletion(self, lead_id: int, row: Row, now: int) -> None:
        gone = Happening(now, lead_id, DELETE_LEAD, lead_id, lead_name(row))
        self.log.add(Single(gone, now))

    def _move_memberships(self, loser: int, winner: int, now: int) -> None:
        for program_id, rows in self.member_rows.items():
            if loser not in rows or winner in rows:
                continue
            moved: dict[str, Value] = {"leadId": winner}
            if self._options.merge_moves_member_updated_at:
                moved["updatedAt"] = now
            row = changed(rows[loser], self.member_fields, moved)
            if self._options.merge_notes_status:
                self._put_member(program_id, winner, None, row, now)
            else:
                rows[winner] = row

    def _move_objects(self, loser: int, winner: int, now: int) -> None:
        for found in self.objects.values():
            link = found.lead_link
            if link is None or link.lead_field != "id":
                continue
            position = found.fields.position[link.field]
            for guid, row in list(found.rows.items()):
                if row[position] == loser:
                    found.put(guid, {link.field: winner}, now)

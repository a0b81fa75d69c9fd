"""The programs and their members: rows, and what changes them."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from random import Random
from typing import TYPE_CHECKING, Any

from marketo_emulator.data.changes import MemberChange
from marketo_emulator.data.fields import MEMBER_FIELDS
from marketo_emulator.data.lead_table import LeadTable
from marketo_emulator.data.rows import changed, shown
from marketo_emulator.data.samples import AWKWARD_TEXTS
from marketo_emulator.data.seed import DAY, Seed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from marketo_emulator.clock import Clock
    from marketo_emulator.data.programs import Program
    from marketo_emulator.data.values import Value
    from marketo_emulator.options import Options

    Row = tuple[Value, ...]

_MEMBER = MEMBER_FIELDS.position


class MemberTable(LeadTable):
    """All programs and memberships; looked at and changed at the present moment."""

    def __init__(
        self,
        clock: Clock,
        at: Callable[[], AbstractContextManager[object]],
        seed: Seed,
        options: Options,
    ) -> None:
        super().__init__(clock, at, seed, options)
        self.member_fields = MEMBER_FIELDS.copy()
        self.programs: dict[int, Program] = {}
        self.member_rows: dict[int, dict[int, Row]] = {}
        self._next_program = 0

    # -- looking --------------------------------------------------------------------------------

    def members(self) -> Iterator[dict[str, Value]]:
        """Return every member as describe names its fields; moments as `2019-04-12T05:58:10Z`."""
        with self._at():
            kept = [list(rows.values()) for rows in self.member_rows.values()]
        return (shown(row, self.member_fields) for rows in kept for row in rows)

    def member(self, program_id: int, lead_id: int) -> dict[str, Value]:
        """Return one member; KeyError if there is none."""
        with self._at():
            return shown(self.member_rows[program_id][lead_id], self.member_fields)

    @property
    def member_count(self) -> int:
        """How many memberships there are."""
        return sum(map(len, self.member_rows.values()))

    def known_statuses(self) -> frozenset[str]:
        """Return every status that a member of some program can have."""
        channels = {program.channel for program in self.programs.values()}
        names = {status.name for channel in channels for status in channel.statuses}
        return frozenset({"Not in Program", *names})

    # -- changing members -----------------------------------------------------------------------

    def touch_members(self, count: int, *, seed: int = 0) -> list[tuple[int, int]]:
        """Give members drawn at random another status and other notes, now.

        Shape: the (program id, lead id) of each, in the order drawn; all members if too few.
        """
        random = Random(seed)  # noqa: S311 - made-up people, not secrets
        with self._at():
            keys = [(program, lead) for program, rows in self.member_rows.items() for lead in rows]
            drawn = random.sample(keys, min(count, len(keys)))
            for program_id, lead_id in drawn:
                status = random.choice(self.programs[program_id].channel.statuses)
                self.change_member(
                    program_id,
                    lead_id,
                    statusName=status.name,
                    dietaryNotes=random.choice(AWKWARD_TEXTS),
                )
        return drawn

    def change_member(self, program_id: int, lead_id: int, **values: Value) -> None:
        """Change fields of a member by REST name; `updatedAt` becomes now unless given.

        Units: moments as seconds since 1970 or as `2019-04-12T05:58:10Z`.
        Raises: KeyError for a member or a field that does not exist.
        """
        with self._at():
            self.import_member(program_id, lead_id, values, self.now)

    def import_member(
        self, program_id: int, lead_id: int, values: dict[str, Value], now: int
    ) -> None:
        """Change a member, as `change_member` does, at a moment that may have passed."""
        row = self.member_rows[program_id][lead_id]
        if "statusName" in values:
            values = {**self._success(program_id, row, values["statusName"], now), **values}
        after = changed(row, self.member_fields, {"updatedAt": now, **values})
        self._put_member(program_id, lead_id, row, after, now)

    def import_new_member(
        self, program_id: int, lead_id: int, values: dict[str, Value], now: int
    ) -> None:
        """Make a lead a member with these values and no others, at a moment that may be past."""
        program = self.programs[program_id]
        times = dict.fromkeys(("createdAt", "membershipDate", "updatedAt"), now)
        born: dict[str, Value] = {
            **times,
            "leadId": lead_id,
            "programId": program_id,
            "program": program.name,
            "acquiredBy": False,
            "isExhausted": False,
            "reachedSuccess": False,
        }
        row = changed((None,) * self.member_fields.width, self.member_fields, {**born, **values})
        reached = self._success(program_id, row, row[_MEMBER["statusName"]], now)
        row = changed(row, self.member_fields, reached)
        self._put_member(program_id, lead_id, None, row, now)

    def add_member(
        self, program_id: int, lead_id: int | None = None, **values: Value
    ) -> tuple[int, int]:
        """Make a lead (a new one unless named) a member now; returns (program id, lead id)."""
        with self._at():
            program = self.programs[program_id]
            lead_id = self.add_lead() if lead_id is None else lead_id
            now = self.now
            row = changed(
                self._seeded(program, lead_id, now),
                self.member_fields,
                {"updatedAt": now, **values},
            )
            before = self.member_rows[program_id].get(lead_id)
            self._put_member(program_id, lead_id, before, row, now)
        return program_id, lead_id

    def join_members(self, count: int, *, seed: int = 0) -> list[tuple[int, int]]:
        """Make new leads members of programs drawn at random; returns (program id, lead id)."""
        random = Random(seed)  # noqa: S311 - made-up people, not secrets
        with self._at():
            drawn = random.choices(list(self.programs), k=count) if self.programs else []
            return [self.add_member(program_id) for program_id in drawn]

    def remove_member(self, program_id: int, lead_id: int) -> None:
        """End a membership; exports show no trace of it, activities do (C§26)."""
        with self._at():
            self.import_removal(program_id, lead_id, self.now)

    def import_removal(self, program_id: int, lead_id: int, now: int) -> None:
        """Do what `remove_member` does at a moment that may have passed."""
        before = self.member_rows[program_id][lead_id]
        self._put_member(program_id, lead_id, before, None, now)

    # -- changing programs ----------------------------------------------------------------------

    def add_program(self, name: str = "", *, members: int = 0, age_days: float = 0) -> Program:
        """Make a program that is this old, with members drawn from the leads there are."""
        with self._at():
            now = self.now
            program = self._new_program(now - int(age_days * DAY))
            if name:
                program = replace(program, name=name)
                self.programs[program.program_id] = program
            for lead_id in islice(list(self.lead_rows), members):
                row = self._seeded(program, lead_id, program.created_at)
                after = changed(row, self.member_fields, {"updatedAt": now})
                self._put_member(program.program_id, lead_id, None, after, now)
        return program

    def remove_program(self, program_id: int) -> None:
        """Delete a program and its memberships."""
        with self._at():
            del self.programs[program_id]
            del self.member_rows[program_id]

    def change_program(self, program_id: int, **values: Any) -> Program:  # noqa: ANN401 - see Program
        """Change what is said of a program (`name`, `folder`, `tags`, ...) now.

        Raises: KeyError for an unknown program.
        """
        with self._at():
            program = replace(self.programs[program_id], **{"updated_at": self.now, **values})
            self.programs[program_id] = program
            rows = self.member_rows[program_id]
            if "name" in values:
                for lead_id, row in rows.items():
                    rows[lead_id] = changed(row, self.member_fields, {"program": program.name})
        return program

    # -- inside ---------------------------------------------------------------------------------

    def _new_program(self, created_at: int) -> Program:
        program = self._seed.program(self._next_program, created_at)
        # One made just now has not been updated tomorrow.
        program = replace(program, updated_at=min(program.updated_at, self.now))
        self._next_program += 1
        self.programs[program.program_id] = program
        self.member_rows[program.program_id] = {}
        return program

    def _seeded(self, program: Program, lead_id: int, joined_at: int) -> Row:
        row = self._seed.member(program, lead_id, joined_at)
        return row + (None,) * (self.member_fields.width - len(row))

    def _put_member(
        self, program_id: int, lead_id: int, before: Row | None, after: Row | None, now: int
    ) -> None:
        """Note a membership as it is from now on; None for one that ended."""
        rows = self.member_rows[program_id]
        if after is None:
            rows.pop(lead_id, None)
        else:
            rows[lead_id] = after
        self.log.add(
            MemberChange(now, before, after, self.programs[program_id], self.member_fields)
        )

    def _success(self, program_id: int, row: Row, name: Value, now: int) -> dict[str, Value]:
        """Return what a new status does to the success fields: once reached, it stays reached."""
        statuses = self.programs[program_id].channel.statuses
        reaches = any(status.success for status in statuses if status.name == name)
        if not reaches or row[_MEMBER["reachedSuccess"]]:
            return {}
        return {"reachedSuccess": True, "reachedSuccessDate": now}

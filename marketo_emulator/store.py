"""The store: programs, members, leads and static lists, to look at and to change.

Rows are tuples and never change: a new row takes the place of the old one. An export can
therefore keep what it saw when it started by keeping the rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import islice
from random import Random
from typing import TYPE_CHECKING

from marketo_emulator.clock import to_epoch
from marketo_emulator.fields import LEAD_FIELDS, MEMBER_FIELDS, FieldSet
from marketo_emulator.samples import AWKWARD_TEXTS
from marketo_emulator.seed import DAY, FIRST_LEAD_ID, Seed, lead_walk, program_sizes
from marketo_emulator.values import Value, parse_moment, readable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from marketo_emulator.clock import Clock
    from marketo_emulator.programs import Program

    Row = tuple[Value, ...]

_LEAD = LEAD_FIELDS.position
_MEMBER = MEMBER_FIELDS.position


QUIET_SECONDS = 3600
"""How long before the start the made-up history ends: clients leave the last minutes alone."""


@dataclass(slots=True)
class StaticList:
    """A list that leads are put on by hand or by an import."""

    list_id: int
    name: str
    lead_ids: set[int] = field(default_factory=set)


class Store:
    """Everything the emulated instance knows; looked at and changed at the present moment."""

    def __init__(
        self, clock: Clock, at: Callable[[], AbstractContextManager[object]], *, seed: int
    ) -> None:
        self._clock = clock
        self._at = at
        self._seed = Seed(seed, to_epoch(clock.now()) - QUIET_SECONDS)
        self.programs: dict[int, Program] = {}
        self.member_rows: dict[int, dict[int, Row]] = {}
        self.lead_rows: dict[int, Row] = {}
        self.static_lists = {
            100: StaticList(100, "Newsletter readers"),
            101: StaticList(101, "Webinar follow-up"),
        }
        self.partitions = ("Default", "EMEA")
        self._next_program = 0
        self._next_lead_id = FIRST_LEAD_ID

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

    # -- looking --------------------------------------------------------------------------------

    def members(self) -> Iterator[dict[str, Value]]:
        """Return every member as describe names its fields; moments as `2019-04-12T05:58:10Z`."""
        with self._at():
            kept = [list(rows.values()) for rows in self.member_rows.values()]
        return (_shown(row, MEMBER_FIELDS) for rows in kept for row in rows)

    def member(self, program_id: int, lead_id: int) -> dict[str, Value]:
        """Return one member; KeyError if there is none."""
        with self._at():
            return _shown(self.member_rows[program_id][lead_id], MEMBER_FIELDS)

    def leads(self) -> Iterator[dict[str, Value]]:
        """Return every lead by the REST names of its fields."""
        with self._at():
            kept = list(self.lead_rows.values())
        return (_shown(row, LEAD_FIELDS) for row in kept)

    def lead(self, lead_id: int) -> dict[str, Value]:
        """Return one lead; KeyError if there is none."""
        with self._at():
            return _shown(self.lead_rows[lead_id], LEAD_FIELDS)

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
            rows = self.member_rows[program_id]
            row = rows[lead_id]
            now = to_epoch(self._clock.now())
            if "statusName" in values:
                values = {**self._success(program_id, row, values["statusName"], now), **values}
            rows[lead_id] = _changed(row, MEMBER_FIELDS, {"updatedAt": now, **values})

    def add_member(
        self, program_id: int, lead_id: int | None = None, **values: Value
    ) -> tuple[int, int]:
        """Make a lead (a new one unless named) a member now; returns (program id, lead id)."""
        with self._at():
            program = self.programs[program_id]
            lead_id = self.add_lead() if lead_id is None else lead_id
            now = to_epoch(self._clock.now())
            row = self._seed.member(program, lead_id, now)
            self.member_rows[program_id][lead_id] = _changed(
                row, MEMBER_FIELDS, {"updatedAt": now, **values}
            )
        return program_id, lead_id

    def join_members(self, count: int, *, seed: int = 0) -> list[tuple[int, int]]:
        """Make new leads members of programs drawn at random; returns (program id, lead id)."""
        random = Random(seed)  # noqa: S311 - made-up people, not secrets
        with self._at():
            drawn = random.choices(list(self.programs), k=count) if self.programs else []
            return [self.add_member(program_id) for program_id in drawn]

    def remove_member(self, program_id: int, lead_id: int) -> None:
        """End a membership without a trace, as Marketo does."""
        with self._at():
            del self.member_rows[program_id][lead_id]

    # -- changing leads -------------------------------------------------------------------------

    def add_lead(self, **values: Value) -> int:
        """Make a lead now and return its id."""
        with self._at():
            now = to_epoch(self._clock.now())
            lead_id = self._new_lead(now)
            row = self.lead_rows[lead_id]
            self.lead_rows[lead_id] = _changed(row, LEAD_FIELDS, {"updatedAt": now, **values})
        return lead_id

    def import_lead(self, lead_id: int | None, values: dict[str, Value], now: int) -> int:
        """Change a lead, or make one that has these values and no others; returns its id.

        For imports alone, which happen at moments that may have passed.
        """
        if lead_id is None:
            lead_id = self._next_lead_id
            self._next_lead_id += 1
            born: dict[str, Value] = {"id": lead_id, "createdAt": now, "unsubscribed": False}
            values = {**born, "emailInvalid": False, "leadPartitionId": "1", **values}
            row: Row = (None,) * len(LEAD_FIELDS)
        else:
            row = self.lead_rows[lead_id]
        self.lead_rows[lead_id] = _changed(row, LEAD_FIELDS, {"updatedAt": now, **values})
        return lead_id

    # -- changing programs ----------------------------------------------------------------------

    def add_program(self, name: str = "", *, members: int = 0, age_days: float = 0) -> Program:
        """Make a program that is this old, with members drawn from the leads there are."""
        with self._at():
            now = to_epoch(self._clock.now())
            program = self._new_program(now - int(age_days * DAY))
            if name:
                program = replace(program, name=name)
                self.programs[program.program_id] = program
            for lead_id in islice(list(self.lead_rows), members):
                row = self._seed.member(program, lead_id, program.created_at)
                updated: dict[str, Value] = {"updatedAt": now}
                self.member_rows[program.program_id][lead_id] = _changed(
                    row, MEMBER_FIELDS, updated
                )
        return program

    def remove_program(self, program_id: int) -> None:
        """Delete a program and its memberships."""
        with self._at():
            del self.programs[program_id]
            del self.member_rows[program_id]

    # -- inside ---------------------------------------------------------------------------------

    def _new_program(self, created_at: int) -> Program:
        program = self._seed.program(self._next_program, created_at)
        self._next_program += 1
        self.programs[program.program_id] = program
        self.member_rows[program.program_id] = {}
        return program

    def _new_lead(self, created_at: int | None) -> int:
        lead_id = self._next_lead_id
        self._next_lead_id += 1
        self.lead_rows[lead_id] = self._seed.lead(lead_id, created_at)
        return lead_id

    def _success(self, program_id: int, row: Row, name: Value, now: int) -> dict[str, Value]:
        """Return what a new status does to the success fields: once reached, it stays reached."""
        statuses = self.programs[program_id].channel.statuses
        reaches = any(status.success for status in statuses if status.name == name)
        if not reaches or row[_MEMBER["reachedSuccess"]]:
            return {}
        return {"reachedSuccess": True, "reachedSuccessDate": now}


def _changed(row: Row, fields: FieldSet, values: dict[str, Value]) -> Row:
    changed = list(row)
    for name, value in values.items():
        position = fields.position[name]
        is_moment = fields.fields[position].data_type == "datetime"
        changed[position] = parse_moment(value) if is_moment and isinstance(value, str) else value
    return tuple(changed)


def _shown(row: Row, fields: FieldSet) -> dict[str, Value]:
    return {
        field.name: readable(value, field.data_type)
        for field, value in zip(fields, row, strict=True)
    }

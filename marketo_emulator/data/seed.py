"""The seed: rows that look like marketing data, the same for the same seed and moment.

Columns that need not be unique come from pools of ready rows, so that a hundred thousand members
take a second to make and share most of their values in memory.
"""

from __future__ import annotations

from math import gcd
from random import Random
from typing import TYPE_CHECKING

from marketo_emulator.data.fields import LEAD_FIELDS, MEMBER_FIELDS
from marketo_emulator.data.pool import POOL_SIZE, pools
from marketo_emulator.data.programs import CHANNELS, KINDS, Program
from marketo_emulator.data.samples import TRACKS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from marketo_emulator.data.values import Value

    Row = tuple[Value, ...]

DAY = 86_400
LEAST_DAYS = 3
FIRST_PROGRAM_ID = 1001
FIRST_LEAD_ID = 1
_EMPTY_PROGRAM = 5

_LEAD = LEAD_FIELDS.position
_MEMBER = MEMBER_FIELDS.position


class Seed:
    """Makes programs, leads and members of a history of this many days, which ends `now`."""

    def __init__(self, seed: int, now: int, history_days: int) -> None:
        if history_days < LEAST_DAYS:
            message = f"a history has {LEAST_DAYS} days or more, not {history_days}"
            raise ValueError(message)
        self.random = Random(seed)  # noqa: S311 - made-up people, not secrets
        self.now = now
        self._days = history_days
        self._lead_pool, self._member_pool = pools(seed, now, history_days)

    def program(self, index: int, created_at: int) -> Program:
        """Return the program with this place in the list, made at this moment."""
        program_type, channel, status, purpose = KINDS[index % len(KINDS)]
        program_id = FIRST_PROGRAM_ID + index
        return Program(
            program_id=program_id,
            name=f"{purpose} {index + 1:03d}",
            program_type=program_type,
            channel=CHANNELS[channel],
            created_at=created_at,
            updated_at=created_at + self.random.randrange(DAY),
            description=self.random.choice(("", f"{purpose}, region-wide", 'The "second" try')),
            status=status,
        )

    def creation_dates(self, programs: int) -> list[int]:
        """Return ascending moments spread over the whole history."""
        first = self.now - self._days * DAY
        step = (self._days - 2) * DAY / max(programs, 1)
        return [int(first + (index + self.random.random()) * step) for index in range(programs)]

    def lead(self, lead_id: int, created_at: int | None = None) -> Row:
        """Return a lead with an e-mail address of its own."""
        random = self.random
        earliest = self.now - int(self._days * 1.2) * DAY
        created = created_at or earliest + int(random.random() * (self.now - earliest - DAY))
        row = list(self._lead_pool[int(random.random() * POOL_SIZE)])
        row[_LEAD["id"]] = lead_id
        row[_LEAD["email"]] = f"person{lead_id}@example.com"
        row[_LEAD["customerNumber"]] = 500_000 + lead_id
        row[_LEAD["createdAt"]] = created
        row[_LEAD["updatedAt"]] = created + int(random.random() * (self.now - created))
        return tuple(row)

    def member(self, program: Program, lead_id: int, joined_at: int | None = None) -> Row:
        """Return a membership that began after the program did and changed before now."""
        random = self.random
        # Most join soon after the program began and change soon after they joined: so every month
        # of the history has its changes, not the last ones alone.
        joined = joined_at or program.created_at + int(
            random.random() ** 2 * max(self.now - program.created_at, 1)
        )
        updated = joined + int(random.random() ** 3 * max(self.now - joined, 1))
        status = program.channel.statuses[int(random.random() * len(program.channel.statuses))]
        row = list(self._member_pool[int(random.random() * POOL_SIZE)])
        row[_MEMBER["leadId"]] = lead_id
        row[_MEMBER["programId"]] = program.program_id
        row[_MEMBER["program"]] = program.name
        row[_MEMBER["createdAt"]] = row[_MEMBER["membershipDate"]] = joined
        row[_MEMBER["updatedAt"]] = updated
        row[_MEMBER["statusName"]] = status.name
        row[_MEMBER["reachedSuccess"]] = status.success
        row[_MEMBER["reachedSuccessDate"]] = updated if status.success else None
        row[_MEMBER["isExhausted"]] = program.nurtures and self._chance(0.25)
        if program.nurtures:
            row[_MEMBER["nurtureCadence"]] = "norm" if self._chance(0.8) else "paus"
            row[_MEMBER["trackName"]] = random.choice(TRACKS)
        return tuple(row)

    def _chance(self, share: float) -> bool:
        return self.random.random() < share


def program_sizes(programs: int, members: int) -> list[int]:
    """Return how many members each program has: unequal, summing up, one of six or more empty."""
    weights = [0 if index == _EMPTY_PROGRAM else 1 + index * 7 % 5 for index in range(programs)]
    sizes, given, weighed = [], 0, 0
    for weight in weights:
        weighed += weight
        due = members * weighed // sum(weights)
        sizes.append(due - given)
        given = due
    return sizes


def lead_walk(offset: int, leads: int) -> Iterator[int]:
    """Return every lead id once, in an order of its own for each offset."""
    step = leads // 3 + 1
    while gcd(step, leads) != 1:
        step += 1
    return (FIRST_LEAD_ID + (offset + index * step) % leads for index in range(leads))

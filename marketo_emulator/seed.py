"""The seed: rows that look like marketing data, the same for the same seed and moment.

Columns that need not be unique come from pools of ready rows, so that a hundred thousand members
take a second to make and share most of their values in memory.
"""

from __future__ import annotations

from math import gcd
from random import Random
from typing import TYPE_CHECKING

from marketo_emulator import samples
from marketo_emulator.fields import LEAD_FIELDS, MEMBER_FIELDS, FieldSet
from marketo_emulator.programs import CHANNELS, KINDS, Program

if TYPE_CHECKING:
    from collections.abc import Iterator

    from marketo_emulator.values import Value

    Row = tuple[Value, ...]

DAY = 86_400
HISTORY_DAYS = 730
FIRST_PROGRAM_ID = 1001
FIRST_LEAD_ID = 1
_POOL_SIZE = 509
_EMPTY_PROGRAM = 5

_LEAD = LEAD_FIELDS.position
_MEMBER = MEMBER_FIELDS.position


class Seed:
    """Makes programs, leads and members; `now` is the moment their history ends at."""

    def __init__(self, seed: int, now: int) -> None:
        self.random = Random(seed)  # noqa: S311 - made-up people, not secrets
        self.now = now
        self._lead_pool = [self._pooled_lead() for _ in range(_POOL_SIZE)]
        self._member_pool = [self._pooled_member() for _ in range(_POOL_SIZE)]

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
        first = self.now - HISTORY_DAYS * DAY
        step = (HISTORY_DAYS - 2) * DAY / max(programs, 1)
        return [int(first + (index + self.random.random()) * step) for index in range(programs)]

    def lead(self, lead_id: int, created_at: int | None = None) -> Row:
        """Return a lead with an e-mail address of its own."""
        random = self.random
        earliest = self.now - int(HISTORY_DAYS * 1.2) * DAY
        created = created_at or earliest + int(random.random() * (self.now - earliest - DAY))
        row = list(self._lead_pool[int(random.random() * _POOL_SIZE)])
        row[_LEAD["id"]] = lead_id
        row[_LEAD["email"]] = f"person{lead_id}@example.com"
        row[_LEAD["customerNumber"]] = 500_000 + lead_id
        row[_LEAD["createdAt"]] = created
        row[_LEAD["updatedAt"]] = created + int(random.random() * (self.now - created))
        return tuple(row)

    def member(self, program: Program, lead_id: int, joined_at: int | None = None) -> Row:
        """Return a membership that began after the program did and changed before now."""
        random = self.random
        joined = joined_at or program.created_at + int(
            random.random() * max(self.now - program.created_at, 1)
        )
        updated = joined + int(random.random() * max(self.now - joined, 1))
        status = program.channel.statuses[int(random.random() * len(program.channel.statuses))]
        row = list(self._member_pool[int(random.random() * _POOL_SIZE)])
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
            row[_MEMBER["trackName"]] = random.choice(samples.TRACKS)
        return tuple(row)

    def _chance(self, share: float) -> bool:
        return self.random.random() < share

    def _maybe(self, value: Value) -> Value:
        return value if self._chance(0.7) else None

    def _day(self) -> str:
        random = self.random
        return (
            f"{random.randint(1950, 2027)}-{random.randint(1, 12):02d}-{random.randint(1, 28):02d}"
        )

    def _pooled_lead(self) -> Row:
        random, maybe = self.random, self._maybe
        city, state, country, zone = random.choice(samples.CITIES)
        filled: dict[str, Value] = {
            "firstName": maybe(random.choice(samples.FIRST_NAMES)),
            "lastName": maybe(random.choice(samples.LAST_NAMES)),
            "salutation": maybe(random.choice(("Mr.", "Ms.", "Dr."))),
            "title": maybe(random.choice(samples.TITLES)),
            "company": maybe(random.choice(samples.COMPANIES)),
            "website": maybe(f"https://www.example.org/?q={random.randrange(99)}&x=a,b"),
            "phone": maybe(f"+1 555 01{random.randrange(100):02d}"),
            "mobilePhone": maybe(f"(555) 01{random.randrange(100):02d}"),
            "address": maybe(f"{random.randrange(999)} Main St.\nSuite {random.randrange(99)}"),
            "city": city,
            "state": state or None,
            "country": country,
            "postalCode": maybe(f"{random.randrange(100_000):05d}"),
            "dateOfBirth": maybe(self._day()),
            "industry": maybe(random.choice(samples.INDUSTRIES)),
            "annualRevenue": maybe(random.randrange(10**9) / 100),
            "numberOfEmployees": maybe(random.randrange(50_000)),
            "leadScore": maybe(random.randrange(-20, 400)),
            "leadSource": maybe(random.choice(samples.SOURCES)),
            "leadStatus": maybe(random.choice(("Open", "Working", "Won", "Lost"))),
            "urgency": maybe(random.randrange(50) / 2),
            "unsubscribed": self._chance(0.1),
            "emailInvalid": self._chance(0.05),
            "mktoPersonNotes": maybe(random.choice(samples.AWKWARD_TEXTS)),
            "externalCompanyId": maybe(f"C{random.randrange(9999):04d}"),
            "leadPartitionId": "1",
            "contactCompany": str(random.randrange(1000, 9999)),
            "personTimeZone": zone,
            "originalSourceType": random.choice(samples.SOURCES),
            "loyaltyTier": maybe(random.choice(("Gold", "Silver", "", "NULL")) or None),
            "renewalChance": maybe(random.choice((12.5, 30.0, 99.99, 0.0, 100.0))),
            "lifetimeValue": maybe(random.choice((34.66, 16777217.0, 0.1, 1e-07, 100000.0))),
            "satisfaction": maybe(random.randrange(100) / 10),
            "isReference": maybe(self._chance(0.5)),
            "contractEnd": maybe(self._day()),
            "lastOrderAt": maybe(self._moment()),
            "assistantEmail": maybe("assistant@example.net"),
        }
        return _arranged(filled, LEAD_FIELDS)

    def _pooled_member(self) -> Row:
        random, maybe = self.random, self._maybe
        filled: dict[str, Value] = {
            "acquiredBy": self._chance(0.3),
            "attendanceLikelihood": maybe(random.randrange(101)),
            "registrationLikelihood": maybe(random.randrange(101)),
            "statusReason": maybe(random.choice(samples.REASONS)),
            "waitlistPriority": maybe(random.randrange(1, 50)),
            "registrationCode": maybe(f"R-{random.randrange(16**6):06x}"),
            "webinarUrl": maybe(f"https://example.com/w/{random.randrange(9999)}?a=1,2"),
            "eventRole": maybe(random.choice(samples.ROLES)),
            "dietaryNotes": maybe(random.choice(samples.AWKWARD_TEXTS)),
            "sessionFeedback": maybe(random.choice(samples.AWKWARD_TEXTS)),
            "colleagueEmail": maybe(f"colleague{random.randrange(999)}@example.org"),
            "travelHotline": maybe(f"+49 30 {random.randrange(10**6):06d}"),
            "slidesUrl": maybe("https://example.com/slides.pdf#page=2"),
            "guestCount": maybe(random.choice((0, 1, 2, -1, 2**40))),
            "quizScore": maybe(random.randrange(101)),
            "feeDiscount": maybe(random.choice((5.0, 12.5, 33.33))),
            "sessionRating": maybe(random.choice((4.5, 5.0, 0.1, 3.3333333))),
            "ticketFee": maybe(random.choice((0.0, 19.99, 1250.5, 100000.0))),
            "needsVisa": maybe(self._chance(0.5)),
            "arrivalDate": maybe(self._day()),
            "checkedInAt": maybe(self._moment()),
            "referredBy": maybe(str(random.randrange(1, 500))),
        }
        return _arranged(filled, MEMBER_FIELDS)

    def _moment(self) -> int:
        return self.now - self.random.randrange(HISTORY_DAYS * DAY)


def _arranged(filled: dict[str, Value], fields: FieldSet) -> Row:
    return tuple(filled.get(name) for name in fields.names)


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

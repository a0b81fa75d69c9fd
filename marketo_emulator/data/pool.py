"""The pool: ready rows from which the columns that need not be unique are taken."""

from __future__ import annotations

from functools import lru_cache
from random import Random
from typing import TYPE_CHECKING

from marketo_emulator.data import samples
from marketo_emulator.data.fields import LEAD_FIELDS, MEMBER_FIELDS, FieldSet

if TYPE_CHECKING:
    from marketo_emulator.data.values import Value

    Row = tuple[Value, ...]

_DAY = 86_400
POOL_SIZE = 127


@lru_cache(maxsize=2)
def pools(seed: int, now: int, history_days: int) -> tuple[tuple[Row, ...], tuple[Row, ...]]:
    """Return a pool of leads and one of members; what must be unique in them is still None."""
    maker = _Maker(seed, now, history_days)
    leads = tuple(maker.lead() for _ in range(POOL_SIZE))
    return leads, tuple(maker.member() for _ in range(POOL_SIZE))


class _Maker:
    def __init__(self, seed: int, now: int, history_days: int) -> None:
        self.random = Random(seed)  # noqa: S311 - made-up people, not secrets
        self.now = now
        self._days = history_days

    def _chance(self, share: float) -> bool:
        return self.random.random() < share

    def _maybe(self, value: Value) -> Value:
        return value if self._chance(0.7) else None

    def _day(self) -> str:
        random = self.random
        return (
            f"{random.randint(1950, 2027)}-{random.randint(1, 12):02d}-{random.randint(1, 28):02d}"
        )

    def lead(self) -> Row:
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

    def member(self) -> Row:
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
        return self.now - self.random.randrange(self._days * _DAY)


def _arranged(filled: dict[str, Value], fields: FieldSet) -> Row:
    return tuple(filled.get(name) for name in fields.names)

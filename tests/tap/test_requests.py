from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from marketo_bulk.errors import Answer, MarketoFault, RejectedError
from marketo_bulk.reader.columns import Column, Kind
from tap_marketo_bulk.streams.program_members import ProgramMembers
from tap_marketo_bulk.sync.digest import Digests
from tap_marketo_bulk.sync.plan import Unit
from tap_marketo_bulk.sync.plan_run import RunPlan
from tap_marketo_bulk.sync.reach import Reach
from tap_marketo_bulk.sync.requests import StreamRequests
from tap_marketo_bulk.sync.selection import Selection
from tap_marketo_bulk.sync.state import Bookmarks
from tap_marketo_bulk.sync.times import SETTLING
from tap_marketo_bulk.sync.walk import Walk

NAMES = ProgramMembers.names
END = datetime(2026, 6, 15, tzinfo=timezone.utc)
MONTH = timedelta(days=31)


@pytest.mark.parametrize(
    ("named", "left"),
    [
        ("loyaltyTier", ("leadId", "LoyaltyTier", "updatedAt")),
        ("LoyaltyTier", ("leadId", "loyaltyTier", "updatedAt")),
        ("LOYALTYTIER", ("leadId", "updatedAt")),
        ("loyaltyTier, LoyaltyTier", ("leadId", "updatedAt")),
    ],
)
def test_refused_field_is_the_one_of_exactly_its_name(named: str, left: tuple[str, ...]) -> None:
    """Two fields may differ by case alone; another spelling may be either."""
    nobody: Any = None
    columns = tuple(Column(name, Kind.STRING) for name in ("leadId", "loyaltyTier", "LoyaltyTier"))
    selection = Selection(
        ProgramMembers.object, frozenset(ProgramMembers.keys), "updatedAt", columns
    )
    unit = Unit(NAMES, 0, (1001,))
    requests = StreamRequests(
        nobody,
        ProgramMembers(nobody),
        selection,
        Digests(selection.fields(), {}),
        RunPlan((unit,), Bookmarks(NAMES), Reach(END, SETTLING), None, {}, Walk(END), MONTH),
    )
    message = f"Invalid fields [{named}]"
    requests.refused(
        unit, RejectedError(message, answer=Answer("", (MarketoFault("1003", message),)))
    )
    assert left == requests.fields

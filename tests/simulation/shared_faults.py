"""Shared faults: what can go wrong with any call, of the tap as of the target.

Each takes the operations it may happen to, and returns a document of
`marketo_emulator.faults.fault.Fault`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

FaultDocument = dict[str, Any]

TRANSIENT_CODES = ("502", "604", "606", "608", "611", "614", "615", "713", "719", "500")
PROXY_STATUSES = (408, 429, 500, 502, 503, 504)
FOR_EVER = None
A_CALL = {"method": "?*"}
"""What a worker does to a job has no method."""
TOKEN_WORN: FaultDocument = {"operation": "identity.token", "put": {"expires_in": 0}}
TOKEN_DENIED: FaultDocument = {
    "operation": "identity.token", "status": 401, "body": '{"error": "unauthorized"}',
}  # fmt: skip
CROWDED: FaultDocument = {"code": "615", "nth": 3, "every": 5, "times": FOR_EVER}


def anywhere(dice: Random, operations: Sequence[str]) -> FaultDocument:
    """Return which calls."""
    return {
        **A_CALL,
        "operation": dice.choice(operations),
        "nth": dice.choice((1, 1, 2, 3, 5, 9)),
        "every": dice.choice((1, 1, 2, 5)),
        "times": dice.choice((1, 1, 2, 4, 12)),
    }


def transient(dice: Random, operations: Sequence[str]) -> FaultDocument:
    """Return a fault that passes."""
    if dice.random() < 0.3:
        return {**anywhere(dice, operations), "status": dice.choice(PROXY_STATUSES)}
    code = dice.choice(TRANSIENT_CODES)
    return {**anywhere(dice, operations), "code": code, "takes_effect": dice.random() < 0.2}


def lost(dice: Random, operations: Sequence[str]) -> FaultDocument:
    """Return a call, or its reply, that is lost."""
    return {**anywhere(dice, operations), "reset": dice.choice(("before", "after", "after"))}


def token_refused(dice: Random, operations: Sequence[str]) -> FaultDocument:
    """Return a token that is refused."""
    return {**anywhere(dice, operations), "code": dice.choice(("601", "602"))}


def slow(dice: Random, operations: Sequence[str]) -> FaultDocument:
    """Return calls that take their time."""
    delay = dice.choice
    return {**anywhere(dice, operations), "every": 1, "delay_seconds": delay((5, 40, 100, 400))}


def limited(dice: Random) -> FaultDocument:
    """Return a rate limit that others use up for a while."""
    return {"code": "606", "times": FOR_EVER, "for_seconds": dice.choice((30, 120, 1500))}


def odd_codes(dice: Random) -> tuple[FaultDocument, FaultDocument]:
    """Return a code that is a number, and one that nobody knows."""
    return (
        {**A_CALL, "code": "606", "rewrites": ["integer_codes"], "nth": dice.randrange(1, 20)},
        {**A_CALL, "code": "9999", "message": "Something new", "nth": dice.randrange(1, 20)},
    )

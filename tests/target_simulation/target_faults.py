"""Target faults: what can go wrong with one run of the target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.simulation.shared_faults import (
    CROWDED,
    FOR_EVER,
    TOKEN_DENIED,
    TOKEN_WORN,
    limited,
    lost,
    odd_codes,
    slow,
    token_refused,
    transient,
)

if TYPE_CHECKING:
    from random import Random

    from tests.simulation.shared_faults import FaultDocument

OPERATIONS = (
    "*", "identity.token", "describe.leads", "import.*", "import.create", "import.create",
    "import.status", "import.status", "import.failures", "import.warnings",
)  # fmt: skip
UNBEGUN = frozenset({"606", "608", "614", "615"})
"""Codes of calls that Marketo does not begin; those of an upload are believed."""
REPORTS = ("import.failures", "import.failures", "import.warnings")
REPORT_DAMAGES = (
    "everything_quoted", "byte_order_mark", "carriage_returns_and_line_feeds",
    "no_final_line_feed", "header_only", "rows_reversed", "row_repeated", "row_missing",
    "row_short", "tab_separated", "semicolon_separated", "columns_reversed", "column_missing",
    "column_added", "header_upper_case", "swapped_case", "empty",
)  # fmt: skip


def draw_faults(dice: Random, count: int) -> list[FaultDocument]:
    """Return this many faults, each a document of `marketo_emulator.faults.fault.Fault`."""
    kinds = (
        _transient, _transient, _lost, _lost, _lost, _token, _garbled, _slow, _job, _job, _failed,
        _failed, _status, _refusal, _report, _report, _report, _busy, _busy, _too_large,
    )  # fmt: skip
    return [dice.choice(kinds)(dice) for _ in range(count)]


def _transient(dice: Random) -> FaultDocument:
    fault = transient(dice, OPERATIONS)
    return {**fault, "takes_effect": False} if fault.get("code") in UNBEGUN else fault


def _lost(dice: Random) -> FaultDocument:
    return lost(dice, OPERATIONS)


def _token(dice: Random) -> FaultDocument:
    refused = token_refused(dice, OPERATIONS)
    again = {**refused, "every": 1, "times": 4}
    return dice.choice((refused, again, TOKEN_WORN, TOKEN_DENIED))


def _garbled(dice: Random) -> FaultDocument:
    reads = dice.choice(("describe.leads", "import.status"))
    return dice.choice(
        (
            {"operation": reads, "rewrites": ["half"]},
            {"operation": reads, "body": "<html>502 Bad Gateway</html>"},
            {"operation": "import.create", "drop": ["result"]},
            {"operation": "import.create", "rewrites": ["half"]},
            {"operation": "import.create", "cut_after_bytes": 30},
            {"operation": "import.create", "body": "<html>OK</html>", "takes_effect": True},
            {"operation": "import.create", "body": "<html>502</html>"},
            *odd_codes(dice),
        )
    )


def _slow(dice: Random) -> FaultDocument:
    return slow(dice, OPERATIONS)


def _job(dice: Random) -> FaultDocument:
    which = {
        "operation": "import.job",
        "nth": dice.randrange(1, 5),
        "times": dice.choice((1, 1, 2, 4)),
    }
    return dice.choice(
        (
            {**which, "job_seconds": dice.choice((400, 3000, 20_000, 90_000))},
            {**which, "job_seconds": dice.choice((400, 3000, 20_000, 90_000))},
            {**which, "drop": ["numOfLeadsProcessed", "numOfRowsFailed", "numOfRowsWithWarning"]},
            {**which, "drop": ["numOfRowsFailed"]},
            {**which, "put": {"numOfRowsFailed": 13}},
            {**which, "put": {"numOfRowsWithWarning": 13}},
            {**which, "put": {"numOfLeadsProcessed": 13}},
        )
    )


def _failed(dice: Random) -> FaultDocument:
    return {
        "operation": "import.job",
        "nth": dice.randrange(1, 6),
        "times": dice.choice((1, 1, 1, 2, 4)),
        "outcome": "Failed",
        "message": dice.choice(("", "Internal error")),
    }


def _status(dice: Random) -> FaultDocument:
    which = {"operation": "import.status", "nth": dice.randrange(1, 8)}
    counters = ("numOfLeadsProcessed", "numOfRowsFailed", "numOfRowsWithWarning", "message")
    gone = [f"result.0.{name}" for name in counters]
    odd = dice.choice(gone)
    back = {"put": {"result.0.status": dice.choice(("Importing", "Queued"))}, "drop": gone}
    return dice.choice(
        (
            {**which, "put": {"result.0.status": "Paused"}, "times": dice.choice((1, 9))},
            {**which, **back, "times": dice.choice((1, 3))},
            {**which, "code": dice.choice(("1013", "610", "1003"))},
            {**which, "drop": ["result.0.batchId"], "times": FOR_EVER},
            {**which, "put": {odd: dice.choice(("n/a", "three", -1, []))}, "times": FOR_EVER},
        )
    )


def _refusal(dice: Random) -> FaultDocument:
    codes = ("1003", "603", "613", "1006", "1013", "607", "1001")
    return {
        "operation": "import.create",
        "nth": dice.randrange(1, 6),
        "code": dice.choice(codes),
        "times": dice.choice((1, 3)),
    }


def _too_large(dice: Random) -> FaultDocument:
    return {
        "operation": "import.create",
        "nth": dice.randrange(1, 4),
        "status": 413,
        "times": dice.choice((1, 2, 9)),
    }


def _busy(dice: Random) -> FaultDocument:
    code = dice.choice(("1016", "1016", "1019"))
    seconds = dice.choice((40, 300, 1200, 7300))
    full = {
        "operation": "import.create", "nth": dice.randrange(1, 4), "code": code,
        "times": FOR_EVER, "for_seconds": seconds,
    }  # fmt: skip
    others = limited(dice)
    no_calls = {"operation": "import.*", "code": "607", "nth": dice.randrange(1, 9)}
    return dice.choice((full, full, others, CROWDED, no_calls))


def _report(dice: Random) -> FaultDocument:
    which = {
        "operation": dice.choice(REPORTS),
        "nth": dice.randrange(1, 4),
        "times": dice.choice((1, 2, 9)),
    }
    return dice.choice(
        (
            {**which, "status": 404, "body": "not yet"},
            {**which, "code": dice.choice(("1013", "611", "1003"))},
            {**which, "reset": "after"},
            {**which, "cut_after_bytes": dice.choice((0, 1, 50))},
            {**which, "rewrites": [dice.choice(REPORT_DAMAGES)]},
            {**which, "rewrites": [dice.choice(REPORT_DAMAGES)]},
        )
    )

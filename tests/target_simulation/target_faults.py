"""Target faults: what can go wrong with one run of the target."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.simulation.fault_menu import A_CALL, FOR_EVER, PROXY_STATUSES, TRANSIENT_CODES

if TYPE_CHECKING:
    from random import Random

OPERATIONS = (
    "*", "identity.token", "describe.leads", "import.*", "import.create", "import.create",
    "import.status", "import.status", "import.failures", "import.warnings",
)  # fmt: skip
REPORTS = ("import.failures", "import.failures", "import.warnings")
REPORT_DAMAGES = (
    "everything_quoted", "byte_order_mark", "carriage_returns_and_line_feeds",
    "no_final_line_feed", "header_only", "rows_reversed", "row_repeated", "row_missing",
    "row_short", "tab_separated", "semicolon_separated", "columns_reversed", "column_missing",
    "column_added", "header_upper_case", "swapped_case", "empty",
)  # fmt: skip


def draw_faults(dice: Random, count: int) -> list[dict[str, Any]]:
    """Return this many faults, each a document of `marketo_emulator.faults.Fault`."""
    kinds = (
        _transient, _transient, _lost, _lost, _lost, _token, _garbled, _slow, _job, _job, _failed,
        _failed, _status, _refusal, _report, _report, _report, _busy, _busy, _too_large,
    )  # fmt: skip
    return [dice.choice(kinds)(dice) for _ in range(count)]


def _anywhere(dice: Random) -> dict[str, Any]:
    return {
        **A_CALL,
        "operation": dice.choice(OPERATIONS),
        "nth": dice.choice((1, 1, 2, 3, 5, 9)),
        "every": dice.choice((1, 1, 2, 5)),
        "times": dice.choice((1, 1, 2, 4, 12)),
    }


def _transient(dice: Random) -> dict[str, Any]:
    if dice.random() < 0.3:
        return {**_anywhere(dice), "status": dice.choice(PROXY_STATUSES)}
    code = dice.choice(TRANSIENT_CODES)
    return {**_anywhere(dice), "code": code, "takes_effect": dice.random() < 0.2}


def _lost(dice: Random) -> dict[str, Any]:
    return {**_anywhere(dice), "reset": dice.choice(("before", "after", "after"))}


def _token(dice: Random) -> dict[str, Any]:
    refused = {**_anywhere(dice), "code": dice.choice(("601", "602"))}
    worn = {"operation": "identity.token", "put": {"expires_in": 0}}
    denied = {"operation": "identity.token", "status": 401, "body": '{"error": "unauthorized"}'}
    return dice.choice((refused, refused, worn, denied))


def _garbled(dice: Random) -> dict[str, Any]:
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
            {**A_CALL, "code": "606", "rewrites": ["integer_codes"], "nth": dice.randrange(1, 20)},
            {**A_CALL, "code": "9999", "message": "Something new", "nth": dice.randrange(1, 20)},
        )
    )


def _slow(dice: Random) -> dict[str, Any]:
    return {**_anywhere(dice), "every": 1, "delay_seconds": dice.choice((5, 40, 100, 400))}


def _job(dice: Random) -> dict[str, Any]:
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


def _failed(dice: Random) -> dict[str, Any]:
    return {
        "operation": "import.job",
        "nth": dice.randrange(1, 6),
        "times": dice.choice((1, 1, 1, 2, 4)),
        "outcome": "Failed",
        "message": dice.choice(("", "Internal error")),
    }


def _status(dice: Random) -> dict[str, Any]:
    which = {"operation": "import.status", "nth": dice.randrange(1, 8)}
    counters = ("numOfLeadsProcessed", "numOfRowsFailed", "numOfRowsWithWarning", "message")
    gone = [f"result.0.{name}" for name in counters]
    back = {"put": {"result.0.status": dice.choice(("Importing", "Queued"))}, "drop": gone}
    return dice.choice(
        (
            {**which, "put": {"result.0.status": "Paused"}, "times": dice.choice((1, 9))},
            {**which, **back, "times": dice.choice((1, 3))},
            {**which, "code": dice.choice(("1013", "610", "1003"))},
            {**which, "drop": ["result.0.batchId"], "times": FOR_EVER},
        )
    )


def _refusal(dice: Random) -> dict[str, Any]:
    codes = ("1003", "603", "613", "1006", "1013", "607", "1001")
    return {
        "operation": "import.create",
        "nth": dice.randrange(1, 6),
        "code": dice.choice(codes),
        "times": dice.choice((1, 3)),
    }


def _too_large(dice: Random) -> dict[str, Any]:
    return {
        "operation": "import.create",
        "nth": dice.randrange(1, 4),
        "status": 413,
        "times": dice.choice((1, 2, 9)),
    }


def _busy(dice: Random) -> dict[str, Any]:
    code = dice.choice(("1016", "1016", "1019"))
    seconds = dice.choice((40, 300, 1200, 7300))
    full = {
        "operation": "import.create", "nth": dice.randrange(1, 4), "code": code,
        "times": FOR_EVER, "for_seconds": seconds,
    }  # fmt: skip
    limited = {"code": "606", "times": FOR_EVER, "for_seconds": dice.choice((30, 120, 1500))}
    crowded = {"code": "615", "nth": 3, "every": 5, "times": FOR_EVER}
    no_calls = {"operation": "import.*", "code": "607", "nth": dice.randrange(1, 9)}
    return dice.choice((full, full, limited, crowded, no_calls))


def _report(dice: Random) -> dict[str, Any]:
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

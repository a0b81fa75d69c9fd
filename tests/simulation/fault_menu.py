"""Fault menu: what can go wrong with one run that a table must survive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
    "*", "identity.token", "describe.*", "programs.browse", "export.*", "export.create",
    "export.create", "export.enqueue", "export.enqueue", "export.status", "export.status",
    "export.file", "export.file", "export.cancel",
)  # fmt: skip


def draw_faults(dice: Random, count: int) -> list[FaultDocument]:
    """Return this many faults, each a document of `marketo_emulator.faults.fault.Fault`."""
    kinds = (
        _transient, _transient, _transient, _lost, _lost, _token, _garbled, _slow,
        _job, _job, _job, _status, _refusal, _file, _file, _file, _busy, _odd,
    )  # fmt: skip
    faults: list[FaultDocument] = []
    for _ in range(count):
        faults += dice.choice(kinds)(dice)
    return faults


def _transient(dice: Random) -> list[FaultDocument]:
    return [transient(dice, OPERATIONS)]


def _lost(dice: Random) -> list[FaultDocument]:
    return [lost(dice, OPERATIONS)]


def _token(dice: Random) -> list[FaultDocument]:
    refused = token_refused(dice, OPERATIONS)
    again = {**refused, "every": 1, "times": 3 if refused["nth"] > 2 else 2}
    return [dice.choice((refused, again, TOKEN_WORN, TOKEN_DENIED))]


def _garbled(dice: Random) -> list[FaultDocument]:
    reads = dice.choice(("describe.*", "programs.browse", "export.status", "export.enqueue"))
    number, unknown = odd_codes(dice)
    return [
        dice.choice(
            (
                {"operation": reads, "rewrites": ["half"]},
                {"operation": reads, "body": "<html>502 Bad Gateway</html>"},
                {"operation": "export.create", "drop": ["result"]},
                {"operation": "export.create", "rewrites": ["half"]},
                {"operation": "export.create", "cut_after_bytes": 30},
                {"operation": "export.enqueue", "drop": ["result"]},
                number,
                {"operation": "programs.browse", "put": {"warnings": ["Something"]}},
                unknown,
            )
        )
    ]


def _slow(dice: Random) -> list[FaultDocument]:
    return [slow(dice, OPERATIONS)]


def _job(dice: Random) -> list[FaultDocument]:
    which = {
        "operation": "export.job",
        "nth": dice.randrange(1, 4),
        "times": dice.choice((1, 1, 2, 4)),
    }
    return [
        dice.choice(
            (
                {**which, "outcome": "Failed", "message": "Internal error"},
                {**which, "outcome": "Failed"},
                {**which, "outcome": "Cancelled"},
                {**which, "times": 1, "outcome": "Stuck"},
                {**which, "job_seconds": dice.choice((3000, 20_000, 90_000))},
                {**which, "drop": ["fileSize", "fileChecksum"]},
                {**which, "drop": ["fileSize", "fileChecksum", "numberOfRecords"]},
                {**which, "drop": ["numberOfRecords"]},
                {**which, "put": {"fileSize": 1}},
                {**which, "put": {"numberOfRecords": 13}},
                {**which, "put": {"fileChecksum": "sha256:" + "0" * 64}},
            )
        )
    ]


def _status(dice: Random) -> list[FaultDocument]:
    which = {"operation": "export.status", "nth": dice.randrange(1, 8)}
    gone = ["result.0.fileChecksum", "result.0.fileSize", "result.0.numberOfRecords"]
    back = {"put": {"result.0.status": dice.choice(("Processing", "Queued"))}, "drop": gone}
    return [
        dice.choice(
            (
                {**which, "put": {"result.0.status": "Paused"}, "times": dice.choice((1, 9))},
                {**which, **back, "times": dice.choice((1, 3))},
                {**which, "drop": ["result.0.fileChecksum"], "times": dice.choice((1, 2))},
                {**which, "drop": ["result.0.createdAt"], "times": dice.choice((1, 9))},
                {**which, "code": dice.choice(("1013", "610"))},
                {**which, "rewrites": ["checksum_upper_case"], "times": FOR_EVER},
                {"operation": "export.create", "put": {"result.0.status": "failed"}},
                {"operation": "export.create", "drop": ["result.0.createdAt"], "times": 9},
            )
        )
    ]


def _refusal(dice: Random) -> list[FaultDocument]:
    create = {"operation": "export.create", "nth": dice.randrange(1, 4)}
    enqueue = {"operation": "export.enqueue", "nth": dice.randrange(1, 4)}
    return [
        dice.choice(
            (
                {**create, "code": "1035", "message": "Unsupported filter type: updatedAt"},
                {**create, "code": "1003", "message": "Program not found"},
                {**create, "code": "1029", "message": "Export daily quota 500MB exceeded."},
                {**enqueue, "code": "1029", "message": "Export daily quota exceeded."},
                {**enqueue, "code": "1029", "message": "Job already queued", "takes_effect": True},
                {**enqueue, "code": "1029", "message": "Job already queued"},
                {**enqueue, "code": "1003", "message": "Export job is Cancelled"},
                {"operation": "describe.members", "code": "603"},
                {"operation": "programs.browse", "code": "603"},
            )
        )
    ]


def _busy(dice: Random) -> list[FaultDocument]:
    full = {
        "operation": "export.enqueue",
        "nth": dice.randrange(1, 4),
        "code": "1029",
        "message": "Too many jobs in queue",
        "times": FOR_EVER,
        "for_seconds": dice.choice((300, 1200, 7200)),
    }
    others = limited(dice)
    no_calls = {"operation": "export.*", "code": "607", "nth": dice.randrange(1, 9)}
    return [dice.choice((full, full, others, CROWDED, no_calls))]


def _file(dice: Random) -> list[FaultDocument]:
    first: dict[str, Any] = {"operation": "export.file", "nth": dice.randrange(1, 4)}
    cut: dict[str, Any] = {
        **first,
        "cut_after_bytes": dice.choice((0, 1, 300, 1000, 5000)),
        "times": dice.choice((1, 1, 2, 6)),
    }
    cut |= dice.choice(({}, {"reset": "after"}, {"chunked": True}))
    then = {"operation": "export.file", "nth": first["nth"] + 1}
    resumed = dice.choice(
        (
            {},
            {"ignore_range": True},
            {"range_shift": dice.choice((-1, 1, 7))},
            {"headers": {"Content-Range": "bytes 0-9/10"}},
            {"status": 416, "body": ""},
            {"code": "611"},
            {"rewrites": ["swapped_case"]},
        )
    )
    return dice.choice(
        (
            [cut],
            [cut, {**then, **resumed}],
            [cut, {**then, **resumed}],
            [{**first, "rewrites": ["swapped_case"], "times": dice.choice((1, 2, 6))}],
            [{**first, "rewrites": ["row_missing"], "times": dice.choice((1, 1, 2))}],
            [{**first, "rewrites": ["last_byte_missing"]}],
            [{**first, "rewrites": ["empty"]}],
            [{**first, "status": 404, "body": "not found", "times": dice.choice((1, 2, 9))}],
            [{**first, "code": "611", "times": dice.choice((1, 3))}],
            [{**first, "headers": {"Content-Type": "application/octet-stream"}}],
            [{**first, "chunked": True, "drip_bytes": 40, "drip_seconds": 1, "times": 2}],
        )
    )


def _odd(dice: Random) -> list[FaultDocument]:
    """Return what Marketo says of jobs in an odd form, or of none, or of a token again."""
    members = ("finishedAt", "createdAt", "numberOfRecords", "fileSize", "format", "errorMsg")
    value: Any = dice.choice(("n/a", "12", -1, 10**30, [], "0"))
    odd = {f"result.0.{dice.choice(members)}": value}
    encoded = {"headers": {"Content-Encoding": dice.choice(("Identity", "UTF-8", "gzip"))}}
    return [
        dice.choice(
            (
                {"operation": "export.status", "put": odd, "times": FOR_EVER},
                {"operation": "export.create", "put": odd, "times": dice.choice((1, 9))},
                {"operation": "export.list", "code": dice.choice(("500", "611", "603"))}
                | {"times": dice.choice((1, 4, FOR_EVER))},
                {"operation": "export.job", "nth": dice.randrange(1, 4)}
                | {"put": {"numberOfRecords": 0}, "times": dice.choice((1, 4))},
                {"operation": "export.file", "times": dice.choice((1, FOR_EVER))} | encoded,
                token_refused(dice, OPERATIONS) | {"every": 1, "times": 4},
            )
        )
    ]

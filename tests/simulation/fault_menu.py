"""Fault menu: what can go wrong with one run that a table must survive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from random import Random

OPERATIONS = (
    "*", "identity.token", "describe.*", "programs.browse", "export.*", "export.create",
    "export.create", "export.enqueue", "export.enqueue", "export.status", "export.status",
    "export.file", "export.file", "export.cancel",
)  # fmt: skip
TRANSIENT_CODES = ("502", "604", "606", "608", "611", "614", "615", "713", "719", "500")
PROXY_STATUSES = (408, 429, 500, 502, 503, 504)
FOR_EVER = None
A_CALL = {"method": "?*"}
"""What a worker does to a job has no method."""


def draw_faults(dice: Random, count: int) -> list[dict[str, Any]]:
    """Return this many faults, each a document of `marketo_emulator.faults.Fault`."""
    kinds = (
        _transient, _transient, _transient, _lost, _lost, _token, _garbled, _slow,
        _job, _job, _job, _status, _refusal, _file, _file, _file, _busy,
    )  # fmt: skip
    faults: list[dict[str, Any]] = []
    for _ in range(count):
        faults += dice.choice(kinds)(dice)
    return faults


def _anywhere(dice: Random) -> dict[str, Any]:
    return {
        **A_CALL,
        "operation": dice.choice(OPERATIONS),
        "nth": dice.choice((1, 1, 2, 3, 5, 9)),
        "every": dice.choice((1, 1, 2, 5)),
        "times": dice.choice((1, 1, 2, 4, 12)),
    }


def _transient(dice: Random) -> list[dict[str, Any]]:
    if dice.random() < 0.3:
        return [{**_anywhere(dice), "status": dice.choice(PROXY_STATUSES)}]
    code = dice.choice(TRANSIENT_CODES)
    return [{**_anywhere(dice), "code": code, "takes_effect": dice.random() < 0.2}]


def _lost(dice: Random) -> list[dict[str, Any]]:
    return [{**_anywhere(dice), "reset": dice.choice(("before", "after", "after"))}]


def _token(dice: Random) -> list[dict[str, Any]]:
    refused = {**_anywhere(dice), "code": dice.choice(("601", "602"))}
    worn = {"operation": "identity.token", "put": {"expires_in": 0}}
    denied = {"operation": "identity.token", "status": 401, "body": '{"error": "unauthorized"}'}
    return [dice.choice((refused, refused, worn, denied))]


def _garbled(dice: Random) -> list[dict[str, Any]]:
    reads = dice.choice(("describe.*", "programs.browse", "export.status", "export.enqueue"))
    return [
        dice.choice(
            (
                {"operation": reads, "rewrites": ["half"]},
                {"operation": reads, "body": "<html>502 Bad Gateway</html>"},
                {"operation": "export.create", "drop": ["result"]},
                {"operation": "export.create", "rewrites": ["half"]},
                {"operation": "export.create", "cut_after_bytes": 30},
                {"operation": "export.enqueue", "drop": ["result"]},
                {
                    **A_CALL,
                    "code": "606",
                    "rewrites": ["integer_codes"],
                    "nth": dice.randrange(1, 20),
                },
                {"operation": "programs.browse", "put": {"warnings": ["Something"]}},
                {
                    **A_CALL,
                    "code": "9999",
                    "message": "Something new",
                    "nth": dice.randrange(1, 20),
                },
            )
        )
    ]


def _slow(dice: Random) -> list[dict[str, Any]]:
    return [{**_anywhere(dice), "every": 1, "delay_seconds": dice.choice((5, 40, 100, 400))}]


def _job(dice: Random) -> list[dict[str, Any]]:
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


def _status(dice: Random) -> list[dict[str, Any]]:
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


def _refusal(dice: Random) -> list[dict[str, Any]]:
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


def _busy(dice: Random) -> list[dict[str, Any]]:
    full = {
        "operation": "export.enqueue",
        "nth": dice.randrange(1, 4),
        "code": "1029",
        "message": "Too many jobs in queue",
        "times": FOR_EVER,
        "for_seconds": dice.choice((300, 1200, 7200)),
    }
    limited = {"code": "606", "times": FOR_EVER, "for_seconds": dice.choice((30, 120, 1500))}
    crowded = {"code": "615", "nth": 3, "every": 5, "times": FOR_EVER}
    no_calls = {"operation": "export.*", "code": "607", "nth": dice.randrange(1, 9)}
    return [dice.choice((full, full, limited, crowded, no_calls))]


def _file(dice: Random) -> list[dict[str, Any]]:
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

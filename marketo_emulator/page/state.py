"""What the page shows of the instance: small, however large the instance is."""

from __future__ import annotations

from datetime import timedelta
from heapq import nlargest
from typing import TYPE_CHECKING

from marketo_emulator.data.fields import LEAD_FIELDS, MEMBER_FIELDS
from marketo_emulator.data.rows import shown

if TYPE_CHECKING:
    from datetime import datetime

    from marketo_emulator.exports.job import ExportJob
    from marketo_emulator.imports.imports import ImportJob
    from marketo_emulator.wire.request_log import LoggedRequest, RequestLog
    from marketo_emulator.world import World

_ROWS = 20
_JOBS = 200
_REQUESTS = 20
_SLOTS = 60
_SLOT_SECONDS = 20
_MEMBER_COLUMNS = ("programId", "leadId", "statusName", "membershipDate", "updatedAt")
_LEAD_COLUMNS = ("id", "email", "firstName", "lastName", "city", "updatedAt")


def page_state(world: World, requests: RequestLog) -> dict[str, object]:
    """Return everything the page shows; moments in seconds since 1970."""
    log = list(requests)
    with world.at() as now:
        return {
            "now": now.timestamp(),
            "quotas": _quotas(world, now),
            "calls": _calls(log, now),
            "jobs": _jobs(world),
            "programs": [
                {**program.shown(), "members": len(world.store.member_rows[program_id])}
                for program_id, program in world.store.programs.items()
            ],
            "members": _members(world),
            "leads": _leads(world),
            "faults": [
                {"fault": fault.to_json(), "fired": fired}
                for fault, fired in zip(world.faults, world.faults.fired(), strict=True)
            ],
            "requests": [_request(entry) for entry in log[: -_REQUESTS - 1 : -1]],
        }


def _quotas(world: World, now: datetime) -> list[dict[str, object]]:
    options, limits, day = world.options, world.limits, world.limits.day(now)
    return [
        {"name": name, "used": used, "limit": limit, "unit": unit}
        for name, used, limit, unit in (
            ("Export files today", world.exports.exported_bytes[day], options.daily_export_bytes,
             "bytes"),
            ("Calls today", limits.calls_on(day).total(), options.daily_calls, "calls"),
            (f"Calls in {options.call_window_seconds:g} s", limits.calls_in_window(now),
             options.max_calls_per_window, "calls"),
            ("Export queue", world.exports.queue.length(now), options.max_queued_exports, "places"),
            ("Import queue", world.imports.queue.length(now), options.max_queued_imports, "places"),
        )
    ]  # fmt: skip


def _calls(log: list[LoggedRequest], now: datetime) -> dict[str, object]:
    """Return how many calls of the last twenty minutes fell into each slot, and how many failed."""
    calls, errors = [0] * _SLOTS, [0] * _SLOTS
    first = now - timedelta(seconds=_SLOTS * _SLOT_SECONDS)
    for entry in reversed(log):
        if entry.started_at <= first:
            break
        slot = min(int((entry.started_at - first).total_seconds() // _SLOT_SECONDS), _SLOTS - 1)
        calls[slot] += 1
        errors[slot] += bool(entry.error_code) or not 200 <= entry.status < 400  # noqa: PLR2004 - HTTP
    return {"seconds": _SLOT_SECONDS, "calls": calls, "errors": errors}


def _jobs(world: World) -> list[dict[str, object]]:
    jobs = [*map(_export, world.exports.jobs.values()), *map(_import, world.imports.jobs.values())]
    jobs.sort(key=lambda job: float(str(job["made"] or 0)))
    return jobs[-_JOBS:]


def _export(job: ExportJob) -> dict[str, object]:
    return {
        "what": "export",
        "id": job.export_id,
        "kind": job.kind,
        "status": job.status.value,
        "made": job.created_at.timestamp(),
        "queued": _seconds(job.queued_at),
        "started": _seconds(job.started_at),
        "finished": _seconds(job.finished_at),
        "rows": job.file.rows if job.file else None,
        "bytes": job.file.size_bytes if job.file else None,
    }


def _import(job: ImportJob) -> dict[str, object]:
    return {
        "what": "import",
        "id": str(job.batch_id),
        "kind": job.kind,
        "status": job.status.value,
        "made": _seconds(job.queued_at),
        "queued": _seconds(job.queued_at),
        "started": _seconds(job.started_at),
        "finished": _seconds(job.finished_at),
        "rows": job.rows_imported,
        "bytes": len(job.request.content),
    }


def _seconds(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()


def _members(world: World) -> list[dict[str, object]]:
    """Return the members that changed last."""
    position = MEMBER_FIELDS.position["updatedAt"]
    rows = (row for rows in world.store.member_rows.values() for row in rows.values())
    latest = nlargest(_ROWS, rows, key=lambda row: row[position] or 0)
    known = [shown(row, MEMBER_FIELDS) for row in latest]
    return [{name: member[name] for name in _MEMBER_COLUMNS} for member in known]


def _leads(world: World) -> list[dict[str, object]]:
    """Return the leads that changed last."""
    position = LEAD_FIELDS.position["updatedAt"]
    latest = nlargest(_ROWS, world.store.lead_rows.values(), key=lambda row: row[position] or 0)
    known = [shown(row, LEAD_FIELDS) for row in latest]
    return [{name: lead[name] for name in _LEAD_COLUMNS} for lead in known]


def _request(entry: LoggedRequest) -> dict[str, object]:
    return {
        "at": entry.started_at.timestamp(),
        "method": entry.method,
        "path": entry.path,
        "operation": entry.operation,
        "status": entry.status,
        "error": entry.error_code,
    }

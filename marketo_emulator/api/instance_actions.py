"""Control of the instance itself: its clock, tokens, faults, jobs and log."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from marketo_emulator.api.actions import Action, Place
from marketo_emulator.api.body import COUNT, SECONDS, Parameter, Shape
from marketo_emulator.api.fault_body import FAULT
from marketo_emulator.faults.fault import Fault
from marketo_emulator.page.state import page_state

if TYPE_CHECKING:
    from collections.abc import Sequence


def summary(place: Place) -> dict[str, object]:
    """Return how much there is of everything, and the emulator's time."""
    world = place.world
    with world.at() as now:
        store = world.store
        return {
            "now": now.isoformat(),
            "programs": len(store.programs),
            "members": store.member_count,
            "leads": len(store.lead_rows),
            "exports": len(world.exports.jobs),
            "imports": len(world.imports.jobs),
            "requests": len(place.requests),
        }


def _exports(place: Place) -> list[dict[str, object]]:
    with place.world.at() as now:
        exports = place.world.exports
        return [
            {**exports.shown(job, now), "object": job.kind, "owner": job.owner}
            for job in exports.jobs.values()
        ]


def _imports(place: Place) -> list[dict[str, object]]:
    with place.world.at():
        return [job.shown(counters=True) for job in place.world.imports.jobs.values()]


def _faults(place: Place) -> list[dict[str, Any]]:
    return [fault.to_json() for fault in place.world.faults]


def _add_faults(
    place: Place,
    faults: Sequence[dict[str, Any]] | None = None,
    **fault: Any,  # noqa: ANN401 - as in JSON
) -> list[dict[str, Any]]:
    added = [Fault.from_json(document) for document in ([fault] if faults is None else faults)]
    place.world.faults.add(*added)
    return [fault.to_json() for fault in added]


def _advance(place: Place, seconds: float) -> dict[str, object]:
    place.world.clock.advance(seconds)
    return summary(place)


def _others(place: Place, **taken: float) -> None:
    place.world.others_use(**taken)  # type: ignore[arg-type]


ACTIONS = (
    Action("GET", "", summary),
    Action("GET", "/page", lambda place: page_state(place.world, place.requests)),
    Action("GET", "/options", lambda place: asdict(place.world.options)),
    Action("GET", "/requests", lambda place: [entry.to_json() for entry in place.requests]),
    Action("DELETE", "/requests", lambda place: place.requests.clear()),
    Action("GET", "/exports", _exports),
    Action("GET", "/imports", _imports),
    Action("GET", "/faults", _faults),
    Action("POST", "/faults", _add_faults, FAULT, list_key="faults"),
    Action("DELETE", "/faults", lambda place: place.world.faults.clear()),
    Action(
        "POST", "/clock/advance", _advance, Shape({"seconds": Parameter(SECONDS, required=True)})
    ),
    Action("POST", "/tokens/revoke", lambda place: place.world.revoke_tokens()),
    Action("POST", "/tokens/expire", lambda place: place.world.expire_tokens()),
    Action(
        "POST",
        "/others",
        _others,
        Shape(
            {
                "queued_exports": Parameter(COUNT),
                "queued_imports": Parameter(COUNT),
                "seconds": Parameter(SECONDS),
                "exported_bytes": Parameter(COUNT),
                "calls": Parameter(COUNT),
            }
        ),
    ),
)

"""Streams menu: schedules in which the tap brings other streams beside members of programs.

Leads change, activities come late, leads are deleted and merged, records of custom objects come and
go, a permission is taken away and given back, a field is selected later than the others, and a run
has but so many calls or megabytes a day.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tests.simulation.program_menu import draw_choice
from tests.simulation.shared_faults import transient

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from random import Random

    from tests.simulation.schedule import Run, Schedule

SHARE = 1 / 3
OBJECTS = ("car_c", "trackSubscription_c", "purchaseHistory")
PER_TYPE = (1, 2, 12, 13, 22, 32, 46, 104)
"""Types whose attributes become columns; their names come to no other's."""
TYPES: tuple[Any, ...] = (None, None, [1, 12, 46], [32, "Change Data Value", 104], [46])
OVERLAPS = (None, None, 1, 3, 60)
NEW_FIELDS = {
    "leads": ("leadStatus", "email"),
    "activities": ("attributes", "primaryAttributeValue"),
    "custom_object_car_c": ("model", "serviceNotes"),
}
MEMBERS = "program_members"
MEMBER_FIELDS = ("dietaryNotes", "registrationCode", "statusName")
"""Fields of members that every instance has, and whose values change."""
CALLS = {
    "deleted_leads": ("activities.deleted", "activities.deleted", "activities.token"),
    "channels": ("channels.*",),
    **{f"custom_object_{name}": ("objects.*",) for name in OBJECTS},
}
"""Calls that one stream makes."""
PERMISSIONS = ("activity", "custom object", "lead")
UNSUPPORTED = "1035"


def with_streams(schedule: Schedule, dice: Random) -> Schedule:
    """Return a schedule with other streams; or as it is, mostly.

    Shape: drawn from dice of their own, so that everything else of a seed stays what it was.
    """
    if dice.random() >= SHARE:
        return schedule
    names = _draw_names(dice, schedule.config)
    config = {**schedule.config, **_draw_config(dice, names)}
    if "activity_streams" in config:
        names = [name for name in names if name != "activities"]
        names += [f"type {type_id}" for type_id in config["activity_types"]]
    streams: dict[str, Any] = {"names": sorted(names)}
    if dice.random() < 0.25:
        streams["new_field"] = _draw_new_field(dice, names, schedule.runs)
        config["backfill_new_fields"] = dice.random() < 0.6
        if streams["new_field"] is None or "start_date" not in config:
            config.pop("backfill_new_fields")
    options = {**schedule.world["options"], **_draw_options(dice, schedule)}
    overlap = config.get("activity_overlap_minutes", 10) * 60
    if "activity_commit_delays" not in options and dice.random() < 0.3:
        options["activity_commit_delays"] = [[0, 0, min(overlap, 600)]]
    world = {**schedule.world, "options": options, "streams": streams}
    events = [*schedule.events, *_draw_events(dice, schedule, names, overlap)]
    if dice.random() < 0.3 and "program_ids" not in config:
        config |= draw_choice(dice, world["programs"], events)
        # What is chosen must be there in the end.
        events = [event for event in events if event["do"] not in {"remove_program", "rename"}]
    waits = config.get("on_daily_quota") == "wait"
    budgeted = (_with_budget(run, dice, waits=waits) for run in schedule.runs)
    return replace(
        schedule,
        world=world,
        config=config,
        events=tuple(sorted(events, key=lambda event: event["at"])),
        runs=tuple(_told(_disturbed(run, dice, names), names) for run in budgeted),
    )


def with_member_field(schedule: Schedule, dice: Random) -> Schedule:
    """Return a schedule in which a field of members is selected later; or as it is, mostly.

    Shape: drawn from dice of their own, so that everything else of a seed stays what it was.
    """
    streams, runs = schedule.world.get("streams", {}), schedule.runs
    if not streams or "new_field" in streams or len(runs) == 1 or dice.random() >= 0.25:
        return schedule
    new = {"stream": MEMBERS, "field": dice.choice(MEMBER_FIELDS), "at": dice.choice(runs[1:]).at}
    world = {**schedule.world, "streams": {**streams, "new_field": new}}
    config = {**schedule.config, "backfill_new_fields": dice.random() < 0.6}
    return replace(schedule, world=world, config=config)


def _draw_names(dice: Random, config: Mapping[str, Any]) -> list[str]:
    """Return some streams; those that would take many windows only where they take few."""
    is_bounded = "start_date" in config
    chances = {
        "leads": 0.6,
        "activities": 0.6 if is_bounded else 0.04,
        "deleted_leads": 0.5,
        **dict.fromkeys((f"custom_object_{name}" for name in OBJECTS), 0.25),
        "channels": 0.15,
        "activity_types": 0.15,
        "removed_program_members": 0.6 if "changed_programs" in config else 0.0,
    }
    names = [name for name, chance in chances.items() if dice.random() < chance]
    return names or ["deleted_leads"]


def _draw_config(dice: Random, names: list[str]) -> dict[str, Any]:
    drawn: dict[str, Any] = {}
    if "activities" in names:
        drawn |= _draw_activities(dice)
    if "removed_program_members" in names:
        drawn["track_removed_members"] = True
    objects = [name.removeprefix("custom_object_") for name in names if "object" in name]
    if objects and dice.random() < 0.5:
        drawn["custom_objects"] = objects
    if dice.random() < 0.5:
        drawn["on_stream_error"] = dice.choice(("stop", "continue"))
    if dice.random() < 0.2:
        drawn["programs_detail"] = True
    return drawn


def _draw_activities(dice: Random) -> dict[str, Any]:
    drawn = {
        "activity_types": dice.choice(TYPES),
        "activity_overlap_minutes": dice.choice(OVERLAPS),
    }
    if dice.random() < 0.3:
        drawn |= {
            "activity_streams": "per_type",
            "activity_types": sorted(dice.sample(PER_TYPE, 3)),
        }
    return {name: value for name, value in drawn.items() if value is not None}


def _draw_new_field(dice: Random, names: list[str], runs: tuple[Run, ...]) -> dict[str, Any] | None:
    """Return a field of a stream that is selected from a moment on."""
    possible = [name for name in names if name in NEW_FIELDS]
    if not possible or len(runs) == 1:
        return None
    stream = dice.choice(possible)
    at = dice.choice(runs[1:]).at
    return {"stream": stream, "field": dice.choice(NEW_FIELDS[stream]), "at": at}


def _draw_options(dice: Random, schedule: Schedule) -> dict[str, Any]:
    options: dict[str, Any] = {}

    def maybe(chance: float, **option: Any) -> None:
        if dice.random() < chance:
            options.update(option)

    maybe(0.3, activity_guid="long")
    maybe(0.4, empty_attribute=dice.choice(("empty", "null")))
    maybe(0.2, activity_window="committed")
    maybe(0.3, deletions_include_merged=True)
    maybe(0.3, merge_notes_status=True)
    maybe(0.2, empty_activity_pages=True)
    maybe(0.3, object_name_key="apiName")
    maybe(0.5, lead_updated_at="any_field")
    faults = [fault for run in schedule.runs for fault in run.faults]
    if any(fault.get("code") == UNSUPPORTED for fault in faults) or not schedule.world[
        "options"
    ].get("updated_at_filter_supported", True):
        # What does not show in `updatedAt` is not promised then.
        options["lead_updated_at"] = "any_field"
    return options


def _draw_events(
    dice: Random, schedule: Schedule, names: list[str], overlap: int
) -> list[dict[str, Any]]:
    runs, span = schedule.runs, schedule.ends_at
    events: list[dict[str, Any]] = []
    for _ in range(dice.choice((2, 5, 10))):
        near = dice.choice(runs).at + dice.choice((-300, 5, 60, 600, 4000)) * dice.random()
        at = dice.choice((near, near, near, dice.uniform(0, span)))
        events.append({"at": round(max(0.1, at), 1), **_draw_event(dice)})
    if "deleted_leads" in names:
        events += [
            {"at": round(max(0.1, dice.choice(runs).at + dice.uniform(-900, 2_000)), 1)}
            | {"do": "delete_lead", "seed": dice.randrange(10**6)}
            for _ in range(dice.choice((1, 3, 5)))
        ]
    if any(name == "activities" or name.startswith("type ") for name in names):
        events += _draw_late(dice, runs, overlap)
    if dice.random() < 0.2:
        permission = dice.choice(PERMISSIONS)
        if permission == "activity" and "leads" in names:
            # The oldest lead might not be known, and the windows of twenty years be read.
            permission = "custom object"
        at = round(max(0.1, dice.choice(runs).at - 1), 1)
        seconds = dice.choice((60, 4000, 100_000))
        events.append({"at": at, "do": "forbid", "permission": permission})
        events.append({"at": at + seconds, "do": "allow"})
    return events


def _draw_late(dice: Random, runs: Sequence[Run], overlap: int) -> Iterator[dict[str, Any]]:
    """Yield activities that are noted after a run has read what is as old as they are."""
    for _ in range(dice.choice((1, 3, 6))):
        at = dice.choice(runs).at + dice.uniform(60, 900) + dice.random() * overlap
        behind = dice.randrange(overlap // 2, overlap + 1)
        late = {"do": "act_late", "count": 2, "seed": dice.randrange(10**6), "behind": behind}
        yield {"at": round(at, 1), **late}


def _draw_event(dice: Random) -> dict[str, Any]:
    seed, few = dice.randrange(10**6), dice.randrange(1, 5)
    return dice.choice(
        (
            {"do": "write_leads", "count": few, "seed": seed},
            {"do": "write_leads", "count": 100, "seed": seed},
            {"do": "write_custom_field", "count": few, "seed": seed},
            {"do": "write_leads_late", "count": few, "seed": seed, "behind": 45},
            {"do": "new_leads", "count": few},
            {"do": "delete_lead", "seed": seed},
            {"do": "merge_leads", "count": dice.randrange(1, 3), "seed": seed},
            {"do": "act", "count": few, "seed": seed},
            {"do": "put_objects", "count": few, "seed": seed, "behind": 0},
            {"do": "put_objects", "count": few, "seed": seed, "behind": 45},
            {"do": "new_objects", "count": few, "seed": seed},
            {"do": "remove_object", "seed": seed},
        )
    )


def _told(run: Run, names: list[str]) -> Run:
    """Return a run whose lists of activities lack nothing, where nothing else would tell it.

    Without the first New Lead the oldest leads would be missed, or twenty years of windows read.
    """
    if not {"leads", "removed_program_members"} & {*names}:
        return run
    kept = (
        fault
        for fault in run.faults
        if fault.get("operation") not in {"activities.list", "activities.token"}
        or not {"drop", "code"} & fault.keys()
    )
    return replace(run, faults=tuple(kept))


def _disturbed(run: Run, dice: Random, names: list[str]) -> Run:
    """Return a run in which calls for these streams fail; or as it is, mostly."""
    if dice.random() >= 0.3:
        return run
    calls = ("export.create", *(call for name in names for call in CALLS.get(name, ())))
    refused = {"operation": dice.choice(calls), "code": dice.choice(("603", "9999", "500"))}
    lasting = {"nth": dice.choice((1, 1, 2)), "times": dice.choice((1, 4, 30))}
    fault = dice.choice((transient(dice, calls), {**refused, **lasting}))
    return replace(run, faults=(*run.faults, fault))


def _with_budget(run: Run, dice: Random, *, waits: bool) -> Run:
    """Return a run that may take but so much of the day; or as it is, mostly.

    One that waits for the next day's would wait for weeks with a few calls a day.
    """
    chance = dice.random()
    if chance < 0.06:
        calls = max(dice.choice((5, 20, 40, 80)), 40 if waits else 0)
        return replace(run, config={**run.config, "daily_calls_budget": calls})
    if chance < 0.1:
        large = {"operation": "export.job", "put": {"fileSize": 1_500_000}, "nth": 2}
        return replace(
            run,
            config={**run.config, "daily_bytes_budget_mb": 1},
            faults=(*run.faults, large),
        )
    return run

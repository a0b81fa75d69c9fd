"""Control of programs, members and leads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marketo_emulator.api.actions import Action, Place, listed
from marketo_emulator.api.body import (
    COUNT,
    IDS,
    NAME,
    SCALAR,
    SECONDS,
    TEXT,
    WHOLE,
    Kind,
    Parameter,
    Shape,
    or_null,
)
from marketo_emulator.api.field_values import checked

if TYPE_CHECKING:
    from marketo_emulator.data.values import Value

_FOLDER = Kind(
    'object {"type": text, "value": integer, "folderName": text}',
    lambda value: (
        isinstance(value, dict)
        and set(value) == {"type", "value", "folderName"}
        and TEXT.fits(value["type"])
        and WHOLE.fits(value["value"])
        and TEXT.fits(value["folderName"])
    ),
)
_TAGS = Kind(
    'list of objects {"tagType": text, "tagValue": text}',
    lambda value: (
        isinstance(value, list)
        and all(
            isinstance(tag, dict)
            and set(tag) == {"tagType", "tagValue"}
            and all(map(TEXT.fits, tag.values()))
            for tag in value
        )
    ),
)


def _programs(place: Place) -> list[dict[str, object]]:
    with place.world.at():
        store = place.world.store
        return [
            {**program.shown(), "members": len(store.member_rows[program_id])}
            for program_id, program in store.programs.items()
        ]


def _add_program(
    place: Place, name: str = "", members: int = 0, age_days: float = 0
) -> dict[str, object]:
    program = place.world.store.add_program(name, members=members, age_days=age_days)
    return program.shown()


def _remove_program(place: Place, program_id: int) -> None:
    place.world.store.remove_program(program_id)


def _change_members(
    place: Place, count: int = 0, seed: int = 0, new_members: int = 0, new_leads: int = 0
) -> dict[str, object]:
    store = place.world.store
    with place.world.at():
        changed = store.touch_members(count, seed=seed)
        added = store.join_members(new_members, seed=seed)
        leads = [store.add_lead() for _ in range(new_leads)]
    return {"changed": changed, "added": added, "leads": leads}


def _change_program(place: Place, program_id: int, **values: Any) -> dict[str, object]:  # noqa: ANN401 - checked by the shape
    if "folder" in values:
        folder = values["folder"]
        values["folder"] = (folder["type"], folder["value"], folder["folderName"])
    if "tags" in values:
        values["tags"] = tuple((tag["tagType"], tag["tagValue"]) for tag in values["tags"])
    return place.world.store.change_program(program_id, **values).shown_alone()


def _change_member(
    place: Place,
    program_id: int,
    lead_id: int,
    **values: Any,  # noqa: ANN401 - see checked
) -> dict[str, Value]:
    store = place.world.store
    with place.world.at():
        store.member(program_id, lead_id)
        store.change_member(program_id, lead_id, **checked(values, store.member_fields))
        return store.member(program_id, lead_id)


def _add_member(
    place: Place,
    program_id: int,
    leadId: int | None = None,  # noqa: N803 - as in JSON
) -> dict[str, Value]:
    store = place.world.store
    with place.world.at():
        if leadId is not None:
            store.lead(leadId)
        return store.member(*store.add_member(program_id, leadId))


def _add_lead(place: Place, **values: Any) -> dict[str, Value]:  # noqa: ANN401 - see checked
    store = place.world.store
    with place.world.at():
        return store.lead(store.add_lead(**checked(values, store.lead_fields)))


def _change_lead(place: Place, lead_id: int, **values: Any) -> dict[str, Value]:  # noqa: ANN401 - see checked
    store = place.world.store
    with place.world.at():
        store.lead(lead_id)
        store.change_lead(lead_id, **checked(values, store.lead_fields))
        return store.lead(lead_id)


def _merge_leads(place: Place, lead_id: int, losers: list[int]) -> dict[str, Value]:
    store = place.world.store
    with place.world.at():
        for loser in losers:
            store.lead(loser)
        store.merge_leads(lead_id, *losers)
        return store.lead(lead_id)


def _delete_lead(place: Place, lead_id: int) -> None:
    place.world.store.delete_lead(lead_id)


def _remove_member(place: Place, program_id: int, lead_id: int) -> None:
    place.world.store.remove_member(program_id, lead_id)


_LEAD = "/leads/<int:lead_id>"
_MEMBER = "/members/<int:program_id>/<int:lead_id>"

ACTIONS = (
    Action("GET", "/programs", _programs),
    Action(
        "POST",
        "/programs",
        _add_program,
        Shape(
            {
                "name": Parameter(TEXT),
                "members": Parameter(COUNT),
                "age_days": Parameter(SECONDS),
            }
        ),
    ),
    Action(
        "POST",
        "/programs/<int:program_id>",
        _change_program,
        Shape(
            {
                "name": Parameter(NAME),
                "description": Parameter(TEXT),
                "status": Parameter(TEXT),
                "workspace": Parameter(TEXT),
                "folder": Parameter(_FOLDER),
                "tags": Parameter(_TAGS),
            }
        ),
    ),
    Action("DELETE", "/programs/<int:program_id>", _remove_program),
    Action("GET", "/members", lambda place: listed(place.world.store.members())),
    Action(
        "POST",
        "/members/change",
        _change_members,
        Shape(
            {
                "count": Parameter(COUNT),
                "seed": Parameter(WHOLE),
                "new_members": Parameter(COUNT),
                "new_leads": Parameter(COUNT),
            }
        ),
    ),
    Action("POST", _MEMBER, _change_member, Shape(rest=SCALAR)),
    Action("DELETE", _MEMBER, _remove_member),
    Action(
        "POST",
        "/members/<int:program_id>",
        _add_member,
        Shape({"leadId": Parameter(or_null(WHOLE))}),
    ),
    Action("POST", "/leads", _add_lead, Shape(rest=SCALAR)),
    Action("POST", _LEAD, _change_lead, Shape(rest=SCALAR)),
    Action("DELETE", _LEAD, _delete_lead),
    Action(
        "POST", f"{_LEAD}/merge", _merge_leads, Shape({"losers": Parameter(IDS, required=True)})
    ),
    Action("GET", "/leads", lambda place: listed(place.world.store.leads())),
)

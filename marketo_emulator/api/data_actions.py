"""Control of what hangs on leads: activities, lists, custom objects; and of fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marketo_emulator.api.actions import Action, Place, listed
from marketo_emulator.api.body import (
    BOOLEAN,
    COUNT,
    IDS,
    NAME,
    OBJECT,
    SCALAR,
    TEXT,
    WHOLE,
    Parameter,
    Shape,
    choice,
    or_null,
)
from marketo_emulator.api.field_values import checked
from marketo_emulator.data.activity_rows import activity_document
from marketo_emulator.data.fields import member_description
from marketo_emulator.data.schema import DATA_TYPES

if TYPE_CHECKING:
    from marketo_emulator.data.fields import FieldSet


def _activities(place: Place) -> list[object]:
    store, options = place.world.store, place.world.options
    with place.world.at():
        return listed(activity_document(found, options) for found in store.log.readable(store.now))


def _add_activity(place: Place, **values: Any) -> None:  # noqa: ANN401 - checked by the shape
    renamed = {name: values[key] for key, name in _ACTIVITY_NAMES.items() if key in values}
    place.world.store.add_activity(**{"lead_id": None, **renamed})


_ACTIVITY_NAMES = {
    "leadId": "lead_id",
    "activityTypeId": "type_id",
    "seconds_ago": "seconds_ago",
    "primaryAttributeValueId": "primary_id",
    "primaryAttributeValue": "primary_value",
    "attributes": "attributes",
    "campaignId": "campaign_id",
    "actionResult": "result",
}


def _lists(place: Place) -> list[dict[str, object]]:
    with place.world.at():
        return [
            {"id": found.list_id, "name": found.name, "leads": sorted(found.lead_ids)}
            for found in place.world.store.static_lists.values()
        ]


def _change_list(
    place: Place, list_id: int, add: list[int] | None = None, remove: list[int] | None = None
) -> None:
    store = place.world.store
    with place.world.at():
        for lead_id in add or ():
            store.lead(lead_id)
        store.put_on_list(list_id, add or ())
        store.take_off_list(list_id, remove or ())


def _objects(place: Place) -> list[dict[str, object]]:
    with place.world.at():
        return [
            {**found.described(place.world.options), "state": found.state, "rows": len(found.rows)}
            for found in place.world.store.objects.values()
        ]


def _put_object(place: Place, api_name: str, **values: Any) -> dict[str, str]:  # noqa: ANN401 - see checked
    store = place.world.store
    given = checked(values, store.objects[api_name].fields)
    return {"marketoGUID": store.put_object(api_name, **given)}


def _remove_object(place: Place, api_name: str, guid: str) -> None:
    place.world.store.remove_object(api_name, guid)


def _fields(place: Place, kind: str) -> list[dict[str, object]]:
    with place.world.at():
        return _shown(place.world.store.schema(kind).fields)


def _add_field(place: Place, kind: str, **field: Any) -> list[dict[str, object]]:  # noqa: ANN401 - checked by the shape
    with place.world.at():
        schema = place.world.store.schema(kind)
        schema.add(**field)
        return _shown(schema.fields)


def _retype_field(place: Place, kind: str, name: str, data_type: str) -> list[dict[str, object]]:
    with place.world.at():
        schema = place.world.store.schema(kind)
        schema.retype(name, data_type)
        return _shown(schema.fields)


def _remove_field(place: Place, kind: str, name: str) -> list[dict[str, object]]:
    with place.world.at():
        schema = place.world.store.schema(kind)
        schema.remove(name)
        return _shown(schema.fields)


def _shown(fields: FieldSet) -> list[dict[str, object]]:
    return [member_description(field) for field in fields]


_DATA_TYPE = Parameter(choice(*DATA_TYPES), required=True)

ACTIONS = (
    Action("GET", "/activities", _activities),
    Action(
        "POST",
        "/activities",
        _add_activity,
        Shape(
            {
                "activityTypeId": Parameter(WHOLE, required=True),
                "leadId": Parameter(or_null(WHOLE)),
                "seconds_ago": Parameter(COUNT),
                "primaryAttributeValueId": Parameter(or_null(WHOLE)),
                "primaryAttributeValue": Parameter(or_null(TEXT)),
                "attributes": Parameter(OBJECT),
                "campaignId": Parameter(or_null(WHOLE)),
                "actionResult": Parameter(choice("succeeded", "skipped", "failed")),
            }
        ),
    ),
    Action("GET", "/lists", _lists),
    Action(
        "POST",
        "/lists/<int:list_id>",
        _change_list,
        Shape({"add": Parameter(IDS), "remove": Parameter(IDS)}),
    ),
    Action("GET", "/objects", _objects),
    Action(
        "GET",
        "/objects/<api_name>",
        lambda place, api_name: listed(place.world.store.object_rows(api_name)),
    ),
    Action("POST", "/objects/<api_name>", _put_object, Shape(rest=SCALAR)),
    Action("DELETE", "/objects/<api_name>/<guid>", _remove_object),
    Action("GET", "/fields/<kind>", _fields),
    Action(
        "POST",
        "/fields/<kind>",
        _add_field,
        Shape(
            {
                "name": Parameter(NAME, required=True),
                "data_type": _DATA_TYPE,
                "label": Parameter(TEXT),
                "length": Parameter(or_null(COUNT)),
                "updateable": Parameter(BOOLEAN),
            }
        ),
    ),
    Action("POST", "/fields/<kind>/<name>", _retype_field, Shape({"data_type": _DATA_TYPE})),
    Action("DELETE", "/fields/<kind>/<name>", _remove_field),
)

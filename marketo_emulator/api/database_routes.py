"""The routes of the lead database beside describe: activities, custom objects, lists."""

from __future__ import annotations

from marketo_emulator.api import activity_calls, list_calls, object_calls
from marketo_emulator.api.route import (
    ACTIVITY,
    ACTIVITY_METADATA,
    GET,
    LEAD,
    OBJECT,
    OBJECT_WRITE,
    POST,
    REST,
    Route,
)

_ACTIVITIES = f"{REST}/activities"
_EXTERNAL = f"{_ACTIVITIES}/external"
_OBJECTS = f"{REST}/customobjects"
_OBJECT = f"{_OBJECTS}/<api_name>"

ROUTES = (
    Route(
        "activities.types", GET, f"{_ACTIVITIES}/types.json", activity_calls.list_types, ACTIVITY
    ),
    Route(
        "activities.custom_types", GET, f"{_EXTERNAL}/types.json",
        activity_calls.list_custom_types, ACTIVITY_METADATA,
    ),
    Route(
        "activities.custom_type", GET, f"{_EXTERNAL}/type/<api_name>/describe.json",
        activity_calls.describe_custom_type, ACTIVITY_METADATA,
    ),
    Route(
        "activities.token", GET, f"{_ACTIVITIES}/pagingtoken.json",
        activity_calls.get_paging_token, ACTIVITY,
    ),
    Route(
        "activities.list", GET, f"{_ACTIVITIES}.json", activity_calls.list_activities, ACTIVITY
    ),
    Route(
        "activities.deleted", GET, f"{_ACTIVITIES}/deletedleads.json",
        activity_calls.list_deleted_leads, ACTIVITY,
    ),
    Route("objects.list", GET, f"{_OBJECTS}.json", object_calls.list_objects, OBJECT),
    Route(
        "objects.describe", GET, f"{_OBJECT}/describe.json", object_calls.describe_object, OBJECT
    ),
    Route(
        "objects.delete", POST, f"{_OBJECT}/delete.json", object_calls.delete_objects,
        OBJECT_WRITE,
    ),
    Route(
        "objects.schema", GET, f"{_OBJECTS}/schema.json", object_calls.refuse_schema, OBJECT
    ),
    Route("lists.list", GET, f"{REST}/lists.json", list_calls.list_lists, LEAD),
    Route("lists.get", GET, f"{REST}/lists/<int:list_id>.json", list_calls.get_list, LEAD),
    Route(
        "partitions.list", GET, f"{REST}/leads/partitions.json", list_calls.list_partitions, LEAD
    ),
)  # fmt: skip

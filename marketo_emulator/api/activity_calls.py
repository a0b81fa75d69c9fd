"""The activities: types, paging tokens, a page of them, deleted leads (C§22.7, C§23.4, C§23.10)."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from marketo_emulator.api.paging import Place
from marketo_emulator.data.activity_rows import activity_document
from marketo_emulator.data.activity_types import ACTIVITY_TYPES, DELETE_LEAD
from marketo_emulator.data.values import parse_moment
from marketo_emulator.wire.envelope import mapi_success
from marketo_emulator.wire.errors import InvalidDataError, MarketoError

if TYPE_CHECKING:
    from collections.abc import Callable

    from werkzeug.wrappers import Response

    from marketo_emulator.data.activities import Activity
    from marketo_emulator.wire.call import Call
    from marketo_emulator.world import World

_MOST_ROWS = 300
_MOST_TYPES = 10
_MOST_LEADS = 30


def list_types(_world: World, call: Call) -> Response:
    """Answer with every type; custom ones are not marked."""
    shown = [known.shown() for known in ACTIVITY_TYPES if known.status != "draft"]
    return mapi_success(call.request_id, shown)


def list_custom_types(_world: World, call: Call) -> Response:
    """Answer with the custom types, without attributes."""
    shown = [known.shown_as_custom() for known in ACTIVITY_TYPES if known.is_custom]
    return mapi_success(call.request_id, shown)


def describe_custom_type(_world: World, call: Call) -> Response:
    """Answer with one custom type and its attributes."""
    name = call.arguments["api_name"]
    for known in ACTIVITY_TYPES:
        if known.is_custom and known.api_name == name:
            return mapi_success(call.request_id, [known.shown_as_custom(with_attributes=True)])
    raise MarketoError("1013", f"Activity type '{name}' not found")


def get_paging_token(_world: World, call: Call) -> Response:
    """Answer with a token at the top level, for what happened from a moment on."""
    given = {name.lower(): value for name, value in call.parameters.items()}
    text = given.get("sincedatetime", "")
    if not text:
        raise MarketoError("1002", "Missing value for required parameter 'sinceDatetime'")
    try:
        # A plus sign that was not encoded arrives as a blank.
        since = parse_moment(text.replace(" ", "+"))
    except ValueError:
        raise InvalidDataError("Invalid value specified for 'sinceDatetime'") from None
    return mapi_success(call.request_id, None, nextPageToken=Place(since).token())


def list_activities(world: World, call: Call) -> Response:
    """Answer with a page of the activities of some types."""
    type_ids = _numbers(call, "activityTypeIds", _MOST_TYPES)
    if not type_ids:
        raise MarketoError("1002", "Missing value for required parameter 'activityTypeIds'")
    asset_ids = _numbers(call, "assetIds", None)
    if asset_ids and len(type_ids) > 1:
        raise InvalidDataError("'assetIds' can only be specified with one activity type")
    lead_ids = _numbers(call, "leadIds", _MOST_LEADS)
    on_list = _list_members(world, call)

    def wanted(activity: Activity) -> bool:
        happening = activity.happening
        return (
            happening.type_id in type_ids
            and happening.type_id != DELETE_LEAD
            and (not asset_ids or happening.primary_id in asset_ids)
            and (not lead_ids or happening.lead_id in lead_ids)
            and (on_list is None or happening.lead_id in on_list)
        )

    return _page(world, call, "activities", wanted)


def list_deleted_leads(world: World, call: Call) -> Response:
    """Answer with a page of the leads that were deleted."""
    return _page(
        world, call, "deletedleads", lambda activity: activity.happening.type_id == DELETE_LEAD
    )


def _page(world: World, call: Call, name: str, wanted: Callable[[Activity], bool]) -> Response:
    """Return what came after the token, oldest first; a token comes with every page."""
    size = call.number("batchSize", _MOST_ROWS)
    if not 1 <= size <= _MOST_ROWS:
        raise InvalidDataError(f"'batchSize' must be between 1 and {_MOST_ROWS}")
    options = world.options
    place = Place.from_token(
        call.parameters.get("nextPageToken", ""), name, options.foreign_token_code
    )
    with world.at():
        log, now = world.store.log, world.store.now
        later = (
            (activity.committed_at, activity.number, activity)
            for activity in log.readable(now)
            if activity.happening.at >= place.since
            and (activity.committed_at, activity.number) > (place.committed_at, place.number)
            and wanted(activity)
        )
        found = [activity for _, _, activity in sorted(later, key=lambda entry: entry[:2])]
    if options.empty_activity_pages and found and not place.was_empty:
        page: list[Activity] = []
        place = replace(place, was_empty=True)
    else:
        page = list(islice(found, size))
        place = replace(place, was_empty=False)
    if page:
        last = page[-1]
        place = replace(place, committed_at=last.committed_at, number=last.number)
    return mapi_success(
        call.request_id,
        [activity_document(activity, options) for activity in page],
        nextPageToken=place.token(),
        moreResult=len(found) > len(page),
    )


def _numbers(call: Call, name: str, most: int | None) -> frozenset[int]:
    texts = ",".join(call.parameters.getlist(name))
    try:
        numbers = frozenset(int(text) for text in texts.split(",") if text.strip())
    except ValueError:
        raise MarketoError("1001", f"Invalid value '{texts}'. Required of type 'Integer'") from None
    if most is not None and len(numbers) > most:
        raise InvalidDataError(f"At most {most} '{name}' can be specified")
    return numbers


def _list_members(world: World, call: Call) -> frozenset[int] | None:
    list_id = call.number("listId", 0)
    if not list_id:
        return None
    with world.at():
        static_list = world.store.static_lists.get(list_id)
        if static_list is None:
            raise MarketoError("1013", "Static list not found")
        limit = world.options.activity_list_limit
        if limit is not None and len(static_list.lead_ids) >= limit:
            raise InvalidDataError(f"List has {limit} or more leads")
        return frozenset(static_list.lead_ids)

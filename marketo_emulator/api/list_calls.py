"""The lists and partitions of leads, as the lead database tells of them (C§4.4, C§4.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marketo_emulator.data.values import moment_text
from marketo_emulator.wire.envelope import mapi_success
from marketo_emulator.wire.errors import InvalidDataError, MarketoError

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from marketo_emulator.data.lead_table import StaticList
    from marketo_emulator.wire.call import Call
    from marketo_emulator.world import World

_MOST = 300
_MADE_AT = 1_650_000_000


def list_lists(world: World, call: Call) -> Response:
    """Answer with a page of the static lists, or with those of some ids or names."""
    size = call.number("batchSize", _MOST)
    if not 1 <= size <= _MOST:
        raise InvalidDataError(f"'batchSize' must be between 1 and {_MOST}")
    ids = {text for text in call.parameters.get("id", "").split(",") if text}
    names = {text for text in call.parameters.get("name", "").split(",") if text}
    start = call.number("nextPageToken", 0)
    with world.at():
        found = [
            _shown(static_list)
            for static_list in world.store.static_lists.values()
            if (not ids or str(static_list.list_id) in ids)
            and (not names or static_list.name in names)
        ]
    more = start + size < len(found)
    paging = {"nextPageToken": str(start + size), "moreResult": True} if more else {}
    return mapi_success(call.request_id, found[start : start + size], **paging)


def get_list(world: World, call: Call) -> Response:
    """Answer with one static list."""
    with world.at():
        static_list = world.store.static_lists.get(call.arguments["list_id"])
        if static_list is None:
            raise MarketoError("1013", "Static list not found")
        return mapi_success(call.request_id, [_shown(static_list)])


def list_partitions(world: World, call: Call) -> Response:
    """Answer with the lead partitions."""
    shown = [
        {"id": number, "name": name, "description": ""}
        for number, name in enumerate(world.store.partitions, 1)
    ]
    return mapi_success(call.request_id, shown)


def _shown(static_list: StaticList) -> dict[str, object]:
    return {
        "id": static_list.list_id,
        "name": static_list.name,
        "workspaceName": "Default",
        "createdAt": moment_text(_MADE_AT),
        "updatedAt": moment_text(_MADE_AT),
    }

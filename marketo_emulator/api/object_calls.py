"""The custom objects: list, describe, delete (C§24.3, C§10)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marketo_emulator.data.custom_objects import ID_FIELD
from marketo_emulator.exports.objects import find_object
from marketo_emulator.wire.envelope import mapi_success
from marketo_emulator.wire.errors import InvalidDataError, MarketoError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from werkzeug.wrappers import Response

    from marketo_emulator.data.custom_objects import ObjectType
    from marketo_emulator.wire.call import Call
    from marketo_emulator.world import World

_MOST_DELETED = 300


def list_objects(world: World, call: Call) -> Response:
    """Answer with all custom objects, or with those named; fields are not shown."""
    options = world.options
    if not options.custom_objects_enabled:
        raise MarketoError("1026", "Custom objects are not enabled for this subscription")
    names = [name for name in call.parameters.get("names", "").split(",") if name]
    with world.at():
        known = {name: x for name, x in world.store.objects.items() if x.state == "approved"}
        for name in names:
            find_object(name, world.store, options)
        shown = [known[name].shown(options) for name in names or known]
    return mapi_success(call.request_id, shown)


def describe_object(world: World, call: Call) -> Response:
    """Answer with one custom object and its fields."""
    with world.at():
        found = find_object(call.arguments["api_name"], world.store, world.options)
        return mapi_success(call.request_id, [found.described(world.options)])


def delete_objects(world: World, call: Call) -> Response:
    """Delete records by their dedupe fields or by marketoGUID, and tell of each."""
    body = call.json_object()
    given, by = body.get("input"), body.get("deleteBy", "dedupeFields")
    if not isinstance(given, list) or not given or len(given) > _MOST_DELETED:
        raise InvalidDataError(f"'input' must hold 1 to {_MOST_DELETED} records")
    if by not in {"dedupeFields", "idField"}:
        raise MarketoError("1001", f"Invalid value '{by}'. Required of type 'deleteBy'")
    with world.at():
        found = find_object(call.arguments["api_name"], world.store, world.options)
        result = _deleted(found, given, by_id=by == "idField")
    return mapi_success(call.request_id, result)


def refuse_schema(_world: World, _call: Call) -> Response:
    """Refuse: the calls about schemas need another subscription."""
    raise MarketoError("616", "Invalid subscription type")


def _deleted(found: ObjectType, given: Sequence[Any], *, by_id: bool) -> list[dict[str, object]]:
    keys, result = found.keys(), []
    for seq, record in enumerate(given):
        values = record if isinstance(record, dict) else {}
        guid = values.get(ID_FIELD) if by_id else keys.get(found.key(values))
        if guid is not None and found.rows.pop(str(guid), None) is not None:
            result.append({"seq": seq, "status": "deleted", ID_FIELD: guid})
        else:
            reasons = [{"code": "1013", "message": "Object not found"}]
            result.append({"seq": seq, "status": "skipped", "reasons": reasons})
    return result

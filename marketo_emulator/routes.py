"""The route: which URL is which operation, and what carries it out."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import Map, RequestRedirect, Rule

from marketo_emulator.api import (
    asset_routes,
    database_routes,
    export_api,
    identity,
    import_api,
    metadata,
    stats,
)
from marketo_emulator.api.route import (
    ACTIVITY,
    GET,
    LEAD,
    LEAD_WRITE,
    OBJECT,
    OBJECT_WRITE,
    POST,
    REST,
    Handler,
    Route,
)
from marketo_emulator.exports.request import ACTIVITIES, CUSTOM_OBJECTS, LEADS, MEMBERS
from marketo_emulator.wire.errors import MarketoError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def _exports(path: str, kind: str, permission: str) -> Iterator[Route]:
    base = f"/bulk/v1/{path}/export"
    job = f"{base}/<export_id>"
    for operation, methods, where, handler in (
        ("create", POST, f"{base}/create.json", export_api.create),
        ("list", GET, f"{base}.json", export_api.list_jobs),
        ("enqueue", POST, f"{job}/enqueue.json", export_api.enqueue),
        ("status", GET, f"{job}/status.json", export_api.get_status),
        ("file", GET, f"{job}/file.json", export_api.get_file),
        ("cancel", POST, f"{job}/cancel.json", export_api.cancel),
    ):
        yield Route(f"export.{operation}", methods, where, handler, permission, kind)


def _imports(
    create: tuple[str, Handler], status: str, batch: str, kind: str, permission: str
) -> Iterator[Route]:
    for operation, methods, where, handler in (
        ("create", POST, *create),
        ("status", GET, status, import_api.get_status),
        ("failures", GET, f"{batch}/failures.json", import_api.get_failures),
        ("warnings", GET, f"{batch}/warnings.json", import_api.get_warnings),
    ):
        yield Route(f"import.{operation}", methods, where, handler, permission, kind)


_BATCH = "<int:batch_id>"
_MEMBER_BATCH = f"/bulk/v1/program/members/import/{_BATCH}"
_OBJECTS = "/bulk/v1/customobjects/<api_name>/import"

ROUTES = (
    Route("identity.token", ("GET", "POST"), "/identity/oauth/token", identity.issue_token),
    Route(
        "describe.members", GET, f"{REST}/programs/members/describe.json",
        metadata.describe_members, LEAD,
    ),
    Route(
        "describe.members_before", GET, f"{REST}/program/members/describe.json",
        metadata.describe_members_before, LEAD,
    ),
    Route("describe.leads", GET, f"{REST}/leads/describe2.json", metadata.describe_leads, LEAD),
    Route(
        "describe.leads_before", GET, f"{REST}/leads/describe.json",
        metadata.describe_leads_before, LEAD,
    ),
    *asset_routes.ROUTES,
    *database_routes.ROUTES,
    *_exports("program/members", MEMBERS, LEAD),
    *_exports("leads", LEADS, LEAD),
    *_exports("activities", ACTIVITIES, ACTIVITY),
    *_exports("customobjects/<api_name>", CUSTOM_OBJECTS, OBJECT),
    *_imports(
        ("/bulk/v1/leads.json", import_api.create), f"/bulk/v1/leads/batch/{_BATCH}.json",
        f"/bulk/v1/leads/batch/{_BATCH}", LEADS, LEAD_WRITE,
    ),
    *_imports(
        ("/bulk/v1/program/<int:program_id>/members/import.json", import_api.create_members),
        f"{_MEMBER_BATCH}/status.json", _MEMBER_BATCH, MEMBERS, LEAD_WRITE,
    ),
    *_imports(
        (f"{_OBJECTS}.json", import_api.create_objects), f"{_OBJECTS}/{_BATCH}/status.json",
        f"{_OBJECTS}/{_BATCH}", CUSTOM_OBJECTS, OBJECT_WRITE,
    ),
    Route("stats.usage", GET, f"{REST}/stats/usage.json", stats.usage_today),
    Route("stats.usage_week", GET, f"{REST}/stats/usage/last7days.json", stats.usage_week),
    Route("stats.errors", GET, f"{REST}/stats/errors.json", stats.errors_today),
    Route("stats.errors_week", GET, f"{REST}/stats/errors/last7days.json", stats.errors_week),
)  # fmt: skip

OPERATIONS = tuple(dict.fromkeys(route.operation for route in ROUTES))

_MAP = Map(
    [
        Rule(route.path, methods=route.methods, endpoint=number)
        for number, route in enumerate(ROUTES)
    ],
    merge_slashes=False,
)


def match(method: str, path: str) -> tuple[Route, dict[str, Any]]:
    """Return the operation a request asks for and the parts of its path.

    Raises: MarketoError 610 for an unknown path, 605 for a known one by another method.
    """
    try:
        number, arguments = _found(method, path)
    except MethodNotAllowed:
        raise MarketoError("605", f"Request method '{method}' not supported") from None
    except (NotFound, RequestRedirect):
        raise MarketoError("610") from None
    route = ROUTES[number]
    kind = route.kind
    if kind == CUSTOM_OBJECTS:
        kind += arguments["api_name"]
    return route, {**arguments, "kind": kind}


# The same few jobs are polled again and again.
@lru_cache(maxsize=256)
def _found(method: str, path: str) -> tuple[int, Mapping[str, Any]]:
    return _MAP.bind("").match(path, method)

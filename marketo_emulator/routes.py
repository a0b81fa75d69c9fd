"""The route: which URL is which operation, and what carries it out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import Map, RequestRedirect, Rule
from werkzeug.wrappers import Response

from marketo_emulator import assets, export_api, identity, import_api, metadata, stats
from marketo_emulator.call import Call
from marketo_emulator.errors import MarketoError
from marketo_emulator.export_request import LEADS, MEMBERS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from marketo_emulator.world import World

Handler = Callable[["World", Call], Response]


@dataclass(frozen=True, slots=True)
class Route:
    """One operation."""

    operation: str
    methods: tuple[str, ...]
    path: str
    handler: Handler


_GET = ("GET",)
_POST = ("POST",)
_KINDS = (MEMBERS, LEADS)
_EXPORT = "/bulk/v1/{kind}/export"
_BATCH = "/bulk/v1/leads/batch/<int:batch_id>"
_JOB = "/bulk/v1/{kind}/export/<export_id>"

ROUTES = (
    Route("identity.token", ("GET", "POST"), "/identity/oauth/token", identity.issue_token),
    Route(
        "describe.members",
        _GET,
        "/rest/v1/programs/members/describe.json",
        metadata.describe_members,
    ),
    Route(
        "describe.members_before",
        _GET,
        "/rest/v1/program/members/describe.json",
        metadata.describe_members_before,
    ),
    Route("describe.leads", _GET, "/rest/v1/leads/describe2.json", metadata.describe_leads),
    Route(
        "describe.leads_before",
        _GET,
        "/rest/v1/leads/describe.json",
        metadata.describe_leads_before,
    ),
    Route("programs.browse", _GET, "/rest/asset/v1/programs.json", assets.browse_programs),
    Route("programs.get", _GET, "/rest/asset/v1/program/<int:program_id>.json", assets.get_program),
    Route("channels.browse", _GET, "/rest/asset/v1/channels.json", assets.browse_channels),
    Route("export.create", _POST, f"{_EXPORT}/create.json", export_api.create),
    Route("export.list", _GET, f"{_EXPORT}.json", export_api.list_jobs),
    Route("export.enqueue", _POST, f"{_JOB}/enqueue.json", export_api.enqueue),
    Route("export.status", _GET, f"{_JOB}/status.json", export_api.get_status),
    Route("export.file", _GET, f"{_JOB}/file.json", export_api.get_file),
    Route("export.cancel", _POST, f"{_JOB}/cancel.json", export_api.cancel),
    Route("import.create", _POST, "/bulk/v1/leads.json", import_api.create),
    Route("import.status", _GET, f"{_BATCH}.json", import_api.get_status),
    Route("import.failures", _GET, f"{_BATCH}/failures.json", import_api.get_failures),
    Route("import.warnings", _GET, f"{_BATCH}/warnings.json", import_api.get_warnings),
    Route("stats.usage", _GET, "/rest/v1/stats/usage.json", stats.usage_today),
    Route("stats.usage_week", _GET, "/rest/v1/stats/usage/last7days.json", stats.usage_week),
    Route("stats.errors", _GET, "/rest/v1/stats/errors.json", stats.errors_today),
    Route("stats.errors_week", _GET, "/rest/v1/stats/errors/last7days.json", stats.errors_week),
)

OPERATIONS = tuple(route.operation for route in ROUTES)

_BY_OPERATION = {route.operation: route for route in ROUTES}
_MAP = Map(
    [
        Rule(
            route.path.replace("{kind}", kind),
            methods=route.methods,
            endpoint=route.operation,
            defaults={"kind": kind},
        )
        for route in ROUTES
        for kind in (_KINDS if "{kind}" in route.path else _KINDS[:1])
    ],
    merge_slashes=False,
    redirect_defaults=False,
)


def match(method: str, path: str) -> tuple[Route, dict[str, Any]]:
    """Return the operation a request asks for and the parts of its path.

    Raises: MarketoError 610 for an unknown path, 605 for a known one by another method.
    """
    try:
        operation, arguments = _found(method, path)
    except MethodNotAllowed:
        raise MarketoError("605", f"Request method '{method}' not supported") from None
    except (NotFound, RequestRedirect):
        raise MarketoError("610") from None
    return _BY_OPERATION[operation], dict(arguments)


# The same few jobs are polled again and again.
@lru_cache(maxsize=256)
def _found(method: str, path: str) -> tuple[str, Mapping[str, Any]]:
    return _MAP.bind("").match(path, method)

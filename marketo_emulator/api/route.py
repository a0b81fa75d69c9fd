"""The route: one way to an operation, and what the API user needs for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from werkzeug.wrappers import Response

from marketo_emulator.wire.call import Call

if TYPE_CHECKING:
    from marketo_emulator.world import World

Handler = Callable[["World", Call], Response]

GET = ("GET",)
POST = ("POST",)
REST = "/rest/v1"
ASSET = "/rest/asset/v1"

# C§21: names of the permissions, read-only unless they say otherwise.
LEAD, LEAD_WRITE = "lead", "lead write"
ACTIVITY, ACTIVITY_METADATA = "activity", "activity metadata"
OBJECT, OBJECT_WRITE = "custom object", "custom object write"
ASSETS = "assets"
PERMISSIONS = (LEAD, LEAD_WRITE, ACTIVITY, ACTIVITY_METADATA, OBJECT, OBJECT_WRITE, ASSETS)


@dataclass(frozen=True, slots=True)
class Route:
    """One way to an operation; several may lead to the same one."""

    operation: str
    methods: tuple[str, ...]
    path: str
    handler: Handler
    permission: str = ""
    """What the API user needs; "" for nothing."""
    kind: str = ""
    """Which kind of object a bulk call is about."""


def is_missing(permission: str, client_id: str, missing: tuple[str, ...]) -> bool:
    """Whether a client lacks a permission: `missing` has its name, or `client id:name`."""
    return bool(permission) and (permission in missing or f"{client_id}:{permission}" in missing)

"""The description: what fields leads and program members have (C§3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marketo_emulator.data import fields
from marketo_emulator.wire.envelope import mapi_success

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from marketo_emulator.wire.call import Call
    from marketo_emulator.world import World

_MEMBER_SEARCH = ("leadId", "eventRole", "reachedSuccess", "statusName")
_LEAD_SEARCH = ("id", "email", "externalCompanyId", "customerNumber")


def describe_members(world: World, call: Call) -> Response:
    """Answer with the current description of program members."""
    description = {
        "name": "API Program Membership",
        "description": "API program membership map",
        "createdAt": "2021-03-20T01:30:05Z",
        "updatedAt": "2021-03-20T01:30:05Z",
        "dedupeFields": ["leadId", "programId"],
        "searchableFields": [[name] for name in _MEMBER_SEARCH],
        "fields": [fields.member_description(field) for field in world.store.member_fields],
    }
    return mapi_success(call.request_id, [description])


def describe_members_before(world: World, call: Call) -> Response:
    """Answer with the superseded description: name and fields alone (C§3.2)."""
    shown = [fields.member_description(field) for field in world.store.member_fields]
    return mapi_success(call.request_id, [{"name": "API Program Member", "fields": shown}])


def describe_leads(world: World, call: Call) -> Response:
    """Answer with the current description of leads."""
    description = {
        "name": "API Lead",
        "searchableFields": [[name] for name in _LEAD_SEARCH],
        "fields": [fields.lead_description(field) for field in world.store.lead_fields],
    }
    return mapi_success(call.request_id, [description])


def describe_leads_before(world: World, call: Call) -> Response:
    """Answer with the superseded description: a list of fields, one of which REST lacks."""
    known = world.store.lead_fields
    shown = [fields.old_lead_description(field, known.position[field.name]) for field in known]
    return mapi_success(call.request_id, [*shown, fields.SOAP_ONLY_FIELD])

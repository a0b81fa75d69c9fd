"""Field descriptions: which fields an instance has, and of which type."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from marketo_bulk.errors import Answer, DecodeError
from marketo_bulk.protocol import Request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from marketo_bulk.protocol import Envelope

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FieldDescription:
    """One field; `name` is its API name, `data_type` Marketo's word for its type."""

    name: str
    display_name: str
    data_type: str
    length: int | None = None
    updateable: bool = False
    crm_managed: bool = False


@dataclass(frozen=True, slots=True)
class LeadDescription:
    """The fields of leads, and the names of those that leads can be looked up by."""

    fields: list[FieldDescription]
    searchable_fields: list[str]


def program_members_request(*, superseded: bool = False) -> Request:
    """Return the call that describes program members; the superseded address for old instances."""
    noun = "program" if superseded else "programs"
    return Request(
        method="GET",
        target=f"/rest/v1/{noun}/members/describe.json",
        operation="describe program members",
    )


def leads_request(page_token: str | None) -> Request:
    """Return the call for a page of the description of leads."""
    return Request(
        method="GET",
        target="/rest/v1/leads/describe2.json",
        operation="describe leads",
        query=(("nextPageToken", page_token),) if page_token else (),
    )


def parse_fields(envelope: Envelope) -> list[FieldDescription]:
    """Return the fields of a description, in its order.

    Raises: DecodeError if there is no list of fields.
    """
    entries = envelope.one().get("fields")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise DecodeError(
            "the description holds no list of fields",
            answer=Answer(envelope.operation, request_id=envelope.request_id),
        )
    nameless = [entry for entry in entries if not _text(entry, "name")]
    if nameless:
        # Fields without an API name exist, and no call can ask for them.
        logger.warning(
            "fields_without_name operation=%r count=%d", envelope.operation, len(nameless)
        )
    return [_field(entry) for entry in entries if _text(entry, "name")]


def parse_searchable_fields(envelope: Envelope) -> list[str]:
    """Return the fields that can be searched by alone; combinations are left out."""
    combinations = envelope.one().get("searchableFields")
    if not isinstance(combinations, list):
        return []
    return [
        names[0]
        for names in combinations
        if isinstance(names, list) and len(names) == 1 and isinstance(names[0], str)
    ]


def _field(entry: Mapping[str, object]) -> FieldDescription:
    name = _text(entry, "name")
    length = entry.get("length")
    return FieldDescription(
        name=name,
        display_name=_text(entry, "displayName") or name,
        # Every value can be read as text, so a field of no announced type is a string.
        data_type=_text(entry, "dataType") or "string",
        length=length if isinstance(length, int) and not isinstance(length, bool) else None,
        updateable=entry.get("updateable") is True,
        crm_managed=entry.get("crmManaged") is True,
    )


def _text(entry: Mapping[str, object], key: str) -> str:
    value = entry.get(key)
    return value if isinstance(value, str) else ""

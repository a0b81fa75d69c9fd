"""Field descriptions: which fields an instance has, and of which type."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from marketo_bulk.errors import Answer, DecodeError, NotFoundError
from marketo_bulk.http.paging import iter_pages
from marketo_bulk.http.permissions import READ_LEAD
from marketo_bulk.http.protocol import Request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from marketo_bulk.http.caller import Caller
    from marketo_bulk.http.protocol import Envelope

logger = logging.getLogger(__name__)


NO_SUCH_ADDRESS = "610"


@dataclass(frozen=True, slots=True)
class DescribeCall:
    """A call that describes the fields of one kind of object."""

    target: str
    operation: str
    superseded: str = ""
    """The address of old instances, which do not have the other."""
    permission: str = ""
    """What the role of the API user must allow."""

    def request(self, page_token: str | None = None) -> Request:
        """Return the call for a page of the description."""
        return Request(
            method="GET",
            target=self.target,
            operation=self.operation,
            query=(("nextPageToken", page_token),) if page_token else (),
            permission=self.permission,
        )


LEADS = DescribeCall("/rest/v1/leads/describe2.json", "describe leads", permission=READ_LEAD)
PROGRAM_MEMBERS = DescribeCall(
    "/rest/v1/programs/members/describe.json",
    "describe program members",
    superseded="/rest/v1/program/members/describe.json",
    permission=READ_LEAD,
)


@dataclass(frozen=True, slots=True)
class FieldDescription:
    """One field; `name` is its API name, `data_type` Marketo's word for its type."""

    name: str
    display_name: str
    data_type: str
    updateable: bool = False


def describe(caller: Caller, call: DescribeCall) -> list[FieldDescription]:
    """Return the fields of all pages of a description, each once."""
    fields: dict[str, FieldDescription] = {}
    try:
        for envelope in iter_pages(caller, call.request):
            if fields and not envelope.result:
                break
            for described in parse_fields(envelope):
                fields.setdefault(described.name, described)
    except NotFoundError as error:
        if error.code != NO_SUCH_ADDRESS or not call.superseded:
            raise
        return describe(caller, replace(call, target=call.superseded, superseded=""))
    return list(fields.values())


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
        logger.warning("%s: %d fields have no name, left out", envelope.operation, len(nameless))
    return [_field(entry) for entry in entries if _text(entry, "name")]


def _field(entry: Mapping[str, object]) -> FieldDescription:
    name = _text(entry, "name")
    return FieldDescription(
        name=name,
        display_name=_text(entry, "displayName") or name,
        # Every value can be read as text, so a field of no announced type is a string.
        data_type=_text(entry, "dataType") or "string",
        updateable=entry.get("updateable") is True,
    )


def _text(entry: Mapping[str, object], key: str) -> str:
    value = entry.get(key)
    return value if isinstance(value, str) else ""

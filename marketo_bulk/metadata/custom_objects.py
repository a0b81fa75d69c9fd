"""Custom objects: what Marketo says of each, as values.

Keys have two spellings in Adobe's pages: `name` or `apiName`, `relatedTo` or `object`.
Source: Adobe, REST API > Lead Database > Custom Objects (read 2026-08-17).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from marketo_bulk.errors import Answer, DecodeError
from marketo_bulk.http.protocol import Request
from marketo_bulk.metadata.describe import parse_fields
from marketo_bulk.timestamps import parse_timestamp

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from marketo_bulk.http.protocol import Envelope
    from marketo_bulk.metadata.describe import FieldDescription

LEAD = "lead"


@dataclass(frozen=True, slots=True)
class CustomObject:
    """One custom object.

    Shape: `related_to` names what its links point to; None if Marketo does not say. `fields` are
        empty where it was listed and not described.
    """

    name: str
    display_name: str = ""
    created_at: datetime | None = None
    id_field: str = "marketoGUID"
    dedupe_fields: tuple[str, ...] = ()
    related_to: tuple[str, ...] | None = None
    fields: tuple[FieldDescription, ...] = ()

    @property
    def is_linked_to_leads(self) -> bool:
        """Whether a link points to leads, or nothing says where any points to."""
        return self.related_to is None or LEAD in {name.lower() for name in self.related_to}


def list_request() -> Request:
    """Return the call for all custom objects."""
    return Request(
        method="GET", target="/rest/v1/customobjects.json", operation="list custom objects"
    )


def parse_objects(envelope: Envelope) -> list[CustomObject]:
    """Return the custom objects of an answer.

    Raises: DecodeError if one has no name.
    """
    return [_parse(envelope, entry) for entry in envelope.result or ()]


def parse_object(envelope: Envelope) -> CustomObject:
    """Return the custom object of a description."""
    return _parse(envelope, envelope.one(), tuple(parse_fields(envelope)))


def _parse(
    envelope: Envelope, entry: Mapping[str, object], fields: tuple[FieldDescription, ...] = ()
) -> CustomObject:
    name = entry.get("name") or entry.get("apiName")
    if not isinstance(name, str):
        raise DecodeError(
            "a custom object has no name",
            answer=Answer(envelope.operation, request_id=envelope.request_id),
        )
    created_at, dedupe = entry.get("createdAt"), entry.get("dedupeFields")
    display_name, id_field = entry.get("displayName"), entry.get("idField")
    relations = entry.get("relationships")
    return CustomObject(
        name,
        display_name if isinstance(display_name, str) else name,
        parse_timestamp(created_at) if isinstance(created_at, str) and created_at else None,
        id_field if isinstance(id_field, str) and id_field else "marketoGUID",
        tuple(map(str, dedupe)) if isinstance(dedupe, list) else (),
        tuple(_related(relations)) if isinstance(relations, list) else None,
        fields,
    )


def _related(relations: list[object]) -> Iterator[str]:
    for relation in relations:
        if isinstance(relation, dict):
            other = relation.get("relatedTo") or relation.get("object")
            if isinstance(other, dict) and isinstance(other.get("name"), str):
                yield other["name"]

"""Import objects: what can be imported, and what the wire calls it.

Source: Adobe, Bulk Import and its OpenAPI file (read 2026-08-17).
"""

from __future__ import annotations

from dataclasses import dataclass

from marketo_bulk.http.permissions import WRITE_LEAD
from marketo_bulk.metadata.describe import LEADS as LEAD_FIELDS
from marketo_bulk.metadata.describe import DescribeCall

_BATCH = "/bulk/v1/leads/batch/{batch_id}"


@dataclass(frozen=True, slots=True)
class ImportObject:
    """A kind of object that can be imported; everything else is the same for all of them."""

    name: str | None
    """What a journal calls it; None for the one of before journals had names."""
    noun: str
    """What one of them is called in a message."""
    plural: str
    file_name: str
    """The name of an uploaded file, without its extension."""
    create: str
    """Address of the call that uploads a file."""
    status: str
    """Address of the status of a job, with a place for `batch_id`."""
    report: str
    """Address of the rows a job reports, with places for `batch_id` and `kind`."""
    describe: tuple[DescribeCall, ...]
    """Where Marketo says which columns there are; of two fields of one name the first counts."""
    lookup_only: tuple[str, ...] = ()
    """Fields that rows can be found by although the description may leave them out."""
    ascii_only: tuple[str, ...] = ()
    """Fields, in small letters, that take no other characters than ASCII."""
    space: str = ""
    """Rows of two spaces are never about the same object; people, however imported, are in one."""
    permission: str = ""
    """What the role of the API user must allow."""


LEADS = ImportObject(
    name=None,
    noun="lead",
    plural="leads",
    file_name="leads",
    create="/bulk/v1/leads.json",
    status=f"{_BATCH}.json",
    report=f"{_BATCH}/{{kind}}.json",
    describe=(LEAD_FIELDS,),
    # Adobe's OpenAPI file names them for the import (C§8.1).
    lookup_only=(
        "id",
        "cookies",
        "twitterId",
        "facebookId",
        "linkedInId",
        "sfdcAccountId",
        "sfdcContactId",
        "sfdcLeadId",
        "sfdcLeadOwnerId",
        "sfdcOpptyId",
    ),
    ascii_only=("email",),
    permission=WRITE_LEAD,
)

FILE_NAMES = (LEADS.file_name,)
"""The names of the files of all objects."""


def import_object(name: str | None) -> ImportObject | None:
    """Return the object of a name; without a name it is the one there was before there were names.

    None stands for a name that is none, as a file on disk may hold.
    """
    return LEADS if name is None else None

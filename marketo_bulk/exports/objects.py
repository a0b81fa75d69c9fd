"""Export objects: what can be exported, as the wire has it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from marketo_bulk.http import permissions
from marketo_bulk.limits import EXPORT_PROGRAM_IDS_MAX, EXPORT_WINDOW_MAX_DAYS
from marketo_bulk.metadata import describe
from marketo_bulk.metadata.describe import DescribeCall

CUSTOM_OBJECTS = "customobjects/"
_API_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,254}")


@dataclass(frozen=True, slots=True)
class DateFilter:
    """A filter by a range of time. Units: `max_days` is the longest range one job may ask for."""

    name: str
    max_days: int = EXPORT_WINDOW_MAX_DAYS


@dataclass(frozen=True, slots=True)
class ScopeFilter:
    """A filter that a job cannot do without: which of several things it is over."""

    name: str
    most_per_job: int


@dataclass(frozen=True, slots=True)
class ExportObject:
    """A kind of object that can be exported.

    Shape: `path` is its part of the address. `describe` is None where columns are fixed. `scope`
        is None where one job may be over everything. `comes_anyway` are columns brought unasked.
        `permission` is what the role of the API user must allow.
    """

    path: str
    describe: DescribeCall | None = None
    date_filters: tuple[DateFilter, ...] = ()
    scope: ScopeFilter | None = None
    comes_anyway: tuple[str, ...] = ()
    permission: str = ""


CREATED_AT = DateFilter("createdAt")
UPDATED_AT = DateFilter("updatedAt")

PROGRAM_MEMBERS = ExportObject(
    "program/members",
    describe=describe.PROGRAM_MEMBERS,
    date_filters=(UPDATED_AT,),
    scope=ScopeFilter("programIds", EXPORT_PROGRAM_IDS_MAX),
    comes_anyway=("programId",),
    permission=permissions.READ_LEAD,
)
LEADS = ExportObject(
    "leads",
    describe=describe.LEADS,
    date_filters=(CREATED_AT, UPDATED_AT),
    permission=permissions.READ_LEAD,
)
ACTIVITIES = ExportObject(
    "activities", date_filters=(CREATED_AT,), permission=permissions.READ_ACTIVITY
)


def custom_object(api_name: str) -> ExportObject:
    """Return the export object of a custom object.

    Raises: ValueError if api_name is none, so that it cannot lead the address elsewhere.
    """
    if not _API_NAME.fullmatch(api_name):
        raise ValueError(f"not the API name of a custom object: {api_name!r}")
    return ExportObject(
        f"{CUSTOM_OBJECTS}{api_name}",
        describe=DescribeCall(
            f"/rest/v1/customobjects/{api_name}/describe.json",
            f"describe {api_name}",
            permission=permissions.READ_CUSTOM_OBJECT,
        ),
        date_filters=(UPDATED_AT,),
        permission=permissions.READ_CUSTOM_OBJECT,
    )


def custom_object_of(path: str) -> ExportObject | None:
    """Return the custom object that a path is about; None if it is about none.

    Raises: ValueError if what the path has in place of an API name is none.
    """
    if not path.startswith(CUSTOM_OBJECTS):
        return None
    return custom_object(path.removeprefix(CUSTOM_OBJECTS))

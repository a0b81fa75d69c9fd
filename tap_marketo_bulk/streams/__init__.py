"""What the tap can extract: a module for each stream; `EXPORTS` lists those of bulk export."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_marketo_bulk.streams.activities import Activities
from tap_marketo_bulk.streams.activity_types import ActivityTypes
from tap_marketo_bulk.streams.channels import Channels
from tap_marketo_bulk.streams.deleted_leads import DeletedLeads
from tap_marketo_bulk.streams.leads import Leads
from tap_marketo_bulk.streams.program_members import ProgramMembers
from tap_marketo_bulk.streams.programs import Programs
from tap_marketo_bulk.streams.removed_members import RemovedProgramMembers

if TYPE_CHECKING:
    from tap_marketo_bulk.streams.description import StreamDescription

EXPORTS: tuple[type[StreamDescription], ...] = (ProgramMembers, Leads, Activities)
ASSETS: tuple[
    type[Programs | Channels | ActivityTypes | DeletedLeads | RemovedProgramMembers], ...
] = (
    Programs,
    Channels,
    ActivityTypes,
    DeletedLeads,
    RemovedProgramMembers,
)
"""Streams without an export of their own; a setting may be what makes one of them be there."""

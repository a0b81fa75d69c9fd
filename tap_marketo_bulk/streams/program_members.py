"""Program members: memberships of leads in programs, exported by program."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from marketo_bulk import PROGRAM_MEMBERS
from marketo_bulk.limits import EXPORT_DAILY_QUOTA_BYTES, EXPORT_PROGRAM_IDS_MAX
from tap_marketo_bulk.streams.description import StreamDescription
from tap_marketo_bulk.streams.member_fields import KEYS, UPDATED_AT, MemberFields, member_labels
from tap_marketo_bulk.streams.member_filters import MemberFilters, respelled
from tap_marketo_bulk.streams.program_list import check_ids, program_of
from tap_marketo_bulk.streams.program_watch import ProgramWatch
from tap_marketo_bulk.sync.names import StreamNames
from tap_marketo_bulk.sync.spec import (
    ConstantFilters,
    Gone,
    Halve,
    Refilter,
    Scopes,
    WithoutWindows,
)
from tap_marketo_bulk.sync.tally import MEGABYTE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from marketo_bulk import FieldDescription, MarketoBulk, RejectedError
    from tap_marketo_bulk.settings import TapSettings
    from tap_marketo_bulk.streams.fields import Fields
    from tap_marketo_bulk.sync.plan import Unit
    from tap_marketo_bulk.sync.spec import Repair

logger = logging.getLogger(__name__)

INVALID_DATA = "1003"
UPDATED_AT_UNSUPPORTED = "1035"
PROGRAM_REFUSED_CODES = frozenset({"610", "702", INVALID_DATA, "1004", "1013"})
"""Answers that may be about one program of a batch."""

MANY_LEAD_FIELDS = 100
"""From here on a selection is most likely Meltano's default, and nobody's wish."""

EMPTY_CELL_BYTES = len("null,")

NAMES_SHOWN = 10


class ProgramMembers(StreamDescription):
    """Memberships of leads in programs, incremental by `updatedAt`."""

    names = StreamNames(
        stream="program_members",
        bookmark=UPDATED_AT,
        record="member",
        scope="program",
        scopes_key="programIds",
        cohorts_key="program_bookmarks",
        scopes_per_job=EXPORT_PROGRAM_IDS_MAX,
    )
    object = PROGRAM_MEMBERS
    keys = KEYS
    goes_whole = True
    is_selected = True

    @override
    def fields(self) -> Fields:
        return MemberFields.from_describe(
            self.instance.member_fields,
            self.instance.lead_fields,
            lead_patterns=self.instance.settings.lead_fields,
        ).to_fields()

    @override
    def archived_fields(self, columns: Iterable[FieldDescription]) -> Fields:
        kept = super().archived_fields(columns)
        return replace(kept, labels=member_labels(kept.described))

    @override
    def scopes(self) -> Scopes:
        instance = self.instance
        check_ids(instance.listed_programs, instance.settings.program_ids)
        are_all = not (instance.settings.program_ids or instance.settings.program_wishes)
        return Scopes(tuple(map(program_of, instance.program_assets)), are_all=are_all)

    @override
    def watch(self) -> ProgramWatch | None:
        return ProgramWatch(self.instance) if self.instance.settings.reads_changed_only else None

    @override
    def filters(self, settings: TapSettings) -> ConstantFilters:
        filters = MemberFilters(
            settings.status_names, settings.is_exhausted, settings.nurture_cadence
        )
        return ConstantFilters(filters.to_filter(), tuple(filters.terms()))

    @override
    def repair(
        self, client: MarketoBulk, work: Unit, error: RejectedError, filters: Mapping[str, Any]
    ) -> Repair | None:
        if error.code == UPDATED_AT_UNSUPPORTED and work.window is not None:
            return WithoutWindows(
                "This Marketo subscription cannot filter program members by updatedAt (code "
                f"{UPDATED_AT_UNSUPPORTED}): every run extracts all members of every program it "
                "reads, and older records are dropped here."
            )
        is_about_cadence = error.code == INVALID_DATA and "cadence" in error.message.lower()
        if is_about_cadence and (others := respelled(filters)) is not None:
            return Refilter(others)
        if error.code not in PROGRAM_REFUSED_CODES:
            return None
        if len(work.scope) > 1:
            return Halve()
        (program_id,) = work.scope
        if client.get_program(program_id) is not None:
            return None
        self.instance.forget_program(program_id)
        return Gone(
            f"program {program_id} was deleted or hidden after it was listed: skipped ({error})"
        )

    @override
    def advise(self, selected: Iterable[str]) -> None:
        wanted = list(selected)
        lead_fields = self.fields().optional.intersection(wanted)
        if lead_fields and self.instance.settings.reads_changed_only:
            logger.warning(
                "Activities name no program when a lead changes: with changed_programs, lead "
                "fields selected in %s may be up to %s old: %s. Select them in the stream leads "
                "instead.",
                self.names.stream,
                f"{self.instance.settings.full_check.days} days",
                shortened(sorted(lead_fields)),
            )
        if len(lead_fields) < MANY_LEAD_FIELDS:
            return
        record_bytes = len(wanted) * EMPTY_CELL_BYTES
        logger.warning(
            "%d lead fields are selected: even an empty member takes %s bytes of the day's %d MB, "
            "so that a day holds %s members at most. Set lead_fields, or select the fields you "
            "need.",
            len(lead_fields),
            f"{record_bytes:,}",
            EXPORT_DAILY_QUOTA_BYTES // MEGABYTE,
            f"{EXPORT_DAILY_QUOTA_BYTES // record_bytes:,}",
        )


def shortened(names: Sequence[str]) -> str:
    """Return the first of some names, and how many more there are."""
    more = len(names) - NAMES_SHOWN
    return ", ".join(names[:NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")

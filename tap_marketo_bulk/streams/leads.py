"""Leads: all people of the database, by windows of time or by lists."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from marketo_bulk import LEADS, ConfigurationError, FieldDescription, RejectedError
from tap_marketo_bulk.streams.description import StreamDescription
from tap_marketo_bulk.streams.fields import Fields
from tap_marketo_bulk.streams.standard_lead_fields import is_standard
from tap_marketo_bulk.sync.names import StreamNames
from tap_marketo_bulk.sync.plan import CREATION_MARGIN, MARKETO_BEGAN
from tap_marketo_bulk.sync.spec import ConstantFilters, WithoutWindows

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from marketo_bulk import MarketoBulk
    from tap_marketo_bulk.settings import TapSettings
    from tap_marketo_bulk.sync.plan import Unit
    from tap_marketo_bulk.sync.spec import Repair

logger = logging.getLogger(__name__)

ID = FieldDescription("id", "Id", "integer")
UPDATED_AT = FieldDescription("updatedAt", "Updated At", "datetime")
PREDICTIONS = frozenset({"relativeScore", "relativeUrgency", "urgency", "cookies", "ecids"})
"""Standard fields that change by themselves, or identify browsers."""
FORMULA = "formula"
"""The type of what Marketo computes, and does not export."""

STATIC_LIST, SMART_LIST = "staticListId", "smartListId"
LIST_SETTINGS = {STATIC_LIST: "lead_static_list_ids", SMART_LIST: "lead_smart_list_ids"}

NEW_LEAD = 12
"""The activity with which every lead begins, and the only one that Marketo keeps for ever."""

FILTER_UNSUPPORTED = "1035"
LIST_REFUSED_CODES = frozenset({"610", "702", "1003", "1013", FILTER_UNSUPPORTED})


class Leads(StreamDescription):
    """Leads, incremental by `updatedAt`; an export needs a date filter or a list."""

    names = StreamNames(
        stream="leads", bookmark=UPDATED_AT.name, record="lead", whole_by="createdAt"
    )
    object = LEADS
    keys = {ID.name: "integer"}  # noqa: RUF012  # of the class, as declared

    @override
    def fields(self) -> Fields:
        described = tuple(self.instance.lead_fields)
        names = {field.name for field in described}
        always = tuple(field for field in (ID, UPDATED_AT) if field.name not in names)
        return Fields((*always, *described), self.keys, optional=frozenset(_optional(described)))

    @override
    def earliest(self, client: MarketoBulk, now: datetime) -> datetime | None:
        """Return when the oldest lead was created, less a day.

        The first New Lead tells, in two calls. Without the permission to read activities every
        window since Marketo began is read.
        """
        try:
            token = client.get_paging_token(MARKETO_BEGAN)
            pages = client.iter_activities(token, [NEW_LEAD])
            first = next((page.activities for page in pages if page.activities), ())
        except RejectedError as error:
            logger.warning(
                "The oldest lead is not known, as activities cannot be read (%s): leads are read "
                "from %d on. Give the API user's role Read-Only Activity to spare empty windows.",
                error,
                MARKETO_BEGAN.year,
            )
            return None
        if not first:
            return None
        oldest = min(activity.activity_date for activity in first)
        return max(MARKETO_BEGAN, min(oldest, now - timedelta(days=1)) - CREATION_MARGIN)

    @override
    def lists(self, settings: TapSettings) -> tuple[tuple[str, int], ...]:
        return (
            *((STATIC_LIST, list_id) for list_id in settings.lead_static_list_ids),
            *((SMART_LIST, list_id) for list_id in settings.lead_smart_list_ids),
        )

    @override
    def filters(self, settings: TapSettings) -> ConstantFilters:
        terms = tuple(f"{LIST_SETTINGS[name]}={value}" for name, value in self.lists(settings))
        return ConstantFilters({}, terms)

    @override
    def repair(
        self, client: MarketoBulk, work: Unit, error: RejectedError, filters: Mapping[str, Any]
    ) -> Repair | None:
        if work.only is not None:
            if error.code in LIST_REFUSED_CODES:
                raise ConfigurationError(_about_list(*work.only, error)) from error
            return None
        if error.code != FILTER_UNSUPPORTED or work.window is None:
            return None
        return WithoutWindows(
            "This Marketo subscription cannot filter leads by updatedAt (code "
            f"{FILTER_UNSUPPORTED}): every run extracts all leads by createdAt, and those whose "
            "updatedAt is older than the bookmark are dropped here. Marketo shows there when a "
            "standard field changed: what changes in custom fields alone comes with a run without "
            "state. STATE remembers this for 30 days."
        )


def _optional(described: Iterable[FieldDescription]) -> Iterable[str]:
    """Yield the fields that are not selected by default."""
    for field in described:
        is_usual = is_standard(field.name) and field.name not in PREDICTIONS
        if not is_usual or field.data_type.lower() == FORMULA:
            yield field.name


def _about_list(name: str, list_id: int, error: RejectedError) -> str:
    setting = LIST_SETTINGS[name]
    if error.code == FILTER_UNSUPPORTED:
        return (
            f"{setting}: this Marketo subscription cannot export by {name} (code {error.code}). "
            f"Use {LIST_SETTINGS[STATIC_LIST]}"
        )
    advice = "" if name == STATIC_LIST else " A smart list needs at least one filter."
    return f"{setting}: Marketo refuses the list {list_id} ({error.said}).{advice} Correct it"

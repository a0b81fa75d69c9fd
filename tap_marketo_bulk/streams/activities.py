"""Activities: what leads did and what was done to them, all wanted types in one job a window."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from marketo_bulk import ACTIVITIES, FieldDescription
from tap_marketo_bulk.streams.activity_choice import SETTING, check_archived, chosen_types
from tap_marketo_bulk.streams.description import StreamDescription
from tap_marketo_bulk.streams.fields import Fields, Made
from tap_marketo_bulk.sync.names import StreamNames
from tap_marketo_bulk.sync.spec import ConstantFilters
from tap_marketo_bulk.sync.windows import format_timestamp

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from marketo_bulk import ActivityType, MarketoBulk
    from tap_marketo_bulk.settings import TapSettings

logger = logging.getLogger(__name__)

TYPE_ID, TYPE_NAME = "activityTypeId", "activityTypeName"
COLUMNS = (
    FieldDescription("marketoGUID", "Marketo GUID", "string"),
    FieldDescription("leadId", "Lead ID", "integer"),
    FieldDescription("activityDate", "Activity Date", "datetime"),
    FieldDescription(TYPE_ID, "Activity Type ID", "integer"),
    FieldDescription(TYPE_NAME, "Activity Type Name", "string"),
    FieldDescription("campaignId", "Campaign ID", "integer"),
    FieldDescription("primaryAttributeValueId", "Primary Attribute Value ID", "integer"),
    FieldDescription("primaryAttributeValue", "Primary Attribute Value", "string"),
    FieldDescription("actionResult", "Action Result", "string"),
    FieldDescription("attributes", "Attributes", "json"),
)
"""The columns of every export of activities, but for the name of the type, which is none."""

KEPT = timedelta(days=760)
"""How long Marketo keeps all types but the most frequent ones, which go sooner, and New Lead."""


class Activities(StreamDescription):
    """Activities of the wanted types, incremental by `activityDate`."""

    names = StreamNames(
        stream="activities",
        bookmark="activityDate",
        record="activity",
        plural="activities",
        date_filter="createdAt",
    )
    object = ACTIVITIES
    keys = {"marketoGUID": "string"}  # noqa: RUF012  # of the class, as declared

    @override
    def fields(self) -> Fields:
        return Fields(COLUMNS, self.keys, made={TYPE_NAME: Made(TYPE_ID, self._type_names)})

    @override
    def archived_fields(self, columns: Iterable[FieldDescription]) -> Fields:
        kept = {each.name: each for each in columns}
        if not self.instance.activity_types:
            # Manifests of before there were types in them: the ids are all there is.
            return Fields((*kept.values(),), self.keys)
        described = (each for each in COLUMNS if each.name in kept or each.name == TYPE_NAME)
        return replace(self.fields(), described=(*described,))

    @override
    def check_archive(self) -> None:
        check_archived(self.instance.activity_types, self.instance.settings.activity_types)

    @property
    @override
    def activity_types(self) -> Sequence[ActivityType]:
        return self.types

    @cached_property
    def types(self) -> tuple[ActivityType, ...]:
        """Return the wanted types."""
        return chosen_types(self.instance.activity_types, self.instance.settings.activity_types)

    @override
    def filters(self, settings: TapSettings) -> ConstantFilters:
        ids = [each.type_id for each in self.types]
        return ConstantFilters(
            {"activityTypeIds": ids}, tuple(f"{SETTING}={type_id}" for type_id in ids)
        )

    @override
    def overlap(self, settings: TapSettings) -> timedelta:
        return settings.activity_overlap

    @override
    def earliest(self, client: MarketoBulk, now: datetime) -> datetime | None:
        start = now - KEPT
        logger.warning(
            "start_date is not set: activities are read from %s on, as far back as Marketo keeps "
            "most of them. Set start_date to choose.",
            format_timestamp(start),
        )
        return start

    def _type_names(self) -> Mapping[Any, str]:
        return {each.type_id: each.name for each in self.instance.activity_types}

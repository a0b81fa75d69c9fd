"""Instance: what streams want to know of the Marketo instance, each asked for once in a run."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from marketo_bulk import LEADS, PROGRAM_MEMBERS, REAL_TIME
from marketo_bulk.scheduling.places import Places
from tap_marketo_bulk.streams.program_choice import chosen
from tap_marketo_bulk.streams.program_tags import ProgramTags
from tap_marketo_bulk.streams.remembered import described, listed_programs, listed_type_ids

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from marketo_bulk import ActivityType, Clock, FieldDescription, MarketoBulk
    from marketo_bulk.metadata.custom_objects import CustomObject
    from tap_marketo_bulk.settings import TapSettings
    from tap_marketo_bulk.streams.instance_memory import InstanceMemory


@dataclass
class Instance:
    """The answers of one Marketo instance to one run of the tap."""

    connect: Callable[[], MarketoBulk]
    """Returns the client; called once Marketo is asked something."""
    settings: TapSettings
    clock: Callable[[], Clock] = lambda: REAL_TIME
    """Returns how jobs know the time."""
    memory: InstanceMemory | None = None
    """What the last runs were told, where it may be gone on with."""
    archived_types: Sequence[ActivityType] | None = None
    """The types of activities that an archive tells, where Marketo is not asked."""
    places: Places = field(default_factory=Places)
    """What the run has in the export queue, besides the jobs of the scheduler at work."""

    @property
    def client(self) -> MarketoBulk:
        """Return the client that asks."""
        return self.connect()

    @cached_property
    def member_fields(self) -> Sequence[FieldDescription]:
        """Return the fields of program members."""
        return described(self.client, self.memory, PROGRAM_MEMBERS)

    @cached_property
    def lead_fields(self) -> Sequence[FieldDescription]:
        """Return the fields of leads."""
        return described(self.client, self.memory, LEADS)

    @cached_property
    def custom_objects(self) -> Sequence[CustomObject]:
        """Return the custom objects, without their fields."""
        return self.client.list_custom_objects()

    @cached_property
    def activity_types(self) -> Sequence[ActivityType]:
        """Return the types of activities."""
        if self.archived_types is not None:
            return self.archived_types
        return self.client.list_activity_types()

    @cached_property
    def program_assets(self) -> Sequence[dict[str, Any]]:
        """Return the wanted programs as Marketo describes them.

        Raises: ConfigurationError if the settings let none of those through that are there.
        """
        return chosen(self.listed_programs, self.settings.program_wishes, ProgramTags(self.client))

    @cached_property
    def listed_programs(self) -> Sequence[dict[str, Any]]:
        """Return the programs that the API user can see, or those of `program_ids`."""
        return listed_programs(self.client, self.memory, self.settings.program_ids)

    @cached_property
    def activity_type_ids(self) -> frozenset[int]:
        """Return the ids of the types of activities there are."""
        return listed_type_ids(self.client, self.memory)

    def forget_program(self, program_id: int) -> None:
        """Do not list a program again that is no more."""
        if self.memory is not None:
            self.memory.forget_program(program_id)

"""Stream description: what a stream of bulk export adds to its specification for the catalog."""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING

from tap_marketo_bulk.streams.fields import Fields
from tap_marketo_bulk.sync.spec import ExportSpec

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from marketo_bulk import ActivityType, FieldDescription
    from tap_marketo_bulk.streams.instance import Instance


class StreamDescription(ExportSpec):
    """What a stream of bulk export says of itself; everything else is the engine's."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance

    @abc.abstractmethod
    def fields(self) -> Fields:
        """Return the fields an export can bring, and which of them are selected by default."""

    def archived_fields(self, columns: Iterable[FieldDescription]) -> Fields:
        """Return the fields of files in an archive, whose manifests tell these columns."""
        return Fields(tuple(columns), self.keys)

    def check_archive(self) -> None:  # for overriding
        """Return if an archive can be read as the settings say.

        Raises: ConfigurationError if it would bring what they leave out.
        """

    @property
    def activity_types(self) -> Sequence[ActivityType]:
        """Return the types of activities that a job asks for, if it is about any."""
        return ()

    def advise(self, selected: Iterable[str]) -> None:  # for overriding
        """Say what the selected fields cost, where that is worth a line."""

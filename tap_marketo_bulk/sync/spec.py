"""Export specification: what a stream says of itself; everything else is the engine's."""

from __future__ import annotations

import abc
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from tap_marketo_bulk.sync.names import EVERYTHING
from tap_marketo_bulk.sync.plan import Scope

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from typing import TypeAlias

    from marketo_bulk import ExportObject, MarketoBulk, RejectedError
    from tap_marketo_bulk.settings import TapSettings
    from tap_marketo_bulk.sync.names import StreamNames
    from tap_marketo_bulk.sync.plan import Unit
    from tap_marketo_bulk.sync.watch import Watch

# Named here because ExportSpec has an attribute called `object`.
JsonValue: TypeAlias = Any


@dataclass(frozen=True, slots=True)
class Scopes:
    """What a run is over. `are_all` says whether these are all there are."""

    wanted: tuple[Scope, ...] = (Scope(EVERYTHING),)
    are_all: bool = True


@dataclass(frozen=True, slots=True)
class ConstantFilters:
    """The part of a job's filter that is the same for all jobs of a run.

    Shape: `terms` are `name=value` for each value that a setting lets through, to be compared by
        the next run.
    """

    values: Mapping[str, JsonValue] = field(default_factory=dict)
    terms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refilter:
    """Ask again with other constant filters."""

    values: Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class WithoutWindows:
    """The date filter is not to be had: extract everything, and drop older records here."""

    warning: str


@dataclass(frozen=True, slots=True)
class Halve:
    """Something in the scope is at fault: ask again for each half."""


@dataclass(frozen=True, slots=True)
class Gone:
    """The scope is no more: go on without it."""

    warning: str


Repair = Refilter | WithoutWindows | Halve | Gone
"""What may be done about a refusal, beyond leaving out fields that export refuses."""


class ExportSpec(abc.ABC):
    """The description of one stream of bulk export.

    Shape: `keys` are the key properties with their JSON types. With `goes_whole`, a job may go
        without a date filter. `is_selected` says whether a catalog selects the stream by default.
    """

    names: ClassVar[StreamNames]
    object: ClassVar[ExportObject]
    keys: ClassVar[Mapping[str, str]]
    goes_whole: ClassVar[bool] = False
    is_selected: ClassVar[bool] = False

    def scopes(self) -> Scopes:
        """Return what a run is over; by default everything, as one.

        Raises: ConfigurationError if what the settings ask for is not there.
        """
        return Scopes()

    def earliest(self, client: MarketoBulk, now: datetime) -> datetime | None:  # noqa: ARG002
        """Return from when on there can be records; by default nothing says so.

        Asked for only where windows begin there, as it may cost calls.
        """
        return None

    def lists(self, settings: TapSettings) -> tuple[tuple[str, int], ...]:  # noqa: ARG002
        """Return filters, name and value, each of which makes a job of its own without a window.

        By default there are none.
        """
        return ()

    def overlap(self, settings: TapSettings) -> timedelta:  # noqa: ARG002  # for overriding
        """Return how much before the bookmark is read again; by default nothing."""
        return timedelta()

    def filters(self, settings: TapSettings) -> ConstantFilters:  # noqa: ARG002  # for overriding
        """Return what the settings let through; by default all."""
        return ConstantFilters()

    def watch(self) -> Watch | None:
        """Return what tells which scopes have changed; None where every run reads all of them."""
        return None

    def repair(  # for overriding
        self,
        client: MarketoBulk,  # noqa: ARG002
        work: Unit,  # noqa: ARG002
        error: RejectedError,  # noqa: ARG002
        filters: Mapping[str, JsonValue],  # noqa: ARG002
    ) -> Repair | None:
        """Return what to do about a refusal; by default nothing is to be done.

        `filters` are the constant ones the job was asked for with.
        """
        return None

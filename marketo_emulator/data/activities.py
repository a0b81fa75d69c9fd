"""The activity: one thing that happened to a lead, and the events activities are made from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MOST_PER_EVENT = 1000
"""How many activities one event makes at most; each has a place of its own below this."""


@dataclass(frozen=True, slots=True)
class Happening:
    """What one activity says, apart from its id and from when it can be read."""

    at: int
    lead_id: int | None
    type_id: int
    primary_id: int | None = None
    primary_value: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    campaign_id: int | None = None
    result: str = "succeeded"


@dataclass(frozen=True, slots=True)
class Activity:
    """An activity as calls and files show it."""

    number: int
    """What its marketoGUID is made from."""
    happening: Happening
    committed_at: int
    """From when it can be read: later than it happened for rows that come late (C§23.7)."""


class Event(Protocol):
    """Something that changed; it is kept as it was and told as activities when they are asked for.

    So a large import costs one entry a row, and not one for each field.
    """

    @property
    def at(self) -> int:
        """When it happened: seconds since 1970."""

    @property
    def committed_at(self) -> int:
        """When it was noted."""

    def told(self) -> Iterator[tuple[int, Happening]]:
        """Return what happened, each with its place among what one event can make."""


@dataclass(frozen=True, slots=True)
class Single:
    """An event that is one activity."""

    happening: Happening
    committed_at: int

    @property
    def at(self) -> int:
        """When it happened."""
        return self.happening.at

    def told(self) -> Iterator[tuple[int, Happening]]:
        """Return the one activity."""
        yield 0, self.happening

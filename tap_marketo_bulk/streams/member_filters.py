"""Member filters: the part of a job's filter that settings give."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


CADENCE_SPELLINGS: Mapping[str, tuple[str, ...]] = {
    "normal": ("norm", "normal"),
    "paused": ("pause", "paus", "paused"),
}
"""Marketo's documents spell the nurtureCadence filter in three ways; the first is the guide's."""


CADENCE = "nurtureCadence"


@dataclass(frozen=True, slots=True)
class MemberFilters:
    """The filters of every job, as the settings give them."""

    status_names: tuple[str, ...] = ()
    is_exhausted: bool | None = None
    nurture_cadence: str | None = None

    def terms(self) -> Iterator[str]:
        """Yield `name=value` for each value that a setting lets through."""
        for status in self.status_names:
            yield f"status_names={status}"
        if self.is_exhausted is not None:
            yield f"is_exhausted={str(self.is_exhausted).lower()}"
        if self.nurture_cadence is not None:
            yield f"nurture_cadence={self.nurture_cadence}"

    def to_filter(self) -> dict[str, Any]:
        """Return the part of a job's filter that is the same for all units."""
        parts: dict[str, Any] = {}
        if self.status_names:
            parts["statusNames"] = list(self.status_names)
        if self.is_exhausted is not None:
            parts["isExhausted"] = self.is_exhausted
        if self.nurture_cadence is not None:
            parts[CADENCE] = CADENCE_SPELLINGS[self.nurture_cadence][0]
        return parts


def respelled(filters: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return filters with the next spelling of the cadence; None if there is no other."""
    for spellings in CADENCE_SPELLINGS.values():
        if filters.get(CADENCE) in spellings[:-1]:
            following = spellings[spellings.index(filters[CADENCE]) + 1]
            return {**filters, CADENCE: following}
    return None

"""Known programs: the list of programs as the last run knew it, and how it is kept.

`instance.json` has it under `programs`; versions before this one neither had nor need a walk.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from marketo_bulk import parse_timestamp
from marketo_bulk.metadata.programs import BEGINNING, Place, pages_of
from marketo_bulk.timestamps import format_timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Walk:
    """How far the whole list has been read: `pages` of it, with the programs `seen`."""

    begun: datetime
    place: Place = BEGINNING
    pages: int = 0
    seen: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class KnownPrograms:
    """The programs there are.

    Shape: `at` is when updates were last asked for, and `listed` when the last reading of the whole
        list began: what was deleted before is not here. `pages` are how many that took.
    """

    listed: datetime
    at: datetime
    programs: Mapping[int, dict[str, Any]]
    pages: int
    walk: Walk | None = None

    def to_plain(self) -> dict[str, Any]:
        """Return it as JSON can have it."""
        plain: dict[str, Any] = {
            "listed": format_timestamp(self.listed),
            "at": format_timestamp(self.at),
            "programs": list(self.programs.values()),
            "pages": self.pages,
        }
        if self.walk is not None:
            plain["walk"] = {
                "begun": format_timestamp(self.walk.begun),
                "numbers": [self.walk.pages, self.walk.place.offset, self.walk.place.overlap],
                "seen": sorted(self.walk.seen),
            }
        return plain

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> KnownPrograms:
        """Return what `to_plain` made, or a version before it.

        Raises: ValueError, TypeError, LookupError or DecodeError if nothing of the kind did.
        """
        programs = {_whole_number(each["id"]): each for each in plain["programs"]}
        walk = plain.get("walk")
        return cls(
            parse_timestamp(plain["listed"]),
            parse_timestamp(plain["at"]),
            programs,
            _whole_number(plain.get("pages", pages_of(len(programs)))),
            None if walk is None else _walk_of(walk),
        )


def _walk_of(plain: Mapping[str, Any]) -> Walk:
    pages, offset, overlap = map(_whole_number, plain["numbers"])
    seen = frozenset(map(_whole_number, plain["seen"]))
    return Walk(parse_timestamp(plain["begun"]), Place(offset, overlap), pages, seen)


def _whole_number(value: object) -> int:
    if type(value) is not int or value < 0:
        raise ValueError("it must be a whole number")
    return value

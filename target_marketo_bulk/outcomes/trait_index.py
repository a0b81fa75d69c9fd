"""Trait index: which rows of a report have a trait, in a few bytes a row."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

_HASH_MASK = (1 << 64) - 1
_PART_BITS = 6
_PART_SHIFT = 64 - _PART_BITS


class TraitIndex:
    """Numbers of rows by a trait of theirs, 13 bytes each: every row of a large file may fail.

    Equal traits hash alike; that two different ones of one file do is less likely than 1 in 10
    million, even if the file is full of the shortest rows.
    """

    def __init__(self, traits: Iterable[Hashable]) -> None:
        hashes = array("Q", map(_hash, traits))
        self._numbers = _in_order(hashes)
        self._hashes = array("Q", map(hashes.__getitem__, self._numbers))
        self._next: dict[int, int] = {}
        """Where to go on looking, for traits that several rows have."""
        self._seen = bytearray(len(hashes))

    def take(self, trait: Hashable, taken: bytearray) -> int | None:
        """Return the first row with this trait that is not taken, now taken; None if none is."""
        place = self._place(trait)
        if place is None:
            return None
        wanted = self._hashes[place]
        place = self._next.get(wanted, place)
        while place < len(self._hashes) and self._hashes[place] == wanted:
            number = self._numbers[place]
            if not taken[number]:
                taken[number] = True
                return number
            place += 1
            self._next[wanted] = place
        return None

    def see(self, trait: Hashable) -> None:
        """Take note of a trait as that of a row sent."""
        self._place(trait)

    def has_seen(self, trait: Hashable) -> bool:
        """Whether a row sent had this trait."""
        place = bisect_left(self._hashes, _hash(trait))
        return place < len(self._seen) and bool(self._seen[place])

    def _place(self, trait: Hashable) -> int | None:
        wanted = _hash(trait)
        place = bisect_left(self._hashes, wanted)
        if place == len(self._hashes) or self._hashes[place] != wanted:
            return None
        self._seen[place] = True
        return place


def _in_order(hashes: array[int]) -> array[int]:
    """Return the places of hashes, the least hash first.

    Shape: sorted in parts, since Python's numbers take ten times what they do in an array.
    """
    parts = [array("I") for _ in range(1 << _PART_BITS)]
    for number, each in enumerate(hashes):
        parts[each >> _PART_SHIFT].append(number)
    ordered = array("I")
    for part in parts:
        ordered.extend(sorted(part, key=hashes.__getitem__))
    return ordered


def _hash(trait: Hashable) -> int:
    return hash(trait) & _HASH_MASK

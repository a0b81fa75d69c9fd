"""Cohorts: scopes that share a bookmark, as the state writes them."""

from __future__ import annotations

import heapq
import re
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from marketo_bulk import DecodeError
from marketo_bulk.timestamps import floor_second, parse_timestamp

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from tap_marketo_bulk.sync.names import StreamNames

MAX_DIGITS = 18
"""Longer numbers are no id of Marketo's, and dear to read."""
MAX_ID = 10**MAX_DIGITS - 1
SHOWN_CHARACTERS = 60
_PLAIN_IDS = re.compile(rf"[0-9]{{1,{MAX_DIGITS}}}(?:,[0-9]{{1,{MAX_DIGITS}}})*")


class Segment(NamedTuple):
    """Neighbouring scopes, `first` to `last`, that share a bookmark."""

    first: int
    last: int
    bookmark: datetime


def parse_ids(text: str, noun: str) -> tuple[tuple[int, int], ...]:
    """Return the ranges of `1001-1010,1044`, ids of a `noun`, as (first, last) pairs.

    Shape: ranges stay ranges, so that a range written by hand costs no memory.
    Raises: ValueError naming the part that is not a range.
    """
    if not text:
        return ()
    parts = text.split(",")
    if _PLAIN_IDS.fullmatch(text):
        # By far the most frequent: a part is a number, looked at all at once.
        ids = map(int, parts)
        return tuple((i, i) for i in ids)
    return tuple(_run(part, noun) for part in parts)


def read_cohorts(entries: object, names: StreamNames) -> list[Segment]:
    """Return the segments of a state's cohorts, ascending and disjoint.

    Shape: a scope that several entries name has the oldest of their bookmarks, which costs
        duplicates and never a gap.
    Raises: ValueError naming the entry that lacks a key or does not parse.
    """
    if not isinstance(entries, list):
        raise ValueError(f"{names.cohorts_key} is no list but {kind_of(entries)}")  # noqa: TRY004
    segments: list[Segment] = []
    for number, entry in enumerate(entries, 1):
        try:
            bookmark = moment_in(entry, names.bookmark)
            runs = parse_ids(text_in(entry, names.scopes_key), names.scope)
        except ValueError as error:
            raise ValueError(f"entry {number} of {names.cohorts_key}: {error}") from error
        segments += map(Segment._make, ((first, last, bookmark) for first, last in runs))
    return disjoint(segments)


def disjoint(segments: Sequence[Segment]) -> list[Segment]:
    """Return segments ascending, the older bookmark winning where some overlap."""
    ascending = sorted(segments)
    if all(last < following.first for (_, last, _), following in pairwise(ascending)):
        return ascending
    return list(_oldest_wins(ascending))


def text_in(entry: object, key: str) -> str:
    """Return the text under a key of an entry; raises ValueError if there is none."""
    value = value_in(entry, key)
    if not isinstance(value, str):
        raise ValueError(f"{key} is no text but {kind_of(value)}")  # noqa: TRY004
    return value


def moment_in(entry: object, key: str) -> datetime:
    """Return the whole second under a key of an entry; raises ValueError if there is none."""
    try:
        return floor_second(parse_timestamp(text_in(entry, key)))
    except DecodeError as error:
        raise ValueError(f"{key}: {error}") from error


def value_in(entry: object, key: str) -> object:
    """Return what an entry has under a key; raises ValueError if it has none."""
    if not isinstance(entry, dict):
        raise ValueError(f"no object but {kind_of(entry)}")  # noqa: TRY004
    if key not in entry:
        raise ValueError(f"it lacks {key}")
    return entry[key]


def kind_of(value: object) -> str:
    """Return what JSON calls the type of a value."""
    kinds: Mapping[type, str] = {
        type(None): "null", bool: "a boolean", int: "a number", float: "a number",
        str: "text", list: "a list", dict: "an object",
    }  # fmt: skip
    return kinds.get(type(value), type(value).__name__)


def _run(part: str, noun: str) -> tuple[int, int]:
    first, dash, last = part.strip().partition("-")
    if not (_is_id(first) and (_is_id(last) if dash else not last)):
        shown = part[:SHOWN_CHARACTERS]
        raise ValueError(f"{shown!r} is not a {noun} id or a range such as 1001-1010")
    run = int(first), int(last or first)
    if run[0] > run[1]:
        raise ValueError(f"{part.strip()!r} is a range that runs backwards")
    return run


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS


def _oldest_wins(ascending: Sequence[Segment]) -> Iterator[Segment]:
    """Sweep over the borders of segments; the oldest of those that are open is on top."""
    borders = sorted({s.first for s in ascending} | {s.last + 1 for s in ascending})
    begun = 0
    is_open: list[tuple[datetime, int]] = []
    for first, beyond in pairwise(borders):
        while begun < len(ascending) and ascending[begun].first <= first:
            heapq.heappush(is_open, (ascending[begun].bookmark, ascending[begun].last))
            begun += 1
        while is_open and is_open[0][1] < first:
            heapq.heappop(is_open)
        if is_open:
            yield Segment(first, beyond - 1, is_open[0][0])

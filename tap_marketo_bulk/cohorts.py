"""Cohorts: programs that share a bookmark, as the state writes them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from marketo_bulk.timestamps import parse_timestamp

from tap_marketo_bulk.windows import format_timestamp

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

_RUN = re.compile(r"(\d+)(?:-(\d+))?")


@dataclass(frozen=True, slots=True)
class Cohort:
    """Programs, as inclusive id ranges, whose records up to `bookmark` have been written."""

    bookmark: datetime
    runs: tuple[tuple[int, int], ...]

    def __contains__(self, program_id: object) -> bool:
        return isinstance(program_id, int) and any(a <= program_id <= b for a, b in self.runs)


def format_ids(program_ids: Iterable[int]) -> str:
    """Return ids as ascending ranges: `1001-1010,1044`. Only neighbouring ids form a range."""
    return ",".join(
        str(first) if first == last else f"{first}-{last}" for first, last in _runs(program_ids)
    )


def parse_ids(text: str) -> tuple[tuple[int, int], ...]:
    """Return the ranges of `1001-1010,1044` as (first, last) pairs.

    Shape: ranges stay ranges, so that a range written by hand costs no memory.
    Raises: ValueError naming the part that is not a range.
    """
    runs = []
    for part in text.split(",") if text else ():
        match = _RUN.fullmatch(part.strip())
        if match is None:
            raise ValueError(f"{part!r} is not a program id or a range such as 1001-1010")
        runs.append((int(match[1]), int(match[2] or match[1])))
    return tuple(runs)


def read_cohorts(entries: Iterable[Mapping[str, str]]) -> tuple[Cohort, ...]:
    """Return the cohorts of a state's `program_bookmarks`.

    Raises: ValueError if an entry lacks a key or does not parse.
    """
    try:
        return tuple(
            Cohort(parse_timestamp(entry["updatedAt"]), parse_ids(entry["programIds"]))
            for entry in entries
        )
    except KeyError as missing:
        raise ValueError(f"an entry of program_bookmarks lacks {missing}") from missing


def write_cohorts(bookmarks: Mapping[int, datetime]) -> list[dict[str, str]]:
    """Return `program_bookmarks`: one entry per distinct bookmark, oldest first."""
    members: dict[datetime, list[int]] = {}
    for program_id, bookmark in bookmarks.items():
        members.setdefault(bookmark, []).append(program_id)
    return [
        {"updatedAt": format_timestamp(bookmark), "programIds": format_ids(members[bookmark])}
        for bookmark in sorted(members)
    ]


def _runs(program_ids: Iterable[int]) -> Iterator[tuple[int, int]]:
    first = last = None
    for program_id in sorted(set(program_ids)):
        if last is not None and program_id == last + 1:
            last = program_id
            continue
        if first is not None and last is not None:
            yield first, last
        first = last = program_id
    if first is not None and last is not None:
        yield first, last

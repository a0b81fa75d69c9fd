"""Program walk: the whole list of programs, of which each run reads a few pages.

Nothing but the whole list shows a program that became visible, and nothing but its absence one that
was deleted. Pages are cut by offset, so a program may be on none of those read over hours, and be
there: of such a one Marketo is asked by its id.
"""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tap_marketo_bulk.streams.instance_memory import KEPT_FOR
from tap_marketo_bulk.streams.known_programs import KnownPrograms, Walk

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from marketo_bulk import MarketoBulk

TAKES = timedelta(hours=10)
"""How long a walk takes, and how long it is from the beginning of one to that of the next.

A program that is deleted behind one walk is missed by the next. Both are over within `KEPT_FOR`,
with four hours left for runs that come late.
"""

OVERLAP = timedelta(minutes=10)
"""How far before the last list an update may be dated and still be missing from it."""


def listed_whole(client: MarketoBulk, now: datetime) -> KnownPrograms:
    """Return the programs there are now."""
    return _walked(client, KnownPrograms(now, now, {}, 0), Walk(now), math.inf)


def gone_on_with(client: MarketoBulk, known: KnownPrograms, now: datetime) -> KnownPrograms:
    """Return the programs with what was updated, and what is owed of the whole list."""
    updated = client.iter_updated_programs(known.at - OVERLAP, now)
    programs = {**known.programs, **_by_id(updated)}
    walk = known.walk
    if walk is None and now - known.listed >= TAKES:
        walk = Walk(now)
    latest = replace(known, at=now, programs=programs)
    if walk is None:
        return latest
    return _walked(client, latest, walk, owed(known, walk, now))


def owed(known: KnownPrograms, walk: Walk, now: datetime) -> float:
    """Return how many pages are to be read by now; infinity for all there are.

    Shape: as many as keep pace until the next run, if that is as far off as the last one.
    """
    due = min(walk.begun + TAKES, known.listed + KEPT_FOR)
    following = now + (now - known.at)
    if following >= due:
        return math.inf
    return math.ceil(known.pages * ((following - walk.begun) / (due - walk.begun)))


def _walked(client: MarketoBulk, known: KnownPrograms, walk: Walk, pages: float) -> KnownPrograms:
    """Return what is known after a walk has read so many pages in all."""
    if walk.pages >= pages:
        return replace(known, walk=walk)
    programs, seen, done = dict(known.programs), set(walk.seen), walk.pages
    for page in client.iter_program_pages(walk.place, walk.seen):
        new = _by_id(page.new)
        programs |= new
        seen.update(new)
        done += 1
        if page.following is None:
            return KnownPrograms(walk.begun, known.at, _still(client, programs, seen), done)
        if done >= pages:
            walk = Walk(walk.begun, page.following, done, frozenset(seen))
            break
    return replace(known, programs=programs, walk=walk)


def _still(
    client: MarketoBulk, programs: Mapping[int, dict[str, Any]], seen: set[int]
) -> Mapping[int, dict[str, Any]]:
    """Return the programs without those that a walk has not seen and Marketo does not know."""
    missed = sorted(programs.keys() - seen)
    if not missed:
        return programs
    found = _by_id(client.iter_programs(missed))
    return {i: program for i, program in programs.items() if i in seen} | found


def _by_id(programs: Iterable[dict[str, Any]]) -> dict[int, dict[str, Any]]:
    return {int(program["id"]): program for program in programs}

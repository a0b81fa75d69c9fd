"""Program pages: how the asset API lists programs, without a total and without a token.

Past the end an answer has a warning and no `result`. A page that is not full is no end: it may have
been cut short, or lack what the API user cannot see. The order is undocumented, and pages are cut
by offset, so what is deleted or created meanwhile shifts the rest: pages overlap, and the caller
leaves out what it has seen. Who reads a list a few pages at a time misses some by that.
Source: Adobe, REST API > Assets > Programs (read 2026-08-17).
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from marketo_bulk.errors import DecodeError, one_line
from marketo_bulk.errors.disclosure import shown_words
from marketo_bulk.http.permissions import READ_ASSETS
from marketo_bulk.http.protocol import Envelope, Request
from marketo_bulk.limits import PAGES_MAX, PROGRAM_PAGE_MAX, PROGRAM_PAGE_OVERLAP
from marketo_bulk.timestamps import format_timestamp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

logger = logging.getLogger(__name__)

ID_MAX = 10**18 - 1
_ID = re.compile(r"0|[1-9][0-9]{0,17}")
_SHOWN_MAX = 10**30

# How the absence of one program has been seen, or is documented, to be said. A list is another
# matter: 610 says there that the address is wrong, and not that there are no programs.
NO_SUCH_PROGRAM = frozenset({"610", "702", "710", "1013"})
NOTHING_FOUND = frozenset({"702"})


@dataclass(frozen=True, slots=True)
class AssetList:
    """A list of assets that Marketo gives page by page; `noun` is what one is."""

    name: str
    noun: str


PROGRAMS = AssetList("programs", "program")
CHANNELS = AssetList("channels", "channel")


@dataclass(frozen=True, slots=True)
class Updates:
    """When assets must have been updated: from `earliest` to `latest`."""

    earliest: datetime
    latest: datetime

    def query(self) -> tuple[tuple[str, str], ...]:
        """Return the part of the query that says so; some instances want both ends."""
        return (
            ("earliestUpdatedAt", format_timestamp(self.earliest)),
            ("latestUpdatedAt", format_timestamp(self.latest)),
        )


def browse_request(
    offset: int,
    program_ids: Sequence[int] = (),
    assets: AssetList = PROGRAMS,
    updates: Updates | None = None,
) -> Request:
    """Return the call for a page: of all there are, of given ids, or of what was updated."""
    query = [("maxReturn", str(PROGRAM_PAGE_MAX)), ("offset", str(offset))]
    if program_ids:
        query += [
            ("filterType", "id"),
            ("filterValues", ",".join(str(program_id) for program_id in program_ids)),
        ]
    if updates is not None:
        query += updates.query()
    return Request(
        method="GET",
        target=f"/rest/asset/v1/{assets.name}.json",
        operation=f"list {assets.name}",
        query=tuple(query),
        permission=READ_ASSETS,
    )


def program_request(program_id: int) -> Request:
    """Return the call for one program."""
    return Request(
        method="GET",
        target=f"/rest/asset/v1/program/{int(program_id)}.json",
        operation=f"get program {int(program_id)}",
        permission=READ_ASSETS,
    )


def tag_request(tag_type: str, tag_value: str, offset: int) -> Request:
    """Return the call for a page of the programs with a tag."""
    return Request(
        method="GET",
        target="/rest/asset/v1/program/byTag.json",
        operation="list programs by tag",
        query=(
            ("tagType", tag_type),
            ("tagValue", tag_value),
            ("maxReturn", str(PROGRAM_PAGE_MAX)),
            ("offset", str(offset)),
        ),
        permission=READ_ASSETS,
    )


def tag_types_request() -> Request:
    """Return the call for the first page of the types of tags."""
    return Request(
        method="GET",
        target="/rest/asset/v1/tagTypes.json",
        operation="list tag types",
        query=(("maxReturn", str(PROGRAM_PAGE_MAX)),),
        permission=READ_ASSETS,
    )


def tag_type_request(name: str) -> Request:
    """Return the call for a type of tags, which tells its values."""
    return Request(
        method="GET",
        target="/rest/asset/v1/tagType/byName.json",
        operation="get tag type",
        query=(("name", name),),
        permission=READ_ASSETS,
    )


def spelled_value(envelope: Envelope, value: str) -> str | None:
    """Return a value of a type of tags as Marketo spells it, whatever its case; None if none is.

    Shape: Marketo lists values as one text, `[A, B, C]`, in which a value may have commas.
    """
    for each in envelope.result or ():
        pattern = rf"(?:(?<=^\[)|(?<=, ))({re.escape(value)})(?=, |\]$)"
        found = re.search(pattern, str(each.get("allowableValues")), re.IGNORECASE)
        if found is not None:
            return found[1]
    return None


def ids_of(envelope: Envelope) -> set[int]:
    """Return the ids of the programs on a page.

    Raises: DecodeError if one has none.
    """
    return {program_id for program_id, _ in _assets(envelope, PROGRAMS.noun)}


def nothing_found(request: Request) -> Envelope:
    """Return the answer that there is nothing."""
    return Envelope(request.operation)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins, and how much of it has been seen if nothing has moved."""

    offset: int = 0
    overlap: int = 0

    def after(self, length: int, *, anything_new: bool) -> Place | None:
        """Return where to go on after a page; None at the end of the list."""
        step = PROGRAM_PAGE_MAX - PROGRAM_PAGE_OVERLAP
        if length >= PROGRAM_PAGE_MAX:
            return Place(self.offset + step, PROGRAM_PAGE_OVERLAP)
        if length == 0 or (length == self.overlap and not anything_new):
            return None
        if anything_new or self.overlap:
            return Place(self.offset + length, max(0, self.overlap - length))
        # All of this stretch that can be seen has been.
        return Place(self.offset + step)


BEGINNING = Place()


@dataclass(frozen=True, slots=True)
class Page:
    """What a page has that was not seen before, and where to go on; None after the last."""

    new: tuple[dict[str, object], ...]
    following: Place | None


def iter_pages(
    fetch: Callable[[Request], Envelope],
    program_ids: Sequence[int] = (),
    assets: AssetList = PROGRAMS,
    updates: Updates | None = None,
    place: Place = BEGINNING,
    seen: Iterable[int] = (),
) -> Iterator[Page]:
    """Yield pages from a place on, with each program, or other asset, once and none already seen.

    Shape: lazy; in Marketo's order. The list ends with an empty page, with one that only repeats
        the end of a full one, or once all that was asked for is there.
    Raises: DecodeError if the pages repeat or hold what was not asked for; what fetch raises.
    """
    known = set(seen)
    asked = frozenset(program_ids)
    for _ in range(PAGES_MAX):
        envelope = fetch(browse_request(place.offset, program_ids, assets, updates))
        page = list(_assets(envelope, assets.noun))
        new: dict[int, dict[str, object]] = {}
        for program_id, program in page:
            if program_id not in known:
                new.setdefault(program_id, program)
        if asked and not asked.issuperset(new):
            raise envelope.fault("the filter by id was ignored")
        if len(page) >= PROGRAM_PAGE_MAX and not new:
            raise envelope.fault(f"the page at offset {place.offset} repeats earlier ones")
        known.update(new)
        following = place.after(len(page), anything_new=bool(new))
        if asked and asked <= known:
            following = None
        yield Page(tuple(new.values()), following)
        if following is None:
            return
        place = following
    raise DecodeError(f"the list of {assets.name} did not end after {PAGES_MAX} pages")


def pages_of(assets: int) -> int:
    """Return how many full pages so many assets are on, the last and shorter one included."""
    return assets // (PROGRAM_PAGE_MAX - PROGRAM_PAGE_OVERLAP) + 1


def iter_assets(pages: Iterable[Page]) -> Iterator[dict[str, object]]:
    """Yield what is on some pages; lazy."""
    for page in pages:
        yield from page.new


def _assets(envelope: Envelope, noun: str) -> Iterator[tuple[int, dict[str, object]]]:
    if envelope.result and envelope.warnings:
        logger.warning(
            "%s: Marketo warns: %s",
            envelope.operation,
            one_line(shown_words("; ".join(envelope.warnings))),
        )
    for number, program in enumerate(envelope.result or (), 1):
        program_id = _id_of(program.get("id"))
        if program_id is None:
            raise envelope.fault(
                f"{noun} {number} of {len(envelope.result or ())} on a page has "
                f"{_kind_of(program.get('id'))} for an id, and must have a whole number",
            )
        yield program_id, {**program, "id": program_id}


def _id_of(said: object) -> int | None:
    """Return an id that may be text or have a fraction of zeros; None if it could be anything."""
    is_whole = isinstance(said, float) and said.is_integer()
    if is_whole or (isinstance(said, str) and _ID.fullmatch(said)):
        said = int(said)  # type: ignore[call-overload]  # of a text or a float
    return said if type(said) is int and 0 <= said <= ID_MAX else None


def _kind_of(said: object) -> str:
    """Return what came in place of an id; text is not shown, as it may be anybody's."""
    if said is None or isinstance(said, bool):
        return {None: "null", True: "true", False: "false"}[said]
    if isinstance(said, float) or (isinstance(said, int) and abs(said) < _SHOWN_MAX):
        return f"{said:.6g}"
    kinds = {int: "a number of many digits", str: "other text", list: "a list"}
    return kinds.get(type(said), "an object")

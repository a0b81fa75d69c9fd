"""Asset calls: the part of the client that reads programs and channels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marketo_bulk.errors import NotFoundError
from marketo_bulk.limits import PROGRAM_PAGE_MAX
from marketo_bulk.metadata import programs
from marketo_bulk.metadata.programs import BEGINNING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from marketo_bulk.http.caller import Caller
    from marketo_bulk.http.protocol import Envelope, Request
    from marketo_bulk.metadata.programs import Page, Place


class AssetCalls:
    """One method for each operation."""

    _caller: Caller

    def iter_programs(self, ids: Sequence[int] = ()) -> Iterator[dict[str, object]]:
        """Yield the programs the API user can see, or those of them with the given ids.

        Shape: each once, as Marketo describes it; lazy, one call for every page.
        """
        wanted = list(dict.fromkeys(ids))
        for start in range(0, max(1, len(wanted)), PROGRAM_PAGE_MAX):
            chunk = wanted[start : start + PROGRAM_PAGE_MAX]
            yield from programs.iter_assets(programs.iter_pages(self._browse_assets, chunk))

    def iter_updated_programs(
        self, earliest: datetime, latest: datetime
    ) -> Iterator[dict[str, object]]:
        """Yield the programs that were updated in a stretch of time, created ones included.

        Shape: as `iter_programs`. What becomes of its members is no update of a program.
        """
        updates = programs.Updates(earliest, latest)
        yield from programs.iter_assets(programs.iter_pages(self._browse_assets, updates=updates))

    def iter_program_pages(
        self, place: Place = BEGINNING, seen: Iterable[int] = ()
    ) -> Iterator[Page]:
        """Yield the pages of all programs from a place on, without those that were seen before.

        Shape: lazy, one call for every page. If a list is gone on with later, what was deleted or
            created meanwhile has shifted the rest: programs that are there may be on no page.
        """
        return programs.iter_pages(self._browse_assets, place=place, seen=seen)

    def get_program(self, program_id: int) -> dict[str, object] | None:
        """Return a program with its tags and costs, or None if this API user can see none of it."""
        envelope = self._fetch_assets(
            programs.program_request(program_id), programs.NO_SUCH_PROGRAM
        )
        return dict(envelope.result[0]) if envelope.result else None

    def programs_with_tag(self, tag_type: str, tag_value: str) -> tuple[frozenset[int], bool]:
        """Return programs with a tag, and whether these are all of them.

        The order is random, for each call anew: pages of more than one leave some out.
        """
        found: set[int] = set()
        while True:
            request = programs.tag_request(tag_type, tag_value, len(found))
            page = programs.ids_of(self._browse_assets(request))
            if not page:
                return frozenset(found), True
            if found or len(page) >= PROGRAM_PAGE_MAX:
                return frozenset(found | page), False
            found |= page

    def list_tag_types(self) -> list[str]:
        """Return the names of the first 200 types of tags."""
        envelope = self._browse_assets(programs.tag_types_request())
        return [str(each["tagType"]) for each in envelope.result or () if "tagType" in each]

    def spelled_tag_value(self, tag_type: str, value: str) -> str | None:
        """Return a value of a type of tags as Marketo spells it; None if it has none that reads so.

        `tag_type` is the exact name.
        """
        envelope = self._browse_assets(programs.tag_type_request(tag_type))
        return programs.spelled_value(envelope, value)

    def iter_channels(self) -> Iterator[dict[str, object]]:
        """Yield the channels, each once, as Marketo describes it."""
        return programs.iter_assets(
            programs.iter_pages(self._browse_assets, assets=programs.CHANNELS)
        )

    def _browse_assets(self, request: Request) -> Envelope:
        return self._fetch_assets(request, programs.NOTHING_FOUND)

    def _fetch_assets(self, request: Request, empty_codes: frozenset[str]) -> Envelope:
        """Return the answer; codes that mean "nothing", which others say by success, are one."""
        try:
            return self._caller.fetch(request, lambda envelope: envelope)
        except NotFoundError as error:
            if error.code not in empty_codes:
                raise
            return programs.nothing_found(request)

"""Program tags: which programs have a tag, by as few calls as that takes."""

from __future__ import annotations

import logging
from functools import cached_property
from typing import TYPE_CHECKING

from singer_marketo.names import nearest

if TYPE_CHECKING:
    from collections.abc import Collection

    from marketo_bulk import MarketoBulk

logger = logging.getLogger(__name__)


class ProgramTags:
    """The tags of programs, as far as they were asked for.

    Marketo lists the programs with a tag in a random order, for each page anew. One page is whole;
    of more, some programs are missing, and nothing tells which. So the rest is asked one by one.
    """

    def __init__(self, client: MarketoBulk) -> None:
        self._client = client
        self._told: dict[int, frozenset[str]] = {}
        """All tags, folded, of each program that was asked for alone."""

    def programs_with(self, tag: str, candidates: Collection[int]) -> frozenset[int]:
        """Return the programs with a tag `Type=Value`; all of those among the candidates."""
        tag_type, _, value = tag.partition("=")
        found, is_all = self._client.programs_with_tag(tag_type, value)
        if not found and (spelled := self._spelled(tag_type, value)) is not None:
            found, is_all = self._client.programs_with_tag(*spelled)
        if is_all:
            return found
        left = [i for i in candidates if i not in found]
        unknown = [i for i in left if i not in self._told]
        if unknown:
            logger.info(
                "More programs have the tag %s than fit on a page: %d more are asked for one by "
                "one, a call for each",
                tag,
                len(unknown),
            )
        for program_id in unknown:
            self._told[program_id] = self._tags_of(program_id)
        return found.union(i for i in left if tag.casefold() in self._told[i])

    def nearest_to(self, tag: str) -> str:
        """Return a hint if no tag has the type of this one."""
        tag_type = tag.partition("=")[0]
        known = {name.casefold() for name in self._types}
        return "" if tag_type.casefold() in known else nearest(tag_type, self._types)

    @cached_property
    def _types(self) -> list[str]:
        return self._client.list_tag_types()

    def _spelled(self, tag_type: str, value: str) -> tuple[str, str] | None:
        """Return a tag as Marketo spells it; None if there is none, or it is spelled so already."""
        own = next((name for name in self._types if name.casefold() == tag_type.casefold()), None)
        if own is None:
            return None
        spelled = own, self._client.spelled_tag_value(own, value) or value
        return None if spelled == (tag_type, value) else spelled

    def _tags_of(self, program_id: int) -> frozenset[str]:
        program = self._client.get_program(program_id) or {}
        tags = program.get("tags")
        return frozenset(
            f"{each.get('tagType')}={each.get('tagValue')}".casefold()
            for each in (tags if isinstance(tags, list) else ())
            if isinstance(each, dict)
        )

"""Program pages: how the asset API lists programs, without a total and without a token.

Past the end an answer has a warning and no `result`. The order is undocumented, and pages are
cut by offset, so what is deleted or created meanwhile shifts the rest: pages overlap, and the
caller leaves out what it has seen.
Source: Adobe, REST API > Assets > Programs (read 2026-08-17).
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from marketo_bulk.errors import Answer, DecodeError, one_line
from marketo_bulk.limits import PAGES_MAX, PROGRAM_PAGE_MAX, PROGRAM_PAGE_OVERLAP
from marketo_bulk.protocol import Envelope, Request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

logger = logging.getLogger(__name__)

# How the absence of one program has been seen, or is documented, to be said. A list is another
# matter: 610 says there that the address is wrong, and not that there are no programs.
NO_SUCH_PROGRAM = frozenset({"610", "702", "710", "1013"})
NOTHING_FOUND = frozenset({"702"})


def browse_request(offset: int, program_ids: Sequence[int] = ()) -> Request:
    """Return the call for a page of programs: of all of them, or of those with the given ids."""
    query = [("maxReturn", str(PROGRAM_PAGE_MAX)), ("offset", str(offset))]
    if program_ids:
        query += [
            ("filterType", "id"),
            ("filterValues", ",".join(str(program_id) for program_id in program_ids)),
        ]
    return Request(
        method="GET",
        target="/rest/asset/v1/programs.json",
        operation="list programs",
        query=tuple(query),
    )


def program_request(program_id: int) -> Request:
    """Return the call for one program."""
    return Request(
        method="GET",
        target=f"/rest/asset/v1/program/{int(program_id)}.json",
        operation=f"get program {int(program_id)}",
    )


def nothing_found(request: Request) -> Envelope:
    """Return the answer that there is nothing."""
    return Envelope(request.operation)


def iter_pages(
    fetch: Callable[[Request], Envelope], program_ids: Sequence[int] = ()
) -> Iterator[dict[str, object]]:
    """Yield each program once.

    Shape: lazy; in Marketo's order.
    Raises: DecodeError if the pages repeat or hold what was not asked for; what fetch raises.
    """
    seen: set[int] = set()
    asked = frozenset(program_ids)
    offset = 0
    for _ in range(PAGES_MAX):
        envelope = fetch(browse_request(offset, program_ids))
        page = list(_programs(envelope))
        new = [(program_id, program) for program_id, program in page if program_id not in seen]
        if asked and not asked.issuperset(program_id for program_id, _program in new):
            raise _page_error(envelope, "the filter by id was ignored")
        for program_id, program in new:
            if program_id not in seen:
                seen.add(program_id)
                yield program
        if len(page) < PROGRAM_PAGE_MAX:
            return
        if not new:
            raise _page_error(envelope, f"the page at offset {offset} repeats earlier ones")
        offset += PROGRAM_PAGE_MAX - PROGRAM_PAGE_OVERLAP
    raise DecodeError(f"the list of programs did not end after {PAGES_MAX} pages")


def _programs(envelope: Envelope) -> Iterator[tuple[int, dict[str, object]]]:
    if envelope.result and envelope.warnings:
        logger.warning(
            "marketo_warned operation=%r warnings=%r",
            envelope.operation,
            one_line("; ".join(envelope.warnings)),
        )
    for program in envelope.result or ():
        program_id = program.get("id")
        if isinstance(program_id, bool) or not isinstance(program_id, int):
            raise _page_error(envelope, "a program has no id")
        yield program_id, dict(program)


def _page_error(envelope: Envelope, message: str) -> DecodeError:
    return DecodeError(message, answer=Answer(envelope.operation, request_id=envelope.request_id))

"""Still members: who of some people is a member of their programs now, by exports of ids alone."""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from typing_extensions import override

from marketo_bulk import PROGRAM_MEMBERS, Column, ExportRequest, ExportScheduler, RowReader
from marketo_bulk.limits import EXPORT_PROGRAM_IDS_MAX
from marketo_bulk.reader.columns import Kind
from marketo_bulk.scheduling.work import NewWork

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from marketo_bulk import Clock, FinishedExport, MarketoBulk, RejectedError
    from marketo_bulk.scheduling.run import RunnerOptions

OWNER = "removed_program_members"
PROGRAM_REFUSED_CODES = frozenset({"610", "702", "1003", "1004", "1013"})
KEYS = ("leadId", "programId")

logger = logging.getLogger(__name__)

Membership = tuple[int, int]
"""A lead and a program."""


@dataclass(frozen=True, slots=True)
class Programs:
    """The programs of one job."""

    ids: tuple[int, ...]

    @property
    def owner(self) -> str:
        """Whose work it is."""
        return OWNER

    def follows(self, other: Programs) -> bool:  # noqa: ARG002  # no two jobs share a program
        """Return whether another job's records must be written before."""
        return False

    @override
    def __str__(self) -> str:
        return f"ids of members of {len(self.ids)} programs"


class MemberIds(NewWork):
    """The work of asking: ten programs a job, without a window."""

    def __init__(self, program_ids: Iterable[int]) -> None:
        ids = sorted(program_ids)
        starts = range(0, len(ids), EXPORT_PROGRAM_IDS_MAX)
        self._left = deque(Programs(tuple(ids[n : n + EXPORT_PROGRAM_IDS_MAX])) for n in starts)
        self.unknown: set[int] = set()
        """Programs that Marketo does not export any more."""

    def next_work(self) -> Programs | None:
        """Return the programs of the next job."""
        return self._left.popleft() if self._left else None

    def put_back(self, work: Programs) -> None:
        """Take work back to the front."""
        self._left.appendleft(work)

    def request_for(self, work: Programs) -> ExportRequest:
        """Return the request for all members of some programs."""
        return ExportRequest(PROGRAM_MEMBERS, KEYS, {"programIds": list(work.ids)})

    def refused(self, work: Programs, error: RejectedError) -> None:
        """Ask for each half, until the program at fault is alone.

        Raises: `error` if it is about something else.
        """
        if error.code not in PROGRAM_REFUSED_CODES:
            raise error
        if len(work.ids) == 1:
            logger.warning("program %d cannot be exported: skipped (%s)", work.ids[0], error)
            self.unknown.update(work.ids)
            return
        half = len(work.ids) // 2
        self.put_back(Programs(work.ids[half:]))
        self.put_back(Programs(work.ids[:half]))


def still_members(
    client: MarketoBulk,
    asked: Collection[Membership],
    options: RunnerOptions,
    clock: Clock,
) -> tuple[set[Membership], set[int]]:
    """Return which memberships there still are, and the programs that cannot be asked for.

    Jobs that are not needed any more are cancelled, however it ends.
    Raises: any MarketoBulkError that ends the run.
    """
    source = MemberIds({program_id for _, program_id in asked})
    found: set[Membership] = set()
    scheduler: ExportScheduler[Programs] = ExportScheduler(client, {OWNER: source}, options, clock)
    try:
        with scheduler:
            for finished in scheduler.files_of(OWNER):
                if finished is not None:
                    found |= _memberships(finished) & set(asked)
                    scheduler.release(finished)
    except BaseException:
        scheduler.cancel([OWNER])
        raise
    return found, source.unknown


def _memberships(finished: FinishedExport[Programs]) -> set[Membership]:
    if finished.file is None:
        return set()
    reader = RowReader(
        [Column(name, Kind.INTEGER) for name in KEYS],
        on_bad_value="fail",
        source=f"export {finished.job.export_id} ({finished.work})",
        required=frozenset(KEYS),
    )
    rows = reader.row_dicts(finished.file.content)
    return {(int(str(row["leadId"])), int(str(row["programId"]))) for row in rows}

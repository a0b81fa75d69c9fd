"""Activity export: the activities of some types and one stretch of time, by one bulk job."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from typing_extensions import override

from marketo_bulk import ACTIVITIES, Column, ExportRequest, ExportScheduler, RowReader
from marketo_bulk.reader.columns import Kind
from marketo_bulk.scheduling.work import NewWork
from marketo_bulk.timestamps import parse_timestamp

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from marketo_bulk import Clock, FinishedExport, MarketoBulk, RejectedError
    from marketo_bulk.scheduling.run import RunnerOptions
    from tap_marketo_bulk.sync.windows import Window

OWNER = "changes of programs"
DATE, TYPE, SUBJECT = "activityDate", "activityTypeId", "primaryAttributeValueId"

Named = tuple[int, int | None, "datetime"]
"""Type, id of the primary attribute, and date of an activity."""


@dataclass(frozen=True, slots=True)
class Look:
    """The one job of a look."""

    type_ids: tuple[int, ...]
    window: Window

    @property
    def owner(self) -> str:
        """Whose work it is."""
        return OWNER

    def follows(self, other: Look) -> bool:  # noqa: ARG002  # there is but one
        """Return whether another job's records must be written before."""
        return False

    @override
    def __str__(self) -> str:
        return f"activities of {len(self.type_ids)} types"


class OneLook(NewWork):
    """The work of one look: a single job."""

    def __init__(self, look: Look) -> None:
        self._left: list[Look] = [look]

    def next_work(self) -> Look | None:
        """Return the look, once."""
        return self._left.pop() if self._left else None

    def put_back(self, work: Look) -> None:
        """Take the look back."""
        self._left.append(work)

    def request_for(self, work: Look) -> ExportRequest:
        """Return what is asked of Marketo: three columns, which say all that is needed."""
        conditions = {
            "createdAt": work.window.to_filter(),
            "activityTypeIds": list(work.type_ids),
        }
        return ExportRequest(ACTIVITIES, (DATE, TYPE, SUBJECT), conditions)

    def refused(self, work: Look, error: RejectedError) -> None:  # noqa: ARG002  # is told
        """Let the look fail: whoever asked for it reads everything then."""
        raise error


def exported_activities(
    client: MarketoBulk,
    type_ids: Sequence[int],
    window: Window,
    options: RunnerOptions,
    clock: Clock,
) -> Iterator[Named]:
    """Yield what activities name, from the file of one job.

    Its job is cancelled if the reader leaves early.
    Raises: any MarketoBulkError that ends the job.
    """
    source = OneLook(Look(tuple(type_ids), window))
    scheduler: ExportScheduler[Look] = ExportScheduler(client, {OWNER: source}, options, clock)
    try:
        with scheduler:
            for finished in scheduler.files_of(OWNER):
                if finished is not None:
                    yield from _named_in(finished)
                    scheduler.release(finished)
    except BaseException:
        scheduler.cancel([OWNER])
        raise


def _named_in(finished: FinishedExport[Look]) -> Iterator[Named]:
    if finished.file is None:
        return
    reader = RowReader(
        [Column(DATE, Kind.STRING), Column(TYPE, Kind.INTEGER), Column(SUBJECT, Kind.INTEGER)],
        on_bad_value="fail",
        source=f"export {finished.job.export_id} ({finished.work})",
        required=frozenset({DATE, TYPE}),
    )
    for row in reader.row_dicts(finished.file.content):
        subject = row[SUBJECT]
        yield (
            int(str(row[TYPE])),
            None if subject is None else int(str(subject)),
            parse_timestamp(str(row[DATE])),
        )

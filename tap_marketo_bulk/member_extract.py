"""Member extract: the rows of one finished export job, and what Marketo said of them."""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING, Any

from marketo_bulk import DecodeError, FinishedExport, RowReader
from typing_extensions import override

from tap_marketo_bulk.record_loop import Extract

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tap_marketo_bulk.plan import Unit

logger = logging.getLogger(__name__)


class MemberExtract(Extract):
    """The rows of one finished export job."""

    def __init__(
        self,
        finished: FinishedExport[Unit],
        reader: RowReader,
        *,
        on_written: Callable[[], None],
        on_unreadable: Callable[[], None],
    ) -> None:
        self._finished = finished
        self._reader = reader
        self._on_written = on_written
        self._on_unreadable = on_unreadable

    @override
    def chunks(self) -> Iterator[Sequence[Any]]:
        if self._finished.file is not None:
            with self._forgotten_if_unreadable():
                yield from self._reader.chunks(self._finished.file.content)
                self._check_counts()

    @override
    def records(self) -> Iterator[dict[str, Any]]:
        if self._finished.file is not None:
            with self._forgotten_if_unreadable():
                yield from self._reader.row_dicts(self._finished.file.content)
                self._check_counts()

    @override
    def written(self) -> None:
        self._on_written()

    @contextlib.contextmanager
    def _forgotten_if_unreadable(self) -> Iterator[None]:
        """Keep a job out of STATE whose file cannot be read: the next run would stop there, too."""
        try:
            yield
        except DecodeError:
            self._on_unreadable()
            raise

    def _check_counts(self) -> None:
        """Compare what was read with what Marketo announced; the checksum has the last word.

        Raises: DecodeError if there is no checksum, or nothing in the file to be checked by it.
        """
        job, counts = self._finished.job, self._reader.counts
        announced = job.number_of_records
        if announced is None or announced == counts.rows:
            return
        said = (
            f"export {job.export_id}: Marketo announced {announced} records, "
            f"the file has {counts.rows}"
        )
        # Adobe's own sample announces one record too many, as if the header were one.
        is_empty = not counts.rows and not (counts.had_header and announced == 1)
        if is_empty or job.file_checksum is None:
            raise DecodeError(f"{said}. Run again to create a new job.")
        logger.warning("%s (its checksum is right)", said)

"""Export extract: the rows of one finished export job, and what Marketo said of them."""

from __future__ import annotations

import contextlib
import json
import logging
from typing import TYPE_CHECKING, Any, Protocol

from typing_extensions import override

from marketo_bulk import DecodeError
from tap_marketo_bulk.output.extract import CHUNK_RECORDS, ArrowRows, Extract

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import BinaryIO

    from marketo_bulk import FinishedExport, RowReader
    from marketo_bulk.reader.arrow_reader import ArrowReader
    from marketo_bulk.reader.text_decoder import Counts
    from tap_marketo_bulk.output.value_checks import ValueChecks
    from tap_marketo_bulk.sync.plan import Unit

logger = logging.getLogger(__name__)


class ExtractOwner(Protocol):
    """Who is told what has become of an extract."""

    def written(self, finished: FinishedExport[Unit], counts: Counts) -> None:
        """Take note that every row of it has been written."""

    def meanwhile(self) -> None:
        """Do what is due while it is written; asked every few hundred rows."""

    def unreadable(self, finished: FinishedExport[Unit]) -> None:
        """Take note that its file cannot be read."""


class ExportExtract(Extract):
    """The rows of one finished export job."""

    def __init__(
        self,
        run: ExtractOwner,
        finished: FinishedExport[Unit],
        reader: RowReader,
        checks: ValueChecks,
    ) -> None:
        self._run = run
        self.finished = finished
        self._reader = reader
        self._checks = checks
        self._source = f"export {finished.job.export_id} ({finished.work})"

    @override
    def chunks(self) -> Iterator[Sequence[Any]]:
        if self.finished.file is not None:
            with self._forgotten_if_unreadable():
                for rows in self._reader.chunks(self.finished.file.content):
                    if self._checks:
                        self._checks.null_in_rows(self._reader.names, rows, self._source)
                    yield rows
                    self._run.meanwhile()
                self._check_counts()
                self._checks.report(self._source)

    @override
    def records(self) -> Iterator[dict[str, Any]]:
        if self.finished.file is not None:
            with self._forgotten_if_unreadable():
                rows = self._reader.row_dicts(self.finished.file.content)
                for number, record in enumerate(rows, 1):
                    if self._checks:
                        self._checks.null_in_record(record, self._source)
                    yield record
                    if not number % CHUNK_RECORDS:
                        self._run.meanwhile()
                self._check_counts()
                self._checks.report(self._source)

    @override
    def arrow_rows(self) -> ArrowRows | None:
        if self.finished.file is None:
            return None
        # Here, because pyarrow is an extra.
        from marketo_bulk.reader.arrow_reader import ArrowReader  # noqa: PLC0415

        reader = ArrowReader(self._reader, amend=self._amended if self._checks else None)
        return ArrowRows(reader.schema, self._arrow_batches(reader, self.finished.file.content))

    def _arrow_batches(self, reader: ArrowReader, content: BinaryIO) -> Iterator[Any]:
        with self._forgotten_if_unreadable():
            for batch in reader.record_batches(content):
                yield batch
                self._run.meanwhile()
            self._check_counts()
            self._checks.report(self._source)

    def _amended(self, columns: list[Sequence[object]]) -> list[Sequence[object]]:
        """Return columns in which what the catalog's schema does not allow is null."""
        amended = [list(column) for column in columns]
        for name, column in zip(self._reader.names, amended, strict=True):
            for index in self._checks.bad_values(name, column, self._source):
                column[index] = None
        return [*amended]

    @property
    @override
    def title(self) -> Sequence[str]:
        """Return the borders of the window, from when on rows are kept, and what was asked for."""
        window, keep_from = self.finished.work.window, self.finished.work.keep_from
        asked = json.dumps(self.finished.request.content(), sort_keys=True)
        since = "" if keep_from is None else keep_from.isoformat()
        if window is None:
            return "all", since, asked
        return window.start.isoformat(), window.end.isoformat(), since, asked

    @override
    def written(self) -> None:
        self._run.written(self.finished, self._reader.counts)

    @contextlib.contextmanager
    def _forgotten_if_unreadable(self) -> Iterator[None]:
        """Keep a job out of STATE whose file cannot be read: the next run would stop there, too."""
        try:
            yield
        except DecodeError:
            self._run.unreadable(self.finished)
            raise

    def _check_counts(self) -> None:
        """Compare what was read with what Marketo announced; the checksum has the last word.

        Raises: DecodeError if there is no checksum, or nothing in the file to be checked by it.
        """
        job, counts = self.finished.job, self._reader.counts
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

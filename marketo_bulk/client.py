"""Client: one method for each of Marketo's operations, in Adobe's words."""

from __future__ import annotations

import logging
import random as dice
import time
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, BinaryIO

from marketo_bulk import describe, exports, imports, programs
from marketo_bulk.caller import Caller
from marketo_bulk.describe import FieldDescription, LeadDescription
from marketo_bulk.download import download
from marketo_bulk.errors import (
    AlreadyQueuedError,
    DecodeError,
    LostReplyError,
    NotFoundError,
    QueueFullError,
    RejectedError,
)
from marketo_bulk.imports import ImportOptions
from marketo_bulk.jobs import ExportJob, ExportStatus, ImportJob
from marketo_bulk.limits import (
    IMPORT_REPORT_MAX_BYTES,
    JSON_REPLY_MAX_SECONDS,
    PAGES_MAX,
    PROGRAM_PAGE_MAX,
)
from marketo_bulk.protocol import Repeat
from marketo_bulk.runtime import Runtime
from marketo_bulk.transport import Transport, new_session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path
    from types import TracebackType

    import requests
    from typing_extensions import Self

    from marketo_bulk.connection import Connection
    from marketo_bulk.exports import ExportObject, ExportRequest
    from marketo_bulk.partial_file import ExportFile
    from marketo_bulk.protocol import Envelope, Request

logger = logging.getLogger(__name__)

_NO_SUCH_ADDRESS = "610"
_STARTED = frozenset({ExportStatus.QUEUED, ExportStatus.PROCESSING, ExportStatus.COMPLETED})
_ENDED = frozenset(status for status in ExportStatus if status.is_terminal)


class MarketoBulk:
    """One instance's bulk API. Thread-safe; a context manager that closes its connections.

    Every method waits, retries and renews the token by itself, within the connection's bounds,
    and raises a `MarketoBulkError` when that was not enough.
    """

    def __init__(self, connection: Connection, session: requests.Session, runtime: Runtime) -> None:
        self._runtime = runtime
        self._caller = Caller(connection, Transport(connection, session, runtime.clock), runtime)

    @classmethod
    def connect(
        cls,
        connection: Connection,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
        random: Callable[[], float] = dice.random,
        session: requests.Session | None = None,
    ) -> Self:
        """Return a client; nothing is sent before its first operation."""
        return cls(connection, session or new_session(connection), Runtime(clock, sleep, random))

    def close(self) -> None:
        """Close all connections."""
        self._caller.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def calls_made(self) -> int:
        """How many calls were made that Marketo may have counted."""
        return self._caller.calls_made

    def server_now(self) -> datetime:
        """Return Marketo's time in UTC, never ahead of it; a token is asked for if none is known.

        Raises: DecodeError if no answer has borne a date.
        """
        now = self._caller.server_clock.now()
        if now is None:
            self._caller.renew_server_clock()
            now = self._caller.server_clock.now()
        if now is None:
            raise DecodeError("no answer of Marketo's has a readable Date header")
        return now

    def describe_program_members(self) -> list[FieldDescription]:
        """Return the fields of program members."""
        try:
            return self._caller.fetch(describe.program_members_request(), describe.parse_fields)
        except NotFoundError as error:
            if error.code != _NO_SUCH_ADDRESS:
                raise
            request = describe.program_members_request(superseded=True)
            return self._caller.fetch(request, describe.parse_fields)

    def describe_leads(self) -> LeadDescription:
        """Return the fields of leads, each once, and those leads can be looked up by."""
        fields: dict[str, FieldDescription] = {}
        searchable: dict[str, None] = {}
        for envelope in self._iter_pages(describe.leads_request):
            if fields and not envelope.result:
                break
            for described in describe.parse_fields(envelope):
                fields.setdefault(described.name, described)
            searchable.update(dict.fromkeys(describe.parse_searchable_fields(envelope)))
        return LeadDescription(list(fields.values()), list(searchable))

    def iter_programs(self, ids: Sequence[int] = ()) -> Iterator[dict[str, object]]:
        """Yield the programs the API user can see, or those of them with the given ids.

        Shape: each once, as Marketo describes it; lazy, one call for every page.
        """
        wanted = list(dict.fromkeys(ids))
        for start in range(0, max(1, len(wanted)), PROGRAM_PAGE_MAX):
            chunk = wanted[start : start + PROGRAM_PAGE_MAX]
            yield from programs.iter_pages(self._browse_programs, chunk)

    def get_program(self, program_id: int) -> dict[str, object] | None:
        """Return a program, or None if this API user can see none with that id."""
        envelope = self._fetch_programs(
            programs.program_request(program_id), programs.NO_SUCH_PROGRAM
        )
        return dict(envelope.result[0]) if envelope.result else None

    def create_export(self, request: ExportRequest) -> ExportJob:
        """Return a new job, which does nothing until it is enqueued.

        Raises: RejectedError with `code` "1035" or `invalid_fields`, DailyQuotaExceededError.
        """
        return self._caller.fetch(exports.create_request(request), exports.parse_created_job)

    def enqueue_export(self, export_object: ExportObject, export_id: str) -> ExportJob:
        """Return the job, now in Marketo's queue; also if it was there already.

        Raises: QueueFullError at once, as only the caller knows what else it could do meanwhile;
        DailyQuotaExceededError.
        """
        request = exports.job_request("enqueue", export_object, export_id, method="POST")
        try:
            return self._change(request, export_object, export_id, _STARTED)
        except AlreadyQueuedError:
            return self.get_export_status(export_object, export_id)

    def get_export_status(self, export_object: ExportObject, export_id: str) -> ExportJob:
        """Return the job; Marketo renews what it says once a minute.

        Raises: NotFoundError if this API user has no such job (any more).
        """
        request = exports.job_request("status", export_object, export_id)
        return self._caller.fetch(request, exports.parse_job)

    def cancel_export(self, export_object: ExportObject, export_id: str) -> ExportJob:
        """Return the job, now cancelled; or as it is, if it has already ended."""
        request = exports.job_request("cancel", export_object, export_id, method="POST")
        try:
            return self._change(request, export_object, export_id, _ENDED)
        except (RejectedError, QueueFullError, AlreadyQueuedError):
            # A job that has ended cannot be cancelled, and 1029 has been seen to say so.
            job = self.get_export_status(export_object, export_id)
            if job.status.is_terminal:
                return job
            raise

    def list_exports(
        self, export_object: ExportObject, statuses: Sequence[ExportStatus] = ()
    ) -> Iterator[ExportJob]:
        """Yield the jobs this API user created in the past seven days, of all or some statuses."""
        for envelope in self._iter_pages(
            lambda token: exports.list_request(export_object, statuses, token)
        ):
            yield from (ExportJob.parse(answer) for answer in envelope.result or ())

    def download_export(
        self, export_object: ExportObject, job: ExportJob, directory: Path
    ) -> ExportFile:
        """Return the job's file, whole and verified, without a name on the disk of `directory`.

        The caller closes it, and it is gone then.

        Raises: ExportFileGoneError, IncompleteDownloadError, ChecksumMismatchError, DownloadError.
        """
        return download(self._caller, self._runtime, export_object, job, directory)

    def create_import(
        self,
        path_or_file: Path | BinaryIO,
        *,
        file_format: str = "csv",
        lookup_field: str = "email",
        list_id: int | None = None,
        partition_name: str | None = None,
    ) -> ImportJob:
        """Return the job that imports a file of leads, now in Marketo's queue.

        Raises: QueueFullError at once; PayloadTooLargeError; LostReplyError if the whole file was
        sent but no reply came, as only the caller knows whether to import it twice.
        """
        options = ImportOptions(file_format, lookup_field, list_id, partition_name)
        return self._caller.fetch(imports.create_request(path_or_file, options), imports.parse_job)

    def get_import_status(self, batch_id: str) -> ImportJob:
        """Return the job; Marketo knows it for seven days."""
        return self._caller.fetch(imports.status_request(batch_id), imports.parse_job)

    def get_import_failures(self, batch_id: str) -> bytes | None:
        """Return the rows that were not imported, with a last column that says why; None if none.

        Shape: a file in the format of the import.
        """
        return self._get_import_report(batch_id, "failures")

    def get_import_warnings(self, batch_id: str) -> bytes | None:
        """Return the rows imported with a warning, as `get_import_failures` does."""
        return self._get_import_report(batch_id, "warnings")

    def _change(
        self,
        request: Request,
        export_object: ExportObject,
        export_id: str,
        done: frozenset[ExportStatus],
    ) -> ExportJob:
        """Change a job; when the reply is lost, look whether the change took place."""
        patience = self._caller.new_patience()
        while True:
            try:
                return self._caller.fetch(request, exports.parse_job)
            except LostReplyError as error:  # noqa: PERF203 - retries are tries in a loop
                job = self.get_export_status(export_object, export_id)
                if job.status in done:
                    return job
                patience.wait_or_raise(error, replace(request, repeat=Repeat.HARMLESS))

    def _get_import_report(self, batch_id: str, kind: str) -> bytes | None:
        request = imports.report_request(batch_id, kind)
        try:
            return self._caller.perform(
                lambda: request,
                lambda reply: reply.read_file(IMPORT_REPORT_MAX_BYTES, JSON_REPLY_MAX_SECONDS),
            )
        except NotFoundError as error:
            if error.http_status == HTTPStatus.NOT_FOUND:
                return None
            raise

    def _browse_programs(self, request: Request) -> Envelope:
        return self._fetch_programs(request, programs.NOTHING_FOUND)

    def _fetch_programs(self, request: Request, empty_codes: frozenset[str]) -> Envelope:
        """Return the answer; codes that mean "nothing", which others say by success, are one."""
        try:
            return self._caller.fetch(request, lambda envelope: envelope)
        except NotFoundError as error:
            if error.code not in empty_codes:
                raise
            return programs.nothing_found(request)

    def _iter_pages(self, page: Callable[[str | None], Request]) -> Iterator[Envelope]:
        """Yield the answers to page, called with the token of each next one."""
        token: str | None = None
        used: set[str] = set()
        for _ in range(PAGES_MAX):
            envelope = self._caller.fetch(page(token), lambda envelope: envelope)
            yield envelope
            token = envelope.next_page_token
            # A token has been seen on the last page, too.
            if not token or not envelope.more_result or not envelope.result:
                return
            if token in used:
                logger.warning("pages_repeat operation=%r", envelope.operation)
                return
            used.add(token)
        raise DecodeError(f"the pages did not end after {PAGES_MAX}")

"""Download: one export file, brought to disk whole, resumed where it broke, and verified.

Nothing reads the file before it is complete: Marketo drops slow readers, and a digest can only
be checked on the whole.
"""

from __future__ import annotations

import logging
from enum import Enum
from http import HTTPStatus
from itertools import chain
from typing import TYPE_CHECKING

from marketo_bulk.errors import (
    Answer,
    ChecksumMismatchError,
    DownloadError,
    ExportFileGoneError,
    IncompleteDownloadError,
    NotFoundError,
    ServiceUnavailableError,
    SizeMismatchError,
)
from marketo_bulk.exports.content_range import ContentRange, parse_length
from marketo_bulk.exports.file import PartialFile
from marketo_bulk.exports.requests import file_request, job_request, parse_job
from marketo_bulk.http.content_coding import content_codings
from marketo_bulk.http.protocol import is_file, raise_for_non_file
from marketo_bulk.jobs import ExportStatus, checked_job_id
from marketo_bulk.limits import (
    DOWNLOAD_GONE_WAITS_SECONDS,
    DOWNLOAD_MAX_RESTARTS,
    DOWNLOAD_MAX_RESUMES,
    DOWNLOAD_PROGRESS_MIN_BYTES,
    DOWNLOAD_STALL_SECONDS,
    EXPORT_FILE_MAX_BYTES,
    EXPORT_FILE_SLACK_BYTES,
    JSON_REPLY_MAX_BYTES,
    JSON_REPLY_MAX_SECONDS,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from marketo_bulk.clock import Clock
    from marketo_bulk.exports.file import ExportFile
    from marketo_bulk.exports.objects import ExportObject
    from marketo_bulk.http.caller import Caller
    from marketo_bulk.http.protocol import Request
    from marketo_bulk.http.transport import OpenReply
    from marketo_bulk.jobs import ExportJob

logger = logging.getLogger(__name__)


class _Outcome(Enum):
    """What one answer brought."""

    WHOLE = "all the bytes its headers announced"
    CUT = "some bytes, and more are to come"
    BEYOND_END = "nothing, because there is no more"


def download(
    caller: Caller, clock: Clock, export_object: ExportObject, job: ExportJob, directory: Path
) -> ExportFile:
    """Return the job's file, verified, on the disk of directory.

    Raises: DownloadError of any kind, or what the calls raise. Nothing is left on disk then.
    """
    # Every job that was parsed has a sound id; one made by hand may not lead out of directory.
    with PartialFile(directory, checked_job_id(job.export_id)) as part:
        return _Download(caller, clock, export_object, job, part).run()


class _Download:
    def __init__(
        self,
        caller: Caller,
        clock: Clock,
        export_object: ExportObject,
        job: ExportJob,
        part: PartialFile,
    ) -> None:
        self._caller = caller
        self._clock = clock
        self._object = export_object
        self._job = job
        self._part = part
        self._answer = Answer(f"download export {job.export_id} ({export_object.path})")
        announced = job.file_size_bytes
        largest = EXPORT_FILE_MAX_BYTES if announced is None else announced
        self._max_bytes = min(largest, EXPORT_FILE_MAX_BYTES) + EXPORT_FILE_SLACK_BYTES
        self._total_bytes: int | None = None
        self._restarts = 0

    def run(self) -> ExportFile:
        self._transfer()
        if self._is_wrong() or self._is_doubtful():
            # Once more from the first byte: one bad transfer happens, two are the file's fault.
            logger.warning(
                "export %s: the file is not as announced, downloaded again (%s)",
                self._job.export_id,
                self._sizes(),
            )
            self._forget()
            self._transfer()
            if self._is_wrong():
                raise self._verdict()
        self._warn()
        return self._part.keep()

    def _transfer(self) -> None:
        """Fetch until the server has no more, asking a few times for a file that is missing."""
        waits = iter(DOWNLOAD_GONE_WAITS_SECONDS)
        while True:
            try:
                return self._fetch_to_end()
            except NotFoundError as error:  # noqa: PERF203 - retries are tries in a loop
                self._wait_for_file(error, next(waits, None))

    def _wait_for_file(self, error: NotFoundError, seconds: float | None) -> None:
        """Wait while the job says that there is a file."""
        request = job_request("status", self._object, self._job.export_id)
        try:
            job = self._caller.fetch(request, parse_job)
        except NotFoundError as gone:
            raise ExportFileGoneError(
                "Marketo does not know the job any more", answer=gone.answer
            ) from gone
        if job.status is not ExportStatus.COMPLETED:
            raise ExportFileGoneError(
                f"Marketo has no file, the job is {job.shown_status}",
                answer=error.answer,
                remedy="Wait until it is Completed",
            ) from error
        if seconds is None:
            raise ExportFileGoneError(
                "the job is Completed, but Marketo has no file of it", answer=error.answer
            ) from error
        logger.info(
            "export %s: Marketo has no file yet, asking again in %d s", self._job.export_id, seconds
        )
        self._clock.sleep(seconds)

    def _fetch_to_end(self) -> None:
        for _ in range(DOWNLOAD_MAX_RESUMES):
            before = self._part.size_bytes
            outcome = self._caller.perform(self._request, self._receive)
            # An answer that claims to be whole but leaves a gap is asked for the rest, as long
            # as that brings anything; the digest has the last word.
            is_final = not self._falls_short() or self._part.size_bytes <= before
            if outcome is _Outcome.BEYOND_END or (outcome is _Outcome.WHOLE and is_final):
                return
            logger.info(
                "export %s: the download goes on where it broke off (%s)",
                self._job.export_id,
                self._sizes(),
            )
        raise self._incomplete(f"after {DOWNLOAD_MAX_RESUMES} resumes")

    def _request(self) -> Request:
        if self._job.file_checksum is None:
            # Nothing would tell whether the rest that comes fits what is here.
            self._forget()
        return file_request(self._object, self._job.export_id, self._part.size_bytes)

    def _receive(self, reply: OpenReply) -> _Outcome:
        """Take what one answer holds of the file."""
        if reply.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and self._part.size_bytes:
            return self._end_of_range(reply)
        self._require_file(reply)
        chunks = reply.chunks(decoded=False)
        first = next(chunks, b"")
        if reply.status == HTTPStatus.PARTIAL_CONTENT:
            return self._receive_range(reply, first, chunks)
        if not is_file("", first):
            rest = reply.read(JSON_REPLY_MAX_BYTES, JSON_REPLY_MAX_SECONDS, first)
            raise_for_non_file(reply.operation, rest)
        if self._part.size_bytes:
            # The range was ignored: this is the file from its first byte.
            self._restart("range ignored")
        self._total_bytes = parse_length(reply.headers.get("content-length", ""))
        return self._write(first, chunks)

    def _receive_range(self, reply: OpenReply, first: bytes, chunks: Iterator[bytes]) -> _Outcome:
        part = ContentRange.parse(reply.headers.get("content-range", ""))
        totals = {part.total_bytes, self._total_bytes} - {None}
        if part.start != self._part.size_bytes or len(totals) > 1:
            # Bytes of another place, or of another file: none of them can be used.
            self._restart("wrong range")
            return _Outcome.CUT
        self._total_bytes = part.total_bytes
        if self._write(first, chunks) is _Outcome.CUT:
            return _Outcome.CUT
        if self._part.size_bytes != part.end:
            self._restart("range of another length than announced")
            return _Outcome.CUT
        is_last = part.total_bytes is None or part.end >= part.total_bytes
        return _Outcome.WHOLE if is_last else _Outcome.CUT

    def _end_of_range(self, reply: OpenReply) -> _Outcome:
        total_bytes = ContentRange.parse(reply.headers.get("content-range", "")).total_bytes
        if total_bytes not in {None, self._part.size_bytes}:
            self._restart("range refused inside the file")
            return _Outcome.CUT
        return _Outcome.BEYOND_END

    def _write(self, first: bytes, chunks: Iterator[bytes]) -> _Outcome:
        before = self._part.size_bytes
        try:
            for chunk in self._watched(chain((first,), chunks)):
                self._part.append(chunk)
        except ServiceUnavailableError:
            if self._part.size_bytes - before < DOWNLOAD_PROGRESS_MIN_BYTES:
                raise  # no progress: to be waited for, and given up in the end
            return _Outcome.CUT
        return _Outcome.WHOLE

    def _watched(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """Yield the chunks; stop a trickle and a flood."""
        began_at, gained = self._clock.now(), 0
        for chunk in chunks:
            if self._part.size_bytes + len(chunk) > self._max_bytes:
                raise SizeMismatchError(
                    f"the file passed {self._max_bytes} bytes, it is larger than announced",
                    answer=self._answer,
                )
            yield chunk
            gained += len(chunk)
            now = self._clock.now()
            if gained >= DOWNLOAD_PROGRESS_MIN_BYTES:
                began_at, gained = now, 0
            elif now - began_at > DOWNLOAD_STALL_SECONDS:
                raise ServiceUnavailableError("the file only trickles", answer=self._answer)

    def _restart(self, reason: str) -> None:
        self._restarts += 1
        if self._restarts > DOWNLOAD_MAX_RESTARTS:
            raise self._incomplete(
                f"after {DOWNLOAD_MAX_RESTARTS} restarts, the last because of a {reason}"
            )
        logger.info("export %s: the download starts again (%s)", self._job.export_id, reason)
        self._forget()

    def _forget(self) -> None:
        self._total_bytes = None
        self._part.restart()

    def _falls_short(self) -> bool:
        announced = self._job.file_size_bytes or 0
        # A digest that fits ends all doubt: announced sizes have been seen to be wrong.
        return self._part.size_bytes < announced and self._part.sha256 != self._job.file_checksum

    def _is_wrong(self) -> bool:
        if self._job.file_checksum is not None:
            return self._part.sha256 != self._job.file_checksum
        return self._size_differs()

    def _is_doubtful(self) -> bool:
        """Return whether there is not a byte, and Marketo announced nothing that bears it out."""
        job = self._job
        announced = (job.file_checksum, job.file_size_bytes, job.number_of_records)
        return not self._part.size_bytes and announced == (None, None, None)

    def _size_differs(self) -> bool:
        return self._job.file_size_bytes not in {None, self._part.size_bytes}

    def _sizes(self) -> str:
        announced = self._job.file_size_bytes
        size = "no size announced" if announced is None else f"{announced:,} announced"
        return f"{self._part.size_bytes:,} bytes, {size}, {self._restarts} restarts"

    def _verdict(self) -> DownloadError:
        if self._job.file_checksum is None:
            return SizeMismatchError(
                f"twice the size was wrong, and no checksum was announced ({self._sizes()})",
                answer=self._answer,
            )
        return ChecksumMismatchError(
            f"twice the file's SHA-256 was another than announced ({self._part.sha256}, not "
            f"{self._job.file_checksum}; {self._sizes()})",
            answer=self._answer,
        )

    def _incomplete(self, when: str) -> IncompleteDownloadError:
        return IncompleteDownloadError(
            f"the file is not whole {when} ({self._sizes()})", answer=self._answer
        )

    def _warn(self) -> None:
        if self._job.file_checksum is None:
            logger.warning(
                "export %s: Marketo gave no checksum, so only the size is checked",
                self._job.export_id,
            )
        elif self._size_differs():
            logger.warning(
                "export %s: the size is not as announced, but the checksum is right (%s)",
                self._job.export_id,
                self._sizes(),
            )

    def _require_file(self, reply: OpenReply) -> None:
        reply.require_file()
        if codings := ", ".join(content_codings(reply.headers.get("content-encoding", ""))):
            raise DownloadError(
                f"the file is encoded as {codings}: it can be neither resumed nor verified",
                answer=self._answer,
                remedy="Find what between here and Marketo compresses answers",
            )

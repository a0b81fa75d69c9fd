"""Download: one export file, brought to disk whole, resumed where it broke, and verified.

Nothing reads the file before it is complete: Marketo drops slow readers, and a digest can only
be checked on the whole.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
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
)
from marketo_bulk.exports import file_request, job_request, parse_job
from marketo_bulk.jobs import ExportStatus
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
from marketo_bulk.partial_file import PartialFile
from marketo_bulk.protocol import is_file, raise_for_non_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from marketo_bulk.caller import Caller
    from marketo_bulk.exports import ExportObject
    from marketo_bulk.jobs import ExportJob
    from marketo_bulk.protocol import Request
    from marketo_bulk.runtime import Runtime
    from marketo_bulk.transport import OpenReply

logger = logging.getLogger(__name__)

_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)", re.ASCII)


class _Outcome(Enum):
    """What one answer brought."""

    WHOLE = "all the bytes its headers announced"
    CUT = "some bytes, and more are to come"
    BEYOND_END = "nothing, because there is no more"


@dataclass(frozen=True, slots=True)
class ExportFile:
    """A verified file; whoever asked for it removes it.

    `has_nul` and `has_carriage_return` say whether any such byte is in it.
    """

    path: Path
    size_bytes: int
    sha256: str
    has_nul: bool = False
    has_carriage_return: bool = False


class Download:
    """The transfer of one export's file."""

    def __init__(
        self, caller: Caller, runtime: Runtime, export_object: ExportObject, job: ExportJob
    ) -> None:
        self._caller = caller
        self._runtime = runtime
        self._object = export_object
        self._job = job
        self._answer = Answer(f"download export {job.export_id} ({export_object.path})")
        announced = job.file_size_bytes
        self._max_bytes = (
            EXPORT_FILE_MAX_BYTES if announced is None else announced + EXPORT_FILE_SLACK_BYTES
        )
        self._total_bytes: int | None = None
        self._resumes = 0
        self._restarts = 0

    def run(self, directory: Path) -> ExportFile:
        """Return the file, verified.

        Raises: ExportFileGoneError, IncompleteDownloadError, ChecksumMismatchError, DownloadError,
        or what the calls raise. Nothing is left on disk then.
        """
        with PartialFile(directory, self._job.export_id) as part:
            self._part = part
            self._transfer()
            if self._is_wrong():
                logger.warning(
                    "download_repeated export_id=%s size_bytes=%d announced_bytes=%s",
                    self._job.export_id,
                    part.size_bytes,
                    self._job.file_size_bytes,
                )
                self._forget()
                self._transfer()
                if self._is_wrong():
                    raise self._verdict()
            self._warn()
            return ExportFile(
                part.keep(), part.size_bytes, part.sha256, part.has_nul, part.has_carriage_return
            )

    def _transfer(self) -> None:
        """Fetch until the server has no more, asking a few times for a file that is missing."""
        for wait in (*DOWNLOAD_GONE_WAITS_SECONDS, None):
            try:
                return self._fetch_to_end()
            except NotFoundError as error:  # noqa: PERF203 - retries are tries in a loop
                self._check_still_completed(error)
                if wait is None:
                    raise ExportFileGoneError(
                        "the job is Completed, but Marketo has no file for it", answer=error.answer
                    ) from error
                logger.info(
                    "waiting reason=file_missing export_id=%s seconds=%d",
                    self._job.export_id,
                    wait,
                )
                self._runtime.sleep(wait)
        return None

    def _check_still_completed(self, error: NotFoundError) -> None:
        request = job_request("status", self._object, self._job.export_id)
        try:
            job = self._caller.fetch(request, parse_job)
        except NotFoundError as gone:
            raise ExportFileGoneError(
                "Marketo does not know the job any more", answer=gone.answer
            ) from gone
        if job.status is not ExportStatus.COMPLETED:
            raise ExportFileGoneError(
                f"Marketo has no file, the job is {job.status_text}",
                answer=error.answer,
                remedy="Wait until it is Completed",
            ) from error

    def _fetch_to_end(self) -> None:
        while True:
            outcome = self._caller.perform(self._request, self._receive)
            if outcome is _Outcome.BEYOND_END:
                return
            if outcome is _Outcome.WHOLE and not self._falls_short():
                return
            self._resumes += 1
            if self._resumes > DOWNLOAD_MAX_RESUMES:
                raise self._incomplete(f"after {DOWNLOAD_MAX_RESUMES} resumes")
            logger.info(
                "download_resumed export_id=%s offset_bytes=%d announced_bytes=%s",
                self._job.export_id,
                self._part.size_bytes,
                self._job.file_size_bytes,
            )

    def _request(self) -> Request:
        return file_request(self._object, self._job.export_id, self._part.size_bytes)

    def _receive(self, reply: OpenReply) -> _Outcome:
        """Take what one answer holds of the file."""
        if reply.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and self._part.size_bytes:
            return self._end_of_range(reply)
        _refuse_non_file(reply)
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
        length = reply.headers.get("content-length", "")
        self._total_bytes = int(length) if length.isdecimal() else None
        return self._write(first, chunks)

    def _receive_range(self, reply: OpenReply, first: bytes, chunks: Iterator[bytes]) -> _Outcome:
        matched = _CONTENT_RANGE.fullmatch(reply.headers.get("content-range", ""))
        total = int(matched[3]) if matched and matched[3] != "*" else None
        start, end = (int(matched[1]), int(matched[2])) if matched else (-1, -1)
        known = {total, self._total_bytes} - {None}
        if start != self._part.size_bytes or len(known) > 1:
            # Bytes of another place, or of another file: none of it can be used.
            self._restart("wrong range")
            return _Outcome.CUT
        self._total_bytes = total
        outcome = self._write(first, chunks)
        if outcome is _Outcome.CUT:
            return outcome
        if self._part.size_bytes != end + 1:
            self._restart("range of another length than announced")
            return _Outcome.CUT
        is_all = total is None or self._part.size_bytes >= total
        return _Outcome.WHOLE if is_all else _Outcome.CUT

    def _end_of_range(self, reply: OpenReply) -> _Outcome:
        total = reply.headers.get("content-range", "").rpartition("/")[2]
        if total.isdecimal() and int(total) != self._part.size_bytes:
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
        began_at, gained = self._runtime.clock(), 0
        for chunk in chunks:
            if self._part.size_bytes + len(chunk) > self._max_bytes:
                raise DownloadError(
                    f"the file passed {self._max_bytes} bytes, it is larger than announced",
                    answer=self._answer,
                )
            yield chunk
            gained += len(chunk)
            now = self._runtime.clock()
            if gained >= DOWNLOAD_PROGRESS_MIN_BYTES:
                began_at, gained = now, 0
            elif now - began_at > DOWNLOAD_STALL_SECONDS:
                raise ServiceUnavailableError("the file only trickles", answer=self._answer)

    def _restart(self, reason: str) -> None:
        self._restarts += 1
        if self._restarts > DOWNLOAD_MAX_RESTARTS:
            raise self._incomplete(
                f"after {DOWNLOAD_MAX_RESTARTS} restarts, the last for: {reason}"
            )
        logger.info("download_restarted export_id=%s reason=%r", self._job.export_id, reason)
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
        return self._job.file_size_bytes not in {None, self._part.size_bytes}

    def _verdict(self) -> DownloadError:
        if self._job.file_checksum is None:
            return self._incomplete("and no checksum was announced")
        return ChecksumMismatchError(
            f"the file's SHA-256 is {self._part.sha256}, announced was {self._job.file_checksum}",
            answer=self._answer,
        )

    def _incomplete(self, when: str) -> IncompleteDownloadError:
        return IncompleteDownloadError(
            f"{self._part.size_bytes} bytes, not {self._job.file_size_bytes}, {when}",
            answer=self._answer,
        )

    def _warn(self) -> None:
        if self._job.file_checksum is None:
            logger.warning("file_unverified export_id=%s no_checksum=true", self._job.export_id)
        elif self._job.file_size_bytes not in {None, self._part.size_bytes}:
            logger.warning(
                "file_size_differs export_id=%s size_bytes=%d announced_bytes=%d checksum=matches",
                self._job.export_id,
                self._part.size_bytes,
                self._job.file_size_bytes,
            )


def _refuse_non_file(reply: OpenReply) -> None:
    """Raise what an answer that cannot be a file, by its status or type, stands for."""
    is_success = reply.status in {HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT}
    if not is_success or not is_file(reply.headers.get("content-type", ""), b""):
        whole = reply.read(JSON_REPLY_MAX_BYTES, JSON_REPLY_MAX_SECONDS)
        raise_for_non_file(reply.operation, whole)
    encoding = reply.headers.get("content-encoding", "identity")
    if encoding != "identity":
        raise DownloadError(
            f"the file is encoded as {encoding}, so that it can be neither resumed nor verified",
            answer=Answer(reply.operation),
            remedy="Find what between here and Marketo compresses answers",
        )

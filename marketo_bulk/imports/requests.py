"""Import requests: a file as the body of a call, and the calls in the life of its job."""

from __future__ import annotations

import io
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from typing_extensions import override

from marketo_bulk.errors import Answer, PayloadTooLargeError, RejectedError
from marketo_bulk.http.protocol import Body, OpenBody, Repeat, Request
from marketo_bulk.jobs import ImportJob, checked_job_id
from marketo_bulk.limits import BULK_BODY_MAX_BYTES

if TYPE_CHECKING:
    from marketo_bulk.http.protocol import Envelope
    from marketo_bulk.imports.objects import ImportObject

# A boundary of chance and of fixed length: 128 bits cannot be met in a file, and the size of a
# body is known before the file is.
_BOUNDARY_BYTES = 16


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How a file is to be imported, as query parameters of the call."""

    format: str = "csv"
    lookup_field: str = "email"
    list_id: int | None = None
    partition_name: str | None = None

    def query(self) -> tuple[tuple[str, str], ...]:
        """Return the parameters that are set."""
        wanted = {
            "format": self.format,
            "lookupField": self.lookup_field,
            "listId": None if self.list_id is None else str(self.list_id),
            "partitionName": self.partition_name,
        }
        return tuple((name, value) for name, value in wanted.items() if value is not None)


@dataclass(frozen=True, slots=True)
class ImportBody(Body):
    """A multipart body around a file, which is read from disk while it is sent, never whole."""

    source: Path | BinaryIO = field(repr=False)
    size_bytes: int
    start: bytes = field(repr=False)
    end: bytes = field(repr=False)

    @override
    def open(self) -> OpenBody:
        if isinstance(self.source, Path):
            return _OpenImportBody(self, self.source.open("rb"), owned=True)
        self.source.seek(0)
        return _OpenImportBody(self, self.source, owned=False)


class _OpenImportBody(OpenBody):
    def __init__(self, body: ImportBody, file: BinaryIO, *, owned: bool) -> None:
        file_size_bytes = body.size_bytes - len(body.start) - len(body.end)
        self._parts: list[tuple[BinaryIO, int]] = [
            (io.BytesIO(body.start), len(body.start)),
            (file, file_size_bytes),
            (io.BytesIO(body.end), len(body.end)),
        ]
        self._owned = owned
        self._file = file
        self._size_bytes = body.size_bytes

    @property
    @override
    def is_exhausted(self) -> bool:
        return not self._parts

    @override
    def __len__(self) -> int:
        return self._size_bytes

    @override
    def read(self, size: int = -1, /) -> bytes:
        while self._parts:
            part, left_bytes = self._parts.pop(0)
            chunk = part.read(size)
            if len(chunk) > left_bytes or (left_bytes and not chunk):
                # What was announced cannot be sent. Breaking off before the closing boundary
                # leaves Marketo with a request it cannot take any part of.
                raise RejectedError("the import file changed while it was being sent")
            if chunk:
                self._parts.insert(0, (part, left_bytes - len(chunk)))
                return chunk
        return b""

    @override
    def close(self) -> None:
        if self._owned:
            self._file.close()


def import_body_size(
    import_object: ImportObject, file_size_bytes: int, file_format: str = "csv"
) -> int:
    """Return how large the body of the call is that imports a file of this size.

    Source: Adobe, Bulk Import > Limits (read 2026-08-17): the limit is on the whole body.
    """
    name = f"{import_object.file_name}.{file_format}"
    start, end = _frame("0" * _BOUNDARY_BYTES * 2, name, file_format)
    return len(start) + file_size_bytes + len(end)


def create_request(
    import_object: ImportObject, source: Path | BinaryIO, options: ImportOptions
) -> Request:
    """Return the call that imports a file.

    Raises: PayloadTooLargeError if Marketo would refuse its size.
    """
    if isinstance(source, Path):
        file_size_bytes = source.stat().st_size
    else:
        file_size_bytes = source.seek(0, io.SEEK_END)
    operation = f"import a file of {file_size_bytes} bytes"
    size_bytes = import_body_size(import_object, file_size_bytes, options.format)
    if size_bytes >= BULK_BODY_MAX_BYTES:
        raise PayloadTooLargeError(
            f"a body of {size_bytes} bytes is not below {BULK_BODY_MAX_BYTES}",
            answer=Answer(operation),
        )
    boundary = secrets.token_hex(_BOUNDARY_BYTES)
    name = f"{import_object.file_name}.{options.format}"
    start, end = _frame(boundary, name, options.format)
    return Request(
        method="POST",
        target=import_object.create,
        operation=operation,
        query=options.query(),
        body=ImportBody(source, size_bytes, start, end),
        content_type=f"multipart/form-data; boundary={boundary}",
        repeat=Repeat.NEVER,
        names=tuple(value for _, value in options.query()),
        permission=import_object.permission,
    )


def status_request(import_object: ImportObject, batch_id: str) -> Request:
    """Return the call for the status of a job."""
    batch_id = checked_job_id(batch_id)
    return Request(
        method="GET",
        target=import_object.status.format(batch_id=batch_id),
        operation=f"status of import {batch_id}",
        names=(batch_id,),
        permission=import_object.permission,
    )


def report_request(import_object: ImportObject, batch_id: str, kind: str) -> Request:
    """Return the call for the rows a job has `failures` or `warnings` for."""
    batch_id = checked_job_id(batch_id)
    return Request(
        method="GET",
        target=import_object.report.format(batch_id=batch_id, kind=kind),
        operation=f"{kind} of import {batch_id}",
        names=(batch_id,),
        permission=import_object.permission,
    )


def parse_job(envelope: Envelope) -> ImportJob:
    """Return the job an answer describes."""
    return ImportJob.parse(envelope.one())


def _frame(boundary: str, file_name: str, file_format: str) -> tuple[bytes, bytes]:
    """Return what stands before and after the file."""
    start = (
        f"--{boundary}\r\n"
        f'Content-Disposition: form-data; name="file"; filename="{file_name}"\r\n'
        f"Content-Type: text/{file_format}\r\n\r\n"
    )
    return start.encode(), f"\r\n--{boundary}--\r\n".encode()

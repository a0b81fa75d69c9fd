"""Import calls: the part of the client that is about imports."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, BinaryIO

from marketo_bulk.errors import NotFoundError
from marketo_bulk.imports import requests as imports
from marketo_bulk.imports.requests import ImportOptions
from marketo_bulk.limits import IMPORT_REPORT_MAX_BYTES, JSON_REPLY_MAX_SECONDS
from marketo_bulk.metadata import describe

if TYPE_CHECKING:
    from pathlib import Path

    from marketo_bulk.http.caller import Caller
    from marketo_bulk.imports.objects import ImportObject
    from marketo_bulk.jobs import ImportJob
    from marketo_bulk.metadata.describe import FieldDescription


class ImportCalls:
    """One method for each operation of a bulk import; every one is told the object."""

    _caller: Caller

    def describe_import(self, import_object: ImportObject) -> list[FieldDescription]:
        """Return the fields an object can be imported with, each once."""
        fields: dict[str, FieldDescription] = {}
        for call in import_object.describe:
            for described in describe.describe(self._caller, call):
                fields.setdefault(described.name, described)
        return list(fields.values())

    def create_import(
        self,
        import_object: ImportObject,
        path_or_file: Path | BinaryIO,
        options: ImportOptions | None = None,
    ) -> ImportJob:
        """Return the job that imports a file, now in Marketo's queue.

        Raises: QueueFullError at once; PayloadTooLargeError; LostReplyError if the whole file was
        sent but no reply came, as only the caller knows whether to import it twice.
        """
        request = imports.create_request(import_object, path_or_file, options or ImportOptions())
        return self._caller.fetch(request, imports.parse_job)

    def get_import_status(self, import_object: ImportObject, batch_id: str) -> ImportJob:
        """Return the job; Marketo knows it for seven days."""
        return self._caller.fetch(
            imports.status_request(import_object, batch_id), imports.parse_job
        )

    def get_import_failures(self, import_object: ImportObject, batch_id: str) -> bytes | None:
        """Return the rows that were not imported, with a last column that says why; None if none.

        Shape: a file in the format of the import.
        """
        return self._get_import_report(import_object, batch_id, "failures")

    def get_import_warnings(self, import_object: ImportObject, batch_id: str) -> bytes | None:
        """Return the rows imported with a warning, as `get_import_failures` does."""
        return self._get_import_report(import_object, batch_id, "warnings")

    def _get_import_report(
        self, import_object: ImportObject, batch_id: str, kind: str
    ) -> bytes | None:
        request = imports.report_request(import_object, batch_id, kind)
        try:
            return self._caller.perform(
                lambda: request,
                lambda reply: reply.read_file(IMPORT_REPORT_MAX_BYTES, JSON_REPLY_MAX_SECONDS),
            )
        except NotFoundError as error:
            if error.http_status == HTTPStatus.NOT_FOUND:
                return None
            raise

"""The import call: upload, status, failures, warnings (C§8)."""

from __future__ import annotations

from http import HTTPStatus
from io import BytesIO
from typing import TYPE_CHECKING

from werkzeug.exceptions import ClientDisconnected
from werkzeug.formparser import FormDataParser
from werkzeug.wrappers import Response

from marketo_emulator.envelope import mapi_success
from marketo_emulator.errors import HttpError, MarketoError
from marketo_emulator.imports import ImportRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from marketo_emulator.call import Call
    from marketo_emulator.imports import ImportJob
    from marketo_emulator.world import World


def create(world: World, call: Call) -> Response:
    """Take a file; parameters may come in the query or as parts of the form (C14.24)."""
    form, content = _parts(call)
    parameters = {**form, **call.request.args.to_dict()}
    delimiter = _delimiter(world, parameters.get("format", "csv"))
    with world.at() as now:
        lookup, list_id, partition = world.imports.check_parameters(
            parameters.get("lookupField", ""),
            parameters.get("listId", ""),
            parameters.get("partitionName", ""),
        )
        request = ImportRequest(content, delimiter, lookup, list_id, partition)
        job = world.imports.create(request, now)
        return mapi_success(call.request_id, [job.shown(counters=False)])


def get_status(world: World, call: Call) -> Response:
    """Answer with the job's status; counters come with its end."""
    with world.at() as now:
        job = world.imports.find(call.arguments["batch_id"], now)
        shown = job.shown(counters=world.options.import_counters_always)
        return mapi_success(call.request_id, [shown])


def get_failures(world: World, call: Call) -> Response:
    """Answer with the rows that failed, or 404."""
    return _reasons(world, call, failures=True)


def get_warnings(world: World, call: Call) -> Response:
    """Answer with the rows imported with a warning, or 404."""
    return _reasons(world, call, failures=False)


def _reasons(world: World, call: Call, *, failures: bool) -> Response:
    with world.at() as now:
        job: ImportJob = world.imports.find(call.arguments["batch_id"], now)
        content = job.failures_file() if failures else job.warnings_file()
    if content is None:
        raise HttpError(HTTPStatus.NOT_FOUND, "No records found")  # guess: "plaintext" at most
    return Response(content, content_type=world.options.file_content_type)


def _parts(call: Call) -> tuple[Mapping[str, str], bytes]:
    """Return the fields of the form and the content of its file.

    Raises: MarketoError 612 for another content type, 613 for parts that cannot be told apart,
    1002 without a file.
    """
    request = call.request
    if request.mimetype != "multipart/form-data":
        raise MarketoError("612")
    # In memory, where the content ends up anyway: a temporary file would outlive a broken upload.
    parser = FormDataParser(stream_factory=lambda *_, **__: BytesIO(), silent=False)
    try:
        _, form, files = parser.parse(
            request.stream, request.mimetype, request.content_length, request.mimetype_params
        )
    except ClientDisconnected as error:
        raise ConnectionResetError from error
    except ValueError as error:
        raise MarketoError("613") from error
    upload = files.get("file")
    if upload is None:
        raise MarketoError("1002", "Missing value for required parameter 'file'")
    return form.to_dict(), upload.read()


def _delimiter(world: World, file_format: str) -> str:
    delimiters = {"csv": ",", "tsv": "\t", "ssv": world.options.ssv_delimiter}
    delimiter = delimiters.get(file_format.lower())
    if delimiter is None:
        raise MarketoError("1001", f"Invalid value '{file_format}'. Required of type 'format'")
    return delimiter

"""The import call: upload, status, failures, warnings (C§8)."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from werkzeug.wrappers import Response

from marketo_emulator.exports.objects import find_object
from marketo_emulator.imports.imports import ImportRequest
from marketo_emulator.imports.leads import lead_import
from marketo_emulator.imports.members import member_import
from marketo_emulator.imports.objects import ObjectImport
from marketo_emulator.wire.envelope import mapi_success
from marketo_emulator.wire.errors import HttpError, MarketoError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from marketo_emulator.data.store import Store
    from marketo_emulator.imports.imports import ImportJob, Target
    from marketo_emulator.wire.call import Call
    from marketo_emulator.world import World


def create(world: World, call: Call) -> Response:
    """Take a file of leads; parameters may come in the query or as parts of the form (C14.24)."""
    return _create(world, call, lead_import)


def create_members(world: World, call: Call) -> Response:
    """Take a file of people to be members of one program with one status (C§9)."""
    program_id = call.arguments["program_id"]

    def target(parameters: Mapping[str, str], store: Store) -> Target:
        return member_import(program_id, parameters, store, world.options)

    return _create(world, call, target)


def create_objects(world: World, call: Call) -> Response:
    """Take a file of records of a custom object (C§10)."""
    name = call.arguments["api_name"]

    def target(_parameters: Mapping[str, str], store: Store) -> Target:
        return ObjectImport(find_object(name, store, world.options).name)

    return _create(world, call, target)


def _create(
    world: World, call: Call, target_of: Callable[[Mapping[str, str], Store], Target]
) -> Response:
    form, files = call.parts()
    if "file" not in files:
        raise MarketoError("1002", "Missing value for required parameter 'file'")
    parameters = {**form, **call.request.args.to_dict()}
    delimiter = _delimiter(world, parameters.get("format", "csv"))
    with world.at() as now:
        target = target_of(parameters, world.store)
        job = world.imports.create(ImportRequest(files["file"], delimiter, target), now)
        return mapi_success(call.request_id, [job.shown(counters=False)])


def get_status(world: World, call: Call) -> Response:
    """Answer with the job's status; counters come with its end."""
    with world.at() as now:
        job = _find(world, call, now)
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
        job: ImportJob = _find(world, call, now)
        content = job.failures_file() if failures else job.warnings_file()
    if content is None:
        raise HttpError(HTTPStatus.NOT_FOUND, "No records found")  # guess: "plaintext" at most
    return Response(content, content_type=world.options.file_content_type)


def _find(world: World, call: Call, now: datetime) -> ImportJob:
    return world.imports.find(call.arguments["kind"], call.arguments["batch_id"], now)


def _delimiter(world: World, file_format: str) -> str:
    delimiters = {"csv": ",", "tsv": "\t", "ssv": world.options.ssv_delimiter}
    delimiter = delimiters.get(file_format.lower())
    if delimiter is None:
        raise MarketoError("1001", f"Invalid value '{file_format}'. Required of type 'format'")
    return delimiter

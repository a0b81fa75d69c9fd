"""The export call: create, enqueue, status, file, cancel, list (C§5)."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from werkzeug.exceptions import RequestedRangeNotSatisfiable
from werkzeug.wrappers import Response

from marketo_emulator.exports.exports import status_keys
from marketo_emulator.wire.envelope import mapi_success, plain_response
from marketo_emulator.wire.errors import HttpError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from marketo_emulator.exports.file import ExportFile
    from marketo_emulator.exports.job import ExportJob
    from marketo_emulator.wire.call import Call
    from marketo_emulator.world import World

_CHUNK_BYTES = 1 << 16


def create(world: World, call: Call) -> Response:
    """Create a job from the body."""
    body = call.json_object()
    with world.at() as now:
        job = world.exports.create(call.arguments["kind"], body, call.client_id, now)
        return mapi_success(call.request_id, [world.exports.shown(job, now)])


def enqueue(world: World, call: Call) -> Response:
    """Put a job into the queue."""
    with world.at() as now:
        job = _find(world, call, now)
        world.exports.enqueue(job, now)
        return mapi_success(call.request_id, [world.exports.shown(job, now)])


def cancel(world: World, call: Call) -> Response:
    """End a job."""
    with world.at() as now:
        job = _find(world, call, now)
        world.exports.cancel(job, now)
        return mapi_success(call.request_id, [world.exports.shown(job, now)])


def get_status(world: World, call: Call) -> Response:
    """Answer with the job as it stood at the last refresh."""
    with world.at() as now:
        job = _find(world, call, now)
        return mapi_success(call.request_id, [world.exports.shown(job, now)])


def list_jobs(world: World, call: Call) -> Response:
    """Answer with a page of the client's recent jobs."""
    parameters = call.parameters
    with world.at() as now:
        page, token = world.exports.list(
            call.arguments["kind"],
            call.client_id,
            now,
            statuses=status_keys(parameters.getlist("status")),
            batch_size=call.number("batchSize", 300),
            page_token=parameters.get("nextPageToken", ""),
        )
    return mapi_success(call.request_id, page, **({"nextPageToken": token} if token else {}))


def get_file(world: World, call: Call) -> Response:
    """Answer with the file or the part of it that `Range` asks for."""
    with world.at() as now:
        job = world.exports.jobs.get(call.arguments["export_id"])
        mine = job is not None and job.owner == call.client_id
        file = world.exports.file(job, now) if mine and job is not None else None
        if file is None or job is None or job.kind != call.arguments["kind"]:
            raise HttpError(HTTPStatus.NOT_FOUND, "Export file not found")
    return _file_response(file, call, world.options.file_content_type)


def _file_response(file: ExportFile, call: Call, content_type: str) -> Response:
    environ = call.request.environ
    response = Response(
        _chunks(file.path),
        content_type=content_type,
        headers={"Content-Disposition": "attachment; filename=file"},
    )
    response.content_length = file.size_bytes
    try:
        response.make_conditional(environ, accept_ranges=True, complete_length=file.size_bytes)
    except RequestedRangeNotSatisfiable:
        refused = plain_response("", HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
        refused.headers["Content-Range"] = f"bytes */{file.size_bytes}"
        return refused
    if response.status_code == HTTPStatus.OK:
        del response.headers["Accept-Ranges"]
    return response


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk


def _find(world: World, call: Call, now: datetime) -> ExportJob:
    arguments = call.arguments
    return world.exports.find(arguments["kind"], arguments["export_id"], call.client_id, now)

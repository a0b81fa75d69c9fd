"""Export requests: what can be exported, and the calls in the life of an export job."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from marketo_bulk.errors import Answer, EmptyAnswerError
from marketo_bulk.http.protocol import Repeat, Request
from marketo_bulk.jobs import ExportJob, ExportStatus, checked_job_id
from marketo_bulk.limits import (
    DOWNLOAD_STALL_SECONDS,
    EXPORT_LIST_PAGE_MAX_JOBS,
    EXPORT_POLL_MIN_SECONDS,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import TypeAlias

    from marketo_bulk.exports.objects import ExportObject
    from marketo_bulk.http.protocol import Envelope


# Named here because ExportRequest has a field called `object`.
JsonObject: TypeAlias = "Mapping[str, object]"


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """What an export job should contain.

    Raises: ValueError if there are no fields, or one is asked for twice.
    """

    object: ExportObject
    fields: tuple[str, ...]
    export_filter: JsonObject
    file_format: str = "CSV"

    def __post_init__(self) -> None:
        if not self.fields or not all(self.fields):
            raise ValueError("an export needs at least one field, and each needs a name")
        if len(set(self.fields)) != len(self.fields):
            raise ValueError(f"an export asks for each field once, not {list(self.fields)}")

    def content(self) -> JsonObject:
        """Return the body of the create call.

        The identity map fixes the header: without it, Adobe's own sample of program members
        shows labels of the user interface, recorded files show API names.
        """
        return {
            "fields": list(self.fields),
            "format": self.file_format,
            "columnHeaderNames": {name: name for name in self.fields},
            "filter": dict(self.export_filter),
        }


def create_request(wanted: ExportRequest) -> Request:
    """Return the call that creates a job; a second, never enqueued one does no harm."""
    path = wanted.object.path
    return Request(
        method="POST",
        target=f"/bulk/v1/{path}/export/create.json",
        operation=f"create export of {path}",
        repeat=Repeat.HARMLESS,
        names=(*wanted.fields, *wanted.export_filter),
        permission=wanted.object.permission,
    ).with_json(wanted.content())


def job_request(
    action: str, export_object: ExportObject, export_id: str, *, method: str = "GET"
) -> Request:
    """Return the call for one action on one job; what changes the job is never repeated blindly."""
    export_id = checked_job_id(export_id)
    return Request(
        method=method,
        target=f"/bulk/v1/{export_object.path}/export/{export_id}/{action}.json",
        operation=f"{action} export {export_id} ({export_object.path})",
        repeat=Repeat.SAFE if method == "GET" else Repeat.NEVER,
        names=(export_id,),
        permission=export_object.permission,
    )


def file_request(export_object: ExportObject, export_id: str, offset: int) -> Request:
    """Return the call for a file's bytes from offset on; never compressed, so offsets hold."""
    export_id = checked_job_id(export_id)
    headers = [("Accept-Encoding", "identity")]
    if offset:
        headers.append(("Range", f"bytes={offset}-"))
    return Request(
        method="GET",
        target=f"/bulk/v1/{export_object.path}/export/{export_id}/file.json",
        operation=f"download export {export_id} ({export_object.path})",
        headers=tuple(headers),
        max_idle_seconds=DOWNLOAD_STALL_SECONDS,
        permission=export_object.permission,
    )


def list_request(
    export_object: ExportObject, statuses: Sequence[ExportStatus], page_token: str | None
) -> Request:
    """Return the call for a page of the jobs of the past seven days."""
    query = [("batchSize", str(EXPORT_LIST_PAGE_MAX_JOBS))]
    if statuses:
        query.append(("status", ",".join(status.value.capitalize() for status in statuses)))
    if page_token:
        query.append(("nextPageToken", page_token))
    return Request(
        method="GET",
        target=f"/bulk/v1/{export_object.path}/export.json",
        operation=f"list exports of {export_object.path}",
        query=tuple(query),
        max_idle_seconds=EXPORT_POLL_MIN_SECONDS,
        permission=export_object.permission,
    )


def parse_job(envelope: Envelope) -> ExportJob:
    """Return the job an answer describes."""
    return ExportJob.parse(envelope.one())


def parse_created_job(envelope: Envelope) -> ExportJob:
    """Return the job just created.

    Raises: EmptyAnswerError if it is not Created: creation has been seen to fail so, with
    success, and to work when repeated.
    """
    answer = envelope.one()
    if ExportStatus.parse(str(answer.get("status", ""))) is not ExportStatus.CREATED:
        raise EmptyAnswerError(
            f"the new export is {answer.get('status')!r}, not Created",
            answer=Answer(envelope.operation, request_id=envelope.request_id),
        )
    return ExportJob.parse(answer)

"""Client: one method for each of Marketo's operations, in Adobe's words."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from marketo_bulk.activities.calls import ActivityCalls
from marketo_bulk.clock import REAL_TIME, Clock
from marketo_bulk.errors import (
    AlreadyQueuedError,
    LostReplyError,
    NotFoundError,
    QueueFullError,
    RejectedError,
)
from marketo_bulk.exports import requests as exports
from marketo_bulk.exports.download import download
from marketo_bulk.exports.objects import custom_object
from marketo_bulk.http.budget import Budget
from marketo_bulk.http.caller import Caller
from marketo_bulk.http.paging import iter_pages
from marketo_bulk.http.protocol import Repeat
from marketo_bulk.http.transport import Transport, new_session
from marketo_bulk.imports.calls import ImportCalls
from marketo_bulk.jobs import ExportJob, ExportStatus
from marketo_bulk.metadata import custom_objects, describe, places, usage
from marketo_bulk.metadata.asset_calls import AssetCalls

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    import requests
    from typing_extensions import Self

    from marketo_bulk.exports.file import ExportFile
    from marketo_bulk.exports.objects import ExportObject
    from marketo_bulk.exports.requests import ExportRequest
    from marketo_bulk.http.connection import Connection
    from marketo_bulk.http.protocol import Request
    from marketo_bulk.metadata.custom_objects import CustomObject
    from marketo_bulk.metadata.describe import FieldDescription

_STARTED = frozenset({ExportStatus.QUEUED, ExportStatus.PROCESSING, ExportStatus.COMPLETED})
_ENDED = frozenset(status for status in ExportStatus if status.is_terminal)


class MarketoBulk(AssetCalls, ImportCalls, ActivityCalls):
    """One instance's bulk API. Thread-safe; a context manager that closes its connections.

    Every method waits, retries and renews the token by itself, within the connection's bounds,
    and raises a `MarketoBulkError` when that was not enough.
    """

    def __init__(self, caller: Caller, clock: Clock) -> None:
        self._caller = caller
        self._clock = clock

    @classmethod
    def connect(
        cls,
        connection: Connection,
        *,
        clock: Clock = REAL_TIME,
        session: requests.Session | None = None,
    ) -> Self:
        """Return a client; nothing is sent before its first operation."""
        transport = Transport(connection, session or new_session(connection), clock.now)
        return cls(Caller(connection, transport, clock), clock)

    @property
    def waits_for_daily_quota(self) -> bool:
        """Whether calls refused for the daily quota are made again after its reset."""
        return self._caller.waits_for_daily_quota

    @property
    def quota_wait_seconds(self) -> float:
        """How long calls have waited for the reset of the daily quota."""
        return self._caller.tally.quota_wait_seconds

    def without_quota_wait(self) -> Self:
        """Return this client, but that it raises where this one waits for the daily quota.

        For whoever has something else to do meanwhile; connections and limits are the same.
        """
        return type(self)(self._caller.without_quota_wait(), self._clock)

    def close(self) -> None:
        """Close all connections."""
        self._caller.close()

    def abandon_calls(self, *, for_good: bool = False) -> None:
        """Break off every call under way, in whatever thread: each raises AbandonedError.

        For a run that is to end. Its last calls are not held back by `calls_per_20_seconds`; with
        `for_good` none is made. Whether Marketo acted on one that was broken off is unknown.
        """
        self._caller.abandon(for_good=for_good)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    @property
    def calls_made(self) -> int:
        """How many calls were made that Marketo may have counted."""
        return self._caller.tally.calls

    def limit_calls(self, setting: str, amount: int) -> Budget:
        """Make no more calls on a day of Marketo's than `amount`, those of before included.

        Shape: `setting` names the limit in the error, a BudgetReachedError. What was used before
            is this API user's count in Marketo's statistic, or this client's own if that is more.
        """
        user = self._caller.api_user()
        counted = self._caller.fetch(usage.usage_request(), lambda e: usage.calls_of(e, user))
        used = max(counted, self.calls_made)
        budget = Budget(setting, amount, used, self.server_now, of_calls=True)
        self._caller.budgets.append(budget)
        return budget

    def server_now(self) -> datetime:
        """Return Marketo's time in UTC, never ahead of it; a token is asked for if none is known.

        Raises: DecodeError if no answer has borne a date.
        """
        return self._caller.server_now()

    def describe_export(self, export_object: ExportObject) -> list[FieldDescription]:
        """Return the fields of an object, each once; none where its columns are fixed."""
        call = export_object.describe
        return [] if call is None else describe.describe(self._caller, call)

    def list_custom_objects(self) -> list[CustomObject]:
        """Return the custom objects of the instance, without their fields."""
        return self._caller.fetch(custom_objects.list_request(), custom_objects.parse_objects)

    def describe_custom_object(self, api_name: str) -> CustomObject:
        """Return a custom object with its fields.

        Raises: NotFoundError if there is none, or it is a draft; ValueError for what is no name.
        """
        call = custom_object(api_name).describe
        assert call is not None  # noqa: S101  # for the type
        return self._caller.fetch(call.request(), custom_objects.parse_object)

    def has_list(self, list_id: int) -> bool:
        """Return whether there is a static list of this id that the API user can see."""
        try:
            envelope = self._caller.fetch(places.list_request(list_id), lambda envelope: envelope)
        except NotFoundError:
            return False
        return bool(envelope.result)

    def list_partitions(self) -> list[str]:
        """Return the names of the lead partitions the API user can see."""
        envelope = self._caller.fetch(places.partitions_request(), lambda envelope: envelope)
        return [str(each["name"]) for each in envelope.result or () if "name" in each]

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
        self,
        export_object: ExportObject,
        statuses: Sequence[ExportStatus] = (),
        *,
        max_retry_seconds: float | None = None,
    ) -> Iterator[ExportJob]:
        """Yield the jobs this API user created in the past seven days, of all or some statuses.

        `max_retry_seconds` is for those who can do without: how long a passing fault may last.
        """
        for envelope in iter_pages(
            self._caller,
            lambda token: exports.list_request(export_object, statuses, token),
            max_retry_seconds,
        ):
            yield from (ExportJob.parse(answer) for answer in envelope.result or ())

    def download_export(
        self, export_object: ExportObject, job: ExportJob, directory: Path
    ) -> ExportFile:
        """Return the job's file, whole and verified, without a name on the disk of `directory`.

        The caller closes it, and it is gone then.

        Raises: DownloadError; its `job_at_fault` says whether another job may do better.
        """
        return download(self._caller, self._clock, export_object, job, directory)

    def _change(
        self,
        request: Request,
        export_object: ExportObject,
        export_id: str,
        done: frozenset[ExportStatus],
    ) -> ExportJob:
        """Change a job; when the reply is lost, look whether the change took place."""
        retries = self._caller.new_retries()
        while True:
            try:
                return self._caller.fetch(request, exports.parse_job)
            except LostReplyError as error:  # noqa: PERF203 - retries are tries in a loop
                job = self.get_export_status(export_object, export_id)
                if job.status in done:
                    return job
                retries.wait_or_raise(error, replace(request, repeat=Repeat.HARMLESS))

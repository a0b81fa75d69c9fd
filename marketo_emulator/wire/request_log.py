"""The request log: what was called, when, and how it was answered; never a secret."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, overload

from werkzeug.exceptions import RequestEntityTooLarge

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from marketo_emulator.wire.call import Call

_SECRET_PARAMETERS = {"access_token", "client_secret"}


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """One request; it is logged when its answer is ready to be sent."""

    method: str
    path: str
    operation: str
    query: dict[str, str]
    body: Any
    """The decoded JSON body; None if there was none."""
    started_at: datetime
    finished_at: datetime
    status: int
    """HTTP status; 0 when the connection was broken instead of answered."""
    error_code: str
    concurrency: int
    """Calls in flight when it was let in, itself included; 0 if it was not."""
    authorized: bool
    """Whether it carried a bearer token, valid or not."""
    client_id: str
    content_length: int

    def to_json(self) -> dict[str, Any]:
        """Return the fields with moments as text."""
        moments = {key: getattr(self, key).isoformat() for key in ("started_at", "finished_at")}
        return {**asdict(self), **moments}


class RequestLog:
    """All requests in the order in which their answers were ready."""

    def __init__(self) -> None:
        self._entries: list[LoggedRequest] = []
        self._lock = Lock()

    def __iter__(self) -> Iterator[LoggedRequest]:
        with self._lock:
            return iter(tuple(self._entries))

    def __len__(self) -> int:
        return len(self._entries)

    @overload
    def __getitem__(self, index: int) -> LoggedRequest: ...
    @overload
    def __getitem__(self, index: slice) -> list[LoggedRequest]: ...
    def __getitem__(self, index: int | slice) -> LoggedRequest | list[LoggedRequest]:
        with self._lock:
            return self._entries[index]

    def of(self, operation: str) -> list[LoggedRequest]:
        """Return the requests of one operation, such as `export.create`."""
        return [entry for entry in self if entry.operation == operation]

    def clear(self) -> None:
        """Forget all requests."""
        with self._lock:
            self._entries.clear()

    def add(
        self,
        call: Call,
        *,
        started_at: datetime,
        finished_at: datetime,
        status: int,
        error_code: str,
        concurrency: int,
    ) -> None:
        """Log a request."""
        request = call.request
        entry = LoggedRequest(
            method=request.method,
            path=request.path,
            operation=call.operation,
            query={
                key: "***" if key in _SECRET_PARAMETERS else value
                for key, value in request.args.items()
            },
            body=_decoded(call),
            started_at=started_at,
            finished_at=finished_at,
            status=status,
            error_code=error_code,
            concurrency=concurrency,
            authorized=request.headers.get("Authorization", "").startswith("Bearer "),
            client_id=call.client_id,
            content_length=request.content_length or 0,
        )
        with self._lock:
            self._entries.append(entry)


def _decoded(call: Call) -> Any:  # noqa: ANN401 - any JSON
    if call.request.mimetype != "application/json":
        return None
    try:
        return json.loads(call.request.get_data())
    except (ValueError, RequestEntityTooLarge):
        return None

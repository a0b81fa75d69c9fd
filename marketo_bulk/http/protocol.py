"""Protocol: a request to Marketo as a value, and its answer decoded into an envelope or an error.

Pure: nothing here sends, waits or logs.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from enum import Enum
from http import HTTPStatus
from typing import TYPE_CHECKING, NoReturn, Protocol
from urllib.parse import urlencode, urlsplit

from marketo_bulk.errors import (
    Answer,
    DecodeError,
    EmptyAnswerError,
    MarketoFault,
    RejectedError,
    ServiceUnavailableError,
    one_line,
)
from marketo_bulk.errors.disclosure import shown_id
from marketo_bulk.http.error_codes import error_for_answer
from marketo_bulk.http.json_body import json_of

if TYPE_CHECKING:
    from collections.abc import Mapping


class Repeat(Enum):
    """What may be done when it is unknown whether Marketo acted on a request."""

    # Reads: every passing fault is retried, and unknown codes a little.
    SAFE = "safe"
    # Twice does no harm, as with a second job that is never enqueued: passing faults are retried.
    HARMLESS = "harmless"
    # Only an answer that says nothing was done is retried; a lost reply is the caller's to judge.
    NEVER = "never"


class OpenBody(Protocol):
    """A body being sent: readable, of known length, and aware of how far it was read."""

    @property
    def is_exhausted(self) -> bool:
        """Whether all of it was read, so that Marketo may have seen all of it."""

    def __len__(self) -> int:
        """Return the whole body's length in bytes."""

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes; empty at the end."""

    def close(self) -> None:
        """Let go of the file behind it."""


class Body(Protocol):
    """A body that is opened afresh for each attempt to send it."""

    def open(self) -> OpenBody:
        """Return the body, at its start."""


@dataclass(frozen=True, slots=True)
class Request:
    """One call.

    `target` is a path below the base URL, or a whole URL for the identity service, which gets
    no token. `operation` names the call in errors and logs. The body is hidden from `repr`: it
    may be a secret or persons' data. `max_idle_seconds` shortens the connection's time-out.
    `names` are the names in it (fields, settings, ids) that an error may repeat; never values.
    `permission` is what the role of the API user must allow.
    """

    method: str
    target: str
    operation: str
    query: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | Body | None = field(default=None, repr=False)
    content_type: str | None = None
    repeat: Repeat = Repeat.SAFE
    max_idle_seconds: float | None = None
    names: tuple[str, ...] = ()
    permission: str = ""

    @property
    def address(self) -> str:
        """The target with its query string."""
        return f"{self.target}?{urlencode(self.query)}" if self.query else self.target

    def with_json(self, content: Mapping[str, object]) -> Request:
        """Return this request with content as its JSON body."""
        encoded = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
        return replace(self, body=encoded, content_type="application/json")


@dataclass(frozen=True, slots=True)
class Reply:
    """One whole answer; header names are lower-case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a successful answer carries; `result` is None where the answer had none."""

    operation: str
    request_id: str | None = None
    result: tuple[Mapping[str, object], ...] | None = None
    next_page_token: str | None = None
    more_result: bool = True
    warnings: tuple[str, ...] = ()

    def one(self) -> Mapping[str, object]:
        """Return the first result, for operations that always have one.

        Raises: EmptyAnswerError if there is none.
        """
        if not self.result:
            raise EmptyAnswerError(
                "Marketo answered success without a result",
                answer=Answer(self.operation, request_id=self.request_id),
            )
        return self.result[0]

    def fault(self, message: str) -> DecodeError:
        """Return the error that says what is wrong with this answer."""
        return DecodeError(message, answer=Answer(self.operation, request_id=self.request_id))


def decode(operation: str, reply: Reply) -> Envelope:
    """Return the envelope of a reply.

    Raises: the error the reply stands for (see `codes`); ServiceUnavailableError if it is cut
    off or a gateway's page; DecodeError if it is whole but no envelope.
    """
    refuse_redirect(operation, reply)
    answer = parse_object(operation, reply)
    said_id = _optional_text(answer.get("requestId"))
    request_id = None if said_id is None else shown_id(said_id)
    faults = _faults(answer.get("errors"))
    where = Answer(operation, faults, request_id, reply.status)
    if faults or reply.status >= HTTPStatus.BAD_REQUEST:
        raise error_for_answer(f"Marketo answered HTTP status {reply.status}", where)
    if answer.get("success") is False:
        raise RejectedError("Marketo answered failure without saying why", answer=where)
    if answer.get("success") is not True:
        raise DecodeError("the answer is not a Marketo envelope: no success in it", answer=where)
    return Envelope(
        operation=operation,
        request_id=request_id,
        result=_result(answer.get("result"), where),
        next_page_token=_optional_text(answer.get("nextPageToken")),
        more_result=answer.get("moreResult") is not False,
        warnings=_warnings(answer.get("warnings")),
    )


def is_file(content_type: str, start: bytes) -> bool:
    """Tell whether a 2xx answer to a request for a file is one, from its type and first bytes.

    Marketo and the gateway before it also answer errors with status 200, as JSON and as HTML. No
    file of Marketo's starts so: its first line holds field names.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if "json" in kind or "html" in kind or "xml" in kind:
        return False
    return start.lstrip()[:1] not in {b"{", b"<"}


def raise_for_non_file(operation: str, reply: Reply) -> NoReturn:
    """Raise the error that was sent in place of a file."""
    envelope = decode(operation, reply)
    raise ServiceUnavailableError(
        "Marketo answered an empty success instead of the file",
        answer=Answer(operation, request_id=envelope.request_id, http_status=reply.status),
    )


def refuse_redirect(operation: str, reply: Reply) -> None:
    """Raise RejectedError if the reply sends the caller elsewhere."""
    if HTTPStatus.MULTIPLE_CHOICES <= reply.status < HTTPStatus.BAD_REQUEST:
        # Only the host: an address may carry anything, and nobody needs more to correct a URL.
        host = urlsplit(reply.headers.get("location", "")).netloc.rpartition("@")[2]
        raise RejectedError(
            f"redirected to {host or 'another address'} (HTTP status {reply.status})",
            answer=Answer(operation, http_status=reply.status),
            remedy="Redirects are not followed, so that no token goes astray: correct base_url",
        )


def parse_object(operation: str, reply: Reply) -> Mapping[str, object]:
    """Return the JSON object a reply's body is.

    Raises: for a body that is no JSON, the error of its HTTP status; DecodeError if it is JSON
    but no object.
    """
    where = Answer(operation, http_status=reply.status)
    try:
        answer = json_of(reply.body)
    except ValueError as error:
        # The body is not shown: a page may repeat what was sent, tokens and rows included.
        kind = reply.headers.get("content-type", "no content type")
        described = f"HTTP status {reply.status}, {kind}, {len(reply.body)} bytes that are no JSON"
        if reply.status >= HTTPStatus.BAD_REQUEST:
            raise error_for_answer(described, where) from error
        raise ServiceUnavailableError(described, answer=where) from error
    if not isinstance(answer, dict):
        raise DecodeError("the answer is not a Marketo envelope: no JSON object", answer=where)
    return answer


def _faults(errors: object) -> tuple[MarketoFault, ...]:
    entries = errors if isinstance(errors, list) else []
    return tuple(
        # Codes are strings on the wire; some answers have been seen with numbers.
        MarketoFault(one_line(str(entry.get("code", "")))[:100], str(entry.get("message", "")))
        if isinstance(entry, dict)
        else MarketoFault("", str(entry))
        for entry in entries
    )


def _result(result: object, where: Answer) -> tuple[Mapping[str, object], ...] | None:
    if result is None:
        return None
    if not isinstance(result, list) or not all(isinstance(entry, dict) for entry in result):
        raise DecodeError("result is not a list of objects in Marketo's answer", answer=where)
    return tuple(result)


def _warnings(warnings: object) -> tuple[str, ...]:
    # Strings from the asset API, objects with code and message from the others.
    entries = warnings if isinstance(warnings, list) else []
    return tuple(
        str(entry.get("message", "")) if isinstance(entry, dict) else str(entry)
        for entry in entries
    )


def _optional_text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None

"""Transport: one HTTP exchange at a time, as values."""

from __future__ import annotations

import http.client
import ssl
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import requests
import urllib3.exceptions
from requests.auth import AuthBase
from typing_extensions import override

from marketo_bulk.bounded_head import BoundedAdapter
from marketo_bulk.errors import (
    Answer,
    ConfigurationError,
    DownloadError,
    MarketoBulkError,
    ServiceUnavailableError,
)
from marketo_bulk.limits import (
    CONNECT_TIMEOUT_SECONDS,
    DOWNLOAD_CHUNK_BYTES,
    JSON_REPLY_MAX_BYTES,
    JSON_REPLY_MAX_SECONDS,
)
from marketo_bulk.protocol import Reply, is_file, raise_for_non_file
from marketo_bulk.redaction import Redaction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import TypeGuard

    from marketo_bulk.auth import AccessToken
    from marketo_bulk.connection import Connection
    from marketo_bulk.protocol import OpenBody, Request


@dataclass(frozen=True, slots=True)
class OpenReply:
    """An answer whose headers have arrived and whose body has not been read; names lower-case."""

    operation: str
    status: int
    headers: Mapping[str, str]
    _response: requests.Response
    _clock: Callable[[], float]
    _redaction: Redaction

    def chunks(self, *, decoded: bool) -> Iterator[bytes]:
        """Yield the body as it arrives.

        Raises: ServiceUnavailableError if the connection breaks, or the body is shorter than its
        headers say.
        """
        while True:
            try:
                # `read1` returns what is there; `read` would sit on a slow trickle until a whole
                # chunk has arrived, out of reach of any time limit.
                chunk = self._response.raw.read1(DOWNLOAD_CHUNK_BYTES, decode_content=decoded)
            except (urllib3.exceptions.HTTPError, OSError) as error:
                raise ServiceUnavailableError(
                    f"the connection broke inside the answer ({_name(error)})",
                    answer=Answer(self.operation),
                ) from error
            if not chunk:
                return
            yield chunk

    def read(self, max_bytes: int, max_seconds: float, start: bytes = b"") -> Reply:
        """Return the whole answer, gzip undone; `start` is what `chunks` has already yielded.

        Shape: without the token or the secret, should the peer repeat them.
        Raises: ServiceUnavailableError as `chunks` does, or if it takes longer than max_seconds;
        DownloadError if it is longer than max_bytes.
        """
        body = self._redaction.of_body(self._read(max_bytes, max_seconds, start))
        return Reply(self.status, self.headers, body)

    def _read(self, max_bytes: int, max_seconds: float, start: bytes = b"") -> bytes:
        give_up_at = self._clock() + max_seconds
        body = bytearray(start)
        for chunk in self.chunks(decoded=True):
            body += chunk
            if len(body) > max_bytes:
                raise DownloadError(
                    f"the answer is longer than {max_bytes} bytes", answer=Answer(self.operation)
                )
            if self._clock() > give_up_at:
                raise ServiceUnavailableError(
                    f"the answer took longer than {max_seconds:.0f} s",
                    answer=Answer(self.operation),
                )
        return bytes(body)

    def require_file(self) -> None:
        """Raise what this answer stands for unless its status and type are those of a file."""
        is_success = self.status in {HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT}
        if not is_success or not is_file(self.headers.get("content-type", ""), b""):
            raise_for_non_file(
                self.operation, self.read(JSON_REPLY_MAX_BYTES, JSON_REPLY_MAX_SECONDS)
            )

    def read_file(self, max_bytes: int, max_seconds: float) -> bytes:
        """Return the body, which must be a file.

        Raises: as `read` does, and the error that was sent in place of a file.
        """
        self.require_file()
        body = self._read(max_bytes, max_seconds)
        if not is_file("", body):
            shown = self._redaction.of_body(body)
            raise_for_non_file(self.operation, Reply(self.status, self.headers, shown))
        return body


class Transport:
    """Sends requests over a session to one instance. Thread-safe as far as the session is."""

    def __init__(
        self, connection: Connection, session: requests.Session, clock: Callable[[], float]
    ) -> None:
        if session.verify is False:
            raise ConfigurationError("the session must verify certificates: it carries a secret")
        self._connection = connection
        self._session = session
        self._clock = clock
        self._redaction: tuple[AccessToken | None, Redaction] | None = None

    @contextmanager
    def open(self, request: Request, token: AccessToken | None) -> Iterator[OpenReply]:
        """Send a request once and give its answer, the body still to be read.

        Raises: ServiceUnavailableError if there is no answer; its `never_sent` says whether
        Marketo can have seen the whole request.
        """
        body = request.body
        sending = body if body is None or isinstance(body, bytes) else body.open()
        try:
            response = self._send(request, token, sending)
        except requests.RequestException as error:
            unfinished = _is_open(sending) and not sending.is_exhausted
            raise _network_error(request, error, never_sent=unfinished) from error
        finally:
            if _is_open(sending):
                sending.close()
        with closing(response):
            redaction = self._redaction_of(token)
            headers = {n.lower(): redaction.of_text(v) for n, v in response.headers.items()}
            status = response.status_code
            yield OpenReply(request.operation, status, headers, response, self._clock, redaction)

    def close(self) -> None:
        """Close the session's connections."""
        self._session.close()

    def _redaction_of(self, token: AccessToken | None) -> Redaction:
        """Return what hides the secret and a token; kept, because calls in a row use one token."""
        kept = self._redaction  # read once: other threads may put theirs in its place
        if kept is None or kept[0] is not token:
            secrets = (self._connection.client_secret, token.value if token else "")
            self._redaction = kept = token, Redaction(secrets)
        return kept[1]

    def _send(
        self, request: Request, token: AccessToken | None, body: bytes | OpenBody | None
    ) -> requests.Response:
        base_url = self._connection.base_url if token else ""
        headers = {"Accept-Encoding": "gzip", "User-Agent": "marketo-bulk"}
        if request.content_type:
            headers["Content-Type"] = request.content_type
        headers.update(request.headers)
        timeout_seconds = self._connection.request_timeout_seconds
        if request.max_idle_seconds is not None:
            timeout_seconds = min(timeout_seconds, request.max_idle_seconds)
        return self._session.request(
            request.method,
            f"{base_url}{request.address}",
            data=body,
            headers=headers,
            auth=_Bearer(token),
            timeout=(CONNECT_TIMEOUT_SECONDS, timeout_seconds),
            allow_redirects=False,
            stream=True,
        )


def new_session(connection: Connection) -> requests.Session:
    """Return a session with a connection for each call made at once, and for identity's."""
    session = requests.Session()
    adapter = BoundedAdapter(pool_maxsize=connection.max_concurrent_calls + 1)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    # A proxy cannot reach this machine's loopback, and must not be shown what is sent there.
    session.trust_env = not connection.is_loopback
    return session


class _Bearer(AuthBase):
    """Sets the token's header, or none. Without it requests would look into ~/.netrc."""

    def __init__(self, token: AccessToken | None) -> None:
        self._token = token

    @override
    def __call__(self, prepared: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token is not None:
            prepared.headers["Authorization"] = f"Bearer {self._token.value}"
        return prepared


def _is_open(body: bytes | OpenBody | None) -> TypeGuard[OpenBody]:
    return body is not None and not isinstance(body, bytes)


def _network_error(
    request: Request, error: requests.RequestException, *, never_sent: bool
) -> MarketoBulkError:
    where = Answer(request.operation)
    causes = list(_causes(error))
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return ConfigurationError(
            "the server's certificate is not trusted",
            answer=where,
            remedy="Check base_url and identity_url, and REQUESTS_CA_BUNDLE behind a proxy",
        )
    # The exception's own words are left out: they repeat whole addresses. The host says enough.
    asked = "" if error.request is None else f" from {urlsplit(error.request.url or '').netloc}"
    return ServiceUnavailableError(
        f"no answer{asked} ({_name(error)})",
        answer=where,
        never_sent=never_sent
        or any(isinstance(cause, urllib3.exceptions.NewConnectionError) for cause in causes)
        or isinstance(error, requests.ConnectTimeout),
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the error and what it wraps: requests and urllib3 keep that in three places."""
    seen: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        cause = waiting.pop()
        if isinstance(cause, BaseException) and cause not in seen:
            seen.append(cause)
            waiting += [cause.__context__, getattr(cause, "reason", None), *cause.args]
            yield cause


def _name(error: BaseException) -> str:
    """Return what tells a reset from a time-out: the operating system's or http.client's class."""
    wrappers = (requests.RequestException, urllib3.exceptions.HTTPError)
    telling = (OSError, http.client.HTTPException)
    for cause in _causes(error):
        if isinstance(cause, http.client.IncompleteRead):
            return "IncompleteRead"
        if isinstance(cause, telling) and not isinstance(cause, wrappers):
            return type(cause).__name__
    return type(error).__name__

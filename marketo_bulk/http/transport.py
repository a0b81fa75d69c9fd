"""Transport: one HTTP exchange at a time, as values."""

from __future__ import annotations

from contextlib import closing, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import requests
import urllib3.exceptions
from requests.auth import AuthBase
from typing_extensions import override

from marketo_bulk.errors import (
    AbandonedError,
    Answer,
    ConfigurationError,
    DecodeError,
    DownloadError,
    MarketoBulkError,
    ServiceUnavailableError,
)
from marketo_bulk.http.bounded_head import BoundedAdapter
from marketo_bulk.http.content_coding import UNDONE, content_codings
from marketo_bulk.http.network_errors import Asked, class_name, network_error
from marketo_bulk.http.protocol import Reply, is_file, raise_for_non_file
from marketo_bulk.http.redaction import Redaction
from marketo_bulk.limits import (
    CONNECT_TIMEOUT_SECONDS,
    DOWNLOAD_CHUNK_BYTES,
    JSON_REPLY_MAX_BYTES,
    JSON_REPLY_MAX_SECONDS,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import TypeGuard

    from marketo_bulk.http.auth import AccessToken
    from marketo_bulk.http.connection import Connection
    from marketo_bulk.http.protocol import OpenBody, Request


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
        headers say; DecodeError if it is to be `decoded` and nobody here can.
        """
        if decoded:
            self._name_codings()
        while True:
            try:
                # `read1` returns what is there; `read` would sit on a slow trickle until a whole
                # chunk has arrived, out of reach of any time limit.
                chunk = self._response.raw.read1(DOWNLOAD_CHUNK_BYTES, decode_content=decoded)
            except (urllib3.exceptions.HTTPError, OSError) as error:
                raise ServiceUnavailableError(
                    f"the connection broke inside the answer ({class_name(error)})",
                    answer=Answer(self.operation),
                ) from error
            if not chunk:
                return
            yield chunk

    def _name_codings(self) -> None:
        """Leave of Content-Encoding what urllib3 is to undo; it stumbles over harmless words."""
        header = self.headers.get("content-encoding")
        if header is None:
            return
        codings = content_codings(header)
        unknown = [coding for coding in codings if coding not in UNDONE]
        if unknown and self.status < HTTPStatus.BAD_REQUEST:
            raise DecodeError(
                f"the answer is encoded as {', '.join(unknown)}, which was not asked for: find "
                "what between here and Marketo compresses answers",
                answer=Answer(self.operation, http_status=self.status),
            )
        self._response.raw.headers["content-encoding"] = "" if unknown else ", ".join(codings)

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
        self._met: set[str] = set()
        self._times_abandoned = 0
        self._is_over = False

    @contextmanager
    def open(self, request: Request, token: AccessToken | None) -> Iterator[OpenReply]:
        """Send a request once and give its answer, the body still to be read.

        Raises: ServiceUnavailableError if there is no answer; its `never_sent` says whether
        Marketo can have seen the whole request.
        """
        host = urlsplit(self._base_url_of(token) + request.target).netloc
        body = request.body
        sending = body if body is None or isinstance(body, bytes) else body.open()
        try:
            response = self._send(request, token, sending)
        except (requests.RequestException, urllib3.exceptions.LocationValueError) as error:
            unfinished = _is_open(sending) and not sending.is_exhausted
            raise self._network_error(request, error, host, never_sent=unfinished) from error
        finally:
            if _is_open(sending):
                sending.close()
        self._met.add(host)
        with closing(response):
            redaction = self._redaction_of(token)
            headers = {n.lower(): redaction.of_text(v) for n, v in response.headers.items()}
            status = response.status_code
            yield OpenReply(request.operation, status, headers, response, self._clock, redaction)

    @property
    def times_abandoned(self) -> int:
        """How often the calls under way were abandoned."""
        return self._times_abandoned

    def require_wanted(self, operation: str, times_before: int) -> None:
        """Raise AbandonedError if calls were abandoned since this one began, or for good."""
        if self._is_over or self._times_abandoned != times_before:
            raise AbandonedError("broken off, as the run is to end", answer=Answer(operation))

    def abandon(self, *, for_good: bool) -> None:
        """Break off every exchange under way, in whatever thread; `for_good`: later ones, too."""
        self._is_over = self._is_over or for_good
        self._times_abandoned += 1
        for adapter in self._session.adapters.values():
            if isinstance(adapter, BoundedAdapter):
                adapter.sockets.shut_down(for_good=for_good)

    def _base_url_of(self, token: AccessToken | None) -> str:
        return self._connection.base_url if token else ""

    def _network_error(
        self,
        request: Request,
        error: Exception,
        host: str,
        *,
        never_sent: bool,
    ) -> MarketoBulkError:
        asked = Asked(request.operation, host, self._connection, is_met=host in self._met)
        return network_error(error, asked, never_sent=never_sent)

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
        base_url = self._base_url_of(token)
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

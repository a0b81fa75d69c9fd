"""WSGI transport: a `requests` session that calls an application in this process, on its clock.

What a socket would make of a broken connection, of a body shorter than announced and of a reply
that comes too late is done here in its place. Chunked framing itself is not: a body without a
length just ends, as it does for a client once its chunks are decoded.
"""

from __future__ import annotations

import functools
import io
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes, urlsplit

import requests
from requests.structures import CaseInsensitiveDict
from typing_extensions import override
from urllib3 import HTTPHeaderDict, HTTPResponse
from urllib3.exceptions import ProtocolError, ReadTimeoutError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

SERVER: Mapping[str, Any] = {
    "SCRIPT_NAME": "",
    "SERVER_NAME": "127.0.0.1",
    "SERVER_PORT": "9",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "wsgi.version": (1, 0),
    "wsgi.url_scheme": "http",
    "wsgi.errors": None,
    "wsgi.multithread": True,
    "wsgi.multiprocess": False,
    "wsgi.run_once": False,
}


class WsgiSession(requests.Session):
    """Gets its answers from an application, without the cookies, hooks and proxies in between.

    `clock` tells how long the application took. `step` is called, with the path, before a request
    leaves and when its reply has come: time passes there, and processes die there.
    """

    def __init__(
        self,
        application: WSGIApplication,
        clock: Callable[[], float],
        step: Callable[[str, str], object],
    ) -> None:
        super().__init__()
        self._application = application
        self._clock = clock
        self._step = step

    @override
    def request(self, method: Any, url: Any, *_: Any, **more: Any) -> requests.Response:
        request = requests.PreparedRequest()
        request.method, request.url, request.body = method, url, more["data"]
        request.headers = dict(more["headers"])  # type: ignore[assignment]  # cheaper
        if request.body is not None:
            request.headers["Content-Length"] = str(len(request.body))
        request = more["auth"](request)
        timeout_seconds = more["timeout"][1]
        path = str(urlsplit(url).path)
        self._step("send", path)
        sent_at = self._clock()
        head: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(
            status: str, headers: list[tuple[str, str]], _: object = None
        ) -> Callable[[bytes], object]:
            head.append((status, headers))
            return bytes

        try:
            pieces = self._application(_environ(request), start_response)
        except ConnectionResetError as error:
            self._step("reply", path)
            broken = ProtocolError("Connection aborted.", error)
            raise requests.ConnectionError(broken, request=request) from error
        if self._clock() - sent_at > timeout_seconds:
            _close(pieces)
            raise requests.ReadTimeout("Read timed out.", request=request)
        try:
            self._step("reply", path)
        except BaseException:
            _close(pieces)
            raise
        status, headers = head[0]
        return _response(request, status, headers, _Body(pieces, self._clock, timeout_seconds))


class _Body(io.RawIOBase):
    """The pieces of a body as a file; late ones time out."""

    def __init__(
        self, pieces: Iterable[bytes], clock: Callable[[], float], timeout_seconds: float
    ) -> None:
        super().__init__()
        self._source = pieces
        self._pieces: Iterator[bytes] = iter(pieces)
        self._left = b""
        self._clock = clock
        self._timeout_seconds = timeout_seconds

    @override
    def readable(self) -> bool:
        return True

    def read1(self, size: int = -1) -> bytes:
        """Return what there is, at least a byte before the end."""
        asked_at = self._clock()
        while not self._left:
            piece = next(self._pieces, None)
            if piece is None:
                return b""
            if self._clock() - asked_at > self._timeout_seconds:
                raise ReadTimeoutError(None, "", "Read timed out.")  # type: ignore[arg-type]
            self._left = piece
        size = len(self._left) if size < 0 else size
        taken, self._left = self._left[:size], self._left[size:]
        return taken

    @override
    def read(self, size: int = -1) -> bytes:
        return self.read1(size)

    @override
    def close(self) -> None:
        if not self.closed:
            _close(self._source)
        super().close()


def _close(pieces: Iterable[bytes]) -> None:
    with suppress(AttributeError):
        pieces.close()  # type: ignore[attr-defined]


def _response(
    request: requests.PreparedRequest,
    status: str,
    headers: list[tuple[str, str]],
    body: io.RawIOBase,
) -> requests.Response:
    response = _Response()
    response.status_code = int(status.split(maxsplit=1)[0])
    response.headers = CaseInsensitiveDict(headers)
    raw_headers = HTTPHeaderDict()
    for name, value in headers:
        raw_headers.add(name, value)
    response.raw = HTTPResponse(
        body,
        headers=raw_headers,
        status=response.status_code,
        preload_content=False,
        decode_content=False,
        request_method=request.method,
    )
    response.request = request
    return response


class _Response(requests.Response):
    """A response without the cookies and the history, which take time to make."""

    def __init__(self) -> None:
        self._content_consumed = False


def _environ(request: requests.PreparedRequest) -> WSGIEnvironment:
    address = urlsplit(request.url or "")
    body = request.body or b""
    content = body.encode() if isinstance(body, str) else body
    environ: dict[str, Any] = {
        **SERVER,
        "REQUEST_METHOD": request.method,
        "PATH_INFO": unquote_to_bytes(str(address.path)).decode("latin-1"),
        "QUERY_STRING": address.query,
        "wsgi.input": io.BytesIO(content),
    }
    for name, value in request.headers.items():
        environ[_key(name)] = value
    return environ


@functools.cache
def _key(header: str) -> str:
    key = header.upper().replace("-", "_")
    return key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"

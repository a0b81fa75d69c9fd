"""The server: the application on a loopback socket, one thread a connection, kept alive."""

from __future__ import annotations

import ipaddress
import socket
import struct
import sys
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase, BufferedReader, RawIOBase
from threading import Lock, Thread
from typing import IO, TYPE_CHECKING, Any, cast
from urllib.parse import unquote_to_bytes

from typing_extensions import override
from werkzeug.serving import DechunkedInput

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

LOOPBACK = "127.0.0.1"
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_DRAINED_AT_MOST_BYTES = 64 << 20
_PIECE_BYTES = 1 << 16


class LoopbackServer:
    """A server that is ready when it exists and gone, threads and all, when closed."""

    def __init__(
        self, application: WSGIApplication, *, host: str = LOOPBACK, port: int = 0
    ) -> None:
        if not ipaddress.ip_address(host).is_loopback:
            message = f"{host} is not a loopback address; the emulator never leaves the machine"
            raise ValueError(message)
        self._server = _Server((host, port), application)
        self.port: int = self._server.server_port
        self.base_url = f"http://{host}:{self.port}"
        self._thread = Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.02},
            name="emulator",
            # A process that forgets to close the server ends all the same.
            daemon=True,
        )
        self._thread.start()

    def close(self) -> None:
        """Stop listening, end every connection and wait for their threads."""
        self._server.shutdown()
        self._thread.join()
        self._server.end_connections()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    # The base class waits for threads that are no daemons, and at exit for ever.
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], application: WSGIApplication) -> None:
        self.application = application
        self._connections: set[socket.socket] = set()
        self._workers: list[Thread] = []
        self._connections_lock = Lock()
        super().__init__(address, _Handler)

    @override
    def process_request(self, request: Any, client_address: Any) -> None:
        with self._connections_lock:
            self._connections.add(request)
        worker = Thread(
            target=self.process_request_thread, args=(request, client_address), daemon=True
        )
        self._workers = [*filter(Thread.is_alive, self._workers), worker]
        worker.start()

    @override
    def server_close(self) -> None:
        super().server_close()
        for worker in self._workers:
            worker.join()

    @override
    def shutdown_request(self, request: Any) -> None:
        with self._connections_lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    @override
    def handle_error(self, request: Any, client_address: Any) -> None:
        # A client that goes away between two requests is no error of the emulator's.
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)

    def end_connections(self) -> None:
        with self._connections_lock:
            for connection in self._connections:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    @override
    def server_bind(self) -> None:
        # The base class looks the host's name up, which can take seconds and goes out to DNS.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]


class _Body(RawIOBase):
    """The bytes of one request's body and no more."""

    def __init__(self, source: BufferedIOBase, length: int) -> None:
        super().__init__()
        self._source = source
        self.left = length

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: Any) -> int:
        wanted = min(len(buffer), self.left)
        content = self._source.read(wanted) if wanted else b""
        buffer[: len(content)] = content
        self.left = self.left - len(content) if content else 0
        return len(content)


class _Handler(BaseHTTPRequestHandler):
    """Between the standard library's HTTP parser and WSGI."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def _run(self) -> None:
        body = _Body(self.rfile, int(self.headers.get("Content-Length") or 0))
        try:
            self._exchange(self._environ(body), body)
        except ConnectionResetError:
            self._reset()
        except (ConnectionError, TimeoutError):
            self.close_connection = True

    # The names are those the base class looks for.
    do_DELETE = do_GET = do_HEAD = do_PATCH = do_POST = do_PUT = _run  # noqa: N815

    def _exchange(self, environ: WSGIEnvironment, body: _Body) -> None:
        head: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(
            status: str, headers: list[tuple[str, str]], _: object = None
        ) -> Callable[[bytes], object]:
            head.append((status, headers))
            return self.wfile.write

        pieces = self.server.application(environ, start_response)
        try:
            self._drain(body, environ["wsgi.input"])
            self._send_head(*head[0])
            self._send_body(iter(pieces), dict(head[0][1]).get("Content-Length"))
        finally:
            if hasattr(pieces, "close"):
                pieces.close()

    def _send_head(self, status: str, headers: list[tuple[str, str]]) -> None:
        # Both ends agree on the framing only if the connection is said to be kept or not.
        names = {name.lower() for name, _ in headers}
        lines = [f"{name}: {value}" for name, value in headers]
        if "content-length" not in names:
            lines.append("Transfer-Encoding: chunked")
        lines.append(f"Connection: {'close' if self.close_connection else 'keep-alive'}")
        text = "\r\n".join((f"{self.protocol_version} {status}", *lines, "", ""))
        self._head = text.encode("latin-1")

    def _send_body(self, pieces: Iterable[bytes], length: str | None) -> None:
        sent = 0
        for piece in pieces:
            sent += len(piece)
            if piece:
                self._write(piece if length is not None else _chunk(piece))
        self._write(b"" if length is not None else b"0\r\n\r\n")
        if length is not None and sent < int(length) and self.command != "HEAD":
            self.close_connection = True

    def _write(self, content: bytes) -> None:
        """Send, with the head before the first piece in one packet."""
        head, self._head = self._head, b""
        content = b"" if self.command == "HEAD" else content
        if head or content:
            self.wfile.write(head + content)

    def _drain(self, body: _Body, source: IO[bytes]) -> None:
        """Read what is left of the request: the next one would begin in the middle of it.

        To close instead would reset the connection under a client that is still sending, and it
        would never see the answer.
        """
        self.close_connection |= body.left > _DRAINED_AT_MOST_BYTES
        with suppress(OSError):
            for _ in range(0, _DRAINED_AT_MOST_BYTES, _PIECE_BYTES):
                if not source.read(_PIECE_BYTES):
                    break
        self.close_connection |= body.left > 0

    def _reset(self) -> None:
        """Break the connection so that the other end gets ECONNRESET, not an orderly end."""
        self.close_connection = True
        with suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            self.rfile.close()
            self.connection.close()

    def _environ(self, body: _Body) -> WSGIEnvironment:
        path, _, query = self.path.partition("?")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query,
            "SERVER_NAME": LOOPBACK,
            "SERVER_PORT": str(self.server.server_port),
            "SERVER_PROTOCOL": self.request_version,
            "REMOTE_ADDR": self.client_address[0],
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": BufferedReader(body),
            "wsgi.errors": None,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for name, value in self.headers.items():
            key = name.upper().replace("-", "_")
            environ[key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"] = value
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            environ["wsgi.input"] = DechunkedInput(cast("IO[bytes]", self.rfile))
            environ["wsgi.input_terminated"] = True
            # How much of it was read cannot be told, so the connection ends with the answer.
            self.close_connection = True
        return environ

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the application keeps a log of its own."""


def _chunk(piece: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(piece), piece)

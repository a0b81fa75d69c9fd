"""A server that says what a test scripts, over a real socket, and fakes that record."""

from __future__ import annotations

import json
import socket
import socketserver
import struct
import threading
from collections import defaultdict, deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from typing_extensions import override

from marketo_bulk.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

IDENTITY = "/identity/oauth/token"
CLIENT_SECRET = "s3cret&of=the+test"
DATE = "Tue, 20 Oct 2026 08:00:00 GMT"


@dataclass
class Exchange:
    """What the server does with one request.

    `cut_after`: close after so many bytes of the body. `reset`: with a TCP reset instead of an
    orderly end. `silent`: send nothing at all. `unread`: close without reading the body.
    `before`: called once the request has been read. `drips`: further bytes, sent as they come.
    """

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    cut_after: int | None = None
    reset: bool = False
    silent: bool = False
    unread: bool = False
    chunked: bool = False
    before: Callable[[Recorded], object] | None = None
    drips: Iterable[bytes] = ()


@dataclass
class Recorded:
    """A request as it arrived; header names are lower-case."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.body)


class ScriptedServer(socketserver.ThreadingTCPServer):
    """Answers each path with the exchanges scripted for it, in their order."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self._scripts: dict[str, deque[Exchange]] = defaultdict(deque)
        self._lock = threading.Lock()
        self.requests: list[Recorded] = []
        self.surprises: list[str] = []
        self.tokens_given = 0
        # For exchanges that wait for the test to have seen something.
        self.released = threading.Event()
        self.open_sockets: set[socket.socket] = set()

    @property
    def base_url(self) -> str:
        """Where this server is."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def script(self, path: str, *exchanges: Exchange) -> None:
        """Add exchanges for a path."""
        self._scripts[path].extend(exchanges)

    def forget(self, path: str) -> None:
        """Drop what a path's script still has."""
        self._scripts[path].clear()

    def calls(self, path: str | None = None) -> list[Recorded]:
        """The requests to a path, or all but those for tokens."""
        return [
            request
            for request in self.requests
            if (request.path == path if path else request.path != IDENTITY)
        ]

    def answer(self, request: Recorded) -> Exchange:
        """Record a request and return what its path's script has next."""
        with self._lock:
            self.requests.append(request)
            script = self._scripts[request.path]
            if script:
                return script.popleft()
            if request.path == IDENTITY:
                self.tokens_given += 1
                return token(f"token-{self.tokens_given}")
            self.surprises.append(f"{request.method} {request.path}")
        return Exchange(status=418, body=b"not in the script")

    def leaves_unread(self, path: str) -> bool:
        """Use up the next exchange of a path if it is not even to read the request."""
        with self._lock:
            script = self._scripts[path]
            return bool(script) and script[0].unread and bool(script.popleft())

    def unused(self) -> dict[str, int]:
        """How many exchanges of each path were never asked for."""
        return {path: len(script) for path, script in self._scripts.items() if script}

    def stop(self) -> None:
        """Close the server and the connections kept open."""
        self.released.set()
        self.shutdown()
        for connection in list(self.open_sockets):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.server_close()

    @override
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is part of most tests."""


class _Handler(socketserver.StreamRequestHandler):
    server: ScriptedServer

    @override
    def handle(self) -> None:
        self.server.open_sockets.add(self.connection)
        try:
            while request := self._read():
                exchange = self.server.answer(request)
                if exchange.before:
                    exchange.before(request)
                if not self._write(exchange):
                    return
        except OSError:
            return
        finally:
            self.server.open_sockets.discard(self.connection)

    def _read(self) -> Recorded | None:
        line = self.rfile.readline().decode()
        if not line:
            return None
        method, target, _version = line.split()
        headers = {}
        while (header := self.rfile.readline().decode().strip()) != "":
            name, _, value = header.partition(":")
            headers[name.lower()] = value.strip()
        if self.server.leaves_unread(urlsplit(target).path):
            return None
        length = int(headers.get("content-length", "0"))
        body = self.rfile.read(length)
        if len(body) < length:
            return None
        parts = urlsplit(target)
        return Recorded(method, parts.path, dict(parse_qsl(parts.query)), headers, body)

    def _write(self, exchange: Exchange) -> bool:
        """Send the exchange and tell whether the connection may be used again."""
        if not exchange.silent:
            headers = {"Date": DATE, "Content-Type": "application/json;charset=UTF-8"}
            if exchange.chunked:
                headers["Transfer-Encoding"] = "chunked"
            else:
                headers["Content-Length"] = str(len(exchange.body))
            headers |= exchange.headers
            head = "".join(f"{name}: {value}\r\n" for name, value in headers.items() if value)
            # Marketo has been recorded with "200" for a reason phrase.
            line = f"HTTP/1.1 {exchange.status} {exchange.status}\r\n"
            body = exchange.body[: exchange.cut_after]
            if exchange.chunked:
                body = f"{len(body):x}\r\n".encode() + body + b"\r\n" if body else b""
                body += b"" if exchange.cut_after is not None else b"0\r\n\r\n"
            # In one piece: two small ones would wait for each other (Nagle, delayed ACK).
            self.wfile.write(f"{line}{head}\r\n".encode() + body)
            for drip in exchange.drips:
                self.wfile.write(drip)
        if exchange.reset:
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.connection.close()
            return False
        return not exchange.silent and exchange.cut_after is None


class SleepClock:
    """A clock that only sleeping moves; it records how long was slept."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.slept: list[float] = []
        self._lock = threading.Lock()

    def __call__(self) -> float:
        """Return the moment."""
        return self.now

    def for_client(self) -> Clock:
        """Return it as the client takes it, with dice that always show zero."""
        return Clock(self, self.sleep, lambda: 0.0, moves_by_sleep=True)

    def sleep(self, seconds: float) -> None:
        """Move the clock, at once."""
        assert seconds >= 0
        with self._lock:
            self.slept.append(seconds)
            self.now += seconds


def envelope(*result: object, **members: object) -> Exchange:
    """A success with these results."""
    content = {"requestId": "e42b#14272d07d78", "result": list(result), "success": True}
    return Exchange(body=json.dumps(content | members).encode())


def failure(code: str | int, message: str = "made up", status: int = 200) -> Exchange:
    """A failure with this code."""
    errors = [{"code": code, "message": message}]
    content = {"requestId": "e42b#14272d07d78", "success": False, "errors": errors}
    return Exchange(status=status, body=json.dumps(content).encode())


def token(value: str = "token-1", expires_in: float = 3599) -> Exchange:
    """An identity answer."""
    content = {"access_token": value, "token_type": "bearer", "expires_in": expires_in}
    return Exchange(body=json.dumps(content).encode())


def csv(body: bytes, **members: Any) -> Exchange:
    """A file."""
    headers = {"Content-Type": "text/csv;charset=UTF-8"} | members.pop("headers", {})
    return Exchange(body=body, headers=headers, **members)


HTML = Exchange(body=b"<html>502</html>", headers={"Content-Type": "text/html"})
RESET = Exchange(silent=True, reset=True)

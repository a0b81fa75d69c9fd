"""A hostile server: records what it is asked and answers with any bytes, without end if wanted."""

from __future__ import annotations

import json
import socketserver
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    Reply = Callable[[str], Iterable[bytes]]

TOKEN = "t0ken-of-the-hostile-server"
IDENTITY = "/identity/oauth/token"


class HostileServer(socketserver.ThreadingTCPServer):
    """Answers every request with the bytes `reply` gives for its path; tokens are handed out."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.reply: Reply = lambda _path: answer()
        self.requests: list[tuple[str, str]] = []
        """Path and everything else of each request, the whole of it as text."""
        self.connections = 0

    @property
    def base_url(self) -> str:
        """Where this server is."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def paths(self) -> list[str]:
        """What was asked for besides tokens."""
        return [path for path, _ in self.requests if not path.startswith(IDENTITY)]

    @override
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has had enough is what most tests are about."""


class _Handler(socketserver.StreamRequestHandler):
    server: HostileServer

    @override
    def handle(self) -> None:
        self.server.connections += 1
        head = b""
        while line := self.rfile.readline().strip():
            head += line + b"\n"
        if not head:
            return
        length = next(
            (int(h[15:]) for h in head.splitlines() if h.lower().startswith(b"content-length:")), 0
        )
        path = head.split()[1].decode()
        self.server.requests.append((path, (head + self.rfile.read(length)).decode()))
        with suppress(OSError):
            for piece in self.server.reply(path):
                self.wfile.write(piece)


@contextmanager
def hostile_server() -> Iterator[HostileServer]:
    """Give a server that runs until the end of the block."""
    with HostileServer() as server:
        thread = threading.Thread(
            target=server.serve_forever, kwargs={"poll_interval": 0.005}, daemon=True
        )
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def raw(*lines: str, status: int = 200) -> bytes:
    """Return the head of an answer."""
    head = [
        f"HTTP/1.1 {status} {status}",
        "Date: Tue, 20 Oct 2026 08:00:00 GMT",
        "Connection: close",
    ]
    return "".join(f"{line}\r\n" for line in (*head, *lines)).encode() + b"\r\n"


def answer(document: object = None, *lines: str, status: int = 200) -> list[bytes]:
    """Return a whole answer in JSON; by default one that hands out a token."""
    plain = {"access_token": TOKEN, "token_type": "bearer", "expires_in": 3599}
    body = json.dumps(plain if document is None else document).encode()
    return [raw(f"Content-Length: {len(body)}", "Content-Type: application/json", *lines,
                status=status), body]  # fmt: skip


def result(*entries: object, **members: object) -> list[bytes]:
    """Return a whole answer of success with these results."""
    return answer({"requestId": "1", "success": True, "result": entries, **members})


def after_token(reply: Reply) -> Reply:
    """Return a reply that hands out tokens and is hostile for everything else."""
    return lambda path: answer() if path.startswith(IDENTITY) else reply(path)

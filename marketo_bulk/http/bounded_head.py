"""Bounded head: connections on which the head of an answer has to arrive within a time.

A time-out of a socket ends a silence, not a trickle: one byte of a header now and then, or
`100 Continue` for ever, would hold a call for as long as the peer likes.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import weakref
from typing import TYPE_CHECKING, Any

from requests.adapters import DEFAULT_POOLSIZE, HTTPAdapter
from typing_extensions import override
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from marketo_bulk.limits import HEAD_MAX_TIMEOUTS, REQUEST_TIMEOUT_DEFAULT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from urllib3 import HTTPResponse, PoolManager


class BoundedAdapter(HTTPAdapter):
    """An adapter of requests whose connections bound the heads of answers.

    `sockets` are those of all connections it has opened.
    """

    def __init__(self, *, pool_maxsize: int = DEFAULT_POOLSIZE) -> None:
        # Before the base class, which makes the pools.
        self.sockets = OpenSockets()
        super().__init__(pool_maxsize=pool_maxsize)

    @override
    def init_poolmanager(self, *arguments: Any, **named: Any) -> None:
        super().init_poolmanager(*arguments, **named)
        self.poolmanager.pool_classes_by_scheme = _pools(self.sockets)

    @override
    def proxy_manager_for(self, *arguments: Any, **named: Any) -> PoolManager:
        manager: PoolManager = super().proxy_manager_for(*arguments, **named)
        manager.pool_classes_by_scheme = _pools(self.sockets)
        return manager


class OpenSockets:
    """The sockets of a session's connections, which another thread may shut down. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        self._times = 0
        self._for_good = False

    @property
    def times_shut_down(self) -> int:
        """How often all were shut down."""
        return self._times

    def add(self, sock: socket.socket, times_before: int) -> None:
        """Take in a socket; it is shut down at once if that was due while it was being opened."""
        with self._lock:
            self._sockets.add(sock)
            is_late = self._for_good or self._times != times_before
        if is_late:
            _shut_down(sock)

    def shut_down(self, *, for_good: bool) -> None:
        """End whatever is read from or written to them; `for_good`: later ones, too."""
        with self._lock:
            self._times += 1
            self._for_good = self._for_good or for_good
            sockets = list(self._sockets)
        for sock in sockets:
            _shut_down(sock)


@contextlib.contextmanager
def _cut_off_in_time(connection: HTTPConnection) -> Iterator[None]:
    """Shut the connection down if the block takes too long; whoever reads then meets its end."""
    silence = connection.timeout or REQUEST_TIMEOUT_DEFAULT_SECONDS
    timer = threading.Timer(HEAD_MAX_TIMEOUTS * silence, _shut_down, (connection.sock,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _shut_down(sock: socket.socket) -> None:
    # TLS within the TLS of a proxy keeps the socket inside.
    plain = getattr(sock, "socket", sock)
    with contextlib.suppress(OSError):
        # Not the method of an SSLSocket, which would take its state from under the reader.
        socket.socket.shutdown(plain, socket.SHUT_RDWR)


def _pools(opened: OpenSockets) -> dict[str, type[HTTPConnectionPool]]:
    class Connection(HTTPConnection):
        @override
        def connect(self) -> None:
            times = opened.times_shut_down
            super().connect()
            opened.add(self.sock, times)

        @override
        def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as urllib3's own
            with _cut_off_in_time(self):
                return super().getresponse()

    class SecureConnection(Connection, HTTPSConnection):
        """The same, over TLS."""

    class Pool(HTTPConnectionPool):
        ConnectionCls = Connection

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = SecureConnection

    return {"http": Pool, "https": SecurePool}

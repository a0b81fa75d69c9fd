"""Bounded head: connections on which the head of an answer has to arrive within a time.

A time-out of a socket ends a silence, not a trickle: one byte of a header now and then, or
`100 Continue` for ever, would hold a call for as long as the peer likes.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING, Any

from requests.adapters import HTTPAdapter
from typing_extensions import override
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from marketo_bulk.limits import HEAD_MAX_TIMEOUTS, REQUEST_TIMEOUT_DEFAULT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from urllib3 import HTTPResponse, PoolManager


class BoundedAdapter(HTTPAdapter):
    """An adapter of requests whose connections bound the heads of answers."""

    @override
    def init_poolmanager(self, *arguments: Any, **named: Any) -> None:
        super().init_poolmanager(*arguments, **named)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    @override
    def proxy_manager_for(self, *arguments: Any, **named: Any) -> PoolManager:
        manager: PoolManager = super().proxy_manager_for(*arguments, **named)
        manager.pool_classes_by_scheme = _POOLS
        return manager


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


class _Connection(HTTPConnection):
    @override
    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as urllib3's own
        with _cut_off_in_time(self):
            return super().getresponse()


class _SecureConnection(HTTPSConnection):
    @override
    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as urllib3's own
        with _cut_off_in_time(self):
            return super().getresponse()


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


_POOLS = {"http": _Pool, "https": _SecurePool}

"""Fixtures: a scripted server, a clock only sleeping moves, and a client of both."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from marketo_bulk.client import MarketoBulk
from marketo_bulk.clock import Clock
from marketo_bulk.http.connection import Connection
from tests.client.scripted import CLIENT_SECRET, ScriptedServer, SleepClock

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    """A server without a script; at the end every exchange of its script must have been used."""
    scripted = ScriptedServer()
    thread = threading.Thread(
        target=scripted.serve_forever, kwargs={"poll_interval": 0.005}, daemon=True
    )
    thread.start()
    yield scripted
    scripted.stop()
    thread.join(timeout=60)
    assert scripted.surprises == []
    assert scripted.unused() == {}


@pytest.fixture
def clock() -> SleepClock:
    """A clock that starts at an arbitrary moment."""
    return SleepClock()


@pytest.fixture
def paused(clock: SleepClock) -> Clock:
    """The clock, its sleep, and dice that always show zero."""
    return Clock(clock, clock.sleep, lambda: 0.0)


@pytest.fixture
def connection(server: ScriptedServer) -> Connection:
    """How to reach the scripted server."""
    return Connection(
        base_url=server.base_url,
        client_id="the-client-id",
        client_secret=CLIENT_SECRET,
        request_timeout_seconds=5,
        max_retry_seconds=300,
    )


@pytest.fixture
def client(connection: Connection, clock: SleepClock) -> Iterator[MarketoBulk]:
    """A client of the scripted server that never waits for real."""
    with MarketoBulk.connect(connection, clock=clock.for_client()) as connected:
        yield connected

"""Hosts that are not there: what is said of them, and how long they are waited for."""

from __future__ import annotations

import logging
import socket
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from marketo_bulk.client import MarketoBulk
from marketo_bulk.clock import Clock
from marketo_bulk.errors import ConfigurationError, HostNotFoundError, ServiceUnavailableError
from marketo_bulk.exports.objects import PROGRAM_MEMBERS
from marketo_bulk.http.connection import Connection
from tests.client.scripted import envelope

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.client.scripted import ScriptedServer, SleepClock

STATUS = "/bulk/v1/program/members/export/ce45/status.json"
QUEUED = envelope({"exportId": "ce45", "status": "Queued"})
UNKNOWN = [socket.EAI_NONAME, socket.EAI_NODATA, socket.EAI_FAIL]


@pytest.fixture
def resolve_with(monkeypatch: pytest.MonkeyPatch) -> Callable[[int | None], None]:
    """Return a function that makes every name lookup end so; None: as it really does."""
    real = socket.getaddrinfo

    def make(number: int | None) -> None:
        def fail(*_: object, **__: object) -> None:
            raise socket.gaierror(number, "said by a test")

        monkeypatch.setattr(socket, "getaddrinfo", real if number is None else fail)

    return make


def client_of(clock: SleepClock, **settings: Any) -> MarketoBulk:
    """Return a client of a host nobody has."""
    usual: dict[str, Any] = {"base_url": "https://123-abc-456.mktorest.test"}
    connection = Connection(client_id="id", client_secret="s3cret", **(usual | settings))
    return MarketoBulk.connect(connection, clock=clock.for_client())


@pytest.mark.fault(
    "T7.10",
    "at the first call, the host's name does not exist",
    "fails at once and names the host and the setting",
)
@pytest.mark.parametrize("number", UNKNOWN)
@pytest.mark.parametrize(
    ("settings", "host", "setting"),
    [
        ({}, "123-abc-456.mktorest.test", "munchkin_id or base_url"),
        ({"identity_url": "https://login.mkto.test/identity"}, "login.mkto.test", "identity_url"),
    ],
    ids=["base_url", "identity_url"],
)
def test_name_that_does_not_exist_is_a_setting_to_correct(
    clock: SleepClock,
    resolve_with: Callable[[int | None], None],
    number: int,
    settings: dict[str, str],
    host: str,
    setting: str,
) -> None:
    """One line, without a wait."""
    resolve_with(number)
    with client_of(clock, **settings) as client, pytest.raises(ConfigurationError) as caught:
        client.get_export_status(PROGRAM_MEMBERS, "ce45")
    said = str(caught.value)
    assert host in said
    assert setting in said
    assert clock.slept == []


def test_real_lookup_of_a_name_that_cannot_exist_is_said(clock: SleepClock) -> None:
    """Whatever this machine's resolver says: within a minute, with the host and the setting."""
    with client_of(clock) as client, pytest.raises((ConfigurationError, HostNotFoundError)) as told:
        client.get_export_status(PROGRAM_MEMBERS, "ce45")
    assert "123-abc-456.mktorest.test" in str(told.value)
    assert "munchkin_id or base_url" in str(told.value)
    assert sum(clock.slept) < 60


@pytest.mark.fault(
    "T7.10",
    "… or no name server answers",
    "waits for half a minute, and names the host in the log and in the error",
)
def test_name_server_that_is_away_at_first_is_waited_for_a_little(
    clock: SleepClock, resolve_with: Callable[[int | None], None], caplog: pytest.LogCaptureFixture
) -> None:
    """A machine that has just started may have no network yet; a wrong name is said soon."""
    resolve_with(socket.EAI_AGAIN)
    with (
        caplog.at_level(logging.INFO),
        client_of(clock) as client,
        pytest.raises(HostNotFoundError, match=r"123-abc-456.mktorest.test.*base_url"),
    ):
        client.get_export_status(PROGRAM_MEMBERS, "ce45")
    assert clock.slept == [1, 2, 4, 8, 16]
    [message] = [m for m in caplog.messages if "retried in" in m]
    assert "123-abc-456.mktorest.test" in message


@pytest.mark.fault(
    "T7.10",
    "… or it is lost later in the run, or the connection is refused",
    "waits up to `max_retry_seconds`; the log line names the host",
)
@pytest.mark.parametrize("number", [*UNKNOWN, socket.EAI_AGAIN])
def test_name_that_is_lost_later_is_waited_for(
    connection: Connection,
    server: ScriptedServer,
    clock: SleepClock,
    resolve_with: Callable[[int | None], None],
    caplog: pytest.LogCaptureFixture,
    number: int,
) -> None:
    """A host that has answered is there: its name comes back."""
    server.script(STATUS, QUEUED, replace(QUEUED))
    by_name = replace(connection, base_url=server.base_url.replace("127.0.0.1", "localhost"))

    def sleep(seconds: float) -> None:
        clock.sleep(seconds)
        if clock.now > 1_100:
            resolve_with(None)

    with (
        caplog.at_level(logging.INFO),
        MarketoBulk.connect(by_name, clock=Clock(clock, sleep, lambda: 0.0)) as client,
    ):
        client.get_export_status(PROGRAM_MEMBERS, "ce45")
        client._caller._transport._session.close()  # noqa: SLF001 - as after a time without calls
        resolve_with(number)
        client.get_export_status(PROGRAM_MEMBERS, "ce45")
    assert sum(clock.slept) > 100
    assert "(no answer from localhost" in caplog.text


def test_refused_connection_is_named(clock: SleepClock, caplog: pytest.LogCaptureFixture) -> None:
    """The line of the wait and the error say which host, and the error which setting."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{unused.getsockname()[1]}"
        with (
            caplog.at_level(logging.INFO),
            client_of(clock, base_url=f"http://{host}") as client,
            pytest.raises(ServiceUnavailableError, match=rf"{host}.*base_url"),
        ):
            client.get_export_status(PROGRAM_MEMBERS, "ce45")
    assert f"(no answer from {host} (ConnectionRefusedError))" in caplog.text


@pytest.mark.parametrize("host", ["a..b", "-.example", "x" * 70 + ".example"])
def test_address_that_is_none_is_a_setting_to_correct(clock: SleepClock, host: str) -> None:
    """No wait makes an address of it."""
    with (
        client_of(clock, base_url=f"https://{host}") as client,
        pytest.raises((ConfigurationError, HostNotFoundError), match="base_url"),
    ):
        client.get_export_status(PROGRAM_MEMBERS, "ce45")
    assert sum(clock.slept) < 60


def test_proxy_that_does_not_exist_is_named(
    clock: SleepClock,
    resolve_with: Callable[[int | None], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is the proxy's name that is looked up."""
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.corp.test:3128")
    resolve_with(socket.EAI_NONAME)
    with client_of(clock) as client, pytest.raises(ConfigurationError) as caught:
        client.get_export_status(PROGRAM_MEMBERS, "ce45")
    assert "proxy.corp.test" in str(caught.value)
    assert "HTTPS_PROXY" in str(caught.value)

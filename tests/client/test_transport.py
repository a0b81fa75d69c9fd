"""One exchange at a time over a real socket."""

from __future__ import annotations

import gc
import gzip
import json
import socket
import ssl
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import requests
from typing_extensions import override

from marketo_bulk.errors import (
    ConfigurationError,
    DecodeError,
    DownloadError,
    MarketoBulkError,
    ServiceUnavailableError,
)
from marketo_bulk.http import transport as transport_module
from marketo_bulk.http.auth import AccessToken
from marketo_bulk.http.connection import Connection
from marketo_bulk.http.protocol import Request
from marketo_bulk.http.transport import Transport, new_session
from tests.client.scripted import CLIENT_SECRET, RESET, Exchange, csv, envelope

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from marketo_bulk.http.protocol import Reply
    from tests.client.scripted import ScriptedServer, SleepClock

TOKEN = AccessToken("cdf0:int", 3599, 4599)
READ = Request("GET", "/x.json", "read x", query=(("a", "1&2"),))


@pytest.fixture
def transport(connection: Connection, clock: SleepClock) -> Iterator[Transport]:
    """A transport to the scripted server."""
    made = Transport(connection, new_session(connection), clock)
    yield made
    made.close()


def exchange(transport: Transport, request: Request = READ, max_bytes: int = 1000) -> Reply:
    """Send a request and read its answer."""
    with transport.open(request, TOKEN) as reply:
        return reply.read(max_bytes, 60)


def test_request_arrives_as_meant(transport: Transport, server: ScriptedServer) -> None:
    """The token is in its header and nowhere else; JSON may come compressed."""
    server.script("/x.json", envelope())
    exchange(transport)
    [request] = server.requests
    assert (
        request.method,
        request.query,
        request.headers["authorization"],
        request.headers["accept-encoding"],
        request.body,
    ) == ("GET", {"a": "1&2"}, "Bearer cdf0:int", "gzip", b"")


def test_request_without_a_token_goes_to_its_own_address(
    transport: Transport, server: ScriptedServer
) -> None:
    """Identity gets no token, not even an old one."""
    server.script("/other", envelope())
    request = Request("POST", f"{server.base_url}/other", "op", body=b"a=1", content_type="x/y")
    with transport.open(request, None) as reply:
        reply.read(1000, 60)
    [recorded] = server.requests
    assert (
        recorded.body,
        recorded.headers["content-type"],
        "authorization" in recorded.headers,
    ) == (b"a=1", "x/y", False)


def test_netrc_does_not_replace_the_token(
    transport: Transport,
    server: ScriptedServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A password file for the host must neither be sent nor take the token's place."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login mallory password p4ss\n")
    monkeypatch.setenv("NETRC", str(netrc))
    server.script("/x.json", envelope())
    exchange(transport)
    assert server.requests[0].headers["authorization"] == "Bearer cdf0:int"


def test_loopback_is_not_reached_through_a_proxy(
    transport: Transport, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy of the environment is not shown what is meant for this machine."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    server.script("/x.json", envelope())
    assert exchange(transport).status == 200


def test_redirect_is_not_followed(transport: Transport, server: ScriptedServer) -> None:
    """The token does not travel to where an answer points."""
    server.script("/x.json", Exchange(302, headers={"Location": f"{server.base_url}/stolen"}))
    assert exchange(transport).status == 302
    assert [request.path for request in server.requests] == ["/x.json"]


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.fault("A25", "JSON comes gzip'd, in chunks or with a length", "is unpacked")
def test_gzip_is_undone(transport: Transport, server: ScriptedServer, *, chunked: bool) -> None:
    """A25: a compressed answer is read as what it was."""
    body = gzip.compress(b'{"success":true}')
    headers = {"Content-Encoding": "gzip"}
    server.script("/x.json", Exchange(body=body, headers=headers, chunked=chunked))
    assert exchange(transport).body == b'{"success":true}'


@pytest.mark.parametrize(
    ("scripted", "cause"),
    [
        (RESET, "ConnectionResetError"),
        (Exchange(silent=True, cut_after=0), "RemoteDisconnected"),
        (Exchange(body=b"x" * 50, cut_after=20), "IncompleteRead"),
        (Exchange(body=b"x" * 50, cut_after=20, chunked=True), "IncompleteRead"),
        (Exchange(body=b"no gzip", headers={"Content-Encoding": "gzip"}), "DecodeError"),
    ],
    ids=["reset", "closed", "F1 cut", "F2 cut chunk", "no gzip"],
)
def test_broken_exchange_passes(
    transport: Transport, server: ScriptedServer, scripted: Exchange, cause: str
) -> None:
    """Whatever breaks on the way is one error, that names its innermost cause and may pass."""
    server.script("/x.json", scripted)
    with pytest.raises(ServiceUnavailableError, match=cause) as caught:
        exchange(transport)
    assert not caught.value.never_sent


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_contradicting_lengths_pass(transport: Transport, server: ScriptedServer) -> None:
    """An answer that cannot be framed is a broken one."""
    server.script("/x.json", Exchange(body=b"x" * 50, headers={"Content-Length": "5, 6"}))
    with pytest.raises(ServiceUnavailableError, match="InvalidHeader"):
        exchange(transport)
    # urllib3 forgets the socket in this case: have it collected here, where that is expected.
    gc.collect()


def test_truncated_gzip_is_no_json(transport: Transport, server: ScriptedServer) -> None:
    """A compressed answer cut short under a length that says so cannot be taken for a whole."""
    body = gzip.compress(json.dumps({"a": "b" * 5000}).encode())[:-20]
    server.script("/x.json", Exchange(body=body, headers={"Content-Encoding": "gzip"}))
    with pytest.raises((ServiceUnavailableError, ValueError)):
        json.loads(exchange(transport, max_bytes=10_000).body)


def test_nobody_there_was_never_sent(clock: SleepClock) -> None:
    """What met no listener can be sent again, whatever it was."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        connection = Connection(f"http://127.0.0.1:{unused.getsockname()[1]}", "id", "s3cret")
        transport = Transport(connection, new_session(connection), clock)
        with pytest.raises(ServiceUnavailableError, match="ConnectionRefused") as caught:
            exchange(transport)
        transport.close()
    assert caught.value.never_sent


@pytest.mark.parametrize(
    ("timeout_seconds", "wanted"),
    [(0.05, READ), (60, replace(READ, max_idle_seconds=0.05))],
    ids=["connection", "request"],
)
def test_silence_ends(
    server: ScriptedServer, clock: SleepClock, timeout_seconds: float, wanted: Request
) -> None:
    """A server that says nothing is given up after the time-out, and may have heard us."""
    connection = Connection(
        server.base_url, "id", "s3cret", request_timeout_seconds=timeout_seconds
    )
    transport = Transport(connection, new_session(connection), clock)
    server.script("/x.json", Exchange(before=lambda _request: server.released.wait(60)))
    with pytest.raises(ServiceUnavailableError, match=r"TimeoutError|ReadTimeout") as caught:
        exchange(transport, wanted)
    server.released.set()
    transport.close()
    assert not caught.value.never_sent


@pytest.mark.parametrize("words", ["Identity", "UTF-8", " ", "identity,utf-8"])
def test_harmless_words_are_no_content_coding(
    transport: Transport, server: ScriptedServer, words: str
) -> None:
    """JSON is read whatever a header calls the absence of a coding."""
    server.script("/x.json", Exchange(body=b"{}", headers={"Content-Encoding": words}))
    assert exchange(transport).body == b"{}"


def test_gzip_beside_a_harmless_word_is_undone(
    transport: Transport, server: ScriptedServer
) -> None:
    """Only what was done to the body is undone."""
    headers = {"Content-Encoding": "identity, GZIP"}
    server.script("/x.json", Exchange(body=gzip.compress(b"{}"), headers=headers))
    assert exchange(transport).body == b"{}"


@pytest.mark.parametrize(("status", "kind"), [(200, DecodeError), (502, None)])
def test_unknown_coding_is_said(
    transport: Transport, server: ScriptedServer, status: int, kind: type[DecodeError] | None
) -> None:
    """An answer nobody can read does not pass by waiting; the page of a gateway may."""
    server.script("/x.json", Exchange(status, b"\x1b", headers={"Content-Encoding": "br"}))
    if kind is None:
        assert exchange(transport).status == status
        return
    with pytest.raises(kind, match="encoded as br"):
        exchange(transport)


def test_flood_is_cut_off(transport: Transport, server: ScriptedServer) -> None:
    """An answer without end is not read without end."""
    server.script("/x.json", Exchange(body=b"x" * 1001))
    with pytest.raises(DownloadError, match="1000 bytes"):
        exchange(transport)


def test_compressed_flood_is_cut_off(transport: Transport, server: ScriptedServer) -> None:
    """The bound is on what is unpacked, not on what is sent."""
    body = zlib.compress(b"x" * 10_000_000)
    server.script("/x.json", Exchange(body=body, headers={"Content-Encoding": "deflate"}))
    with pytest.raises(DownloadError, match="1000 bytes"):
        exchange(transport)


def test_trickle_is_cut_off(
    transport: Transport, server: ScriptedServer, clock: SleepClock
) -> None:
    """An answer that takes for ever is given up, though it never pauses long."""
    server.script("/x.json", Exchange(body=b"x" * 10))
    with transport.open(READ, TOKEN) as reply:
        clock.now += 5
        original = transport_module.OpenReply.read
        with pytest.raises(ServiceUnavailableError, match="longer than"):
            original(reply, 1000, -1)


def test_untrusted_certificate_is_a_setting_to_correct(clock: SleepClock) -> None:
    """A certificate that is not trusted does not pass by waiting."""

    class Untrusting(requests.adapters.HTTPAdapter):
        @override
        def send(self, *_args: object, **_named: object) -> requests.Response:
            """Refuse the certificate."""
            cause = ssl.SSLCertVerificationError(1, "CERTIFICATE_VERIFY_FAILED")
            raise requests.exceptions.SSLError(cause)

    connection = Connection("https://h.example", "id", "s3cret")
    with requests.Session() as session:
        session.mount("https://", Untrusting())
        with pytest.raises(ConfigurationError, match="certificate"):
            exchange(Transport(connection, session, clock))


def test_session_that_does_not_verify_is_refused(connection: Connection, clock: SleepClock) -> None:
    """No setting, and no caller, turns the verification of certificates off."""
    with requests.Session() as session:
        session.verify = False
        with pytest.raises(ConfigurationError, match="verify"):
            Transport(connection, session, clock)


def test_proxies_are_used_for_all_but_loopback() -> None:
    """The environment's proxy and certificates are for the world outside."""
    for base_url, expected in (("https://h.example", True), ("http://127.0.0.1:1", False)):
        with new_session(Connection(base_url, "id", "s3cret")) as session:
            assert expected is session.trust_env


def test_file_is_read_and_an_error_in_its_place_is_raised(
    transport: Transport, server: ScriptedServer
) -> None:
    """I14: a JSON error is never returned as a file, whatever its type says."""
    error = b'{"success":false,"errors":[{"code":"603","message":"Access denied"}]}'
    server.script("/x.json", csv(b"a,b\n"), csv(error), Exchange(body=error), Exchange(404))
    with transport.open(READ, TOKEN) as reply:
        assert reply.read_file(1000, 60) == b"a,b\n"
    for code in ("603", "603", None):
        with transport.open(READ, TOKEN) as reply, pytest.raises(MarketoBulkError) as caught:
            reply.read_file(1000, 60)
        assert code == caught.value.code


def test_errors_hold_no_secret(transport: Transport, server: ScriptedServer) -> None:
    """Neither text nor chain of an error repeats the token or the secret."""
    server.script("/x.json", RESET)
    with pytest.raises(ServiceUnavailableError) as caught:
        exchange(transport)
    chain: list[BaseException | None] = [caught.value]
    while chain[-1] is not None:
        shown = f"{chain[-1]!r} {chain[-1]}"
        assert TOKEN.value not in shown
        assert CLIENT_SECRET not in shown
        chain.append(chain[-1].__cause__ or chain[-1].__context__)

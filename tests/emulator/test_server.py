"""The server on a real socket, and what faults do to a connection."""

from __future__ import annotations

import http.client
import socket
import struct
import threading
from typing import TYPE_CHECKING

import pytest

from marketo_emulator import Emulator, Fault, Options
from marketo_emulator.server import LoopbackServer

if TYPE_CHECKING:
    from collections.abc import Iterator

CHANNELS = "/rest/asset/v1/channels.json"


class Wire:
    """A signed-in client on one kept connection."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.connection = http.client.HTTPConnection(emulator.base_url[7:], timeout=60)
        self.headers: dict[str, str] = {}

    def get(self, path: str, **headers: str) -> http.client.HTTPResponse:
        """Return the answer, whose body is still to be read."""
        self.connection.request("GET", path, headers={**self.headers, **headers})
        return self.connection.getresponse()

    def post(self, path: str, body: bytes = b"", **headers: str) -> bytes:
        """Return the body of the answer."""
        self.connection.request("POST", path, body, headers={**self.headers, **headers})
        return self.connection.getresponse().read()


@pytest.fixture
def wire() -> Iterator[Wire]:
    """Return a client of a serving emulator."""
    with Emulator(programs=4, members=60, job_seconds=0) as emulator:
        client = Wire(emulator)
        token = emulator._world.tokens.issue("emulator", emulator.clock.now())  # noqa: SLF001 - saves a call
        client.headers["Authorization"] = f"Bearer {token.text}"
        yield client
        client.connection.close()


@pytest.fixture
def file(wire: Wire) -> tuple[str, bytes]:
    """Return the path and the content of a finished export."""
    world = wire.emulator._world  # noqa: SLF001 - saves three calls
    body = {"fields": ["leadId", "dietaryNotes"], "filter": {"programId": 1003}}
    with world.at() as now:
        job = world.exports.create("program/members", body, "emulator", now)
        world.exports.enqueue(job, now)
    path = f"/bulk/v1/program/members/export/{job.export_id}/file.json"
    return path, wire.get(path).read()


def test_connection_is_kept_alive(wire: Wire) -> None:
    """Lengths and chunks alike leave it usable, errors too."""
    wire.get(CHANNELS).read()
    first = wire.connection.sock
    wire.get("/bulk/v1/leads/export.json").read()
    wire.get("/rest/v1/nothing.json").read()
    assert wire.connection.sock is first is not None


def test_unread_body_does_not_spoil_the_next_request(wire: Wire) -> None:
    """A refused POST is read to its end."""
    refused = wire.post("/rest/v1/nothing.json", b"x" * 100_000)
    assert b'"610"' in refused
    assert wire.get(CHANNELS).status == 200


def test_chunked_request_is_understood(wire: Wire) -> None:
    """A body may come without a length."""
    body = b'{"fields": ["leadId"], "filter": {"programId": 1001}}'
    wire.connection.request(
        "POST",
        "/bulk/v1/program/members/export/create.json",
        iter([body[:10], body[10:]]),
        headers={**wire.headers, "Content-Type": "application/json"},
        encode_chunked=True,
    )
    assert b'"Created"' in wire.connection.getresponse().read()


def test_too_large_upload_is_answered(wire: Wire) -> None:
    """The client may send all of it before it reads the answer."""
    body = b"x" * (10 << 20)
    content_type = "multipart/form-data; boundary=b"
    wire.connection.request(
        "POST", "/bulk/v1/leads.json", body, headers={**wire.headers, "Content-Type": content_type}
    )
    reply = wire.connection.getresponse()
    reply.read()
    assert reply.status == 413


def test_too_large_upload_in_chunks_is_answered() -> None:
    """A body that does not tell its length is counted as it is read."""
    with Emulator(programs=1, members=5, options=Options(max_import_body_bytes=1000)) as emulator:
        wire = Wire(emulator)
        token = emulator._world.tokens.issue("emulator", emulator.clock.now())  # noqa: SLF001 - saves a call
        head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
        wire.connection.request(
            "POST",
            "/bulk/v1/leads.json",
            iter([head, b"x" * 2000, b"\r\n--b--\r\n"]),
            headers={
                "Authorization": f"Bearer {token.text}",
                "Content-Type": "multipart/form-data; boundary=b",
            },
            encode_chunked=True,
        )
        assert wire.connection.getresponse().status == 413
        wire.connection.close()


def test_client_that_goes_away_is_no_error(wire: Wire, capfd: pytest.CaptureFixture[str]) -> None:
    """A reset between two requests is not worth a word."""
    wire.get(CHANNELS).read()
    connection = wire.connection.sock
    assert connection is not None
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    wire.connection.close()
    wire.emulator.close()
    assert capfd.readouterr().err == ""


def test_server_refuses_to_leave_the_machine() -> None:
    """Only loopback addresses can be bound."""
    for host in ("0.0.0.0", "192.0.2.1"):
        with pytest.raises(ValueError, match="not a loopback address"):
            LoopbackServer(lambda _environ, _start: [], host=host)


def test_server_leaves_nothing_behind() -> None:
    """Threads end with it, those of idle connections too; the port is free again."""
    before = threading.active_count()
    with Emulator(programs=1, members=5) as emulator:
        idle = socket.create_connection(("127.0.0.1", int(emulator.base_url.rsplit(":", 1)[1])))
        client = Wire(emulator)
        client.get("/_emulator").read()
        client.connection.close()
    assert threading.active_count() == before
    assert idle.recv(1) == b""
    idle.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", client.connection.port))


def test_base_url_needs_a_server() -> None:
    """Nothing listens outside a with statement."""
    with pytest.raises(RuntimeError, match="not serving"):
        _ = Emulator(programs=1, members=1).base_url


def test_reset_before_and_after(wire: Wire) -> None:
    """The client gets a reset; the effect is there or not."""
    wire.emulator.faults.add(
        Fault(operation="export.create", reset="before"),
        Fault(operation="export.create", reset="after", nth=2),
    )
    body = b'{"fields": ["leadId"], "filter": {"programId": 1001}}'
    made = []
    for _ in range(2):
        with pytest.raises(ConnectionResetError) as caught:
            wire.post(
                "/bulk/v1/program/members/export/create.json",
                body,
                **{"Content-Type": "application/json"},
            )
        wire.connection.close()
        # The subclass would mean an orderly end without an answer.
        assert not isinstance(caught.value, http.client.RemoteDisconnected)
        made.append(len(wire.emulator.jobs))
    assert made == [0, 1]


def test_body_cut_under_its_full_length(wire: Wire, file: tuple[str, bytes]) -> None:
    """Fewer bytes than announced, then the end; the rest can be had by range."""
    path, content = file
    wire.emulator.faults.add(Fault(operation="export.file", cut_after_bytes=50))
    with pytest.raises(http.client.IncompleteRead) as caught:
        wire.get(path).read()
    wire.connection.close()
    rest = wire.get(path, Range="bytes=50-").read()
    assert caught.value.partial == content[:50]
    assert content[:50] + rest == content


def test_chunked_body_cut_cleanly(wire: Wire, file: tuple[str, bytes]) -> None:
    """Nothing on the wire says that bytes are missing."""
    path, content = file
    wire.emulator.faults.add(Fault(operation="export.file", cut_after_bytes=50, chunked=True))
    reply = wire.get(path)
    assert reply.getheader("Transfer-Encoding") == "chunked"
    assert reply.getheader("Content-Length") is None
    assert reply.read() == content[:50]
    assert wire.get(path).read() == content


def test_body_broken_off_by_a_reset(wire: Wire, file: tuple[str, bytes]) -> None:
    """Some bytes, then the connection breaks."""
    path, _ = file
    wire.emulator.faults.add(Fault(operation="export.file", cut_after_bytes=50, reset="after"))
    with pytest.raises((ConnectionResetError, http.client.IncompleteRead)):
        wire.get(path).read()


def test_slow_drip(wire: Wire, file: tuple[str, bytes]) -> None:
    """The body comes in pieces with pauses, and is whole in the end."""
    path, content = file
    pauses: list[float] = []
    wire.emulator.application._sleep = pauses.append  # noqa: SLF001 - records instead of waiting
    wire.emulator.faults.add(Fault(operation="export.file", drip_bytes=100, drip_seconds=5))
    assert wire.get(path).read() == content
    assert pauses == [5] * -(-len(content) // 100)


def test_closing_cuts_a_long_wait_short() -> None:
    """A fault that waits for an hour does not keep the server."""
    with Emulator(programs=1, members=1) as emulator:
        emulator.faults.add(Fault(operation="*", delay_seconds=3600, times=None))
        client = Wire(emulator)
        client.connection.request("GET", "/identity/oauth/token")
    client.connection.close()


def test_place_is_free_after_a_broken_transfer(wire: Wire, file: tuple[str, bytes]) -> None:
    """No call stays in flight."""
    path, _ = file
    wire.emulator.faults.add(
        Fault(operation="export.file", cut_after_bytes=50, reset="after", times=3)
    )
    for _ in range(3):
        with pytest.raises((ConnectionResetError, http.client.IncompleteRead)):
            wire.get(path).read()
        wire.connection.close()
    wire.get(CHANNELS).read()
    assert wire.emulator.application.world.limits.in_flight == 0

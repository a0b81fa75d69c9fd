"""Whatever a peer sends, and however long, ends in an error of ours, within bounds."""

from __future__ import annotations

import gzip
import itertools
import threading
import tracemalloc
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from marketo_bulk import (
    LEADS,
    PROGRAM_MEMBERS,
    Connection,
    ExportJob,
    ExportRequest,
    ExportStatus,
    MarketoBulk,
    MarketoBulkError,
)
from marketo_bulk import client as client_module
from marketo_bulk.clock import Clock
from marketo_bulk.errors import (
    CredentialsError,
    DecodeError,
    DownloadError,
    RateLimitedError,
    RejectedError,
    ServiceUnavailableError,
)
from marketo_bulk.exports import download, objects
from marketo_bulk.http import bounded_head, caller, paging, transport
from marketo_bulk.imports import calls as import_calls
from marketo_bulk.imports import objects as imported
from marketo_bulk.metadata import programs
from tests.hostile_server import HostileServer, after_token, answer, hostile_server, raw, result

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SECRET = "s3cret&of=the+test"
MAX_RETRY_SECONDS = 40
WANTED = ExportRequest(PROGRAM_MEMBERS, ("leadId",), {"programIds": [1]})
DONE = ExportJob("e1", ExportStatus.COMPLETED, file_size_bytes=100, file_checksum="0" * 64)
CHUNKED = ("Transfer-Encoding: chunked", "Content-Type: application/json")
CHUNK = b"10000\r\n" + b" " * 0x10000 + b"\r\n"


MODULES = (import_calls, bounded_head, caller, client_module, download, paging, programs, transport)

Call: TypeAlias = "Callable[[MarketoBulk], object]"


class TickingClock:
    """A clock that sleeping moves, and `tick` seconds of every look at it."""

    def __init__(self) -> None:
        self.now = 0.0
        self.tick = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        """Return the moment."""
        self.now += self.tick
        return self.now

    def sleep(self, seconds: float) -> None:
        """Move the clock at once."""
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def clock() -> TickingClock:
    """Return a clock."""
    return TickingClock()


@pytest.fixture
def server() -> Iterator[HostileServer]:
    """Return a server that hands out tokens and nothing else yet."""
    with hostile_server() as running:
        yield running


@pytest.fixture
def client(server: HostileServer, clock: TickingClock) -> Iterator[MarketoBulk]:
    """Return a client of the server that never waits for real."""
    connection = Connection(server.base_url, "id", SECRET, max_retry_seconds=MAX_RETRY_SECONDS)
    with MarketoBulk.connect(connection, clock=Clock(clock, clock.sleep, lambda: 0.0)) as connected:
        yield connected


def bounded(monkeypatch: pytest.MonkeyPatch, **limits: float) -> None:
    """Make limits small, wherever they are used."""
    for name, value in limits.items():
        found = [module for module in MODULES if hasattr(module, name)]
        assert found, f"no module uses {name}"
        for module in found:
            monkeypatch.setattr(module, name, value)


def calls() -> list[Any]:
    """Return the operations whose answer is an envelope."""
    return [
        pytest.param(lambda client: client.describe_export(PROGRAM_MEMBERS), id="describe"),
        pytest.param(lambda client: list(client.iter_programs()), id="programs"),
        pytest.param(lambda client: client.create_export(WANTED), id="create"),
        pytest.param(lambda client: client.get_import_status(imported.LEADS, "1"), id="import"),
    ]


# --- bodies without end ------------------------------------------------------------------------


@pytest.mark.parametrize("call", calls())
def test_endless_json_is_cut_off(
    client: MarketoBulk, server: HostileServer, monkeypatch: pytest.MonkeyPatch, call: Call
) -> None:
    """The bound is on bytes, and what it stops is not asked for again."""
    bounded(monkeypatch, JSON_REPLY_MAX_BYTES=200_000)
    server.reply = after_token(
        lambda _path: itertools.chain([raw(*CHUNKED)], itertools.repeat(CHUNK))
    )
    with pytest.raises(DownloadError, match="longer than 200000 bytes"):
        call(client)
    assert len(server.paths) == 1


def test_endless_token_is_cut_off(
    client: MarketoBulk, server: HostileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The identity service is believed no more than the others."""
    bounded(monkeypatch, JSON_REPLY_MAX_BYTES=200_000)
    server.reply = lambda _path: itertools.chain([raw(*CHUNKED)], itertools.repeat(CHUNK))
    with pytest.raises(DownloadError, match="longer than 200000 bytes"):
        client.server_now()


@pytest.mark.parametrize("layers", [1, 2])
def test_gzip_bomb_is_bounded_by_what_it_unpacks_to(
    client: MarketoBulk, server: HostileServer, monkeypatch: pytest.MonkeyPatch, layers: int
) -> None:
    """64 MB packed into some kB are neither read to their end nor held in memory."""
    bounded(monkeypatch, JSON_REPLY_MAX_BYTES=1_000_000)
    body = b" " * 64_000_000
    for _ in range(layers):
        body = gzip.compress(body)
    encoding = f"Content-Encoding: {', '.join(['gzip'] * layers)}"
    server.reply = after_token(lambda _path: [raw(f"Content-Length: {len(body)}", encoding), body])
    tracemalloc.start()
    try:
        with pytest.raises(DownloadError, match="longer than 1000000 bytes"):
            client.describe_export(PROGRAM_MEMBERS)
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("announces", [True, False], ids=["length", "chunked"])
def test_endless_file_is_cut_off_and_leaves_nothing(
    client: MarketoBulk,
    server: HostileServer,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    *,
    announces: bool,
) -> None:
    """No more than the announced size and the slack is written, whatever the answer says."""
    bounded(monkeypatch, EXPORT_FILE_SLACK_BYTES=300_000)
    head = "Content-Length: 999999999999" if announces else "Transfer-Encoding: chunked"
    piece = b"x" * 0x10000 if announces else CHUNK
    server.reply = after_token(
        lambda _path: itertools.chain(
            [raw(head, "Content-Type: text/csv")], itertools.repeat(piece)
        )
    )
    with pytest.raises(DownloadError, match="passed 300100 bytes"):
        client.download_export(PROGRAM_MEMBERS, DONE, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_import_report_without_end_is_cut_off(
    client: MarketoBulk, server: HostileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So is the one other kind of file."""
    bounded(monkeypatch, IMPORT_REPORT_MAX_BYTES=100_000)
    server.reply = after_token(
        lambda _path: itertools.chain(
            [raw("Transfer-Encoding: chunked", "Content-Type: text/csv")], itertools.repeat(CHUNK)
        )
    )
    with pytest.raises(DownloadError, match="longer than 100000 bytes"):
        client.get_import_failures(imported.LEADS, "1")


# --- drips -------------------------------------------------------------------------------------


def test_json_that_drips_for_ever_is_given_up(
    client: MarketoBulk, server: HostileServer, clock: TickingClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No pause is long, and yet it ends: first each answer, then the tries."""
    bounded(monkeypatch, JSON_REPLY_MAX_SECONDS=20)
    drip = itertools.repeat(b"1\r\n \r\n")
    server.reply = after_token(lambda _path: itertools.chain([raw(*CHUNKED)], drip))
    client.server_now()
    clock.tick = 1.0
    with pytest.raises(ServiceUnavailableError, match="took longer than 20 s"):
        client.describe_export(PROGRAM_MEMBERS)
    assert 1 < len(server.paths) < 10


def test_file_that_drips_for_ever_is_given_up(
    client: MarketoBulk, server: HostileServer, clock: TickingClock, tmp_path: Path
) -> None:
    """Less than 64 kB a minute is no progress, and no progress is given up in the end."""
    drip = itertools.repeat(b"1\r\nx\r\n")
    head = raw("Transfer-Encoding: chunked", "Content-Type: text/csv")
    server.reply = after_token(lambda _path: itertools.chain([head], drip))
    client.server_now()
    clock.tick = 1.0
    with pytest.raises(ServiceUnavailableError, match="trickles"):
        client.download_export(PROGRAM_MEMBERS, DONE, tmp_path)
    assert list(tmp_path.iterdir()) == []


# --- heads -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(lambda: itertools.repeat(b"X-A: b\r\n"), id="headers-without-end"),
        pytest.param(lambda: itertools.repeat(b"x" * 1000), id="line-without-end"),
        pytest.param(lambda: [b"\xff" * 70_000, b"\r\n\r\n"], id="one-long-line"),
    ],
)
@pytest.mark.parametrize("call", calls())
def test_endless_headers_are_given_up(
    client: MarketoBulk,
    server: HostileServer,
    clock: TickingClock,
    call: Call,
    head: Callable[[], Iterator[bytes]],
) -> None:
    """The head of an answer is bounded like its body; it counts as an answer that did not come."""
    server.reply = after_token(lambda _path: itertools.chain([b"HTTP/1.1 200 OK\r\n"], head()))
    with pytest.raises(ServiceUnavailableError):
        call(client)
    assert sum(clock.slept) <= MAX_RETRY_SECONDS


@pytest.mark.parametrize(
    "piece",
    [
        pytest.param(b"HTTP/1.1 100 Continue\r\n\r\n", id="continue-for-ever"),
        pytest.param(b"x", id="a-byte-now-and-then"),
    ],
)
def test_head_that_trickles_for_ever_is_cut_off(
    client: MarketoBulk, server: HostileServer, monkeypatch: pytest.MonkeyPatch, piece: bytes
) -> None:
    """No silence is long enough for a time-out, and yet the head has to arrive in its time."""
    bounded(monkeypatch, HEAD_MAX_TIMEOUTS=0.0002)
    stopped = threading.Event()

    def drip() -> Iterator[bytes]:
        while not stopped.wait(0.002):
            yield piece

    server.reply = after_token(lambda _path: itertools.chain([b"HTTP/1.1 "], drip()))
    if piece.startswith(b"HTTP"):
        server.reply = after_token(lambda _path: drip())
    try:
        with pytest.raises(ServiceUnavailableError, match="no answer"):
            client.describe_export(PROGRAM_MEMBERS)
    finally:
        stopped.set()
    assert 1 < len(server.paths) < 10


@pytest.mark.parametrize("status", [200, 429, 503])
def test_gigantic_retry_after_is_ignored(
    client: MarketoBulk, server: HostileServer, clock: TickingClock, status: int
) -> None:
    """How long is waited is for this side to say."""
    refusal = {"success": False, "errors": [{"code": "606", "message": "Max rate limit"}]}
    server.reply = after_token(
        lambda _path: answer(refusal, "Retry-After: 999999999", status=status)
    )
    with pytest.raises(RateLimitedError):
        client.describe_export(PROGRAM_MEMBERS)
    assert sum(clock.slept) <= MAX_RETRY_SECONDS
    assert max(clock.slept) < 30


# --- contents ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "export_id",
    ["../../../../etc/passwd", "..", ".", "a/b", "/etc/passwd", "a\\b", "a?b=c", "a#b", "a%2fb",
     "a b", "a\nb", "a\0b", "", "é", "x" * 129, None, True, 1.5, ["a"], {"a": 1}],
)  # fmt: skip
def test_hostile_export_id_is_refused(
    client: MarketoBulk, server: HostileServer, tmp_path: Path, export_id: object
) -> None:
    """An id that means something in an address or a path is used in neither."""
    server.reply = after_token(
        lambda _path: result({"exportId": export_id, "status": "Created", "fileSize": 1})
    )
    with pytest.raises(DecodeError, match="not the id of a job"):
        client.create_export(WANTED)
    if isinstance(export_id, str):
        job = ExportJob(export_id, ExportStatus.COMPLETED)
        with pytest.raises(DecodeError, match="not the id of a job"):
            client.get_export_status(PROGRAM_MEMBERS, export_id)
        with pytest.raises(DecodeError, match="not the id of a job"):
            client.download_export(PROGRAM_MEMBERS, job, tmp_path)
    assert len(server.paths) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "walk",
    [
        pytest.param(lambda client: list(client.list_exports(LEADS)), id="exports"),
        pytest.param(lambda client: client.describe_export(objects.LEADS), id="describe"),
        pytest.param(lambda client: list(client.iter_programs()), id="programs"),
    ],
)
def test_pages_without_end_are_given_up(
    client: MarketoBulk, server: HostileServer, monkeypatch: pytest.MonkeyPatch, walk: Call
) -> None:
    """A new token with every page, and something new on it, still ends."""
    bounded(monkeypatch, PAGES_MAX=7)
    number = itertools.count()

    def page(path: str) -> list[bytes]:
        if "program" in path:
            return result(*({"id": next(number)} for _ in range(200)))
        this = next(number)
        job = {"exportId": f"e{this}", "status": "Created", "name": f"f{this}", "fields": [
            {"name": f"f{this}", "dataType": "string"}]}  # fmt: skip
        return result(job, nextPageToken=f"token{this}")

    server.reply = after_token(page)
    with pytest.raises(DecodeError, match="did not end after 7"):
        walk(client)
    assert len(server.paths) == 7


def test_page_token_that_repeats_ends_the_pages(
    client: MarketoBulk, server: HostileServer, caplog: pytest.LogCaptureFixture
) -> None:
    """J18: the same token again is said and ends the list."""
    job = {"exportId": "e1", "status": "Created"}
    server.reply = after_token(lambda _path: result(job, nextPageToken="same"))
    assert len(list(client.list_exports(LEADS))) == 2
    assert "read before as the next" in caplog.text


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"[" * 200_000, id="deep"),
        pytest.param(b'{"success":true,"result":' + b'{"a":' * 100_000, id="deep-objects"),
        pytest.param(b'{"success":true,"requestId":' + b"9" * 100_000 + b"}", id="long-number"),
        pytest.param(b"\xff\xfe{\x00}\x00", id="utf-16"),
        pytest.param(b"\x80", id="no-text"),
    ],
)
@pytest.mark.parametrize("path", ["identity", "rest"])
def test_json_that_breaks_parsers_is_an_error_of_ours(
    client: MarketoBulk, server: HostileServer, clock: TickingClock, body: bytes, path: str
) -> None:
    """Depth and length of what is parsed end the call, not the process."""
    whole = [raw(f"Content-Length: {len(body)}", "Content-Type: application/json"), body]
    server.reply = after_token(lambda _path: whole) if path == "rest" else lambda _path: whole
    with pytest.raises(MarketoBulkError):
        client.describe_export(PROGRAM_MEMBERS)
    assert sum(clock.slept) <= MAX_RETRY_SECONDS


# --- redirects ---------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("asks", ["identity", "file"])
def test_redirect_leads_nowhere(
    client: MarketoBulk, server: HostileServer, tmp_path: Path, status: int, asks: str
) -> None:
    """Neither token nor secret travel to where an answer points: that host is not even called."""
    with hostile_server() as elsewhere:
        target = f"http://localhost:{elsewhere.server_address[1]}/stolen?a={SECRET}"
        moved = [raw(f"Location: {target}", "Content-Length: 0", status=status)]
        server.reply = (lambda _path: moved) if asks == "identity" else after_token(lambda _: moved)
        expected = CredentialsError if asks == "identity" else RejectedError
        with pytest.raises(expected, match="redirected to localhost") as caught:
            client.download_export(PROGRAM_MEMBERS, DONE, tmp_path)
        assert elsewhere.connections == 0
    assert SECRET not in str(caught.value)
    assert len(server.requests) == (1 if asks == "identity" else 2)

"""Imports over a real socket; ids are those of the test catalogue."""

from __future__ import annotations

import email.parser
import email.policy
import io
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typing_extensions import override

from marketo_bulk.errors import (
    DecodeError,
    LostReplyError,
    MarketoBulkError,
    NotFoundError,
    PayloadTooLargeError,
    QueueFullError,
    RejectedError,
    ServiceUnavailableError,
)
from marketo_bulk.imports.objects import LEADS
from marketo_bulk.imports.requests import ImportOptions, create_request, import_body_size
from marketo_bulk.jobs import ImportJob, ImportStatus
from marketo_bulk.limits import BULK_BODY_MAX_BYTES
from tests.client.scripted import HTML, IDENTITY, RESET, Exchange, csv, envelope, failure

if TYPE_CHECKING:
    from pathlib import Path

    from marketo_bulk.client import MarketoBulk
    from tests.client.scripted import Recorded, ScriptedServer, SleepClock

IMPORT = "/bulk/v1/leads.json"
FAILURES = "/bulk/v1/leads/batch/3404/failures.json"
WARNINGS = "/bulk/v1/leads/batch/3404/warnings.json"
QUEUED = envelope({"batchId": 3404, "importId": "3404", "status": "Queued"})
ROWS = b"email,firstName\nann@example.com,Ann\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file of one lead."""
    path = tmp_path / "leads.csv"
    path.write_bytes(ROWS)
    return path


def parts(request: Recorded) -> list[tuple[str, str | None, str, object]]:
    """Take a multipart body apart, by other means than it was put together."""
    head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
    parser = email.parser.BytesParser(policy=email.policy.HTTP)
    message = parser.parsebytes(head + request.body)
    return [
        (
            str(part.get_param("name", header="content-disposition")),
            part.get_filename(),
            part.get_content_type(),
            part.get_payload(decode=True),
        )
        for part in message.iter_parts()
    ]


def test_file_is_one_part_and_options_are_parameters(
    client: MarketoBulk, server: ScriptedServer, file: Path
) -> None:
    """C§8.1: the file goes as it is, with everything else in the query."""
    server.script(IMPORT, QUEUED)
    job = client.create_import(LEADS, file, ImportOptions("csv", "email", 1001, "Europe & US"))
    [request] = server.calls()
    assert ImportJob("3404", ImportStatus.QUEUED, "Queued") == job
    assert parts(request) == [("file", "leads.csv", "text/csv", ROWS)]
    assert request.query == {
        "format": "csv",
        "lookupField": "email",
        "listId": "1001",
        "partitionName": "Europe & US",
    }
    assert str(import_body_size(LEADS, len(ROWS))) == request.headers["content-length"]
    assert "transfer-encoding" not in request.headers


def test_options_that_are_not_set_are_not_sent() -> None:
    """Marketo's defaults are Marketo's."""
    assert ImportOptions("tsv", "id").query() == (("format", "tsv"), ("lookupField", "id"))


def test_open_file_is_sent_from_its_start(client: MarketoBulk, server: ScriptedServer) -> None:
    """A file object is read from its first byte, whoever has read from it, and left open."""
    file = io.BytesIO(ROWS)
    file.read(7)
    server.script(IMPORT, QUEUED)
    client.create_import(LEADS, file)
    assert [part[-1] for part in parts(server.calls()[0])] == [ROWS]
    assert not file.closed


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.binary(max_size=300) | st.integers(0, 70_000).map(lambda size: b"x" * size))
def test_body_size_is_known_beforehand(
    client: MarketoBulk, server: ScriptedServer, rows: bytes
) -> None:
    """Whatever the file, the body is as long as announced, to the byte."""
    server.script(IMPORT, QUEUED)
    client.create_import(LEADS, io.BytesIO(rows), ImportOptions("tsv"))
    assert import_body_size(LEADS, len(rows), "tsv") == len(server.requests[-1].body)


def test_largest_body_is_allowed_and_one_byte_more_is_not(tmp_path: Path) -> None:
    """C§8.4: the limit is on the whole body, and is not passed even by a byte."""
    path = tmp_path / "leads.csv"
    largest = BULK_BODY_MAX_BYTES - 1 - import_body_size(LEADS, 0)
    path.write_bytes(b"x" * largest)
    create_request(LEADS, path, ImportOptions())
    path.write_bytes(b"x" * (largest + 1))
    with pytest.raises(PayloadTooLargeError, match="10000000"):
        create_request(LEADS, path, ImportOptions())


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (failure("1016", "There are 10 imports currently being processed."), QueueFullError),
        (failure("1016", "Too many imports"), QueueFullError),
        (failure("1019", "Import in progress"), QueueFullError),
        (Exchange(413, b"Request Entity Too Large"), PayloadTooLargeError),
        (failure("1003", "Empty file"), RejectedError),
        (failure("613", "Invalid Multipart Request"), RejectedError),
        (failure("610", "Requested resource not found"), NotFoundError),
        (failure("1006", "Lookup field 'userId' not found"), RejectedError),
        (failure("4711", "?"), RejectedError),
        (failure("611", "System error"), LostReplyError),
        (HTML, LostReplyError),
        (Exchange(502, b"<html>"), LostReplyError),
        (RESET, LostReplyError),
        (envelope(), LostReplyError),
        (Exchange(body=QUEUED.body[:-9]), LostReplyError),
    ],
    ids=[
        *("I1", "I1 documented", "I7", "I2", "I3", "I4", "I5", "I6", "A24", "611"),
        *("html", "502", "I8", "no result", "truncated"),
    ],
)
def test_import_is_sent_once(
    client: MarketoBulk,
    server: ScriptedServer,
    file: Path,
    clock: SleepClock,
    answer: Exchange,
    expected: type[MarketoBulkError],
) -> None:
    """Nothing is imported twice in silence, and a full queue is the caller's to wait for."""
    server.script(IMPORT, answer)
    with pytest.raises(MarketoBulkError) as caught:
        client.create_import(LEADS, file)
    assert (expected, [], 1) == (type(caught.value), clock.slept, client.calls_made)


@pytest.mark.parametrize("code", ["601", "606", "608", "615"], ids=["I24", "606", "608", "615"])
def test_import_that_was_turned_away_is_sent_again(
    client: MarketoBulk, server: ScriptedServer, file: Path, code: str
) -> None:
    """What Marketo refused to look at is sent again, whole."""
    server.script(IMPORT, failure(code), QUEUED)
    client.create_import(LEADS, file)
    assert [part[-1] for request in server.calls() for part in parts(request)] == [ROWS, ROWS]


def test_upload_that_broke_off_is_sent_again(
    client: MarketoBulk, server: ScriptedServer, tmp_path: Path, clock: SleepClock
) -> None:
    """Of a body that was not sent to its end Marketo cannot have imported anything."""
    rows = ROWS * 250_000
    path = tmp_path / "leads.csv"
    path.write_bytes(rows)
    server.script(IMPORT, Exchange(unread=True), QUEUED)
    client.create_import(LEADS, path)
    assert ([1], len(rows)) == (
        clock.slept,
        len(server.calls()[0].body) - import_body_size(LEADS, 0),
    )


def test_import_without_a_token_is_not_a_lost_reply(
    client: MarketoBulk, server: ScriptedServer, file: Path
) -> None:
    """What fails before anything is sent is not doubted; and its retries are not retried."""
    server.script(IDENTITY, *[HTML] * 10)
    with pytest.raises(ServiceUnavailableError, match=r"access token.*after 10 attempts"):
        client.create_import(LEADS, file)
    assert len(server.requests) == 10


def test_file_that_changes_is_not_sent_as_another(
    client: MarketoBulk, server: ScriptedServer
) -> None:
    """A file that changes under us never becomes another import."""

    class Shrinking(io.BytesIO):
        @override
        def read(self, size: int | None = -1, /) -> bytes:
            """Lose all but the first bytes."""
            self.truncate(10)
            return super().read(size)

    class Growing(io.BytesIO):
        @override
        def read(self, size: int | None = -1, /) -> bytes:
            """Gain bytes for ever."""
            return b"more"

    for changing in (Shrinking(ROWS), Growing(ROWS)):
        with pytest.raises(RejectedError, match="changed"):
            client.create_import(LEADS, changing)
    assert server.calls() == []


def test_status_of_an_import(client: MarketoBulk, server: ScriptedServer) -> None:
    """The job is asked for by the id of its creation."""
    done = {"batchId": 3404, "status": "Complete", "numOfLeadsProcessed": 2, "numOfRowsFailed": 0}
    server.script("/bulk/v1/leads/batch/3404.json", envelope(done))
    job = client.get_import_status(LEADS, "3404")
    assert (job.status, job.rows_processed, job.rows_failed) == (ImportStatus.COMPLETE, 2, 0)


def test_unknown_import_is_not_found(client: MarketoBulk, server: ScriptedServer) -> None:
    """I19: after seven days nobody knows what became of it."""
    server.script("/bulk/v1/leads/batch/3404.json", failure("610"))
    with pytest.raises(NotFoundError, match="status of import 3404"):
        client.get_import_status(LEADS, "3404")


@pytest.mark.parametrize("path", [FAILURES, WARNINGS])
def test_report_is_bytes_or_none(client: MarketoBulk, server: ScriptedServer, path: str) -> None:
    """I13: a report that is not there is None, and an empty one is empty."""
    rows = b"email,Import Failure Reason\nx,Invalid email address\n"
    server.script(path, csv(rows), Exchange(404, b"not found"), csv(b""))
    get = client.get_import_failures if path == FAILURES else client.get_import_warnings
    assert [rows, None, b""] == [get(LEADS, "3404") for _ in range(3)]


@pytest.mark.parametrize("content_type", ["application/json", "text/csv;charset=UTF-8"])
def test_error_in_place_of_a_report_is_an_error(
    client: MarketoBulk, server: ScriptedServer, content_type: str
) -> None:
    """I14: an error is never handed out as rows; a passing one is waited out."""
    error = Exchange(body=failure("610").body, headers={"Content-Type": content_type})
    server.script(FAILURES, failure("602"), failure("611"), HTML, csv(ROWS), error)
    assert client.get_import_failures(LEADS, "3404") == ROWS
    with pytest.raises(NotFoundError):
        client.get_import_failures(LEADS, "3404")


def test_batch_id_cannot_lead_elsewhere(client: MarketoBulk) -> None:
    """An id from a file on disk is checked like one from the wire."""
    for act in (client.get_import_status, client.get_import_failures, client.get_import_warnings):
        with pytest.raises(DecodeError):
            act(LEADS, "../leads")

"""Token, pace and retries together, over a real socket; ids are those of the test catalogue."""

from __future__ import annotations

import io
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timezone
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from marketo_bulk.client import MarketoBulk
from marketo_bulk.errors import (
    ConcurrencyLimitError,
    CredentialsError,
    DailyQuotaExceededError,
    DecodeError,
    EmptyAnswerError,
    MarketoBulkError,
    RateLimitedError,
    RejectedError,
    ServiceUnavailableError,
    TokenExpiredError,
)
from marketo_bulk.exports.objects import PROGRAM_MEMBERS
from marketo_bulk.exports.requests import ExportRequest
from marketo_bulk.imports.objects import LEADS
from marketo_bulk.jobs import ExportJob, ExportStatus
from tests.client.scripted import (
    CLIENT_SECRET,
    HTML,
    IDENTITY,
    RESET,
    Exchange,
    csv,
    envelope,
    failure,
    token,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from marketo_bulk.http.connection import Connection
    from tests.client.scripted import ScriptedServer, SleepClock

BASE = "/bulk/v1/program/members/export"
STATUS = f"{BASE}/ce45/status.json"
CREATE = f"{BASE}/create.json"
QUEUED = envelope({"exportId": "ce45", "status": "Queued"})
CREATED = envelope({"exportId": "ce45", "status": "Created"})
WANTED = ExportRequest(PROGRAM_MEMBERS, ("leadId",), {"programId": 1})

IMPORT = "/bulk/v1/leads.json"
COMPLETED = ExportJob("ce45", ExportStatus.COMPLETED, file_checksum=sha256(b"id\n1\n").hexdigest())
CALLS: dict[str, tuple[Callable[[MarketoBulk, Path], object], str, Exchange]] = {
    "status": (lambda client, _: status(client), STATUS, QUEUED),
    "create": (lambda client, _: client.create_export(WANTED), CREATE, CREATED),
    "download": (
        lambda client, path: client.download_export(PROGRAM_MEMBERS, COMPLETED, path).close(),
        f"{BASE}/ce45/file.json",
        csv(b"id\n1\n"),
    ),
    "upload": (
        lambda client, _: client.create_import(LEADS, io.BytesIO(b"email\na@b.test\n")),
        IMPORT,
        envelope({"batchId": 1, "status": "Queued"}),
    ),
}
"""A call of each kind: how it is made, where it goes, and its answer of success."""


def status(client: MarketoBulk) -> ExportStatus:
    """Ask for the status of the one job."""
    return client.get_export_status(PROGRAM_MEMBERS, "ce45").status


def tokens_used(server: ScriptedServer) -> list[str]:
    """Return the tokens of all calls, in order."""
    return [request.headers["authorization"].removeprefix("Bearer ") for request in server.calls()]


@pytest.mark.parametrize("code", ["600", "601", "602"])
def test_expired_token_is_renewed_and_the_call_repeated(
    client: MarketoBulk, server: ScriptedServer, clock: SleepClock, code: str
) -> None:
    """A1: the call is made again with a new token, at once."""
    server.script(STATUS, failure(code), QUEUED)
    assert status(client) is ExportStatus.QUEUED
    assert tokens_used(server) == ["token-1", "token-2"]
    assert clock.slept == []


@pytest.mark.fault(
    "T7.1",
    "two or more 601 or 602 in a row, over any call, HTTP 401 included",
    "gets a new token each time, with growing pauses, said once in the log",
)
@pytest.mark.parametrize("times", [2, 3, 6])
@pytest.mark.parametrize("refusal", ["600", "601", "602", "401"])
@pytest.mark.parametrize("call", ["status", "create", "download", "upload"])
def test_token_refused_again_is_renewed_again(
    client: MarketoBulk,
    server: ScriptedServer,
    clock: SleepClock,
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
    call: str,
    refusal: str,
    times: int,
) -> None:
    """The first renewal is at once; the others wait longer each time."""
    act, path, success = CALLS[call]
    refused = Exchange(401, b"") if refusal == "401" else failure(refusal)
    server.script(path, *[refused] * times, success)
    with caplog.at_level(logging.INFO):
        act(client, tmp_path)
    assert tokens_used(server) == [f"token-{n}" for n in range(1, times + 2)]
    assert clock.slept == [1, 2, 4, 8, 16 if refusal == "602" else 15][: times - 1]
    [message] = caplog.messages
    assert "TokenExpiredError" in message


@pytest.mark.fault(
    "T7.1",
    "… while identity hands out the ended token for seconds",
    "waits with growing pauses until there is another one",
)
@pytest.mark.parametrize("code", ["601", "602"])
@pytest.mark.parametrize(("times", "waits"), [(2, [1, 2]), (3, [1, 2, 4])])
def test_ended_token_handed_out_again_is_waited_for(
    client: MarketoBulk,
    server: ScriptedServer,
    clock: SleepClock,
    code: str,
    times: int,
    waits: list[float],
) -> None:
    """The same token is a reason to wait, whatever life it is said to have."""
    server.script(IDENTITY, *[token("old")] * times, token("new"))
    server.script(STATUS, *[failure(code)] * times, QUEUED)
    assert status(client) is ExportStatus.QUEUED
    assert tokens_used(server) == [*["old"] * times, "new"]
    assert clock.slept == waits


@pytest.mark.parametrize(
    ("code", "least_seconds", "most_seconds"), [("601", 60, 150), ("602", 200, 300)]
)
@pytest.mark.fault(
    "T7.1",
    "… for ever",
    "fails in one line: after about two minutes if the token is called invalid (601), after "
    "`max_retry_seconds` if expired (602)",
)
def test_refused_token_for_ever_is_an_error(
    client: MarketoBulk,
    server: ScriptedServer,
    clock: SleepClock,
    code: str,
    least_seconds: float,
    most_seconds: float,
) -> None:
    """A5: an expired token has a successor; one called invalid may belong to nobody."""
    server.script(STATUS, *[failure(code)] * 30)
    with pytest.raises(
        TokenExpiredError, match=rf"{code}.*after \d+ attempts.*LaunchPoint"
    ) as told:
        status(client)
    assert least_seconds < sum(clock.slept) <= most_seconds
    assert told.value.attempts == len(server.calls())
    server.forget(STATUS)


def test_no_retries_leave_one_renewal(
    connection: Connection, server: ScriptedServer, clock: SleepClock
) -> None:
    """With `max_retry_seconds: 0` an ended token is still renewed, once and without a wait."""
    server.script(STATUS, failure("602"), QUEUED, failure("602"), failure("602"))
    hasty = replace(connection, max_retry_seconds=0)
    with MarketoBulk.connect(hasty, clock=clock.for_client()) as client:
        assert status(client) is ExportStatus.QUEUED
        with pytest.raises(TokenExpiredError):
            status(client)
    assert clock.slept == []


def test_dying_token_is_used_up(
    client: MarketoBulk, server: ScriptedServer, clock: SleepClock
) -> None:
    """A3, A4: a token without life is used until refused, then its end awaited."""
    server.script(IDENTITY, token("old", 0), token("old", 2), token("new", 3600))
    server.script(STATUS, QUEUED, failure("602"), QUEUED)
    status(client)
    status(client)
    assert tokens_used(server) == ["old", "old", "new"]
    assert clock.slept == [3]


@pytest.mark.fault(
    "A6",
    "eight threads get 602 at once",
    "one of them asks identity, all go on with what it brings",
)
def test_eight_threads_refused_at_once_renew_once(
    connection: Connection,
    server: ScriptedServer,
    clock: SleepClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A6: one identity call serves all of them, and each call has a connection to keep."""
    all_in = threading.Barrier(8)

    def wait_for_all(_request: object) -> None:
        all_in.wait(60)

    refused = Exchange(body=failure("602").body, before=wait_for_all)
    server.script(STATUS, *[refused] * 8, *[QUEUED] * 8)
    wide = replace(connection, max_concurrent_calls=8)
    with MarketoBulk.connect(wide, clock=clock.for_client()) as client:
        client.server_now()
        with ThreadPoolExecutor(8) as pool:
            futures = [pool.submit(status, client) for _ in range(8)]
            results = [future.result(10) for future in futures]
    assert results == [ExportStatus.QUEUED] * 8
    assert (server.tokens_given, tokens_used(server).count("token-2")) == (2, 8)
    assert caplog.messages == []


@pytest.mark.parametrize("http_status", [401, 200], ids=["A7", "A8"])
def test_refused_credentials_fail_at_once(
    client: MarketoBulk,
    server: ScriptedServer,
    clock: SleepClock,
    caplog: pytest.LogCaptureFixture,
    http_status: int,
) -> None:
    """Wrong credentials are neither retried nor shown."""
    body = b'{"error":"invalid_client","error_description":"Bad client credentials"}'
    server.script(IDENTITY, Exchange(http_status, body))
    with caplog.at_level(logging.DEBUG), pytest.raises(CredentialsError) as caught:
        status(client)
    assert (clock.slept, server.calls()) == ([], [])
    assert CLIENT_SECRET not in f"{caplog.text} {caught.value}"


def test_identity_down_is_waited_for(
    client: MarketoBulk, server: ScriptedServer, clock: SleepClock
) -> None:
    """A9: a gateway's page in place of a token passes; nor is it counted as a call."""
    server.script(IDENTITY, Exchange(502, HTML.body), HTML, RESET, token("t"))
    server.script(STATUS, QUEUED)
    assert status(client) is ExportStatus.QUEUED
    assert (clock.slept, client.calls_made) == ([1, 2, 4], 1)


def test_permission_error_says_what_to_do(client: MarketoBulk, server: ScriptedServer) -> None:
    """A11: a role that lacks a permission is a clear error, without a retry."""
    server.script("/rest/v1/programs/members/describe.json", failure("603", "Access denied"))
    with pytest.raises(RejectedError, match=r"describe program members.*603 Access denied.*role"):
        client.describe_export(PROGRAM_MEMBERS)


def test_rate_limit_is_waited_out(
    client: MarketoBulk, server: ScriptedServer, clock: SleepClock, caplog: pytest.LogCaptureFixture
) -> None:
    """A13: after a 606 the whole window passes before the next call, said once in the log."""
    server.script(STATUS, failure("606"), failure("606"), QUEUED)
    with caplog.at_level(logging.INFO):
        assert status(client) is ExportStatus.QUEUED
    assert clock.slept == [20, 20]
    assert len(caplog.messages) == 1


def test_rate_limit_holds_every_call(
    connection: Connection, server: ScriptedServer, clock: SleepClock
) -> None:
    """A13: after a 606 no other call is made, either, before the window has passed."""
    server.script(STATUS, failure("606"), QUEUED)
    hasty = replace(connection, max_retry_seconds=10)
    with MarketoBulk.connect(hasty, clock=clock.for_client()) as client:
        with pytest.raises(RateLimitedError):
            status(client)
        assert clock.slept == []
        assert status(client) is ExportStatus.QUEUED
    assert clock.slept == [20]


def test_rate_limit_for_ever_is_an_error(
    client: MarketoBulk, server: ScriptedServer, clock: SleepClock
) -> None:
    """A13: waiting is bounded by max_retry_seconds."""
    server.script(STATUS, *[failure("606")] * 16)
    with pytest.raises(RateLimitedError, match="after 16 attempts in 300 s"):
        status(client)
    assert clock.slept == [20.0] * 15


@pytest.mark.fault("A14", "… or any 615", "makes one call less at once for a minute")
def test_concurrency_limit_takes_places_away(
    client: MarketoBulk, server: ScriptedServer, clock: SleepClock
) -> None:
    """A14: a 615 is retried soon, with one place less."""
    server.script(STATUS, failure("615"), QUEUED)
    assert status(client) is ExportStatus.QUEUED
    assert clock.slept == [1]
    assert client._caller._rate_limiter._allowed == 4  # noqa: SLF001 - nothing else shows it in one thread


def test_concurrency_limit_for_ever_is_an_error(
    client: MarketoBulk, server: ScriptedServer
) -> None:
    """A14: attempts are bounded, too."""
    server.script(STATUS, *[failure("615")] * 100)
    with pytest.raises(ConcurrencyLimitError, match="after 100 attempts"):
        status(client)


@pytest.mark.parametrize("code", ["607", "1029"])
def test_daily_quota_is_not_waited_for(
    client: MarketoBulk, server: ScriptedServer, clock: SleepClock, code: str
) -> None:
    """A15, J2: what only passes at midnight is the caller's to decide."""
    server.script(CREATE, failure(code, "Export daily quota 500MB exceeded."))
    with pytest.raises(DailyQuotaExceededError, match="06:00 UTC"):
        client.create_export(WANTED)
    assert clock.slept == []


@pytest.mark.parametrize(
    "broken",
    [
        HTML,
        Exchange(502, b"<html>"),
        Exchange(503, b"<html>"),
        Exchange(504, b""),
        RESET,
        Exchange(body=QUEUED.body[:-5]),
        Exchange(body=QUEUED.body, cut_after=10),
        failure("611"),
        failure("608"),
        failure("713"),
        envelope(),
        Exchange(body=b'{"requestId":"a#1","success":true}'),
    ],
    ids=[
        "A16",
        "A17-502",
        "A17-503",
        "A17-504",
        "A18",
        "A26",
        "cut",
        "611",
        "608",
        "713",
        "A22-empty",
        "A22-none",
    ],
)
@pytest.mark.parametrize("path", [STATUS, CREATE])
def test_passing_fault_is_retried(
    client: MarketoBulk, server: ScriptedServer, clock: SleepClock, path: str, broken: Exchange
) -> None:
    """Reads, and creations that leave no more than an orphan, are tried again."""
    server.script(path, broken, CREATED)
    job = (
        client.get_export_status(PROGRAM_MEMBERS, "ce45")
        if path == STATUS
        else client.create_export(WANTED)
    )
    assert (job.status, clock.slept, client.calls_made) == (ExportStatus.CREATED, [1], 2)


def test_transient_fault_for_ever_is_an_error(
    client: MarketoBulk, server: ScriptedServer, clock: SleepClock
) -> None:
    """Every wait is bounded; the error says how long was waited."""
    server.script(STATUS, *[HTML] * 10)
    with pytest.raises(ServiceUnavailableError, match="after 10 attempts in 243 s"):
        status(client)
    assert sum(clock.slept) <= 300


def test_created_export_that_is_not_created_is_created_again(
    client: MarketoBulk, server: ScriptedServer
) -> None:
    """J19: a new job in another status than Created is no job."""
    failed = envelope({"exportId": "bad1", "status": "failed"})
    server.script(CREATE, failed, CREATED)
    assert client.create_export(WANTED).export_id == "ce45"
    server.script(CREATE, *[failed] * 4)
    with pytest.raises(EmptyAnswerError, match="'failed', not Created"):
        client.create_export(WANTED)


def test_unknown_code_is_retried_a_little_where_it_is_harmless(
    client: MarketoBulk, server: ScriptedServer, clock: SleepClock
) -> None:
    """A24: a read is tried three times, a creation once; both then fail with the code."""
    server.script(STATUS, *[failure(4711)] * 3)
    server.script(CREATE, failure("4711"))
    for act in (lambda: status(client), lambda: client.create_export(WANTED)):
        with pytest.raises(RejectedError, match="4711"):
            act()
    assert clock.slept == [2, 4]


def test_failure_without_a_reason_shows_its_request(
    client: MarketoBulk, server: ScriptedServer
) -> None:
    """A21: with nothing else to go by, the request id is there for the support."""
    server.script(STATUS, Exchange(body=b'{"success":false,"requestId":"a#1","errors":[]}'))
    with pytest.raises(RejectedError, match="a#1"):
        status(client)


def test_redirect_is_an_error_that_names_the_setting(
    client: MarketoBulk, server: ScriptedServer
) -> None:
    """A token is not carried to another address."""
    server.script(STATUS, Exchange(301, headers={"Location": "https://elsewhere.example/"}))
    with pytest.raises(RejectedError, match=r"elsewhere\.example.*base_url"):
        status(client)


def test_calls_keep_the_pace(
    connection: Connection, server: ScriptedServer, clock: SleepClock
) -> None:
    """More calls than the window allows are spread over windows; identity is not among them."""
    server.script(STATUS, *[QUEUED] * 5)
    slow = replace(connection, calls_per_20_seconds=2)
    with MarketoBulk.connect(slow, clock=clock.for_client()) as client:
        for _ in range(5):
            status(client)
        assert (clock.slept, client.calls_made) == ([20.5, 20.5], 5)


def test_server_now_is_marketo_s_time(
    client: MarketoBulk, server: ScriptedServer, clock: SleepClock
) -> None:
    """J21: without any answer yet, the identity service is asked; never this machine."""
    assert datetime(2026, 10, 20, 8, tzinfo=timezone.utc) == client.server_now()
    clock.sleep(60)
    assert datetime(2026, 10, 20, 8, 1, tzinfo=timezone.utc) == client.server_now()
    assert (server.tokens_given, client.calls_made) == (1, 0)


def test_server_now_follows_every_answer(client: MarketoBulk, server: ScriptedServer) -> None:
    """J21: the latest answer is the nearest to the truth."""
    later = {"Date": "Tue, 20 Oct 2026 09:30:00 GMT"}
    server.script(STATUS, Exchange(body=QUEUED.body, headers=later))
    status(client)
    assert datetime(2026, 10, 20, 9, 30, tzinfo=timezone.utc) == client.server_now()


def test_job_that_cannot_be_read_shows_its_request(
    client: MarketoBulk, server: ScriptedServer
) -> None:
    """Whatever is wrong with an answer, its id is there for the support."""
    server.script(STATUS, envelope({"exportId": "ce45"}))
    with pytest.raises(DecodeError, match=r"status export ce45.*no status.*e42b#14272d07d78"):
        status(client)


def test_ids_and_codes_cannot_forge_a_log(
    client: MarketoBulk, server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    """What is logged of an answer is short and on one line."""
    forged = failure("500\nINFO " + "x" * 500)
    body = forged.body.replace(b"e42b#14272d07d78", b"a\\nINFO " + b"y" * 500)
    server.script(STATUS, Exchange(body=body), QUEUED)
    with caplog.at_level(logging.INFO):
        status(client)
    [message] = caplog.messages
    assert (message.isprintable(), len(message) < 400) == (True, True)


def test_server_now_without_a_date_is_an_error(client: MarketoBulk, server: ScriptedServer) -> None:
    """A server that tells no time is not answered for."""
    server.script(IDENTITY, Exchange(body=token().body, headers={"Date": ""}))
    with pytest.raises(DecodeError, match="Date"):
        client.server_now()


def test_log_and_errors_hold_no_secret(
    client: MarketoBulk, server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Through renewal, waits and failure, neither secret nor token is written."""
    server.script(IDENTITY, Exchange(502, HTML.body), token("t0k3n-a"), token("t0k3n-b"))
    server.script(STATUS, failure("602"), RESET, HTML, failure("1003", "no"))
    logging.getLogger("urllib3").setLevel(logging.INFO)
    with caplog.at_level(logging.DEBUG), pytest.raises(MarketoBulkError) as caught:
        status(client)
    text = f"{caplog.text} {caught.value!r} {caught.value} {client!r}"
    assert [secret for secret in (CLIENT_SECRET, "t0k3n") if secret in text] == []

from __future__ import annotations

import json
from urllib.parse import parse_qs

import pytest

from marketo_bulk.errors import (
    CredentialsError,
    DecodeError,
    MarketoBulkError,
    RateLimitedError,
    ServiceUnavailableError,
)
from marketo_bulk.http.auth import decode_token, token_request
from marketo_bulk.http.connection import Connection
from marketo_bulk.http.protocol import Reply

SECRET = "s3cret&of=the+test"
CONNECTION = Connection("https://h.example", "the-id", SECRET)
GOOD = {"access_token": "cdf01657-110d:int", "token_type": "bearer", "expires_in": 3599}


def reply(content: object, status: int = 200) -> Reply:
    """Return a JSON answer."""
    return Reply(status, {}, json.dumps(content).encode())


def test_token_request_keeps_the_secret_out_of_the_address() -> None:
    """Addresses end up in logs, bodies do not."""
    request = token_request(CONNECTION)
    assert isinstance(request.body, bytes)
    assert parse_qs(request.body.decode()) == {
        "grant_type": ["client_credentials"],
        "client_id": ["the-id"],
        "client_secret": [SECRET],
    }
    assert (request.method, request.address) == ("POST", "https://h.example/identity/oauth/token")
    assert "s3cret" not in repr(request)


@pytest.mark.parametrize(
    ("expires_in", "left", "renew_at"),
    [
        (3599, 3599, 4599),
        (11, 11, 1011),
        (2, 2, 1010),
        (0, 0, 1010),
        (-5, 0, 1010),
        (10**400, 3600, 4600),
        (float("nan"), 0, 1010),
        (float("inf"), 3600, 4600),
        ("3599", 3599, 4599),
    ],
    ids=["usual", "short", "A3", "A4", "negative", "huge", "nan", "inf", "text"],
)
def test_token_is_not_asked_for_again_at_once(
    expires_in: float | str, left: float, renew_at: float
) -> None:
    """However little life a token has left, it is used for some seconds."""
    token = decode_token(CONNECTION, reply(GOOD | {"expires_in": expires_in}), now=1000.0)
    assert ("cdf01657-110d:int", left, renew_at) == (
        token.value,
        token.expires_in_seconds,
        token.renew_at,
    )
    assert "cdf01657" not in repr(token)


REFUSED = {"error": "invalid_client", "error_description": "Bad client credentials"}


@pytest.mark.parametrize(
    ("content", "status", "expected"),
    [
        (REFUSED, 401, CredentialsError),
        (REFUSED, 200, CredentialsError),
        ({"error": "unauthorized"}, 200, CredentialsError),
        ({"error": "unsupported_grant_type"}, 400, CredentialsError),
        ({}, 401, CredentialsError),
        ([], 403, CredentialsError),
        ({"error": "server_error"}, 400, ServiceUnavailableError),
        ({"error": "temporarily_unavailable"}, 200, ServiceUnavailableError),
        ({"error": "x"}, 503, ServiceUnavailableError),
        ({}, 429, RateLimitedError),
        ({}, 200, DecodeError),
        ([], 200, DecodeError),
        (GOOD | {"access_token": ""}, 200, DecodeError),
        (GOOD | {"access_token": 5}, 200, DecodeError),
        (GOOD | {"access_token": "a\r\nX: y"}, 200, DecodeError),
        (GOOD | {"expires_in": "soon"}, 200, DecodeError),
        (GOOD | {"expires_in": "9" * 5_000}, 200, DecodeError),
        (GOOD | {"expires_in": True}, 200, DecodeError),
        ({"access_token": "a"}, 200, DecodeError),
        ({}, 302, CredentialsError),
        ({"errors": [{"code": "9999", "message": "new"}], "success": False}, 200, CredentialsError),
    ],
    ids=repr,
)
def test_identity_answers_that_are_no_token(
    content: object, status: int, expected: type[MarketoBulkError]
) -> None:
    """A7, A8: a refusal is known by its status or its error object, whichever is there."""
    with pytest.raises(MarketoBulkError) as caught:
        decode_token(CONNECTION, reply(content, status), now=0.0)
    assert expected is type(caught.value)


@pytest.mark.parametrize(
    ("body", "status", "expected"),
    [
        (b"<html>502</html>", 502, ServiceUnavailableError),
        (b"<html>502</html>", 200, ServiceUnavailableError),
        (b"<html>401</html>", 401, CredentialsError),
        (b"<html>404</html>", 404, CredentialsError),
    ],
    ids=["A9", "A9 as 200", "401", "404"],
)
def test_identity_pages(body: bytes, status: int, expected: type[MarketoBulkError]) -> None:
    """A page is a passing fault of the gateway, or a refusal, by its status."""
    with pytest.raises(MarketoBulkError) as caught:
        decode_token(CONNECTION, Reply(status, {}, body), now=0.0)
    assert expected is type(caught.value)


def test_refusal_is_one_line_without_the_secret() -> None:
    """A7: whatever the service repeats, the secret is not shown."""
    content = {"error": "invalid_client", "error_description": f"no\nsuch {SECRET}"}
    with pytest.raises(CredentialsError) as caught:
        decode_token(CONNECTION, reply(content, 401), now=0.0)
    assert str(caught.value) == (
        "ask for an access token: the credentials were refused with HTTP status 401, "
        "invalid_client: no such ***. "
        "Check client_id, client_secret and identity_url (Admin > LaunchPoint)"
    )

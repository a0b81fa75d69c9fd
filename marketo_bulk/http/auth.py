"""Authentication: requests for tokens, and the one token of a process.

Pure. The service hands out the same token until it expires, with the life it has left, so asking
early gains nothing; and a token about to expire is used until Marketo refuses it.
Source: Adobe, REST API > Authentication (read 2026-08-17).
"""

from __future__ import annotations

import logging
import re
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from marketo_bulk.errors import (
    Answer,
    CredentialsError,
    DecodeError,
    MarketoBulkError,
    RejectedError,
    ServiceUnavailableError,
    TransientError,
)
from marketo_bulk.http.error_codes import error_for_answer, rule_for_http_status
from marketo_bulk.http.json_body import json_of
from marketo_bulk.http.protocol import Repeat, Request, decode, parse_object, refuse_redirect
from marketo_bulk.limits import TOKEN_LIFETIME_SECONDS, TOKEN_MIN_REUSE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from marketo_bulk.clock import Clock
    from marketo_bulk.http.connection import Connection
    from marketo_bulk.http.protocol import Reply


logger = logging.getLogger(__name__)


_OPERATION = "ask for an access token"
# What may stand in a header; anything else would come back in the words of an exception.
_LIFETIME_DIGITS = 20
_TOKEN = re.compile(r"[!-~]{1,4096}")
_PASSING_OAUTH_ERRORS = frozenset({"server_error", "temporarily_unavailable"})


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token and until when not to ask for another; the token itself is hidden from `repr`.

    Units: `renew_at` is a moment of the clock given to `decode_token`.
    """

    value: str = field(repr=False)
    expires_in_seconds: float
    renew_at: float
    user: str = field(default="", repr=False)
    """The API user, as the identity service calls it; a person's address, perhaps."""


def token_request(connection: Connection) -> Request:
    """Return the request for a token: the secret is in the body, where no log of addresses is."""
    form = {
        "grant_type": "client_credentials",
        "client_id": connection.client_id,
        "client_secret": connection.client_secret,
    }
    return Request(
        method="POST",
        target=connection.token_url,
        operation=_OPERATION,
        body=urlencode(form).encode(),
        content_type="application/x-www-form-urlencoded",
        repeat=Repeat.HARMLESS,
    )


def decode_token(connection: Connection, reply: Reply, now: float) -> AccessToken:
    """Return the token of an identity answer that arrived at the clock's `now`.

    Raises: CredentialsError if no token is given, under whatever HTTP status or code;
    a TransientError if the service may answer later; DecodeError if there is no usable token.
    """
    try:
        refuse_redirect(_OPERATION, reply)
        return _read_token(connection, reply, now)
    except RejectedError as error:
        # Whoever needs the token must not take this for a refusal of a request of its own.
        raise CredentialsError(error.message, answer=error.answer, remedy=error.advice) from error


def _read_token(connection: Connection, reply: Reply, now: float) -> AccessToken:
    refusal = _refusal(connection, reply)
    if refusal is not None:
        raise refusal
    answer = parse_object(_OPERATION, reply)
    value, lifetime = answer.get("access_token"), answer.get("expires_in")
    where = Answer(_OPERATION, http_status=reply.status)
    if value is None and answer.get("errors"):
        # The gateway in front may answer as it does other calls: 607, 611, 502.
        decode(_OPERATION, reply)
    if not isinstance(value, str) or not _TOKEN.fullmatch(value):
        raise DecodeError("the identity service's answer holds no usable token", answer=where)
    if isinstance(lifetime, str) and lifetime.isdecimal() and len(lifetime) < _LIFETIME_DIGITS:
        # Some identity services, and proxies before them, write every value as text.
        lifetime = int(lifetime)
    if isinstance(lifetime, bool) or not isinstance(lifetime, (int, float)):
        raise DecodeError("the identity service's answer holds no expires_in", answer=where)
    # In this order NaN becomes 0, which has been seen for a token that still worked.
    left_seconds = float(max(0, min(lifetime, TOKEN_LIFETIME_SECONDS)))
    user = answer.get("scope")
    return AccessToken(
        value,
        left_seconds,
        now + max(left_seconds, TOKEN_MIN_REUSE_SECONDS),
        user if isinstance(user, str) else "",
    )


def _refusal(connection: Connection, reply: Reply) -> MarketoBulkError | None:
    name, described = _oauth_error(reply)
    where = Answer(_OPERATION, http_status=reply.status)
    if not name and reply.status < HTTPStatus.BAD_REQUEST:
        return None
    if name in _PASSING_OAUTH_ERRORS:
        return ServiceUnavailableError(f"the identity service answered {name}", answer=where)
    if issubclass(rule_for_http_status(reply.status).error, TransientError):
        return error_for_answer(f"HTTP status {reply.status} from the identity service", where)
    # The service has no reason to repeat what it was sent, but what it says is about to be logged.
    # It is never told anything about a person.
    said = ": ".join(part for part in (name, described) if part)
    said = said.replace(connection.client_secret, "***")
    return CredentialsError(
        f"the credentials were refused with HTTP status {reply.status}{said and f', {said}'}",
        answer=where,
    )


def _oauth_error(reply: Reply) -> tuple[str, str]:
    # The error object has been seen with HTTP status 401 and with 200.
    try:
        answer = json_of(reply.body)
    except ValueError:
        return "", ""
    if not isinstance(answer, dict) or "error" not in answer:
        return "", ""
    return str(answer["error"]), str(answer.get("error_description", ""))


class TokenKeeper:
    """The latest token; `ask` brings one from the identity service. Thread-safe."""

    def __init__(self, ask: Callable[[], AccessToken], clock: Clock) -> None:
        self._ask = ask
        self._clock = clock
        self._lock = threading.Lock()
        self._token: AccessToken | None = None
        self._failure: MarketoBulkError | None = None
        self._failures = 0

    def current(self) -> AccessToken:
        """Return a token that should work."""
        with self._alone():
            if self._token is None or self._clock.now() >= self._token.renew_at:
                self._token = self._ask()
            return self._token

    def renew(self, refused: AccessToken) -> AccessToken:
        """Return another token than the refused one, asking only if no other thread has.

        While a token has life left the service hands out the same again; one about to die is
        waited for, once and for seconds.
        """
        with self._alone():
            # Identity, not equality: a token handed out again after the refusal is news, too, or
            # each thread refused with it would ask once more.
            if self._token is not refused and self._token is not None:
                return self._token
            self._token = self._ask()
            left = self._token.expires_in_seconds
            if self._token.value == refused.value and left < TOKEN_MIN_REUSE_SECONDS:
                logger.info(
                    "the access token is about to end: waiting %.1f s for another", left + 1
                )
                self._clock.sleep(left + 1)
                self._token = self._ask()
            return self._token

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the lock; share a failure with the threads that were waiting for its outcome.

        Otherwise each of them would go through all the retries again, one after the other.
        """
        failures = self._failures
        with self._lock:
            if self._failure is not None and self._failures != failures:
                raise self._failure
            try:
                yield
            except MarketoBulkError as error:
                self._failure = error
                self._failures += 1
                raise

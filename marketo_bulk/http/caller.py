"""Caller: makes a call until it succeeds or is past hope: token, pace, retries, in one place."""

from __future__ import annotations

import copy
import threading
from typing import TYPE_CHECKING, TypeVar

from marketo_bulk.errors import (
    Answer,
    ConcurrencyLimitError,
    DailyQuotaExceededError,
    DecodeError,
    MarketoBulkError,
    RateLimitedError,
    TokenExpiredError,
)
from marketo_bulk.http.auth import TokenKeeper, decode_token, token_request
from marketo_bulk.http.daily_quota import announced_wait
from marketo_bulk.http.permissions import ACCESS_DENIED, advice
from marketo_bulk.http.protocol import decode
from marketo_bulk.http.rate_limiter import RateLimiter
from marketo_bulk.http.retries import Retries
from marketo_bulk.http.server_clock import ServerClock
from marketo_bulk.limits import (
    JSON_REPLY_MAX_BYTES,
    JSON_REPLY_MAX_SECONDS,
    RATE_WINDOW_SECONDS,
    TOKEN_MIN_REUSE_SECONDS,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from typing_extensions import Self

    from marketo_bulk.clock import Clock
    from marketo_bulk.http.auth import AccessToken
    from marketo_bulk.http.budget import Budget
    from marketo_bulk.http.connection import Connection
    from marketo_bulk.http.protocol import Envelope, Request
    from marketo_bulk.http.transport import OpenReply, Transport

T = TypeVar("T")


class Tally:
    """What has been counted, in any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.calls = 0
        """Calls that Marketo may have counted."""
        self.quota_wait_seconds = 0.0

    def add(self, *, calls: int = 0, quota_wait_seconds: float = 0.0) -> None:
        """Count more."""
        with self._lock:
            self.calls += calls
            self.quota_wait_seconds += quota_wait_seconds


class Caller:
    """Calls one instance on behalf of any number of threads."""

    def __init__(self, connection: Connection, transport: Transport, clock: Clock) -> None:
        self._connection = connection
        self._transport = transport
        self._clock = clock
        self._rate_limiter = RateLimiter(
            connection.calls_per_20_seconds, connection.max_concurrent_calls, clock
        )
        self._tokens = TokenKeeper(self._ask_for_token, clock)
        self.server_clock = ServerClock(clock.now)
        self.tally = Tally()
        self.waits_for_daily_quota = connection.wait_for_daily_quota
        self.budgets: list[Budget] = []
        """What limits the number of calls below Marketo's own limit; at most one."""

    def without_quota_wait(self) -> Self:
        """Return the same caller, but that it raises where this one waits for the daily quota."""
        other = copy.copy(self)
        other.waits_for_daily_quota = False
        return other

    def fetch(
        self,
        request: Request,
        parse: Callable[[Envelope], T],
        max_retry_seconds: float | None = None,
    ) -> T:
        """Return what parse makes of the answer's envelope.

        `parse` is part of the attempt: a passing error it raises is retried like Marketo's own,
        for the connection's `max_retry_seconds` if not for another time.
        """

        def handle(reply: OpenReply) -> T:
            whole = reply.read(JSON_REPLY_MAX_BYTES, JSON_REPLY_MAX_SECONDS)
            envelope = decode(request.operation, whole)
            try:
                return parse(envelope)
            except DecodeError as error:
                error.locate(Answer(envelope.operation, request_id=envelope.request_id))
                raise

        return self.perform(lambda: request, handle, max_retry_seconds)

    def perform(
        self,
        prepare: Callable[[], Request],
        handle: Callable[[OpenReply], T],
        max_retry_seconds: float | None = None,
    ) -> T:
        """Return what handle makes of an answer, read while the call's place is held.

        `prepare` is asked for the request before each attempt, as a resumed download asks for
        less each time.
        """
        return self._through_quota(lambda: self._perform(prepare, handle, max_retry_seconds))

    def _perform(
        self,
        prepare: Callable[[], Request],
        handle: Callable[[OpenReply], T],
        max_retry_seconds: float | None,
    ) -> T:
        retries = self.new_retries(max_retry_seconds)
        times_abandoned = self._transport.times_abandoned
        renewed: AccessToken | None = None
        while True:
            request = prepare()
            self._transport.require_wanted(request.operation, times_abandoned)
            # Outside the try: tokens have their own retries, and without one nothing was sent.
            token = renewed or self._tokens.current()
            try:
                return self._attempt(request, token, handle)
            except TokenExpiredError as error:
                refusal = error
            except MarketoBulkError as error:
                renewed = None
                self._transport.require_wanted(request.operation, times_abandoned)
                self._slow_down(error)
                retries.wait_or_raise(error, request)
                continue
            if renewed is not None:
                # Refused again: there may be a better one later.
                retries.wait_or_raise(refusal, request)
                renewed = self._tokens.renew(token)
                continue
            renewed = self._tokens.renew(token)
            if renewed.value != token.value or token.expires_in_seconds < TOKEN_MIN_REUSE_SECONDS:
                # Another one, or one whose end the keeper has waited for.
                retries.repeat_at_once()
            else:
                retries.wait_or_raise(refusal, request)

    def api_user(self) -> str:
        """Return the API user by its name in statistics; empty if that is not known."""
        return self._tokens.current().user

    def server_now(self) -> datetime:
        """Return Marketo's time in UTC, never ahead of it; a token is asked for if none is known.

        Raises: DecodeError if no answer has borne a date.
        """
        now = self.server_clock.now()
        if now is None:
            self._through_quota(self._tokens.current)
            now = self.server_clock.now()
        if now is None:
            raise DecodeError("no answer of Marketo's has a readable Date header")
        return now

    def abandon(self, *, for_good: bool) -> None:
        """Break off every call under way; `for_good`: let no other begin."""
        self._rate_limiter.hurry()
        # The last calls of a run end jobs nobody would come back for.
        self.budgets.clear()
        self._transport.abandon(for_good=for_good)

    def close(self) -> None:
        """Close all connections."""
        self._transport.close()

    def _attempt(self, request: Request, token: AccessToken, handle: Callable[[OpenReply], T]) -> T:
        times_abandoned = self._transport.times_abandoned
        for budget in self.budgets:
            budget.check()
            budget.add(1)
        with self._rate_limiter.place():
            self._transport.require_wanted(request.operation, times_abandoned)
            self.tally.add(calls=1)
            try:
                with self._transport.open(request, token) as reply:
                    self.server_clock.observe(reply.headers.get("date"))
                    return handle(reply)
            except MarketoBulkError as error:
                error.name(request.names)
                if request.permission and error.code == ACCESS_DENIED:
                    error.advice = advice(request.permission)
                raise

    def _through_quota(self, ask: Callable[[], T]) -> T:
        """Return what `ask` does, asked again after each reset for as long as it is refused."""
        while True:
            try:
                return ask()
            except DailyQuotaExceededError as error:  # noqa: PERF203 - retries are tries in a loop
                now = self.server_clock.now()
                if not self.waits_for_daily_quota or now is None:
                    raise
                began_at = self._clock.now()
                self._clock.sleep(announced_wait(error, now))
                self.tally.add(quota_wait_seconds=self._clock.now() - began_at)

    def _slow_down(self, error: MarketoBulkError) -> None:
        if isinstance(error, RateLimitedError):
            self._rate_limiter.hold(RATE_WINDOW_SECONDS)
        elif isinstance(error, ConcurrencyLimitError):
            self._rate_limiter.narrow()

    def _ask_for_token(self) -> AccessToken:
        # Neither paced nor counted: Marketo does not count these calls.
        request = token_request(self._connection)
        retries = self.new_retries()
        times_abandoned = self._transport.times_abandoned
        while True:
            try:
                self._transport.require_wanted(request.operation, times_abandoned)
                with self._transport.open(request, None) as reply:
                    self.server_clock.observe(reply.headers.get("date"))
                    whole = reply.read(JSON_REPLY_MAX_BYTES, JSON_REPLY_MAX_SECONDS)
                return decode_token(self._connection, whole, self._clock.now())
            except MarketoBulkError as error:  # noqa: PERF203 - retries are tries in a loop
                self._transport.require_wanted(request.operation, times_abandoned)
                retries.wait_or_raise(error, request)

    def new_retries(self, max_seconds: float | None = None) -> Retries:
        """Return the waits of one call, or of a few that belong together."""
        usual = self._connection.max_retry_seconds
        return Retries(usual if max_seconds is None else min(max_seconds, usual), self._clock)

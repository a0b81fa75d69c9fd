"""Caller: makes a call until it succeeds or is past hope: token, pace, retries, in one place."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, TypeVar

from marketo_bulk.auth import decode_token, token_request
from marketo_bulk.errors import (
    Answer,
    ConcurrencyLimitError,
    DecodeError,
    MarketoBulkError,
    RateLimitedError,
    TokenExpiredError,
)
from marketo_bulk.limits import (
    JSON_REPLY_MAX_BYTES,
    JSON_REPLY_MAX_SECONDS,
    RATE_WINDOW_SECONDS,
)
from marketo_bulk.pacing import Pacer
from marketo_bulk.patience import Patience
from marketo_bulk.protocol import decode
from marketo_bulk.server_clock import ServerClock
from marketo_bulk.tokens import TokenKeeper

if TYPE_CHECKING:
    from collections.abc import Callable

    from marketo_bulk.auth import AccessToken
    from marketo_bulk.connection import Connection
    from marketo_bulk.protocol import Envelope, Request
    from marketo_bulk.runtime import Runtime
    from marketo_bulk.transport import OpenReply, Transport

T = TypeVar("T")


class Caller:
    """Calls one instance on behalf of any number of threads."""

    def __init__(self, connection: Connection, transport: Transport, runtime: Runtime) -> None:
        self._connection = connection
        self._transport = transport
        self._runtime = runtime
        self._pacer = Pacer(
            connection.calls_per_20_seconds, connection.max_concurrent_calls, runtime
        )
        self._tokens = TokenKeeper(self._ask_for_token, runtime)
        self._count_lock = threading.Lock()
        self.server_clock = ServerClock(runtime.clock)
        self.calls_made = 0

    def fetch(self, request: Request, parse: Callable[[Envelope], T]) -> T:
        """Return what parse makes of the answer's envelope.

        `parse` is part of the attempt: a passing error it raises is retried like Marketo's own.
        """

        def handle(reply: OpenReply) -> T:
            whole = reply.read(JSON_REPLY_MAX_BYTES, JSON_REPLY_MAX_SECONDS)
            envelope = decode(request.operation, whole)
            try:
                return parse(envelope)
            except DecodeError as error:
                error.locate(Answer(envelope.operation, request_id=envelope.request_id))
                raise

        return self.perform(lambda: request, handle)

    def perform(self, prepare: Callable[[], Request], handle: Callable[[OpenReply], T]) -> T:
        """Return what handle makes of an answer, read while the call's place is held.

        `prepare` is asked for the request before each attempt, as a resumed download asks for
        less each time.
        """
        patience = self.new_patience()
        refused: AccessToken | None = None
        while True:
            request = prepare()
            # Outside the try: tokens have their own retries, and without one nothing was sent.
            token = self._tokens.renew(refused) if refused else self._tokens.current()
            try:
                return self._attempt(request, token, handle)
            except TokenExpiredError:
                if refused:
                    raise
                refused = token
            except MarketoBulkError as error:
                refused = None
                self._slow_down(error)
                patience.wait_or_raise(error, request)

    def renew_server_clock(self) -> None:
        """Make a call that is not counted, so that the server's time is known."""
        self._tokens.current()

    def close(self) -> None:
        """Close all connections."""
        self._transport.close()

    def _attempt(self, request: Request, token: AccessToken, handle: Callable[[OpenReply], T]) -> T:
        with self._pacer.place():
            with self._count_lock:
                self.calls_made += 1
            with self._transport.open(request, token) as reply:
                self.server_clock.observe(reply.headers.get("date"))
                return handle(reply)

    def _slow_down(self, error: MarketoBulkError) -> None:
        if isinstance(error, RateLimitedError):
            self._pacer.hold(RATE_WINDOW_SECONDS)
        elif isinstance(error, ConcurrencyLimitError):
            self._pacer.narrow()

    def _ask_for_token(self) -> AccessToken:
        # Neither paced nor counted: Marketo does not count these calls.
        request = token_request(self._connection)
        patience = self.new_patience()
        while True:
            try:
                with self._transport.open(request, None) as reply:
                    self.server_clock.observe(reply.headers.get("date"))
                    whole = reply.read(JSON_REPLY_MAX_BYTES, JSON_REPLY_MAX_SECONDS)
                return decode_token(self._connection, whole, self._runtime.clock())
            except MarketoBulkError as error:  # noqa: PERF203 - retries are tries in a loop
                patience.wait_or_raise(error, request)

    def new_patience(self) -> Patience:
        """Return the waits of one call, or of a few that belong together."""
        return Patience(self._connection.max_retry_seconds, self._runtime)

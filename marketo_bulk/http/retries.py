"""Retries: whether a failed call is worth another try, and after how long a wait."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import backoff

from marketo_bulk.errors import (
    LostReplyError,
    MarketoBulkError,
    ServiceUnavailableError,
    TransientError,
)
from marketo_bulk.errors.disclosure import shown_code
from marketo_bulk.http.error_codes import rule_for_error
from marketo_bulk.http.error_codes.retry_policies import NEVER, UNKNOWN
from marketo_bulk.http.protocol import Repeat

if TYPE_CHECKING:
    from collections.abc import Generator

    from marketo_bulk.clock import Clock
    from marketo_bulk.http.error_codes.retry_policies import RetryPolicy
    from marketo_bulk.http.protocol import Request

logger = logging.getLogger(__name__)


class Retries:
    """The waits of one call, bounded by attempts and by seconds since its first failure.

    `backoff` gives the waits but not the loop: its decorators sleep with `time.sleep`, and here
    the clock and the sleep are parameters.
    """

    def __init__(self, max_seconds: float, clock: Clock) -> None:
        self._max_seconds = max_seconds
        self._clock = clock
        self._waits: dict[RetryPolicy, Generator[float, None, None]] = {}
        self._attempts: dict[RetryPolicy, int] = {}
        self._repeated_at_once = 0
        self._failed_at: float | None = None
        self._reasons: set[str] = set()

    def wait_or_raise(self, error: MarketoBulkError, request: Request) -> None:
        """Sleep until the request may be sent again, or raise the error."""
        now = self._clock.now()
        if self._failed_at is None:
            self._failed_at = now
        policy = self._policy(error, request)
        attempts = self._attempts[policy] = self._attempts.get(policy, 0) + 1
        wait = self._next_wait(policy)
        elapsed = now - self._failed_at
        error.attempts = sum(self._attempts.values()) + self._repeated_at_once
        error.waited_seconds = elapsed
        if attempts >= policy.max_attempts or elapsed + wait > self._max_seconds:
            raise error
        self._log(error, request, wait)
        self._clock.sleep(wait)

    def repeat_at_once(self) -> None:
        """Count an attempt that is followed by another without a wait."""
        self._repeated_at_once += 1

    def _policy(self, error: MarketoBulkError, request: Request) -> RetryPolicy:
        rule = rule_for_error(error)
        if rule.retry is UNKNOWN and request.repeat is not Repeat.SAFE:
            return NEVER
        may_be_done = isinstance(error, TransientError) and not rule.no_effect
        if request.repeat is Repeat.NEVER and may_be_done:
            raise LostReplyError(error.message, answer=error.answer) from error
        return rule.retry

    def _next_wait(self, policy: RetryPolicy) -> float:
        if policy not in self._waits:
            waits = backoff.expo(factor=policy.first_seconds, max_value=policy.longest_seconds)
            next(waits)  # the generator's first value is a formality of its decorators
            self._waits[policy] = waits
        base = next(self._waits[policy])
        return base * (1 + (policy.spread - 1) * self._clock.random())

    def _log(self, error: MarketoBulkError, request: Request, wait: float) -> None:
        reason = ":".join(filter(None, (type(error).__name__, shown_code(error.code or ""))))
        # Once per reason and call: the rest of the waits is detail.
        level = logging.DEBUG if reason in self._reasons else logging.INFO
        self._reasons.add(reason)
        about = f"requestId {error.request_id}" if error.request_id else ""
        if isinstance(error, ServiceUnavailableError) and error.unreached:
            about = f"no answer from {error.unreached}"
        logger.log(
            level,
            "%s: %s%s, retried in %.1f s, for at most %.0f s",
            request.operation,
            reason,
            f" ({about})" if about else "",
            wait,
            self._max_seconds,
        )

"""Patience: whether a failed call is worth another try, and after how long a wait."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import backoff

from marketo_bulk.codes import NEVER, UNKNOWN, rule_for_error
from marketo_bulk.errors import LostReplyError, MarketoBulkError, TransientError
from marketo_bulk.protocol import Repeat

if TYPE_CHECKING:
    from collections.abc import Generator

    from marketo_bulk.codes import RetryPolicy
    from marketo_bulk.protocol import Request
    from marketo_bulk.runtime import Runtime

logger = logging.getLogger(__name__)


class Patience:
    """The waits of one call, bounded by attempts and by seconds since its first failure.

    `backoff` gives the waits but not the loop: its decorators sleep with `time.sleep`, and here
    the clock and the sleep are parameters.
    """

    def __init__(self, max_seconds: float, runtime: Runtime) -> None:
        self._max_seconds = max_seconds
        self._runtime = runtime
        self._waits: dict[RetryPolicy, Generator[float, None, None]] = {}
        self._attempts: dict[RetryPolicy, int] = {}
        self._failed_at: float | None = None
        self._reasons: set[str] = set()

    def wait_or_raise(self, error: MarketoBulkError, request: Request) -> None:
        """Sleep until the request may be sent again, or raise the error."""
        now = self._runtime.clock()
        if self._failed_at is None:
            self._failed_at = now
        policy = self._policy(error, request)
        attempts = self._attempts[policy] = self._attempts.get(policy, 0) + 1
        wait = self._next_wait(policy)
        elapsed = now - self._failed_at
        error.attempts = sum(self._attempts.values())
        error.waited_seconds = elapsed
        if attempts >= policy.max_attempts or elapsed + wait > self._max_seconds:
            raise error
        self._log(error, request, wait)
        self._runtime.sleep(wait)

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
        return base * (1 + (policy.spread - 1) * self._runtime.random())

    def _log(self, error: MarketoBulkError, request: Request, wait: float) -> None:
        reason = ":".join(filter(None, (type(error).__name__, error.code)))
        # Once per reason and call: the rest of the waits is detail.
        level = logging.DEBUG if reason in self._reasons else logging.INFO
        self._reasons.add(reason)
        logger.log(
            level,
            "waiting reason=%s operation=%r request_id=%s seconds=%.1f at_most_seconds=%.0f",
            reason,
            request.operation,
            error.request_id,
            wait,
            self._max_seconds,
        )

"""Transient errors: passing, but not within the time a call may be repeated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marketo_bulk.errors.root import MarketoBulkError

if TYPE_CHECKING:
    from marketo_bulk.errors.answers import Answer


class TransientError(MarketoBulkError):
    """Passing; raised only after waiting and trying again, or where only the caller may."""

    concerns_all = True
    remedy = "Marketo may be back later: run again"


class RateLimitedError(TransientError):
    """More calls in 20 seconds than the instance allows."""

    remedy = "Lower calls_per_20_seconds, or find what else is calling this instance"


class ConcurrencyLimitError(TransientError):
    """More calls at once than the instance allows."""

    remedy = "Lower max_concurrent_calls, or find what else is calling this instance"


class ServiceUnavailableError(TransientError):
    """No readable answer, or one that says it may work later; `unreached`: from which host."""

    def __init__(
        self,
        message: str,
        *,
        answer: Answer | None = None,
        remedy: str = "",
        never_sent: bool = False,
        unreached: str = "",
    ) -> None:
        super().__init__(message, answer=answer, remedy=remedy)
        self.never_sent, self.unreached = never_sent, unreached


class EmptyAnswerError(ServiceUnavailableError):
    """Success, but without the result the operation always has."""

    concerns_all = False


class HostNotFoundError(ServiceUnavailableError):
    """The name of a host that has never answered cannot be resolved for now."""


class QueueFullError(TransientError):
    """Marketo's job queue has no place, or the target list is being imported to."""

    remedy = "Try again when a job has finished"


class LostReplyError(TransientError):
    """The request was sent, but its reply did not arrive: Marketo may have acted on it."""

    remedy = "Send it again only if doing it twice does no harm"

"""Retry policies: how long to wait before the same request again, and how often."""

from __future__ import annotations

from dataclasses import dataclass

from marketo_bulk.limits import RATE_WINDOW_SECONDS, RETRY_MAX_ATTEMPTS


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How long to wait before the same request again, and how often.

    The first wait is `first_seconds`, each further one twice that, up to `longest_seconds`; and
    each is stretched by chance to at most `spread` times as long.
    """

    first_seconds: float
    longest_seconds: float
    spread: float
    max_attempts: int


NEVER = RetryPolicy(first_seconds=0, longest_seconds=0, spread=1, max_attempts=1)
BACKOFF = RetryPolicy(
    first_seconds=1, longest_seconds=60, spread=1.5, max_attempts=RETRY_MAX_ATTEMPTS
)
# 500 and its like may as well be permanent: a malformed address gives one.
FEW = RetryPolicy(first_seconds=1, longest_seconds=8, spread=1.5, max_attempts=4)
# A code nobody has seen may be a new transient or a new refusal. Two more tries cost little where
# trying changes nothing, so only requests that read are repeated; then it fails loudly.
UNKNOWN = RetryPolicy(first_seconds=2, longest_seconds=4, spread=1.5, max_attempts=3)
# The window slides: after its whole length no earlier call counts any more.
WINDOW = RetryPolicy(
    first_seconds=RATE_WINDOW_SECONDS,
    longest_seconds=RATE_WINDOW_SECONDS,
    spread=1.2,
    max_attempts=RETRY_MAX_ATTEMPTS,
)
# Other calls end within seconds, so there is nothing to be gained by doubling.
BRIEF = RetryPolicy(first_seconds=1, longest_seconds=2, spread=2.5, max_attempts=RETRY_MAX_ATTEMPTS)

# A token called invalid right after it was handed out is not known everywhere yet, which takes
# seconds, or its API user is gone, which no wait mends: about two minutes, not the whole bound.
INVALID_TOKEN = RetryPolicy(first_seconds=1, longest_seconds=15, spread=1.2, max_attempts=12)

# A name server may be late after a start of the machine; a wrong name is to be said soon.
FIRST_CONTACT = RetryPolicy(first_seconds=1, longest_seconds=16, spread=1.5, max_attempts=6)

"""Codes: what each Marketo error code and HTTP status means for the caller, as one table.

Source: Adobe, REST API > Error Codes (read 2026-08-17); starred codes there cost no quota.
Adding a code is one row here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from marketo_bulk.errors import (
    AlreadyQueuedError,
    Answer,
    ConcurrencyLimitError,
    DailyQuotaExceededError,
    EmptyAnswerError,
    LostReplyError,
    MarketoBulkError,
    MarketoFault,
    NotFoundError,
    PayloadTooLargeError,
    QueueFullError,
    RateLimitedError,
    RejectedError,
    ServiceUnavailableError,
    TokenExpiredError,
    TransientError,
)
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


@dataclass(frozen=True, slots=True)
class CodeRule:
    """What one code means.

    `counts` says whether the call was charged to the daily quota and the rate limit.
    `no_effect` says that the call was turned away before Marketo acted on it, so that even a
    request that must not be done twice may be sent again.
    """

    error: type[MarketoBulkError]
    retry: RetryPolicy = NEVER
    counts: bool = True
    no_effect: bool = False
    remedy: str = ""


_REJECTED = CodeRule(RejectedError)
_NOT_FOUND = CodeRule(NotFoundError)
_TRANSIENT = CodeRule(ServiceUnavailableError, BACKOFF)
_TOKEN = CodeRule(TokenExpiredError, counts=False, no_effect=True)
_QUEUE_FULL = CodeRule(QueueFullError, no_effect=True)
_QUOTA = CodeRule(DailyQuotaExceededError, no_effect=True)
_RATE_LIMITED = CodeRule(RateLimitedError, WINDOW, no_effect=True)
_BUG_ADVICE = "This is a defect of the client: report it with the request id"
UNKNOWN_CODE = CodeRule(
    RejectedError,
    UNKNOWN,
    remedy="This code is not known here: look it up in Adobe's list of error codes",
)

RULES_BY_CODE: dict[str, CodeRule] = {
    "500": CodeRule(ServiceUnavailableError, FEW),
    "502": _TRANSIENT,
    "600": _TOKEN,  # on no page of Adobe's; old clients know it as "empty access token"
    "601": _TOKEN,
    "602": _TOKEN,
    "603": CodeRule(
        RejectedError,
        remedy="Give the API user's role the permission for this, or allow this machine's address",
    ),
    "604": CodeRule(ServiceUnavailableError, BACKOFF, counts=False),
    "605": CodeRule(RejectedError, counts=False, no_effect=True, remedy=_BUG_ADVICE),
    "606": _RATE_LIMITED,
    "607": _QUOTA,
    "608": CodeRule(ServiceUnavailableError, BACKOFF, counts=False, no_effect=True),
    "609": CodeRule(RejectedError, no_effect=True, remedy=_BUG_ADVICE),
    "610": _NOT_FOUND,
    "611": CodeRule(ServiceUnavailableError, BACKOFF, counts=False),
    "612": CodeRule(RejectedError, no_effect=True, remedy=_BUG_ADVICE),
    "613": CodeRule(RejectedError, no_effect=True, remedy=_BUG_ADVICE),
    "614": CodeRule(ServiceUnavailableError, FEW, no_effect=True),
    "615": CodeRule(ConcurrencyLimitError, BRIEF, no_effect=True),
    "616": _REJECTED,
    "701": _REJECTED,
    "702": _NOT_FOUND,
    "703": CodeRule(RejectedError, remedy="This feature is not part of the subscription"),
    "704": _REJECTED,
    "709": _REJECTED,
    "710": _NOT_FOUND,
    "711": _REJECTED,
    "712": _REJECTED,
    "713": _TRANSIENT,
    "714": _REJECTED,
    "718": _REJECTED,
    "719": _TRANSIENT,
    "1001": _REJECTED,
    "1002": _REJECTED,
    "1003": _REJECTED,
    "1004": _REJECTED,
    "1005": _REJECTED,
    "1006": CodeRule(RejectedError, remedy="Check the field names against describe"),
    "1007": _REJECTED,
    "1008": _REJECTED,
    "1009": _REJECTED,
    "1010": _REJECTED,
    "1011": _REJECTED,
    "1012": _REJECTED,
    "1013": _NOT_FOUND,
    # "Failed to create": some clients repeat it with success, so reads do, twice.
    "1014": CodeRule(RejectedError, UNKNOWN),
    "1015": _REJECTED,
    "1016": _QUEUE_FULL,
    "1017": _REJECTED,
    "1018": _REJECTED,
    "1019": CodeRule(
        QueueFullError, no_effect=True, remedy="Try again when the list's other import is done"
    ),
    "1020": CodeRule(RejectedError, remedy="The day's clones are used up"),
    "1021": _REJECTED,
    "1022": _REJECTED,
    "1025": _REJECTED,
    "1026": _REJECTED,
    "1027": _REJECTED,
    "1028": _REJECTED,
    "1035": CodeRule(
        RejectedError, remedy="This subscription has no such filter: export without it"
    ),
    "1036": _REJECTED,
    "1037": _REJECTED,
    "1042": _REJECTED,
    "1048": _REJECTED,
    "1049": _REJECTED,
    "1076": _REJECTED,
    "1077": _REJECTED,
    "1078": _REJECTED,
    "1079": _REJECTED,
    "1080": _REJECTED,
}

# One code, three meanings, told apart by its text alone. The quota text is sent as "Export daily
# quota 500MB exceeded." and documented without the number. An unknown text is taken for a full
# queue: waiting is the only answer that is wrong for none of the three.
MEANINGS_OF_1029: tuple[tuple[re.Pattern[str], CodeRule], ...] = (
    (re.compile(r"daily\s+quota", re.IGNORECASE), _QUOTA),
    (re.compile(r"already\s+(been\s+)?queued", re.IGNORECASE), CodeRule(AlreadyQueuedError)),
    (re.compile(""), _QUEUE_FULL),
)

# Marketo answers errors as envelopes with status 200; other statuses come from the gateway.
RULES_BY_HTTP_STATUS: dict[int, CodeRule] = {
    401: _TOKEN,
    404: CodeRule(
        NotFoundError, remedy="If every call is answered so, base_url is not a Marketo REST address"
    ),
    408: _TRANSIENT,
    413: CodeRule(PayloadTooLargeError, no_effect=True),
    414: CodeRule(RejectedError, no_effect=True, remedy=_BUG_ADVICE),
    # Marketo is said never to send it; anything in front of it might.
    429: _RATE_LIMITED,
    500: CodeRule(ServiceUnavailableError, FEW),
}


def rule_for_fault(fault: MarketoFault, http_status: int | None = None) -> CodeRule:
    """Return the rule for one fault; where its code is unknown, for its HTTP status."""
    if fault.code == "1029":
        return next(rule for text, rule in MEANINGS_OF_1029 if text.search(fault.message))
    by_status = RULES_BY_HTTP_STATUS.get(http_status or 0, UNKNOWN_CODE)
    return RULES_BY_CODE.get(fault.code, by_status)


def rule_for_http_status(status: int) -> CodeRule:
    """Return the rule for an answer without an envelope."""
    if status in RULES_BY_HTTP_STATUS:
        return RULES_BY_HTTP_STATUS[status]
    return _TRANSIENT if status >= 500 else _REJECTED  # noqa: PLR2004 - 5xx is the wire's word


def rule_for_error(error: MarketoBulkError) -> CodeRule:
    """Return the rule under which an error was made; for errors without an answer, by class."""
    if error.faults:
        return rule_for_fault(error.faults[0], error.http_status)
    if isinstance(error, EmptyAnswerError):
        return CodeRule(EmptyAnswerError, FEW)
    if isinstance(error, ServiceUnavailableError) and error.never_sent:
        return CodeRule(ServiceUnavailableError, BACKOFF, no_effect=True)
    if isinstance(error, (ServiceUnavailableError, RateLimitedError)) and error.http_status:
        rule = rule_for_http_status(error.http_status)
        return rule if issubclass(rule.error, TransientError) else _TRANSIENT
    if isinstance(error, (ServiceUnavailableError, LostReplyError)):
        return _TRANSIENT
    return CodeRule(type(error))


def error_for_answer(message: str, answer: Answer) -> MarketoBulkError:
    """Return the error an answer stands for: by its first fault, else by its HTTP status."""
    if answer.faults:
        rule = rule_for_fault(answer.faults[0], answer.http_status)
        message = answer.faults[0].message
    else:
        rule = rule_for_http_status(answer.http_status or 0)
    return rule.error(message, answer=answer, remedy=rule.remedy)

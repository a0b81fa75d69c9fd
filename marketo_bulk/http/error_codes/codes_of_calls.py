"""Codes of calls, 500 to 616: what keeps Marketo from looking at the content of a call.

Source: Adobe, REST API > Error Codes (read 2026-08-17).
"""

from __future__ import annotations

from marketo_bulk.errors import (
    ConcurrencyLimitError,
    DailyQuotaExceededError,
    NotFoundError,
    RateLimitedError,
    RejectedError,
    ServiceUnavailableError,
    TokenExpiredError,
)
from marketo_bulk.http.error_codes.code_rule import DEFECT, CodeRule
from marketo_bulk.http.error_codes.retry_policies import (
    BACKOFF,
    BRIEF,
    FEW,
    INVALID_TOKEN,
    WINDOW,
)

CALL_RULES: dict[str, CodeRule] = {
    "500": CodeRule(
        ServiceUnavailableError,
        FEW,
        says="Internal Server error",
        cause="Marketo failed while it answered the call",
    ),
    "502": CodeRule(
        ServiceUnavailableError,
        BACKOFF,
        says="Bad Gateway",
        cause="Marketo's servers did not answer its own gateway in time",
    ),
    # On no page of Adobe's; old clients know it.
    "600": CodeRule(
        TokenExpiredError,
        INVALID_TOKEN,
        no_effect=True,
        says="Empty access token",
        cause="Marketo found no access token in the call",
    ),
    "601": CodeRule(
        TokenExpiredError,
        INVALID_TOKEN,
        no_effect=True,
        says="Access token invalid",
        cause="the access token is not known to all servers yet, or its API user was removed",
    ),
    # Its successor is certain to come: identity hands the old one out until its life is over.
    "602": CodeRule(
        TokenExpiredError,
        BACKOFF,
        no_effect=True,
        says="Access token expired",
        cause="the hour of the access token is over; a new one is fetched by itself",
    ),
    "603": CodeRule(
        RejectedError,
        says="Access denied",
        cause="the API user's role lacks a permission, or the instance does not allow this address",
        remedy="Give the API user's role the permission for this, or allow this machine's address",
    ),
    "604": CodeRule(
        ServiceUnavailableError,
        BACKOFF,
        says="Request timed out",
        cause="Marketo took too long to answer the call",
    ),
    "605": CodeRule(
        RejectedError,
        no_effect=True,
        says="HTTP Method not supported",
        cause="the call has a method that its address does not take",
        remedy=DEFECT,
    ),
    "606": CodeRule(
        RateLimitedError,
        WINDOW,
        no_effect=True,
        says="Max rate limit '100' exceeded with in '20' secs",
        cause="all integrations of the instance together made too many calls within 20 seconds",
    ),
    "607": CodeRule(
        DailyQuotaExceededError,
        no_effect=True,
        says="Daily quota reached",
        cause="the instance's calls of the day are used up, by all integrations together",
    ),
    "608": CodeRule(
        ServiceUnavailableError,
        BACKOFF,
        no_effect=True,
        says="API Temporarily Unavailable",
        cause="Marketo is not available for now",
    ),
    "609": CodeRule(
        RejectedError,
        no_effect=True,
        says="Invalid JSON",
        cause="the body of the call is not JSON",
        remedy=DEFECT,
    ),
    "610": CodeRule(
        NotFoundError,
        says="Requested resource not found",
        cause="the job or program does not exist, or this API user cannot see it",
    ),
    "611": CodeRule(
        ServiceUnavailableError,
        BACKOFF,
        says="System error",
        cause="Marketo failed while it answered the call",
    ),
    "612": CodeRule(
        RejectedError,
        no_effect=True,
        says="Invalid Content Type",
        cause="the call does not name the type of its body",
        remedy=DEFECT,
    ),
    "613": CodeRule(
        RejectedError,
        no_effect=True,
        says="Invalid Multipart Request",
        cause="the body of an import cannot be read",
        remedy=DEFECT,
    ),
    "614": CodeRule(
        ServiceUnavailableError,
        FEW,
        no_effect=True,
        says="Invalid Subscription",
        cause="the instance is not available, mostly for a moment, or does not exist",
        remedy="Run again later; if it stays, check munchkin_id or base_url",
    ),
    "615": CodeRule(
        ConcurrencyLimitError,
        BRIEF,
        no_effect=True,
        says="Concurrent access limit '10' reached",
        cause="all integrations of the instance together made too many calls at the same time",
    ),
    "616": CodeRule(
        RejectedError,
        says="Invalid subscription type",
        cause="the subscription does not include the API of this call",
        remedy="Ask Marketo to include it, or leave out the stream that needs it",
    ),
}

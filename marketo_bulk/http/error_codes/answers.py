"""Answers told apart by more than a code: the three meanings of 1029, and HTTP statuses."""

from __future__ import annotations

import re

from marketo_bulk.errors import (
    AlreadyQueuedError,
    DailyQuotaExceededError,
    NotFoundError,
    PayloadTooLargeError,
    QueueFullError,
    RateLimitedError,
    RejectedError,
    ServiceUnavailableError,
)
from marketo_bulk.http.error_codes.code_rule import DEFECT, CodeRule
from marketo_bulk.http.error_codes.codes_of_calls import CALL_RULES
from marketo_bulk.http.error_codes.retry_policies import BACKOFF, FEW, UNKNOWN, WINDOW

TOKEN = CALL_RULES["601"]
UNKNOWN_CODE = CodeRule(
    RejectedError,
    UNKNOWN,
    says="…",
    cause="Marketo gives a reason that this version does not know",
    remedy="This code is not known here: look it up in Adobe's list of error codes",
)

# One code, three meanings, told apart by its text alone. The quota text is sent as "Export daily
# quota 500MB exceeded." and documented without the number. An unknown text is taken for a full
# queue: waiting is the only answer that is wrong for none of the three.
MEANINGS_OF_1029: tuple[tuple[re.Pattern[str], CodeRule], ...] = (
    (
        re.compile(r"daily\s+quota", re.IGNORECASE),
        CodeRule(
            DailyQuotaExceededError,
            no_effect=True,
            says="Export daily quota 500MB exceeded.",
            cause="the instance's export megabytes of the day are used up",
        ),
    ),
    (
        re.compile(r"already\s+(been\s+)?queued", re.IGNORECASE),
        CodeRule(
            AlreadyQueuedError,
            says="Job already queued",
            cause="the job was queued by an earlier call whose reply was lost; the run goes on",
            remedy="Nothing needs to be done",
        ),
    ),
    (
        re.compile(""),
        CodeRule(
            QueueFullError,
            no_effect=True,
            says="Too many jobs in queue",
            cause="the export queue is full, with jobs of all integrations together",
        ),
    ),
)

TRANSIENT = CodeRule(
    ServiceUnavailableError,
    BACKOFF,
    cause="Marketo, or what lies between here and Marketo, cannot answer for now",
)
OTHER_REFUSAL = CodeRule(
    RejectedError,
    cause="what lies between here and Marketo refuses the call",
    remedy="Check base_url, and any proxy or firewall on the way",
)

# Marketo answers errors as envelopes with status 200; other statuses come from the gateway.
RULES_BY_HTTP_STATUS: dict[int, CodeRule] = {
    401: TOKEN,
    404: CodeRule(
        NotFoundError,
        cause="there is no such address",
        remedy="If every call is answered so, base_url is not a Marketo REST address",
    ),
    408: TRANSIENT,
    413: CodeRule(
        PayloadTooLargeError,
        no_effect=True,
        cause="the import file is too large; the target halves it and goes on",
    ),
    414: CodeRule(
        RejectedError,
        no_effect=True,
        cause="the address of the call is too long",
        remedy=DEFECT,
    ),
    # Marketo is said never to send it; anything in front of it might.
    429: CodeRule(
        RateLimitedError,
        WINDOW,
        no_effect=True,
        cause="what lies between here and Marketo allows fewer calls",
    ),
    500: CodeRule(
        ServiceUnavailableError,
        FEW,
        cause="Marketo failed, or the address of the call is malformed",
    ),
}

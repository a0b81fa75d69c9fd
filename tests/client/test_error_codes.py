"""What Adobe's list of error codes says, written down a second time."""

from __future__ import annotations

import pytest

from marketo_bulk import errors
from marketo_bulk.errors import Answer, MarketoBulkError, MarketoFault
from marketo_bulk.http.error_codes import (
    error_for_answer,
    rule_for_error,
    rule_for_fault,
    rule_for_http_status,
)
from marketo_bulk.http.error_codes.retry_policies import (
    BACKOFF,
    BRIEF,
    FEW,
    INVALID_TOKEN,
    NEVER,
    UNKNOWN,
    WINDOW,
    RetryPolicy,
)
from marketo_bulk.http.error_codes.table import RULES_BY_CODE

REJECTED = (
    "603 605 609 612 613 616 701 703 704 709 711 712 714 718 1001 1002 1003 1004 1005 1006 1007 "
    "1008 1009 1010 1011 1012 1014 1015 1017 1018 1020 1021 1022 1025 1026 1027 1028 1035 1036 "
    "1037 1042 1048 1049 1076 1077 1078 1079 1080"
)
CLASSES = {
    errors.RejectedError: REJECTED,
    errors.NotFoundError: "610 702 710 1013",
    errors.ServiceUnavailableError: "500 502 604 608 611 614 713 719",
    errors.TokenExpiredError: "600 601 602",
    errors.RateLimitedError: "606",
    errors.ConcurrencyLimitError: "615",
    errors.DailyQuotaExceededError: "607",
    errors.QueueFullError: "1016 1019",
}
POLICIES = {
    INVALID_TOKEN: "600 601",
    BACKOFF: "502 602 604 608 611 713 719",
    FEW: "500 614",
    WINDOW: "606",
    BRIEF: "615",
    UNKNOWN: "1014",
}


@pytest.mark.parametrize(
    ("code", "expected"),
    [(code, error) for error, codes in CLASSES.items() for code in codes.split()],
)
def test_code_has_its_class(code: str, expected: type[MarketoBulkError]) -> None:
    """Each documented code is the error that says what to do about it."""
    error = error_for_answer("", Answer("op", (MarketoFault(code, "why"),), "id#1", 200))
    assert (expected, code, "why", "id#1") == (
        type(error),
        error.code,
        error.message,
        error.request_id,
    )


@pytest.mark.parametrize("code", sorted(RULES_BY_CODE))
def test_code_is_retried_as_documented(code: str) -> None:
    """Only what passes by itself is retried, and each in its own way."""
    expected = next((policy for policy, codes in POLICIES.items() if code in codes.split()), NEVER)
    assert expected is RULES_BY_CODE[code].retry


def test_all_documented_codes_are_in_the_table() -> None:
    """Neither a code too few nor one that no page names."""
    documented = {code for codes in CLASSES.values() for code in codes.split()}
    assert documented == set(RULES_BY_CODE)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Too many jobs in queue", errors.QueueFullError),
        ("Export daily quota 500MB exceeded.", errors.DailyQuotaExceededError),
        ("Export daily quota exceeded", errors.DailyQuotaExceededError),
        ("export DAILY  QUOTA 1000MB exceeded", errors.DailyQuotaExceededError),
        ("Job already queued", errors.AlreadyQueuedError),
        ("Job has already been queued", errors.AlreadyQueuedError),
        ("Something new", errors.QueueFullError),
        ("", errors.QueueFullError),
    ],
    ids=["J1", "J2", "J3", "other size", "J4", "other words", "unknown", "empty"],
)
def test_1029_is_told_apart_by_its_text(message: str, expected: type[MarketoBulkError]) -> None:
    """One code means a full queue, a used up quota, or that there is nothing to do."""
    error = error_for_answer("", Answer("op", (MarketoFault("1029", message),), None, 200))
    assert (expected, NEVER) == (type(error), rule_for_error(error).retry)


@pytest.mark.parametrize(
    ("status", "expected", "policy"),
    [
        (400, errors.RejectedError, NEVER),
        (401, errors.TokenExpiredError, INVALID_TOKEN),
        (403, errors.RejectedError, NEVER),
        (404, errors.NotFoundError, NEVER),
        (408, errors.ServiceUnavailableError, BACKOFF),
        (413, errors.PayloadTooLargeError, NEVER),
        (414, errors.RejectedError, NEVER),
        (429, errors.RateLimitedError, WINDOW),
        (500, errors.ServiceUnavailableError, FEW),
        (502, errors.ServiceUnavailableError, BACKOFF),
        (503, errors.ServiceUnavailableError, BACKOFF),
        (504, errors.ServiceUnavailableError, BACKOFF),
        (599, errors.ServiceUnavailableError, BACKOFF),
    ],
)
def test_http_status_without_an_envelope(
    status: int, expected: type[MarketoBulkError], policy: RetryPolicy
) -> None:
    """A gateway's answer is known by its status, and retried as its status deserves."""
    error = error_for_answer("page", Answer("op", http_status=status))
    assert (expected, policy, status) == (
        type(error),
        rule_for_error(error).retry,
        error.http_status,
    )


def test_unknown_code_is_rejected_and_tried_a_little() -> None:
    """A24: a code of tomorrow is shown, and repeated only as far as its policy allows."""
    error = error_for_answer("", Answer("op", (MarketoFault("4711", "?"),), None, 200))
    assert (errors.RejectedError, UNKNOWN, 3) == (
        type(error),
        rule_for_error(error).retry,
        UNKNOWN.max_attempts,
    )
    assert "4711" in str(error)


def test_unknown_code_under_a_known_http_status_is_known_by_that() -> None:
    """The less specific of two sayings counts when the other says nothing."""
    rule = rule_for_fault(MarketoFault("4711", "?"), 413)
    assert rule_for_http_status(413) is rule


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (errors.ServiceUnavailableError("reset"), (BACKOFF, False)),
        (errors.ServiceUnavailableError("refused", never_sent=True), (BACKOFF, True)),
        (errors.LostReplyError("lost"), (BACKOFF, False)),
        (errors.EmptyAnswerError("empty"), (FEW, False)),
        (errors.DecodeError("no envelope"), (NEVER, False)),
        (errors.DownloadError("disk"), (NEVER, False)),
        (
            errors.ServiceUnavailableError("html", answer=Answer("op", http_status=200)),
            (BACKOFF, False),
        ),
        (
            errors.ServiceUnavailableError("503", answer=Answer("op", http_status=503)),
            (BACKOFF, False),
        ),
    ],
)
def test_error_without_a_code_is_judged_by_its_class(
    error: MarketoBulkError, expected: tuple[RetryPolicy, bool]
) -> None:
    """What never reached Marketo may be sent again, come what may."""
    rule = rule_for_error(error)
    assert expected == (rule.retry, rule.no_effect)


@pytest.mark.parametrize("code", ["502", "604", "611", "713", "719", "500", "1014"])
def test_codes_that_may_hide_an_effect(code: str) -> None:
    """These say that something went wrong, not that nothing was done."""
    assert not RULES_BY_CODE[code].no_effect


@pytest.mark.parametrize("code", ["601", "602", "606", "607", "608", "614", "615", "1016", "1019"])
def test_codes_that_turn_a_call_away(code: str) -> None:
    """After these, a request that must not be done twice may be sent again."""
    assert RULES_BY_CODE[code].no_effect

"""Error codes: the rule for what Marketo has answered, from the table of codes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marketo_bulk.errors import (
    EmptyAnswerError,
    HostNotFoundError,
    LostReplyError,
    RateLimitedError,
    ServiceUnavailableError,
    TokenExpiredError,
    TransientError,
)
from marketo_bulk.http.error_codes.answers import (
    MEANINGS_OF_1029,
    OTHER_REFUSAL,
    RULES_BY_HTTP_STATUS,
    TOKEN,
    TRANSIENT,
    UNKNOWN_CODE,
)
from marketo_bulk.http.error_codes.code_rule import CodeRule
from marketo_bulk.http.error_codes.retry_policies import BACKOFF, FEW, FIRST_CONTACT
from marketo_bulk.http.error_codes.table import RULES_BY_CODE

if TYPE_CHECKING:
    from marketo_bulk.errors import Answer, MarketoBulkError, MarketoFault

_RULES_BY_CLASS: dict[type[MarketoBulkError], CodeRule] = {
    EmptyAnswerError: CodeRule(EmptyAnswerError, FEW),
    HostNotFoundError: CodeRule(HostNotFoundError, FIRST_CONTACT, no_effect=True),
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
    return TRANSIENT if status >= 500 else OTHER_REFUSAL  # noqa: PLR2004 - 5xx is the wire's word


def rule_for_error(error: MarketoBulkError) -> CodeRule:
    """Return the rule under which an error was made; for errors without an answer, by class."""
    if error.faults:
        return rule_for_fault(error.faults[0], error.http_status)
    if type(error) in _RULES_BY_CLASS:
        return _RULES_BY_CLASS[type(error)]
    if isinstance(error, ServiceUnavailableError) and error.never_sent:
        return CodeRule(ServiceUnavailableError, BACKOFF, no_effect=True)
    if isinstance(error, (ServiceUnavailableError, RateLimitedError)) and error.http_status:
        rule = rule_for_http_status(error.http_status)
        return rule if issubclass(rule.error, TransientError) else TRANSIENT
    if isinstance(error, (ServiceUnavailableError, LostReplyError)):
        return TRANSIENT
    return TOKEN if isinstance(error, TokenExpiredError) else CodeRule(type(error))


def error_for_answer(message: str, answer: Answer) -> MarketoBulkError:
    """Return the error an answer stands for: by its first fault, else by its HTTP status."""
    if answer.faults:
        rule = rule_for_fault(answer.faults[0], answer.http_status)
        message = answer.faults[0].message
    else:
        rule = rule_for_http_status(answer.http_status or 0)
    return rule.error(message, answer=answer, remedy=rule.remedy)

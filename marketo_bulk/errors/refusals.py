"""Refusals: calls that Marketo does not answer as asked, or that end here."""

from __future__ import annotations

import re

from typing_extensions import override

from marketo_bulk.errors.root import MarketoBulkError

CALLS_QUOTA_CODE = "607"
_INVALID_FIELDS = re.compile(r"invalid fields?\s*\[([^\]]*)\]", re.IGNORECASE)


class AbandonedError(MarketoBulkError):
    """The call was broken off here, because the run is to end: Marketo may have acted on it.

    Remedy: Run again: the next run looks for what Marketo has done.
    """

    concerns_all = True


class TokenExpiredError(MarketoBulkError):
    """Marketo refused the access token, and each one it was replaced by."""

    concerns_all = True
    remedy = "Check that the API user and its LaunchPoint service still exist"


class CredentialsError(MarketoBulkError):
    """The identity service refused the client id or secret, or the call itself."""

    concerns_all = True
    remedy = "Check client_id, client_secret and identity_url (Admin > LaunchPoint)"


class DailyQuotaExceededError(MarketoBulkError):
    """Today's API calls or export megabytes are used up."""

    concerns_all = True
    remedy = (
        "The quota resets at midnight US Central time; run again after 06:00 UTC. "
        "Nothing that was finished is lost"
    )

    @property
    def is_of_calls(self) -> bool:
        """Whether no call can be made, rather than no export."""
        return self.code == CALLS_QUOTA_CODE


class BudgetReachedError(DailyQuotaExceededError):
    """The share of the day that the settings allow is used up.

    Remedy: Run again on the next day of Marketo's, or raise the budget.
    """

    def __init__(self, message: str, *, remedy: str, of_calls: bool) -> None:
        super().__init__(message, remedy=remedy)
        self._of_calls = of_calls

    @property
    @override
    def is_of_calls(self) -> bool:
        return self._of_calls


class AlreadyQueuedError(MarketoBulkError):
    """The export is in the queue already.

    Remedy: Nothing needs to be done: the run goes on.
    """


class PayloadTooLargeError(MarketoBulkError):
    """The body is larger than Marketo takes."""

    remedy = "Send less at once"


class RejectedError(MarketoBulkError):
    """Marketo will never accept this request as it is.

    Remedy: Correct what its code and its words name.
    """

    @property
    def invalid_fields(self) -> tuple[str, ...]:
        """The field names of a 1003 that lists them; empty for any other rejection."""
        found = _INVALID_FIELDS.search(self.message) if self.code == "1003" else None
        names = found.group(1).split(",") if found else []
        return tuple(name.strip() for name in names if name.strip())


class NotFoundError(RejectedError):
    """What was asked for does not exist, or not for this API user."""

    remedy = "Check the ids and names in the settings, and what this API user may see"

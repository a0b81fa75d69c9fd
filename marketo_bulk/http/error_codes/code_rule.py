"""Code rule: what one code of Marketo's means for the caller, and what a user is told of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from marketo_bulk.http.error_codes.retry_policies import NEVER

if TYPE_CHECKING:
    from marketo_bulk.errors import MarketoBulkError
    from marketo_bulk.http.error_codes.retry_policies import RetryPolicy

DEFECT = "This is a defect of the client: report it with the request id"


@dataclass(frozen=True, slots=True)
class CodeRule:
    """What one code means.

    `says` is Marketo's text, with `…` for what differs from case to case; `cause` is why it comes.
    Without a `remedy`, that of the error's class is given. docs/errors.md is made from all three.

    `no_effect` says that the call was turned away before Marketo acted on it, so that even a
    request that must not be done twice may be sent again.
    """

    error: type[MarketoBulkError]
    retry: RetryPolicy = NEVER
    no_effect: bool = False
    says: str = ""
    cause: str = ""
    remedy: str = ""

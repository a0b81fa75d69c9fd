"""Codes of assets, 701 to 719: what is wrong about programs, folders and the rules for them.

Source: Adobe, REST API > Error Codes (read 2026-08-17).
"""

from __future__ import annotations

from marketo_bulk.errors import NotFoundError, RejectedError, ServiceUnavailableError
from marketo_bulk.http.error_codes.code_rule import DEFECT, CodeRule
from marketo_bulk.http.error_codes.retry_policies import BACKOFF

ASSET_RULES: dict[str, CodeRule] = {
    "701": CodeRule(
        RejectedError,
        says="… cannot be blank",
        cause="a value that the call needs is empty",
        remedy="Give the setting that it names a value",
    ),
    "702": CodeRule(
        NotFoundError,
        says="No data found for given search scenario",
        cause="nothing has the id or the name that was asked for",
    ),
    "703": CodeRule(
        RejectedError,
        says="The feature is not enabled for the subscription",
        cause="the subscription does not include what the call is about",
        remedy="Leave out the stream or the setting that needs it",
    ),
    "704": CodeRule(
        RejectedError,
        says="Invalid date format",
        cause="a date of the call is in a form that Marketo does not take",
        remedy=DEFECT,
    ),
    "709": CodeRule(
        RejectedError,
        says="Business Rule Violation",
        cause="the state of the program or asset does not allow the call",
        remedy="Look at the program or asset in Marketo",
    ),
    "710": CodeRule(
        NotFoundError,
        says="Parent folder not found",
        cause="the folder does not exist, or this API user cannot see it",
    ),
    "711": CodeRule(
        RejectedError,
        says="Incompatible folder type",
        cause="the folder cannot hold what was asked for",
        remedy="Name another folder",
    ),
    "712": CodeRule(
        RejectedError,
        says="Merge to person account operation is invalid",
        cause="the call merges leads, and neither plugin does",
        remedy=DEFECT,
    ),
    "713": CodeRule(
        ServiceUnavailableError,
        BACKOFF,
        says="Transient Error",
        cause="Marketo failed for a moment",
    ),
    "714": CodeRule(
        RejectedError,
        says="Unable to find the default record type",
        cause="Marketo's connection to the CRM lacks a record type",
        remedy="Have the administrator of the CRM connection look at it",
    ),
    "718": CodeRule(
        RejectedError,
        says="ExternalSalesPersonID not found",
        cause="the salesperson that a row names does not exist",
        remedy="Correct the salesperson in the row, or drop the column",
    ),
    "719": CodeRule(
        ServiceUnavailableError,
        BACKOFF,
        says="Lock wait timeout exception",
        cause="another change of the same data was under way for too long",
    ),
}

"""Standard lead fields: those that Marketo has made, and a user has not.

Describe does not tell them from custom ones. No instance has all of them: the user interface
hides some, and those of a CRM are there only with one.
Source: Adobe, REST API > Lead Database > List of Standard Fields (read 2026-08-17); recorded leads.
"""

from __future__ import annotations

STANDARD_LEAD_FIELDS = frozenset((
    "acquisitionProgramId", "address", "annualRevenue", "anonymousIP", "billingCity",
    "billingCountry", "billingPostalCode", "billingState", "billingStreet", "blackListed",
    "blackListedCause", "city", "company", "contactCompany", "cookies", "country", "createdAt",
    "dateOfBirth", "department", "doNotCall", "doNotCallReason", "ecids", "email",
    "emailInvalid", "emailInvalidCause", "emailSuspended", "emailSuspendedAt",
    "emailSuspendedCause", "externalCompanyId", "externalSalesPersonId", "fax", "firstName",
    "id", "industry", "inferredCity", "inferredCompany", "inferredCountry",
    "inferredMetropolitanArea", "inferredPhoneAreaCode", "inferredPostalCode",
    "inferredStateRegion", "isAnonymous", "isLead", "lastName", "leadPartitionId",
    "leadPerson", "leadRevenueCycleModelId", "leadRevenueStageId", "leadRole", "leadScore",
    "leadSource", "leadStatus", "mainPhone", "marketingSuspended", "marketingSuspendedCause",
    "middleName", "mktoAcquisitionDate", "mktoCompanyNotes", "mktoDoNotCallCause",
    "mktoIsCustomer", "mktoIsPartner", "mktoName", "mktoPersonNotes", "mobilePhone",
    "numberOfEmployees", "originalReferrer", "originalSearchEngine", "originalSearchPhrase",
    "originalSourceInfo", "originalSourceType", "personPrimaryLeadInterest", "personTimeZone",
    "personType", "phone", "postalCode", "priority", "rating", "registrationSourceInfo",
    "registrationSourceType", "relativeScore", "relativeUrgency", "salutation",
    "sfdcAccountId", "sfdcContactId", "sfdcId", "sfdcLeadId", "sfdcLeadOwnerId", "sfdcType",
    "sicCode", "site", "state", "title", "unsubscribed", "unsubscribedReason", "updatedAt",
    "urgency", "website",
))  # fmt: skip

_FOLDED = frozenset(name.casefold() for name in STANDARD_LEAD_FIELDS)


def is_standard(name: str) -> bool:
    """Return whether a field is a standard one; instances differ in the case of names."""
    return name.casefold() in _FOLDED

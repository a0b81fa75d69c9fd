"""The field: what describe lists, in the order in which a row stores its values."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

FIRST_CUSTOM_ID = 1001


@dataclass(frozen=True, slots=True)
class Field:
    """One attribute of a lead or of a program member."""

    name: str
    data_type: str
    label: str
    """What the user interface calls it; describe shows it for leads and for custom fields."""
    length: int | None = None
    updateable: bool = True
    soap: bool = True
    custom: bool = False


class FieldSet:
    """The fields of one kind of row: by position, and by name in any letter case (C§7).

    A field that is added takes a new position, one that is removed keeps its own: what was made
    before the change still finds its values.
    """

    def __init__(self, fields: Iterable[Field]) -> None:
        self.fields = tuple(fields)
        self.position = {field.name: index for index, field in enumerate(self.fields)}
        """Where the values of a name are, or were before it was removed."""
        self.width = len(self.fields)
        """How many values a row has."""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all fields."""
        return tuple(field.name for field in self.fields)

    def __iter__(self) -> Iterator[Field]:
        return iter(self.fields)

    def __len__(self) -> int:
        return len(self.fields)

    @cached_property
    def _by_name(self) -> dict[str, Field]:
        lower = {field.name.lower(): field for field in reversed(self.fields)}
        return {**lower, **{field.name: field for field in self.fields}}

    @cached_property
    def moments(self) -> frozenset[str]:
        """The names of the fields that hold moments."""
        return frozenset(field.name for field in self.fields if field.data_type == "datetime")

    @cached_property
    def standard(self) -> frozenset[str]:
        """The names of the fields that nobody made."""
        return frozenset(field.name for field in self.fields if not field.custom)

    def get(self, name: str) -> Field | None:
        """Return the field of this name, or else one of it in another letter case, or None."""
        return self._by_name.get(name) or self._by_name.get(name.lower())

    def add(self, field: Field) -> None:
        """Add a field whose values come after all others."""
        self._put((*(known for known in self.fields if known.name != field.name), field))
        self.position[field.name] = self.width
        self.width += 1

    def remove(self, name: str) -> None:
        """Take a field out, if there is one of exactly this name."""
        self._put(tuple(field for field in self.fields if field.name != name))

    def _put(self, fields: tuple[Field, ...]) -> None:
        self.fields = fields
        # They are worked out anew when they are next asked for.
        for cached in ("_by_name", "moments", "standard"):
            self.__dict__.pop(cached, None)

    def copy(self) -> FieldSet:
        """Return the same fields, to be changed apart."""
        return FieldSet(self.fields)


def _fixed(name: str, data_type: str, label: str, length: int | None = None) -> Field:
    return Field(name, data_type, label, length, updateable=False)


def _custom(name: str, data_type: str, label: str, length: int | None = None) -> Field:
    return Field(name, data_type, label, length, soap=False, custom=True)


# C§3.1; the labels of C§3.5.
MEMBER_FIELDS = FieldSet(
    (
        _fixed("acquiredBy", "boolean", "Acquired By"),
        _fixed("attendanceLikelihood", "integer", "Attendance Likelihood"),
        _fixed("createdAt", "datetime", "Created At"),
        _fixed("isExhausted", "boolean", "Nurture Exhausted"),
        _fixed("leadId", "integer", "Lead Id"),
        _fixed("membershipDate", "datetime", "Member Date"),
        _fixed("nurtureCadence", "string", "Nurture Cadence", 4),
        _fixed("program", "string", "Program", 255),
        _fixed("programId", "integer", "Program Id"),
        _fixed("reachedSuccess", "boolean", "Success"),
        _fixed("reachedSuccessDate", "datetime", "Success Date"),
        _fixed("registrationLikelihood", "integer", "Registration Likelihood"),
        _fixed("statusName", "string", "Status", 255),
        _fixed("statusReason", "string", "Status Reason", 255),
        _fixed("trackName", "string", "Nurture Track", 255),
        _fixed("updatedAt", "datetime", "Updated At"),
        _fixed("waitlistPriority", "integer", "Waitlist Priority"),
        Field("registrationCode", "string", "Registration Code", 100),
        Field("webinarUrl", "string", "Webinar URL", 2000),
        _custom("eventRole", "string", "Event Role", 255),
        _custom("dietaryNotes", "text", "Dietary Notes"),
        _custom("sessionFeedback", "textarea", "Session Feedback", 30000),
        _custom("colleagueEmail", "email", "Colleague Email", 255),
        _custom("travelHotline", "phone", "Travel Hotline", 255),
        _custom("slidesUrl", "url", "Slides URL", 255),
        _custom("guestCount", "integer", "Guest Count"),
        _custom("quizScore", "score", "Quiz Score"),
        _custom("feeDiscount", "percent", "Fee Discount"),
        _custom("sessionRating", "float", "Session Rating"),
        _custom("ticketFee", "currency", "Ticket Fee"),
        _custom("needsVisa", "boolean", "Needs Visa"),
        _custom("arrivalDate", "date", "Arrival Date"),
        _custom("checkedInAt", "datetime", "Checked In At"),
        _custom("referredBy", "reference", "Referred By"),
    )
)

LEAD_FIELDS = FieldSet(
    (
        _fixed("id", "integer", "Id"),
        Field("email", "email", "Email Address", 255),
        Field("firstName", "string", "First Name", 255),
        Field("lastName", "string", "Last Name", 255),
        Field("salutation", "string", "Salutation", 255),
        Field("title", "string", "Job Title", 255),
        Field("company", "string", "Company Name", 255),
        Field("website", "url", "Website", 255),
        Field("phone", "phone", "Phone Number", 255),
        Field("mobilePhone", "phone", "Mobile Phone Number", 255),
        Field("address", "text", "Address"),
        Field("city", "string", "City", 255),
        Field("state", "string", "State", 255),
        Field("country", "string", "Country", 255),
        Field("postalCode", "string", "Postal Code", 255),
        Field("dateOfBirth", "date", "Date of Birth"),
        Field("industry", "string", "Industry", 255),
        Field("annualRevenue", "currency", "Annual Revenue"),
        Field("numberOfEmployees", "integer", "Num Employees"),
        Field("leadScore", "integer", "Lead Score"),
        Field("leadSource", "string", "Lead Source", 255),
        Field("leadStatus", "string", "Lead Status", 255),
        Field("urgency", "float", "Urgency"),
        Field("unsubscribed", "boolean", "Unsubscribed"),
        Field("unsubscribedReason", "string", "Unsubscribed Reason", 2000),
        Field("emailInvalid", "boolean", "Email Invalid"),
        Field("mktoPersonNotes", "text", "Person Notes"),
        Field("externalCompanyId", "string", "External Company Id", 50, soap=False),
        Field("leadPartitionId", "reference", "Lead Partition Id"),
        Field("acquisitionProgramId", "reference", "Acquisition Program Id"),
        _fixed("contactCompany", "reference", "Contact Company"),
        _fixed("personTimeZone", "string", "Person Time Zone", 255),
        _fixed("originalSourceType", "string", "Original Source Type", 255),
        _fixed("createdAt", "datetime", "Created At"),
        _fixed("updatedAt", "datetime", "Updated At"),
        _custom("loyaltyTier", "string", "Loyalty Tier", 255),
        _custom("customerNumber", "integer", "Customer Number"),
        _custom("renewalChance", "percent", "Renewal Chance"),
        _custom("lifetimeValue", "currency", "Lifetime Value"),
        _custom("satisfaction", "float", "Satisfaction"),
        _custom("isReference", "boolean", "Is Reference Customer"),
        _custom("contractEnd", "date", "Contract End"),
        _custom("lastOrderAt", "datetime", "Last Order At"),
        _custom("assistantEmail", "email", "Assistant Email", 255),
        Field(
            "greeting",
            "formula",
            "Greeting",
            updateable=False,
            soap=False,
            custom=True,
        ),
    )
)


def member_description(field: Field) -> dict[str, object]:
    """Return a member field as describe shows it: standard ones carry their name twice (C§3.1)."""
    return _description(field, field.label if field.custom else field.name)


def lead_description(field: Field) -> dict[str, object]:
    """Return a lead field as describe2 shows it."""
    return _description(field, field.label)


def field_id(field: Field, position: int) -> int:
    """Return the number of a lead field, which describe and activities use."""
    return position + (FIRST_CUSTOM_ID if field.custom else 1)


def old_lead_description(field: Field, position: int) -> dict[str, object]:
    """Return a lead field as the superseded describe shows it."""
    shown: dict[str, object] = {
        "id": field_id(field, position),
        "displayName": field.label,
        "dataType": field.data_type,
    }
    if field.length is not None:
        shown["length"] = field.length
    shown["rest"] = {"name": field.name, "readOnly": not field.updateable}
    if field.soap:
        shown["soap"] = {"name": field.label.replace(" ", ""), "readOnly": not field.updateable}
    return shown


# C§3.3: some instances have fields that only the SOAP API knows, without `rest`.
SOAP_ONLY_FIELD: dict[str, object] = {
    "id": 900,
    "displayName": "Legacy Segment",
    "dataType": "string",
    "length": 255,
    "soap": {"name": "LegacySegment", "readOnly": True},
}


def _description(field: Field, display_name: str) -> dict[str, object]:
    shown: dict[str, object] = {
        "name": field.name,
        "displayName": display_name,
        "dataType": field.data_type,
    }
    if field.length is not None:
        shown["length"] = field.length
    return {**shown, "updateable": field.updateable, "crmManaged": False}

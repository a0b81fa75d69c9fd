"""The activity type: what `types.json` lists (C§23.4 to C§23.6)."""

from __future__ import annotations

from dataclasses import dataclass

from marketo_emulator.data.values import moment_text

DELETE_LEAD = 37
FIRST_CUSTOM_TYPE = 100_001
_MADE_AT = 1_500_000_000


@dataclass(frozen=True, slots=True)
class ActivityType:
    """One type; attributes are (display name, data type)."""

    type_id: int
    name: str
    primary: tuple[str, str] | None
    attributes: tuple[tuple[str, str], ...] = ()
    api_name: str = ""
    status: str = "approved"
    trigger_name: str = ""

    @property
    def is_custom(self) -> bool:
        """Whether somebody made it."""
        return self.type_id >= FIRST_CUSTOM_TYPE

    def shown(self) -> dict[str, object]:
        """Return the type as `types.json` shows it; custom ones are not marked there."""
        shown: dict[str, object] = {
            "id": self.type_id,
            "name": self.name,
            "description": f"{self.name} activity",
        }
        if self.api_name:
            shown["apiName"] = self.api_name
        if self.primary is not None:
            shown["primaryAttribute"] = _attribute(*self.primary)
        return {**shown, "attributes": [_attribute(*pair) for pair in self.attributes]}

    def shown_as_custom(self, *, with_attributes: bool = False) -> dict[str, object]:
        """Return the type as the calls about custom ones show it."""
        shown: dict[str, object] = {
            "id": self.type_id,
            "apiName": self.api_name,
            "name": self.name,
            "description": f"{self.name} activity",
            "triggerName": self.trigger_name,
            "filterName": self.trigger_name,
            "createdAt": moment_text(_MADE_AT),
            "updatedAt": moment_text(_MADE_AT),
            "status": self.status,
        }
        if with_attributes:
            shown["attributes"] = [
                {"apiName": name.replace(" ", "")[:1].lower() + name.replace(" ", "")[1:],
                 "name": name, "description": "", "dataType": kind,
                 "isPrimary": (name, kind) == self.primary}
                for name, kind in (*((self.primary,) if self.primary else ()), *self.attributes)
            ]  # fmt: skip
        return shown


def _attribute(name: str, data_type: str) -> dict[str, object]:
    return {"name": name, "dataType": data_type}


_WEB = (
    ("Client IP Address", "string"), ("Query Parameters", "string"), ("Referrer URL", "string"),
    ("User Agent", "string"),
)  # fmt: skip
_SENT = (
    ("Campaign Run ID", "integer"), ("Choice Number", "integer"), ("Has Predictive", "boolean"),
    ("Step ID", "integer"), ("Test Variant", "integer"),
)  # fmt: skip
_BOUNCED = (
    ("Campaign Run ID", "integer"), ("Category", "string"), ("Choice Number", "integer"),
    ("Details", "string"), ("Email", "string"), ("Step ID", "integer"), ("Subcategory", "string"),
)  # fmt: skip
_READ = (
    ("Bot Activity Pattern", "string"), ("Campaign Run ID", "integer"), ("Device", "string"),
    ("Is Bot Activity", "boolean"), ("Is Mobile Device", "boolean"), ("Platform", "string"),
    ("Step ID", "integer"), ("User Agent", "string"),
)  # fmt: skip
_SALES = (("Artifact ID", "integer"), ("Campaign Run ID", "integer"), ("Sent By", "string"))
_ASSET = ("Mailing ID", "integer")
_PROGRAM = ("Program ID", "integer")
_FIELD = ("Attribute Name", "integer")
_LIST = ("List ID", "integer")
_CHANGED = (
    ("New Value", "string"), ("Old Value", "string"), ("Reason", "string"), ("Source", "string"),
)  # fmt: skip

ACTIVITY_TYPES = (
    ActivityType(1, "Visit Webpage", ("Webpage ID", "integer"),
                 (*_WEB, ("Search Engine", "string"), ("Search Query", "string"),
                  ("Webpage URL", "string"))),
    ActivityType(2, "Fill Out Form", ("Webform ID", "integer"),
                 (*_WEB, ("Form Fields", "text"), ("Webpage ID", "integer"))),
    ActivityType(3, "Click Link", ("Link ID", "integer"), (*_WEB, ("Webpage ID", "integer"))),
    ActivityType(6, "Send Email", _ASSET, _SENT),
    ActivityType(7, "Email Delivered", _ASSET, _SENT),
    ActivityType(8, "Email Bounced", _ASSET, _BOUNCED),
    # "Integer" with a capital is what real instances say here.
    ActivityType(9, "Unsubscribe Email", _ASSET,
                 (*_WEB, ("Form Fields", "text"), ("Webform ID", "Integer"),
                  ("Webpage ID", "Integer"))),
    ActivityType(10, "Open Email", _ASSET, _READ),
    ActivityType(11, "Click Email", _ASSET, (*_READ, ("Link", "string"), ("Link ID", "string"))),
    ActivityType(12, "New Lead", None,
                 (("Created Date", "date"), ("Form Name", "string"), ("List Name", "string"),
                  ("Source Type", "string"))),
    ActivityType(13, "Change Data Value", _FIELD, _CHANGED),
    ActivityType(19, "Sync Lead to SFDC", ("Lead ID", "integer"), (("Reason", "string"),)),
    ActivityType(21, "Convert Lead", ("Lead ID", "integer"), (("SFDC Account ID", "string"),)),
    ActivityType(22, "Change Score", _FIELD,
                 (("Change Value", "string"), ("New Value", "integer"), ("Old Value", "integer"),
                  ("Reason", "string"))),
    ActivityType(23, "Change Owner", ("Lead ID", "integer"), (("Owner ID", "string"),)),
    ActivityType(24, "Add to List", _LIST, (("Source", "string"),)),
    ActivityType(25, "Remove from List", _LIST, (("Source", "string"),)),
    ActivityType(27, "Email Bounced Soft", _ASSET, _BOUNCED),
    ActivityType(32, "Merge Leads", ("Lead ID", "integer"),
                 (("Master Updated", "boolean"), ("Merge IDs", "array"), ("Merge Source", "string"),
                  ("Merged in Sales", "boolean"))),
    ActivityType(34, "Add to Opportunity", ("Opportunity ID", "integer"), (("Role", "string"),)),
    ActivityType(35, "Remove from Opportunity", ("Opportunity ID", "integer"),
                 (("Role", "string"),)),
    ActivityType(36, "Update Opportunity", ("Opportunity ID", "integer"), _CHANGED),
    ActivityType(DELETE_LEAD, "Delete Lead", ("Lead ID", "integer"),
                 (("Campaign", "string"), ("Remove from CRM", "boolean"))),
    ActivityType(38, "Send Alert", _ASSET,
                 (("Send To List", "string"), ("Send To Owner", "string"))),
    ActivityType(39, "Send Sales Email", _ASSET, _SALES),
    ActivityType(40, "Open Sales Email", _ASSET, _SALES),
    ActivityType(41, "Click Sales Email", _ASSET, (*_SALES, ("Link", "string"))),
    ActivityType(45, "Receive Sales Email", _ASSET, _SALES),
    ActivityType(46, "Interesting Moment", ("Type", "string"),
                 (("Date", "datetime"), ("Description", "string"), ("Source", "string"))),
    ActivityType(47, "Request Campaign", ("Campaign ID", "integer"), (("Source", "string"),)),
    ActivityType(48, "Sales Email Bounced", _ASSET, _BOUNCED),
    ActivityType(100, "Change Lead Partition", ("Lead Partition ID", "integer"),
                 (("Old Partition ID", "integer"), ("Reason", "string"))),
    ActivityType(101, "Change Revenue Stage", ("Model ID", "integer"), _CHANGED),
    # Two types of one name: a revenue stage changed by hand.
    ActivityType(102, "Change Revenue Stage", ("Model ID", "integer"), _CHANGED),
    ActivityType(104, "Change Status in Progression", _PROGRAM,
                 (("Acquired By", "boolean"), ("New Status", "string"),
                  ("New Status ID", "integer"), ("Old Status", "string"),
                  ("Old Status ID", "integer"), ("Program Member ID", "integer"),
                  ("Reason", "string"), ("Success", "boolean"))),
    ActivityType(106, "Enrich with Data.com", ("Lead ID", "integer")),
    ActivityType(108, "Change Segment", ("Segmentation ID", "integer"),
                 (("New Segment ID", "integer"), ("Old Segment ID", "integer"))),
    ActivityType(110, "Call Webhook", ("Webhook", "integer"),
                 (("Error Type", "string"), ("Response", "text"))),
    ActivityType(111, "Forward to Friend Sent", _ASSET, _READ),
    ActivityType(112, "Forward to Friend Received", _ASSET, _READ),
    ActivityType(113, "Add to Nurture", _PROGRAM,
                 (("Track ID", "integer"), ("Track Name", "string"))),
    ActivityType(114, "Change Nurture Track", _PROGRAM,
                 (("New Track ID", "integer"), ("Previous Track ID", "integer"),
                  ("Previous Track Name", "string"), ("Track Name", "string"))),
    ActivityType(115, "Change Nurture Cadence", _PROGRAM,
                 (("New Nurture Cadence", "string"), ("Previous Nurture Cadence", "string"))),
    ActivityType(123, "Change Program Member Data", _PROGRAM, (("Source", "string"),)),
    ActivityType(145, "Push Lead to Marketo", ("Lead ID", "integer"), (("Source", "string"),)),
    ActivityType(155, "Execute Campaign", ("Campaign ID", "integer"),
                 (("Qualified", "boolean"), ("Used Parent Campaign Token Context", "boolean"))),
    # Attributes whose names come to those of columns, or to one another, once they are cleaned.
    ActivityType(100_001, "Attended Tour", ("Tour Name", "string"),
                 (("Lead ID", "string"), ("Tour Date", "date"), ("tour date", "string"),
                  ("Rating", "float"), ("Price Paid", "currency"), ("Guide e-mail", "email")),
                 api_name="attendedTour_c", trigger_name="Attends Tour"),
    ActivityType(100_002, "Rated Product", ("Product", "string"),
                 (("Stars", "integer"), ("Would buy again?", "boolean")),
                 api_name="ratedProduct_c", trigger_name="Rates Product",
                 status="approved with draft"),
    ActivityType(100_003, "Parked Car", ("Lot", "string"), (("Hours", "float"),),
                 api_name="parkedCar_c", trigger_name="Parks Car", status="draft"),
)  # fmt: skip

# C§23.1: which types can be filtered by a primary attribute, and together with which.
ASSET_GROUPS = {
    13: "Attribute Name", 22: "Attribute Name",
    104: "Marketing Program",
    24: "Static List", 25: "Static List",
    2: "Web Form",
}  # fmt: skip

"""Codes of records, 1001 to 1080: what is wrong about fields, filters, values, leads and jobs.

Source: Adobe, REST API > Error Codes (read 2026-08-17).
1029 has three meanings and stands in `answers`.
"""

from __future__ import annotations

from marketo_bulk.errors import NotFoundError, QueueFullError, RejectedError
from marketo_bulk.http.error_codes.code_rule import DEFECT, CodeRule
from marketo_bulk.http.error_codes.retry_policies import UNKNOWN

_MERGE = CodeRule(
    RejectedError,
    says="Merge Leads call failed",
    cause="the call merges leads, and neither plugin does",
    remedy=DEFECT,
)

RECORD_RULES: dict[str, CodeRule] = {
    "1001": CodeRule(
        RejectedError,
        says="Invalid value '…'. Required of type '…'",
        cause="a value is not of the type that its field or parameter has",
        remedy="Correct the value in the settings or in the row",
    ),
    "1002": CodeRule(
        RejectedError,
        says="Missing value for required parameter '…'",
        cause="a parameter that the call needs is missing",
        remedy="Give the setting that it names a value",
    ),
    "1003": CodeRule(
        RejectedError,
        says="Invalid data, such as Invalid fields […]",
        cause="Marketo cannot take a field, a filter, a value or a file as it is",
        remedy="Correct or leave out the field, filter or value that it is about",
    ),
    "1004": CodeRule(
        RejectedError,
        says="Lead not found",
        cause="no lead has the value of the lookup field",
        remedy="Correct the value, or use another lookup_field",
    ),
    "1005": CodeRule(
        RejectedError,
        says="Lead already exists",
        cause="a lead that was to be created is there",
        remedy="Nothing needs to be done if the lead is as it should be",
    ),
    "1006": CodeRule(
        RejectedError,
        says="Field '…' not found",
        cause="the instance has no such field, or this API user cannot see it",
        remedy="Check the field names against describe",
    ),
    "1007": CodeRule(
        RejectedError,
        says="Multiple leads match lookup criteria",
        cause="several leads have the value of the lookup field",
        remedy="Merge the leads in Marketo, or use another lookup_field",
    ),
    "1008": CodeRule(
        RejectedError,
        says="Access to partition '…' denied",
        cause="the API user may not use the lead partition",
        remedy="Give the API user access to the partition, or set another partition_name",
    ),
    "1009": CodeRule(
        RejectedError,
        says="Partition name must be specified",
        cause="the instance has several lead partitions, and the call names none",
        remedy="Set partition_name",
    ),
    "1010": CodeRule(
        RejectedError,
        says="Partition update not allowed",
        cause="the lead is in another partition, and an import does not move it",
        remedy="Set the partition_name that the lead has, or move the lead in Marketo",
    ),
    "1011": CodeRule(
        RejectedError,
        says="Field '…' is not supported",
        cause="the field cannot be used in this place",
        remedy="Use another lookup_field, or leave the field out",
    ),
    "1012": CodeRule(
        RejectedError,
        says="Invalid cookie value",
        cause="the call names a cookie, and neither plugin does",
        remedy=DEFECT,
    ),
    "1013": CodeRule(
        NotFoundError,
        says="Object not found",
        cause="the program, list or member does not exist, or this API user cannot see it",
    ),
    # Some clients repeat it with success, so reads do, twice.
    "1014": CodeRule(
        RejectedError,
        UNKNOWN,
        says="Failed to create Object",
        cause="Marketo could not create what was asked for, and does not say why",
        remedy="Run again later; if it stays, ask Marketo's support with the request id",
    ),
    "1015": CodeRule(
        RejectedError,
        says="Lead not in list",
        cause="the lead is not in the static list",
        remedy="Check list_id",
    ),
    "1016": CodeRule(
        QueueFullError,
        no_effect=True,
        says="There are 10 imports currently being processed. Please try again later",
        cause="the import queue is full, with imports of all integrations together",
    ),
    "1017": CodeRule(
        RejectedError,
        says="Object already exists",
        cause="what was to be created is there",
        remedy="Nothing needs to be done if it is as it should be",
    ),
    "1018": CodeRule(
        RejectedError,
        says="CRM Enabled",
        cause="the data comes from the CRM that the instance is connected to",
        remedy="Change it in the CRM, and let Marketo fetch it from there",
    ),
    "1019": CodeRule(
        QueueFullError,
        no_effect=True,
        says="Import in progress",
        cause="another import into the same static list is under way",
        remedy="Try again when the list's other import is done",
    ),
    "1020": CodeRule(
        RejectedError,
        says="Too many clones in program",
        cause="the clones of the day are used up",
        remedy="Run again tomorrow",
    ),
    "1021": CodeRule(
        RejectedError,
        says="Company update not allowed",
        cause="the company of the lead comes from the CRM",
        remedy="Drop the columns of the company, or change them in the CRM",
    ),
    "1022": CodeRule(
        RejectedError,
        says="Object in use",
        cause="something else in Marketo uses what was to be changed",
        remedy="Look for its use in Marketo, and run again later",
    ),
    "1025": CodeRule(
        RejectedError,
        says="Program status not found",
        cause="the program's channel has no such status",
        remedy="Use a status of the program's channel",
    ),
    "1026": CodeRule(
        RejectedError,
        says="Custom object not enabled",
        cause="the subscription has no custom objects",
        remedy="Leave out the stream of the custom object",
    ),
    "1027": CodeRule(
        RejectedError,
        says="Max activity type limit reached",
        cause="the instance has as many custom activity types as it may",
        remedy="Remove an activity type in Marketo",
    ),
    "1028": CodeRule(
        RejectedError,
        says="Max field limit reached",
        cause="the instance has as many fields as it may",
        remedy="Remove a field in Marketo",
    ),
    "1035": CodeRule(
        RejectedError,
        says="Unsupported filter type for target subscription: updatedAt",
        cause="the instance cannot filter by updatedAt; the tap then exports everything",
        remedy="This subscription has no such filter: export without it",
    ),
    "1036": CodeRule(
        RejectedError,
        says="Duplicate object found in input",
        cause="two rows of one call are about the same object",
        remedy="Leave one of them out",
    ),
    "1037": CodeRule(
        RejectedError,
        says="Lead was skipped",
        cause="the lead is not in the program, or already has the status",
        remedy="Check program_id and the status of the row",
    ),
    "1042": CodeRule(
        RejectedError,
        says="Invalid runAt date",
        cause="the call schedules a campaign, and neither plugin does",
        remedy=DEFECT,
    ),
    "1048": CodeRule(
        RejectedError,
        says="Custom Object discard draft failed",
        cause="the call changes a custom object's fields, and neither plugin does",
        remedy=DEFECT,
    ),
    "1049": CodeRule(
        RejectedError,
        says="Failed to create activity",
        cause="the call creates activities, and neither plugin does",
        remedy=DEFECT,
    ),
    **dict.fromkeys(("1076", "1077", "1078", "1079", "1080"), _MERGE),
}

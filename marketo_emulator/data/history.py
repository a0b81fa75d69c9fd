"""The history: what had happened before the start, made up when somebody first asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marketo_emulator.data.activities import Happening, Single
from marketo_emulator.data.changes import LeadChange, MemberChange
from marketo_emulator.data.fields import LEAD_FIELDS, MEMBER_FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from marketo_emulator.data.activities import Event
    from marketo_emulator.data.programs import Program
    from marketo_emulator.data.values import Value

    Row = tuple[Value, ...]

_LEAD = LEAD_FIELDS.position
_MEMBER = MEMBER_FIELDS.position
_FORM_FIELDS = 'a:2:{s:6:"module";s:11:"leadCapture";s:5:"Email";s:3:"a;b";}'


def past_events(
    leads: Mapping[int, Row], members: Mapping[int, Mapping[int, Row]], programs: list[Program]
) -> Iterator[Event]:
    """Return the events that led to these rows, with some web and mail activity in between."""
    for lead_id, row in leads.items():
        created, updated = int(row[_LEAD["createdAt"]] or 0), int(row[_LEAD["updatedAt"]] or 0)
        yield LeadChange(created, None, row, LEAD_FIELDS, "Web form fillout")
        type_id, primary, name, attributes = _WEB[lead_id % len(_WEB)]
        at = created + (updated - created) // 2
        yield Single(Happening(at, lead_id, type_id, primary, name, attributes, lead_id % 9), at)
        if updated > created:
            old = list(row)
            old[_LEAD["leadStatus"]] = "New"
            yield LeadChange(updated, tuple(old), row, LEAD_FIELDS, "Smart campaign")
    for program in programs:
        first = program.channel.statuses[0].name
        for row in members.get(program.program_id, {}).values():
            joined, updated = (int(row[_MEMBER[name]] or 0) for name in ("createdAt", "updatedAt"))
            start = list(row)
            start[_MEMBER["statusName"]] = first
            yield MemberChange(joined, None, tuple(start), program, MEMBER_FIELDS)
            if updated > joined:
                yield MemberChange(updated, tuple(start), row, program, MEMBER_FIELDS)


_WEB: tuple[tuple[int, int, str, dict[str, Any]], ...] = (
    (1, 301, "example.com/pricing",
     {"Webpage URL": "/pricing", "Query Parameters": "", "Referrer URL": "https://example.org/,x"}),
    (2, 302, 'Newsletter.Contact "us", form',
     {"Form Fields": _FORM_FIELDS, "Webpage ID": 301, "Client IP Address": "192.0.2.7"}),
    (6, 303, "Newsletter 001.Spring mail",
     {"Campaign Run ID": 102938, "Step ID": 4, "Choice Number": 0}),
    (7, 303, "Newsletter 001.Spring mail",
     {"Campaign Run ID": 102938, "Step ID": 4, "Choice Number": 0, "Has Predictive": False}),
    (8, 303, "Newsletter 001.Spring mail",
     {"Category": "4", "Subcategory": "4003", "Details": "550 5.1.1\r\nNo such user",
      "Email": "nobody@example.com", "Campaign Run ID": 102938}),
    (10, 303, "Newsletter 001.Spring mail",
     {"Is Bot Activity": False, "Bot Activity Pattern": "N/A", "Platform": "\u2028 \U0001f9a9"}),
    (22, 20, "Lead Score",
     {"Change Value": "+10", "Old Value": None, "New Value": 10, "Reason": 'Said "yes"'}),
    (13, 1001 + LEAD_FIELDS.position["contractEnd"], "Contract End",
     {"Old Value": "False", "New Value": "2023-01-26 18:46:00", "Source": "Web form fillout"}),
    (46, 0, "Web", {"Date": "2026-01-05", "Description": "Looked, twice"}),
)  # fmt: skip

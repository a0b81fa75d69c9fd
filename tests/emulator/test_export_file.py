"""The file of an export."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import pytest

from marketo_emulator.data.fields import LEAD_FIELDS, MEMBER_FIELDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.emulator.harness import Marketo

EXPORTABLE_LEAD_FIELDS = [field.name for field in LEAD_FIELDS if field.data_type != "formula"]


def table(content: bytes, delimiter: str = ",") -> list[dict[str, str]]:
    """Return the rows of a file."""
    return list(csv.DictReader(io.StringIO(content.decode(), newline=""), delimiter=delimiter))


def cell(value: object, data_type: str) -> str:
    """Return how a member field should look in a file."""
    if value is None:
        return "null"
    return str(int(value)) if data_type == "boolean" else str(value)  # type: ignore[call-overload]


def test_file_holds_every_member_and_value(marketo: Marketo) -> None:
    """What a reader gets is what the store has, awkward texts included."""
    rows = table(marketo.export(list(MEMBER_FIELDS.names), programId=1001))
    expected = [
        {field.name: cell(member[field.name], field.data_type) for field in MEMBER_FIELDS}
        for member in marketo.emulator.store.members()
        if member["programId"] == 1001
    ]
    assert rows == expected


def test_lead_file_holds_every_lead_and_value(marketo: Marketo) -> None:
    """The same for leads, with booleans as words."""
    marketo.emulator.store.static_lists[100].lead_ids |= set(marketo.emulator.store.lead_rows)
    rows = table(marketo.export(EXPORTABLE_LEAD_FIELDS, "leads", staticListId=100))
    types = {field.name: field.data_type for field in LEAD_FIELDS}
    expected = [
        {
            name: str(lead[name]).lower()
            if types[name] == "boolean" and lead[name] is not None
            else cell(lead[name], "string")
            for name in EXPORTABLE_LEAD_FIELDS
        }
        for lead in marketo.emulator.store.leads()
    ]
    assert rows == expected


def test_lines_end_with_a_line_feed_alone(marketo: Marketo) -> None:
    """No carriage return, no byte order mark, and a line feed at the very end."""
    content = marketo.export(["leadId", "statusName"], programId=1002)
    assert content.endswith(b"\n")
    assert b"\r" not in content
    assert not content.startswith(b"\xef\xbb\xbf")


def test_quotes_are_minimal(marketo: Marketo) -> None:
    """Only what needs quotes has them; quotes are doubled; line ends stay inside."""
    texts = {
        "with blank": "with blank",
        "a,b": '"a,b"',
        'say "x"': '"say ""x"""',
        "two\nlines": '"two\nlines"',
        "lone\rreturn": '"lone\rreturn"',
        "tab\t": "tab\t",
        "\u2028": "\u2028",
        " edge ": " edge ",
        "NULL": "NULL",
    }
    lead_ids = list(marketo.emulator.store.member_rows[1003])[: len(texts)]
    for lead_id, text in zip(lead_ids, texts, strict=True):
        marketo.emulator.store.change_member(1003, lead_id, dietaryNotes=text)
    content = marketo.export(["leadId", "dietaryNotes"], programId=1003).decode()
    for lead_id, written in zip(lead_ids, texts.values(), strict=True):
        assert f"\n{lead_id},{written}\n" in content


def test_nothing_is_a_bare_null(marketo: Marketo) -> None:
    """An empty value is the word without quotes."""
    lead_id = next(iter(marketo.emulator.store.member_rows[1001]))
    marketo.emulator.store.change_member(1001, lead_id, dietaryNotes=None)
    content = marketo.export(["leadId", "dietaryNotes"], programId=1001).decode()
    assert f"\n{lead_id},null\n" in content


@pytest.mark.parametrize(
    ("file_format", "delimiter"), [("CSV", ","), ("TSV", "\t"), ("SSV", ";"), ("csv", ",")]
)
def test_format_decides_the_delimiter(marketo: Marketo, file_format: str, delimiter: str) -> None:
    """Comma, tab and, in two pages of five, semicolon."""
    body = {
        "fields": ["leadId", "dietaryNotes"],
        "filter": {"programId": 1001},
        "format": file_format,
    }
    job = marketo.post("/bulk/v1/program/members/export/create.json", body)["result"][0]
    marketo.enqueue(job["exportId"])
    marketo.clock.advance(600)
    rows = table(marketo.file(job["exportId"]).data, delimiter)
    assert job["format"] == file_format.upper()
    assert [int(row["leadId"]) for row in rows] == list(marketo.emulator.store.member_rows[1001])


def test_ssv_may_be_separated_by_blanks(make: Callable[..., Marketo]) -> None:
    """The three other pages."""
    marketo = make(ssv_delimiter=" ")
    body = {"fields": ["leadId", "email"], "filter": {"programId": 1001}, "format": "SSV"}
    job = marketo.post("/bulk/v1/program/members/export/create.json", body)["result"][0]
    marketo.enqueue(job["exportId"])
    marketo.clock.advance(600)
    assert marketo.file(job["exportId"]).data.startswith(b"leadId email\n")


def test_records_can_be_miscounted_by_option(make: Callable[..., Marketo]) -> None:
    """The vendor's sample counts one too many."""
    marketo = make(number_of_records_offset=1)
    export_id = marketo.create(["leadId"], programId=1001)
    marketo.enqueue(export_id)
    marketo.clock.advance(600)
    count = len(marketo.emulator.store.member_rows[1001])
    assert marketo.status(export_id)["numberOfRecords"] == count + 1

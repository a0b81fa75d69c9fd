"""The import of leads: queue, upsert, validation, failures and warnings."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest

from tests.emulator.harness import refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.emulator.harness import Marketo


def upload(marketo: Marketo, text: str | bytes, **parameters: object) -> dict[str, Any]:
    """Post a file and return the answer."""
    content = text.encode() if isinstance(text, str) else text
    return dict(
        marketo.send(
            "POST",
            "/bulk/v1/leads.json",
            query_string={"format": "csv", **parameters},
            data={"file": (BytesIO(content), "leads.csv")},
        ).get_json()
    )


def run(marketo: Marketo, text: str | bytes, **parameters: object) -> dict[str, Any]:
    """Import a file to its end and return the last status."""
    batch_id = upload(marketo, text, **parameters)["result"][0]["batchId"]
    marketo.clock.advance(600)
    return dict(marketo.get(f"/bulk/v1/leads/batch/{batch_id}.json")["result"][0])


def test_import_answers_with_one_id_in_two_types(marketo: Marketo) -> None:
    """A new import is queued under an integer batchId and the same importId as text."""
    reply = upload(marketo, "email,firstName\nnew@example.com,Ann\n")
    assert reply["success"] is True
    assert reply["result"] == [{"batchId": 3401, "importId": "3401", "status": "Queued"}]


def test_import_moves_from_queued_to_complete(marketo: Marketo) -> None:
    """Statuses follow each other, and counters appear with the last one."""
    batch_id = upload(marketo, "email\nnew@example.com\n")["result"][0]["batchId"]
    path = f"/bulk/v1/leads/batch/{batch_id}.json"
    importing = marketo.get(path)["result"][0]
    marketo.clock.advance(90)
    complete = marketo.get(path)["result"][0]
    assert importing == {"batchId": 3401, "importId": "3401", "status": "Importing"}
    assert complete == {
        "batchId": 3401,
        "importId": "3401",
        "status": "Complete",
        "numOfLeadsProcessed": 1,
        "numOfRowsFailed": 0,
        "numOfRowsWithWarning": 0,
        "message": "Import succeeded, 1 records imported (1 members)",
    }


def test_import_updates_the_lead_with_that_email(marketo: Marketo) -> None:
    """An e-mail address that exists, in any case, is updated; other fields stay."""
    before = marketo.emulator.store.lead(7)
    status = run(marketo, "Email,FirstName\nPERSON7@example.com,Zed\n")
    after = marketo.emulator.store.lead(7)
    assert status["numOfLeadsProcessed"] == 1
    assert after["firstName"] == "Zed"
    changed = {name for name in before if before[name] != after[name]}
    assert changed <= {"firstName", "email", "updatedAt"}
    assert after["updatedAt"] == "2026-06-15T18:01:30Z"


def test_import_creates_a_lead_that_is_not_there(marketo: Marketo) -> None:
    """A new e-mail address makes a lead with the values given and no others."""
    run(marketo, 'email,lastName,isReference,mktoPersonNotes\nnew@example.com,"O\n,""x""",1,null\n')
    lead = next(
        lead for lead in marketo.emulator.store.leads() if lead["email"] == "new@example.com"
    )
    assert lead["lastName"] == 'O\n,"x"'
    assert lead["isReference"] is True
    assert lead["mktoPersonNotes"] == "null"
    assert lead["city"] is None


def test_later_row_of_a_key_wins(marketo: Marketo) -> None:
    """Two rows of one key make one lead, as the second has it."""
    status = run(marketo, "email,city\nnew@example.com,Bonn\nNEW@example.com,Köln\n")
    cities = [
        lead["city"]
        for lead in marketo.emulator.store.leads()
        if str(lead["email"]).lower() == "new@example.com"
    ]
    assert cities == ["Köln"]
    assert status["message"] == "Import succeeded, 2 records imported (1 members)"


def test_blank_cell_changes_nothing_by_default(marketo: Marketo) -> None:
    """An empty cell leaves the value alone."""
    before = marketo.emulator.store.lead(7)["country"]
    run(marketo, "email,country,city\nperson7@example.com,,X\n")
    assert marketo.emulator.store.lead(7)["country"] == before


def test_blank_cell_clears_by_option(make: Callable[..., Marketo]) -> None:
    """An empty cell empties the value if the option says so."""
    marketo = make(blank_import_cell="clear")
    run(marketo, "email,country\nperson7@example.com,\n")
    assert marketo.emulator.store.lead(7)["country"] is None


def test_lookup_by_id_only_updates(marketo: Marketo) -> None:
    """With `id` an unknown lead is a failed row, a known one an update."""
    status = run(marketo, "id,city\n7,Oslo\n99999,Bergen\n", lookupField="id")
    assert marketo.emulator.store.lead(7)["city"] == "Oslo"
    assert (status["numOfLeadsProcessed"], status["numOfRowsFailed"]) == (1, 1)
    failures = marketo.send("GET", "/bulk/v1/leads/batch/3401/failures.json").data
    assert failures == (
        b"id,city,Import Failure Reason\n99999,Bergen,Value for lookup field 'id' not found\n"
    )


def test_lookup_by_a_custom_field_finds_the_lead(marketo: Marketo) -> None:
    """A custom integer field serves as the key."""
    run(marketo, "customerNumber,city\n500007,Turku\n", lookupField="customerNumber")
    assert marketo.emulator.store.lead(7)["city"] == "Turku"


@pytest.mark.parametrize(
    ("column", "cell", "reason"),
    [
        ("leadScore", "14.1", "Invalid data type in field Lead Score"),
        ("satisfaction", "14c", "Invalid data type in field Satisfaction"),
        ("renewalChance", "100%", "Invalid data type in field Renewal Chance"),
        ("isReference", "other", "Invalid data type in field Is Reference Customer"),
        ("lastOrderAt", "yesterday", "Invalid data type in field Last Order At"),
        ("contractEnd", "2026-02-30", "Invalid data type in field Contract End"),
        ("loyaltyTier", "x" * 256, "Value too long in field Loyalty Tier"),
        ("createdAt", "2026-01-01", "Field 'createdAt' is read only"),
        ("nonesuch", "x", "Field 'nonesuch' not found"),
        ("assistantEmail", "jürgen@example.com", "Invalid email address"),
    ],
)
def test_value_that_does_not_fit_fails_its_row(
    marketo: Marketo, column: str, cell: str, reason: str
) -> None:
    """The row is not imported, and the failures file says why under the label of the field."""
    status = run(marketo, f"email,{column}\nnew@example.com,{cell}\n")
    failures = marketo.send("GET", "/bulk/v1/leads/batch/3401/failures.json")
    assert status["message"] == (
        "Import completed with errors, 0 records imported (0 members), 1 failed"
    )
    assert failures.data.decode() == (
        f"email,{column},Import Failure Reason\nnew@example.com,{cell},{reason}\n"
    )
    assert failures.headers["Content-Type"] == "text/csv;charset=UTF-8"


@pytest.mark.parametrize(
    ("column", "cell", "stored"),
    [
        ("leadScore", "-14", -14),
        ("satisfaction", "1e3", 1000.0),
        ("renewalChance", "12.5", 12.5),
        ("isReference", "FALSE", False),
        ("lastOrderAt", "2010-05-07T15:41:32-05:00", "2010-05-07T20:41:32Z"),
        ("lastOrderAt", "2010-05-07", "2010-05-07T00:00:00Z"),
        ("contractEnd", "2010-05-07", "2010-05-07"),
        ("leadPartitionId", "2", "2"),
    ],
)
def test_value_that_fits_is_stored_typed(
    marketo: Marketo, column: str, cell: str, stored: object
) -> None:
    """Each data type takes its lexical forms."""
    run(marketo, f"email,{column}\nperson7@example.com,{cell}\n")
    assert marketo.emulator.store.lead(7)[column] == stored


def test_bad_email_address_is_a_warning(marketo: Marketo) -> None:
    """The row is imported and told of in the warnings file."""
    status = run(marketo, "email\nbademail\n")
    warnings = marketo.send("GET", "/bulk/v1/leads/batch/3401/warnings.json").data
    assert status["message"] == "Import succeeded, 1 records imported (1 members), 1 warning."
    assert (status["numOfLeadsProcessed"], status["numOfRowsWithWarning"]) == (1, 1)
    assert warnings == b"email,Import Warning Reason\nbademail,Invalid email address\n"


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_reported_row_keeps_its_line_ends(marketo: Marketo, end: str) -> None:
    """Any kind of line end within a cell is quoted, so that the row stays one."""
    run(marketo, f'email,address\nbademail,"one{end}two"\n')
    warnings = marketo.send("GET", "/bulk/v1/leads/batch/3401/warnings.json").data.decode()
    assert warnings == (
        f'email,address,Import Warning Reason\nbademail,"one{end}two",Invalid email address\n'
    )


def test_header_with_a_blank_fails_every_row(marketo: Marketo) -> None:
    """Headers are not trimmed, so the key is missing and each row says so."""
    run(marketo, " email,city\na@example.com,X\nb@example.com,Y\n")
    failures = marketo.send("GET", "/bulk/v1/leads/batch/3401/failures.json").data
    assert failures.count(b"missing.dedupe.fields") == 2


@pytest.mark.parametrize("name", ["failures", "warnings"])
def test_reasons_without_rows_are_404(marketo: Marketo, name: str) -> None:
    """There is no file when nothing failed, and none while the import runs."""
    upload(marketo, "email\nnew@example.com\n")
    running = marketo.send("GET", f"/bulk/v1/leads/batch/3401/{name}.json")
    marketo.clock.advance(600)
    ended = marketo.send("GET", f"/bulk/v1/leads/batch/3401/{name}.json")
    assert [running.status_code, ended.status_code] == [404, 404]
    assert ended.mimetype == "text/plain"


@pytest.mark.parametrize("text", ["", "\n", "email,city\n"])
def test_file_without_rows_is_refused(marketo: Marketo, text: str) -> None:
    """Nothing, and a header alone, are an empty file."""
    assert refusal(upload(marketo, text)) == ("1003", "Empty file")


@pytest.mark.parametrize(
    ("parameters", "error"),
    [
        ({"lookupField": "userId"}, ("1006", "Lookup field 'userId' not found")),
        ({"lookupField": "city"}, ("1006", "Lookup field 'city' not found")),
        ({"listId": "5"}, ("1013", "Static list not found")),
        ({"listId": "x"}, ("1001", "Invalid value 'x'. Required of type 'Integer'")),
        ({"partitionName": "Mars"}, ("1008", "Access denied to partition 'Mars'")),
        ({"format": "xml"}, ("1001", "Invalid value 'xml'. Required of type 'format'")),
    ],
)
def test_parameter_that_means_nothing_is_refused(
    marketo: Marketo, parameters: dict[str, str], error: tuple[str, str]
) -> None:
    """Each parameter has a code of its own."""
    assert refusal(upload(marketo, "email\na@example.com\n", **parameters)) == error


def test_parameters_may_come_in_the_form(marketo: Marketo) -> None:
    """Format and lookup field are taken from parts of the form too."""
    file = (BytesIO(b"id\tcity\n7\tBrno\n"), "leads.tsv")
    form = {"format": "tsv", "lookupField": "id", "file": file}
    marketo.send("POST", "/bulk/v1/leads.json", data=form)
    marketo.clock.advance(600)
    assert marketo.emulator.store.lead(7)["city"] == "Brno"


def test_list_id_puts_leads_on_the_list(marketo: Marketo) -> None:
    """Imported leads, new and known, become members of the static list."""
    run(marketo, "email\nperson7@example.com\nnew@example.com\n", listId=100)
    lead_ids = marketo.emulator.store.static_lists[100].lead_ids
    assert 7 in lead_ids
    assert len(lead_ids) == 2


def test_partition_name_places_new_leads(marketo: Marketo) -> None:
    """A new lead lands in the partition; a known one stays where it is."""
    run(marketo, "email\nperson7@example.com\nnew@example.com\n", partitionName="EMEA")
    partitions = {
        lead["email"]: lead["leadPartitionId"]
        for lead in marketo.emulator.store.leads()
        if lead["email"] in {"person7@example.com", "new@example.com"}
    }
    assert partitions == {"person7@example.com": "1", "new@example.com": "2"}


def test_second_import_into_a_list_waits_for_the_first(marketo: Marketo) -> None:
    """The same list is refused with 1019 until the first import has ended."""
    text = "email\na@example.com\n"
    upload(marketo, text, listId=100)
    busy = upload(marketo, text, listId=100)
    other = upload(marketo, text, listId=101)
    marketo.clock.advance(600)
    later = upload(marketo, text, listId=100)
    assert refusal(busy) == ("1019", "Import in progress")
    assert other["success"] is later["success"] is True


def test_eleventh_import_is_refused(marketo: Marketo) -> None:
    """Ten imports may wait or run; the next gets 1016 with the text seen in production."""
    replies = [upload(marketo, "email\na@example.com\n") for _ in range(11)]
    assert [reply["success"] for reply in replies] == [True] * 10 + [False]
    assert refusal(replies[10]) == (
        "1016",
        "There are 10 imports currently being processed. Please try again later",
    )


def test_two_imports_run_at_once_in_order(marketo: Marketo) -> None:
    """Imports start first in, first out, two at a time, apart from the export queue."""
    for _ in range(3):
        upload(marketo, "email\na@example.com\n")
    assert [job.status.value for job in marketo.emulator.imports] == [
        "Importing",
        "Importing",
        "Queued",
    ]


def test_body_of_the_limit_is_too_large(make: Callable[..., Marketo]) -> None:
    """The whole body counts; at the limit it gets HTTP 413 and no envelope."""
    marketo = make(max_import_body_bytes=5000)
    data = {"file": (BytesIO(b"email\n" + b"a@example.com\n" * 400), "f.csv")}
    reply = marketo.send("POST", "/bulk/v1/leads.json?format=csv", data=data)
    assert reply.status_code == 413
    assert reply.mimetype == "text/html"


def test_broken_multipart_is_613(marketo: Marketo) -> None:
    """A body whose parts cannot be told apart is an invalid multipart request."""
    reply = marketo.send(
        "POST", "/bulk/v1/leads.json", data=b"nonsense", content_type="multipart/form-data"
    )
    assert refusal(reply.get_json()) == ("613", "Invalid Multipart Request")


def test_upload_without_multipart_is_612(marketo: Marketo) -> None:
    """Another content type is refused as such."""
    reply = marketo.send("POST", "/bulk/v1/leads.json", data=b"email\n", content_type="text/csv")
    assert refusal(reply.get_json()) == ("612", "Invalid Content Type")


def test_upload_without_file_is_1002(marketo: Marketo) -> None:
    """The part named `file` must be there."""
    data = {"other": (BytesIO(b"email\n"), "f.csv")}
    reply = marketo.send("POST", "/bulk/v1/leads.json", data=data)
    assert refusal(reply.get_json()) == ("1002", "Missing value for required parameter 'file'")


def test_batch_id_is_good_for_a_week(marketo: Marketo) -> None:
    """After seven days the id is as unknown as an invented one."""
    upload(marketo, "email\na@example.com\n")
    marketo.clock.advance(7 * 86_400)
    marketo.sign_in()
    known = marketo.get("/bulk/v1/leads/batch/3401.json")
    marketo.clock.advance(1)
    forgotten = marketo.get("/bulk/v1/leads/batch/3401.json")
    assert known["success"] is True
    assert refusal(forgotten)[0] == "1013"


@pytest.mark.parametrize(
    ("option", "outcome"),
    [
        ("ignore", ("Complete", 1, 0)),
        ("fail_rows", ("Complete", 0, 1)),
        ("fail_job", ("Failed", 0, 0)),
    ],
)
def test_unknown_column_does_what_the_option_says(
    make: Callable[..., Marketo], option: str, outcome: tuple[str, int, int]
) -> None:
    """A column that is no field is ignored, fails its rows, or fails the import."""
    status = run(make(unknown_import_column=option), "email,nope\na@example.com,x\n")
    assert (
        status["status"],
        status["numOfLeadsProcessed"],
        status["numOfRowsFailed"],
    ) == outcome


def test_unknown_column_is_refused_at_once_by_option(make: Callable[..., Marketo]) -> None:
    """The POST itself can be what fails."""
    reply = upload(make(unknown_import_column="refuse"), "email,nope\na@example.com,x\n")
    assert refusal(reply) == ("1006", "Field 'nope' not found")


def test_file_that_is_no_utf8_fails_its_import(marketo: Marketo) -> None:
    """The bytes are looked at when the import runs, and the message says what is wrong."""
    status = run(marketo, b"email,city\na@example.com,M\xfcnchen\n")
    assert status["status"] == "Failed"
    assert "utf-8" in status["message"]


def test_row_of_another_width_fails(marketo: Marketo) -> None:
    """A short row fails alone."""
    status = run(marketo, "email,city\na@example.com\nb@example.com,Y\n")
    assert (status["numOfLeadsProcessed"], status["numOfRowsFailed"]) == (1, 1)


def test_two_leads_with_one_key_fail_the_row(marketo: Marketo) -> None:
    """A key that is not unique names no lead."""
    for lead_id in (7, 8):
        marketo.emulator.store.lead_rows[lead_id] = tuple(
            77 if name == "customerNumber" else value
            for name, value in zip(
                marketo.emulator.store.lead(7),
                marketo.emulator.store.lead_rows[lead_id],
                strict=True,
            )
        )
    status = run(marketo, "customerNumber,city\n77,Y\n", lookupField="customerNumber")
    assert status["numOfRowsFailed"] == 1

"""Which calls a fault happens at, and what it does in process."""

from __future__ import annotations

import hashlib
import json
from io import BytesIO
from typing import TYPE_CHECKING, Any, Literal

import pytest

from marketo_emulator import Fault
from tests.emulator.harness import MEMBERS, refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.emulator.harness import Marketo

CHANNELS = "/rest/asset/v1/channels.json"
CREATE = "/bulk/v1/program/members/export/create.json"
BODY = {"fields": ["leadId"], "filter": {"programId": 1001}}


def outcomes(marketo: Marketo, calls: int, path: str = CHANNELS) -> str:
    """Return x for each call that met a fault with a code, and . for the others."""
    return "".join("." if marketo.get(path)["success"] else "x" for _ in range(calls))


def finished(marketo: Marketo, fields: tuple[str, ...] = ("leadId", "statusName")) -> str:
    """Return the id of an export that has run its time."""
    export_id = marketo.create(list(fields), programId=1003)
    marketo.enqueue(export_id)
    marketo.clock.advance(600)
    return export_id


@pytest.mark.parametrize(
    ("which", "pattern"),
    [
        ({}, "x......."),
        ({"nth": 3}, "..x....."),
        ({"times": 3}, "xxx....."),
        ({"times": None}, "xxxxxxxx"),
        ({"nth": 2, "every": 3, "times": 2}, ".x..x..."),
        ({"every": 2, "times": None}, "x.x.x.x."),
    ],
)
def test_fault_happens_at_its_occurrences(
    marketo: Marketo, which: dict[str, Any], pattern: str
) -> None:
    """The nth matching call, every so many from then on, so many times."""
    marketo.emulator.faults.add(Fault(operation="channels.*", code="713", **which))
    assert outcomes(marketo, 8) == pattern
    assert marketo.emulator.faults.fired() == [pattern.count("x")]


@pytest.mark.parametrize(
    "where",
    [
        {"operation": "programs.browse"},
        {"path": "/rest/asset/v1/program*"},
        {"path": "*programs.json", "method": "GET"},
    ],
)
def test_fault_happens_where_it_matches(marketo: Marketo, where: dict[str, Any]) -> None:
    """By operation, path and method, each of them a pattern."""
    marketo.emulator.faults.add(Fault(code="713", times=None, **where))
    assert outcomes(marketo, 1, "/rest/asset/v1/programs.json") == "x"
    assert outcomes(marketo, 1) == "."


def test_fault_ends_with_its_time(marketo: Marketo) -> None:
    """However often it has happened until then."""
    marketo.emulator.faults.add(Fault(code="608", times=None, for_seconds=60))
    assert outcomes(marketo, 2) == "xx"
    marketo.clock.advance(60)
    assert outcomes(marketo, 2) == ".."


def test_cleared_faults_happen_no_more(marketo: Marketo) -> None:
    """All at once."""
    marketo.emulator.faults.add(Fault(code="608", times=None))
    marketo.emulator.faults.clear()
    assert outcomes(marketo, 1) == "."


def test_fault_travels_as_json() -> None:
    """What differs from the defaults, there and back."""
    fault = Fault(operation="export.file", cut_after_bytes=5, rewrites=("half",), put={"a.0": 1})
    document = json.loads(json.dumps(fault.to_json()))
    assert set(document) == {"operation", "cut_after_bytes", "rewrites", "put"}
    assert Fault.from_json(document) == fault


@pytest.mark.parametrize(
    "document", [{"colour": 1}, {"rewrites": ["nope"]}, {"nth": 0}, {"every": 0}]
)
def test_fault_that_makes_no_sense_is_refused(document: dict[str, Any]) -> None:
    """A misspelt name would be a test that tests nothing."""
    with pytest.raises(ValueError, match=r"nope|colour|counted from 1"):
        Fault.from_json(document)


def test_error_has_the_usual_text_or_its_own(marketo: Marketo) -> None:
    """In an envelope with HTTP 200, or with the status given."""
    marketo.emulator.faults.add(
        Fault(code="608"), Fault(code="9999", message="Odd"), Fault(code="611", status=500)
    )
    replies = [marketo.send("GET", CHANNELS) for _ in range(3)]
    assert [reply.status_code for reply in replies] == [500, 200, 200]
    assert refusal(replies[0].get_json()) == ("608", "API Temporarily Unavailable")


def test_error_keeps_the_request_from_taking_effect(marketo: Marketo) -> None:
    """Unless it is said to take effect and only its answer is lost."""
    marketo.emulator.faults.add(Fault(operation="export.create", code="611", nth=1))
    marketo.emulator.faults.add(
        Fault(operation="export.create", code="502", nth=2, takes_effect=True)
    )
    first = marketo.error(CREATE, BODY)
    assert len(marketo.emulator.jobs) == 0
    second = marketo.error(CREATE, BODY)
    assert len(marketo.emulator.jobs) == 1
    assert [first[0], second[0]] == ["611", "502"]


@pytest.mark.parametrize("status", [502, 503, 504])
def test_status_alone_is_a_page_of_the_proxy(marketo: Marketo, status: int) -> None:
    """HTML, as nginx would send it."""
    marketo.emulator.faults.add(Fault(status=status))
    reply = marketo.send("GET", CHANNELS)
    assert (reply.status_code, reply.mimetype) == (status, "text/html")
    assert str(status).encode() in reply.data


def test_page_may_come_with_status_200(marketo: Marketo) -> None:
    """The worst of both."""
    page = "<html><body>502 Bad Gateway</body></html>"
    marketo.emulator.faults.add(Fault(body=page))
    reply = marketo.send("GET", CHANNELS)
    assert (reply.status_code, reply.mimetype, reply.text) == (200, "text/html", page)


def test_identity_faults(marketo: Marketo) -> None:
    """Little time left, an error object with 200, and a proxy's page."""
    headers = {"Content-Type": "application/json"}
    marketo.emulator.faults.add(
        Fault(operation="identity.token", put={"expires_in": 0}),
        Fault(operation="identity.token", nth=2, body='{"error": "x"}', headers=headers),
        Fault(operation="identity.token", nth=3, status=502),
    )
    query = {
        "grant_type": "client_credentials",
        "client_id": "emulator",
        "client_secret": "emulator-secret",
    }
    replies = [marketo.wire.get("/identity/oauth/token", query_string=query) for _ in range(3)]
    assert replies[0].get_json()["expires_in"] == 0
    assert (replies[1].status_code, replies[1].get_json()) == (200, {"error": "x"})
    assert replies[2].status_code == 502


def test_json_can_be_edited(marketo: Marketo) -> None:
    """Values put in and taken out by path."""
    marketo.emulator.faults.add(
        Fault(operation="export.create", put={"result.0.status": "failed"}),
        Fault(operation="export.create", nth=2, drop=("result",)),
        Fault(operation="export.create", nth=3, code="611", put={"errors": []}),
        Fault(operation="export.create", nth=4, code="611", drop=("errors",)),
        Fault(operation="export.create", nth=5, code="606", rewrites=("integer_codes",)),
        Fault(operation="export.create", nth=6, rewrites=("half",)),
    )
    replies = [marketo.send("POST", CREATE, json=BODY) for _ in range(6)]
    documents = [reply.get_json() for reply in replies[:5]]
    assert documents[0]["result"][0]["status"] == "failed"
    assert "result" not in documents[1]
    assert documents[2]["errors"] == []
    assert "errors" not in documents[3]
    assert documents[4]["errors"][0]["code"] == 606
    with pytest.raises(ValueError, match=r"."):
        json.loads(replies[5].data)


def test_content_length_fits_the_edited_body(marketo: Marketo) -> None:
    """An edited answer is well formed unless it is to be cut."""
    marketo.emulator.faults.add(Fault(put={"result.0.status": "A much longer status"}, times=None))
    reply = marketo.send("POST", CREATE, json=BODY)
    assert reply.headers["Content-Length"] == str(len(reply.data))


def test_page_tokens_for_ever(marketo: Marketo) -> None:
    """A list that never ends."""
    marketo.emulator.faults.add(
        Fault(operation="export.list", put={"nextPageToken": "abc"}, times=None)
    )
    reply = marketo.get(f"/bulk/v1/{MEMBERS}/export.json")
    assert (reply["result"], reply["nextPageToken"]) == ([], "abc")


def test_headers_can_be_changed(marketo: Marketo) -> None:
    """Set, taken away, and the clock of the `Date`."""
    marketo.emulator.faults.add(
        Fault(headers={"Content-Type": "application/octet-stream", "Server": None}),
        Fault(date_skew_seconds=-600),
    )
    headers = marketo.send("GET", CHANNELS).headers
    assert headers["Content-Type"] == "application/octet-stream"
    assert "Server" not in headers
    assert headers["Date"] == "Mon, 15 Jun 2026 17:50:00 GMT"


@pytest.mark.parametrize("outcome", ["Failed", "Cancelled"])
def test_job_ends_as_the_fault_says(
    marketo: Marketo, outcome: Literal["Failed", "Cancelled"]
) -> None:
    """After its time, without a file, charged to nobody's quota; the next one is well."""
    marketo.emulator.faults.add(Fault(operation="export.job", outcome=outcome, message="No luck"))
    status = marketo.status(spoilt := finished(marketo))
    assert status["status"] == outcome
    assert status.get("errorMsg") == ("No luck" if outcome == "Failed" else None)
    assert "fileSize" not in status
    assert marketo.file(spoilt).status_code == 404
    assert marketo.status(finished(marketo))["status"] == "Completed"


def test_failed_job_may_say_nothing(marketo: Marketo) -> None:
    """`errorMsg` is not promised."""
    marketo.emulator.faults.add(Fault(operation="export.job", outcome="Failed"))
    assert "errorMsg" not in marketo.status(finished(marketo))


def test_stuck_job_processes_for_ever(marketo: Marketo) -> None:
    """And can be cancelled."""
    marketo.emulator.faults.add(Fault(operation="export.job", outcome="Stuck"))
    export_id = finished(marketo)
    marketo.clock.advance(86_400)
    marketo.sign_in()
    assert marketo.status(export_id)["status"] == "Processing"
    marketo.post(f"/bulk/v1/{MEMBERS}/export/{export_id}/cancel.json")
    assert marketo.status(export_id)["status"] == "Cancelled"


def test_job_takes_the_time_the_fault_says(marketo: Marketo) -> None:
    """Longer than the others."""
    marketo.emulator.faults.add(Fault(operation="export.job", job_seconds=7000))
    export_id = finished(marketo)
    assert marketo.status(export_id)["status"] == "Processing"


def test_status_can_flap(marketo: Marketo) -> None:
    """Completed, processing, completed."""
    export_id = finished(marketo)
    marketo.emulator.faults.add(
        Fault(
            operation="export.status",
            nth=2,
            put={"result.0.status": "Processing"},
            drop=("result.0.fileChecksum", "result.0.fileSize"),
        )
    )
    seen = [marketo.status(export_id) for _ in range(3)]
    assert [status["status"] for status in seen] == ["Completed", "Processing", "Completed"]
    assert "fileChecksum" not in seen[1]


def test_job_may_tell_lies_when_it_has_ended(marketo: Marketo) -> None:
    """What it tells of its file, in the status and in the list, from its end on."""
    marketo.emulator.faults.add(
        Fault(
            operation="export.job",
            put={"fileSize": 1, "numberOfRecords": 13},
            drop=("fileChecksum",),
        )
    )
    export_id = marketo.create(["leadId"], programId=1003)
    marketo.enqueue(export_id)
    before = marketo.status(export_id)
    marketo.clock.advance(600)
    after = marketo.status(export_id)
    assert "fileSize" not in before
    assert (after["fileSize"], after["numberOfRecords"]) == (1, 13)
    assert "fileChecksum" not in after
    assert marketo.get(f"/bulk/v1/{MEMBERS}/export.json")["result"][0] == after


def test_file_spoilt_for_good_has_its_own_digest(marketo: Marketo) -> None:
    """A bad file with a good checksum: what it holds is what was written."""
    marketo.emulator.faults.add(Fault(operation="export.job", rewrites=("row_short",)))
    export_id = finished(marketo)
    content = marketo.file(export_id).data
    status = marketo.status(export_id)
    assert [line.count(b",") for line in content.split(b"\n")[:2]] == [1, 0]
    assert status["fileChecksum"] == f"sha256:{hashlib.sha256(content).hexdigest()}"
    assert status["fileSize"] == len(content)


def test_file_spoilt_in_one_reply_is_whole_in_the_next(marketo: Marketo) -> None:
    """The same length, other bytes, once: content that changes between two ranges."""
    export_id = finished(marketo)
    marketo.emulator.faults.add(Fault(operation="export.file", rewrites=("swapped_case",)))
    first, second = marketo.file(export_id), marketo.file(export_id)
    assert first.data == second.data.swapcase()
    assert first.headers["Content-Length"] == second.headers["Content-Length"]


@pytest.mark.parametrize(
    "fault",
    [
        Fault(operation="export.file", status=404, body="gone"),
        Fault(operation="export.file", status=416, body=""),
    ],
)
def test_file_can_be_refused_although_completed(marketo: Marketo, fault: Fault) -> None:
    """The status is Completed and the file cannot be had."""
    export_id = finished(marketo)
    marketo.emulator.faults.add(fault)
    assert marketo.file(export_id).status_code == fault.status
    assert marketo.status(export_id)["status"] == "Completed"


def test_range_can_be_ignored(marketo: Marketo) -> None:
    """200 and everything."""
    export_id = finished(marketo)
    content = marketo.file(export_id).data
    marketo.emulator.faults.add(Fault(operation="export.file", ignore_range=True))
    reply = marketo.file(export_id, Range="bytes=5-")
    assert (reply.status_code, reply.data) == (200, content)


@pytest.mark.parametrize(("asked", "shift"), [("5-", -1), ("5-9", -1), ("5-9", 1)])
def test_part_can_be_shifted_under_its_header(marketo: Marketo, asked: str, shift: int) -> None:
    """The header states what was asked for; the bytes are one off."""
    export_id = finished(marketo)
    content = marketo.file(export_id).data
    marketo.emulator.faults.add(Fault(operation="export.file", range_shift=shift))
    reply = marketo.file(export_id, Range=f"bytes={asked}")
    start, _, end = asked.partition("-")
    last = int(end) + shift + 1 if end else len(content)
    assert reply.data == content[int(start) + shift : last]
    assert reply.headers["Content-Range"] == (
        f"bytes {start}-{end or len(content) - 1}/{len(content)}"
    )


def test_part_can_be_a_byte_short(marketo: Marketo) -> None:
    """The length fits the bytes, the range does not."""
    export_id = finished(marketo)
    content = marketo.file(export_id).data
    marketo.emulator.faults.add(Fault(operation="export.file", rewrites=("last_byte_missing",)))
    reply = marketo.file(export_id, Range="bytes=5-9")
    assert reply.data == content[5:9]
    assert reply.headers["Content-Length"] == "4"
    assert reply.headers["Content-Range"] == f"bytes 5-9/{len(content)}"


def test_content_range_can_be_wrong(marketo: Marketo) -> None:
    """Right bytes under a header of another place."""
    export_id = finished(marketo)
    headers = {"Content-Range": "bytes 0-4/99"}
    marketo.emulator.faults.add(Fault(operation="export.file", headers=headers))
    assert marketo.file(export_id, Range="bytes=5-9").headers["Content-Range"] == "bytes 0-4/99"


@pytest.mark.parametrize("reset", ["before", "after"])
def test_connection_breaks_before_or_after_the_effect(
    marketo: Marketo, reset: Literal["before", "after"]
) -> None:
    """In process it is the exception; the log has it with status 0."""
    marketo.emulator.faults.add(Fault(operation="export.create", reset=reset))
    with pytest.raises(ConnectionResetError):
        marketo.send("POST", CREATE, json=BODY)
    assert len(marketo.emulator.jobs) == (reset == "after")
    assert marketo.emulator.requests[-1].status == 0
    assert marketo.emulator.application.world.limits.in_flight == 0


def test_import_can_fail_or_never_end(make: Callable[..., Marketo]) -> None:
    """With a message, and with leads unchanged."""
    ends: list[tuple[Literal["Failed", "Stuck"], str]]
    ends = [("Failed", "Failed"), ("Stuck", "Importing")]
    for outcome, status in ends:
        marketo = make()
        marketo.emulator.faults.add(
            Fault(operation="import.job", outcome=outcome, message="Out of luck")
        )
        leads = len(marketo.emulator.store.lead_rows)
        data = {"file": (BytesIO(b"email\nn@example.com\n"), "f.csv")}
        marketo.send("POST", "/bulk/v1/leads.json", data=data)
        marketo.clock.advance(3000)
        shown = marketo.get("/bulk/v1/leads/batch/3401.json")["result"][0]
        assert shown["status"] == status
        assert shown.get("message") == ("Out of luck" if status == "Failed" else None)
        assert len(marketo.emulator.store.lead_rows) == leads


def test_failures_file_can_be_spoilt(marketo: Marketo) -> None:
    """Columns in another order, everything quoted, or JSON in its place."""
    data = {"file": (BytesIO(b"email,leadScore\nn@example.com,x\n"), "f.csv")}
    marketo.send("POST", "/bulk/v1/leads.json", data=data)
    marketo.clock.advance(600)
    marketo.emulator.faults.add(
        Fault(operation="import.failures", rewrites=("columns_reversed", "everything_quoted")),
        Fault(operation="import.failures", nth=2, code="611"),
        Fault(operation="import.failures", nth=3, status=404),
    )
    replies = [marketo.send("GET", "/bulk/v1/leads/batch/3401/failures.json") for _ in range(3)]
    assert replies[0].data.startswith(b'"Import Failure Reason","leadScore","email"\n')
    assert refusal(replies[1].get_json())[0] == "611"
    assert replies[2].status_code == 404


def test_import_counters_can_be_missing_or_wrong(marketo: Marketo) -> None:
    """At the end of the job, as told by its status."""
    marketo.emulator.faults.add(
        Fault(operation="import.job", put={"numOfRowsFailed": 9}, drop=("numOfLeadsProcessed",))
    )
    data = {"file": (BytesIO(b"email\nn@example.com\n"), "f.csv")}
    marketo.send("POST", "/bulk/v1/leads.json", data=data)
    marketo.clock.advance(600)
    shown = marketo.get("/bulk/v1/leads/batch/3401.json")["result"][0]
    assert shown["numOfRowsFailed"] == 9
    assert "numOfLeadsProcessed" not in shown


def test_unknown_calls_meet_faults_too(marketo: Marketo) -> None:
    """Their operation is `unknown`."""
    marketo.emulator.faults.add(Fault(operation="unknown", code="500", message="Malformed"))
    assert refusal(marketo.get("/rest/v1/nothing.json")) == ("500", "Malformed")

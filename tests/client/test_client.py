"""The operations that are more than one call; ids are those of the test catalogue."""

from __future__ import annotations

import hashlib
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

import marketo_bulk
from marketo_bulk import PROGRAM_MEMBERS, ExportRequest
from marketo_bulk.errors import (
    DailyQuotaExceededError,
    DecodeError,
    LostReplyError,
    NotFoundError,
    QueueFullError,
    RejectedError,
)
from marketo_bulk.exports import objects
from marketo_bulk.http import paging
from marketo_bulk.jobs import ExportStatus
from marketo_bulk.metadata import programs as programs_module
from marketo_bulk.metadata.describe import FieldDescription
from tests.client.scripted import RESET, Exchange, csv, envelope, failure

if TYPE_CHECKING:
    from pathlib import Path

    from marketo_bulk.client import MarketoBulk
    from tests.client.scripted import ScriptedServer, SleepClock

BASE = "/bulk/v1/program/members/export"
STATUS, ENQUEUE, CANCEL = (f"{BASE}/ce45/{verb}.json" for verb in ("status", "enqueue", "cancel"))
PROGRAMS = "/rest/asset/v1/programs.json"
DESCRIBE = "/rest/v1/programs/members/describe.json"
LEADS = "/rest/v1/leads/describe2.json"
NOTHING = Exchange(
    body=b'{"success":true,"errors":[],"requestId":"a#1",'
    b'"warnings":["No assets found for the given search criteria."]}'
)


def job(status: str) -> Exchange:
    """Return the answer that describes the job."""
    return envelope({"exportId": "ce45", "status": status})


def program_page(*ids: int) -> Exchange:
    """Return a page of programs."""
    return envelope(*({"id": program_id, "name": f"P{program_id}"} for program_id in ids))


def test_public_names_are_there() -> None:
    """What is promised can be imported."""
    assert [name for name in marketo_bulk.__all__ if not hasattr(marketo_bulk, name)] == []


def test_export_from_create_to_file(
    client: MarketoBulk, server: ScriptedServer, tmp_path: Path
) -> None:
    """An export is created, enqueued, looked at and downloaded, each by one call."""
    body = b"leadId,programId\n1,2\n"
    done = {
        "exportId": "ce45",
        "status": "Completed",
        "fileSize": len(body),
        "fileChecksum": f"sha256:{hashlib.sha256(body).hexdigest()}",
        "numberOfRecords": 1,
    }
    server.script(f"{BASE}/create.json", job("Created"))
    server.script(ENQUEUE, job("Queued"))
    server.script(STATUS, envelope(done))
    server.script(f"{BASE}/ce45/file.json", csv(body))
    request = ExportRequest(PROGRAM_MEMBERS, ("leadId", "programId"), {"programIds": [2]})

    created = client.create_export(request)
    queued = client.enqueue_export(PROGRAM_MEMBERS, created.export_id)
    completed = client.get_export_status(PROGRAM_MEMBERS, created.export_id)
    with closing(client.download_export(PROGRAM_MEMBERS, completed, tmp_path)) as file:
        assert body == file.content.read()

    expected = [ExportStatus.CREATED, ExportStatus.QUEUED, ExportStatus.COMPLETED]
    assert expected == [created.status, queued.status, completed.status]
    assert client.calls_made == 4
    assert request.content() == server.calls(f"{BASE}/create.json")[0].json


@pytest.mark.parametrize("status", ["Queued", "Processing", "Completed"])
def test_enqueue_whose_reply_was_lost_is_looked_into(
    client: MarketoBulk, server: ScriptedServer, status: str
) -> None:
    """A19: a job that has been queued after all is not queued again."""
    server.script(ENQUEUE, RESET)
    server.script(STATUS, job(status))
    assert client.enqueue_export(PROGRAM_MEMBERS, "ce45").status_text == status
    assert [request.path for request in server.calls()] == [ENQUEUE, STATUS]


def test_enqueue_that_did_not_arrive_is_made_again(
    client: MarketoBulk, server: ScriptedServer, clock: SleepClock
) -> None:
    """A19: a job still Created is queued again, after a wait."""
    server.script(ENQUEUE, RESET, Exchange(502, b"<html>"), job("Queued"))
    server.script(STATUS, job("Created"), job("Created"))
    assert client.enqueue_export(PROGRAM_MEMBERS, "ce45").status is ExportStatus.QUEUED
    assert clock.slept == [1, 2]


def test_enqueue_that_never_arrives_is_an_error(
    client: MarketoBulk, server: ScriptedServer, clock: SleepClock
) -> None:
    """Even this is bounded."""
    server.script(ENQUEUE, *[RESET] * 10)
    server.script(STATUS, *[job("Created")] * 10)
    with pytest.raises(LostReplyError, match="after 10 attempts"):
        client.enqueue_export(PROGRAM_MEMBERS, "ce45")
    assert sum(clock.slept) <= 300


def test_job_already_queued_is_success(client: MarketoBulk, server: ScriptedServer) -> None:
    """J4: there is nothing left to do but to look."""
    server.script(ENQUEUE, failure("1029", "Job already queued"))
    server.script(STATUS, job("Processing"))
    assert client.enqueue_export(PROGRAM_MEMBERS, "ce45").status is ExportStatus.PROCESSING


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Too many jobs in queue", QueueFullError),
        ("Export daily quota 500MB exceeded.", DailyQuotaExceededError),
    ],
    ids=["J1", "J3"],
)
def test_enqueue_does_not_wait_for_a_place(
    client: MarketoBulk,
    server: ScriptedServer,
    clock: SleepClock,
    message: str,
    expected: type[Exception],
) -> None:
    """Only the caller knows what else it could do until there is one."""
    server.script(ENQUEUE, failure("1029", message))
    with pytest.raises(expected, match="enqueue export ce45"):
        client.enqueue_export(PROGRAM_MEMBERS, "ce45")
    assert clock.slept == []


def test_cancelled_job_is_returned(client: MarketoBulk, server: ScriptedServer) -> None:
    """The usual case is one call."""
    server.script(CANCEL, job("Cancelled"))
    assert client.cancel_export(PROGRAM_MEMBERS, "ce45").status is ExportStatus.CANCELLED


@pytest.mark.parametrize(
    "answer", [failure("1003", "no"), failure("1029", "no"), failure("1029", "Job already queued")]
)
@pytest.mark.parametrize("status", ["Completed", "Failed", "Canceled"])
def test_job_that_has_ended_need_not_be_cancelled(
    client: MarketoBulk, server: ScriptedServer, answer: Exchange, status: str
) -> None:
    """However Marketo refuses to cancel what has ended, the end is what was wanted."""
    server.script(CANCEL, answer)
    server.script(STATUS, job(status))
    assert client.cancel_export(PROGRAM_MEMBERS, "ce45").status.is_terminal


def test_cancel_that_is_refused_is_an_error(client: MarketoBulk, server: ScriptedServer) -> None:
    """A job that goes on is not reported as stopped."""
    server.script(CANCEL, failure("1003", "no"))
    server.script(STATUS, job("Processing"))
    with pytest.raises(RejectedError, match="cancel export ce45"):
        client.cancel_export(PROGRAM_MEMBERS, "ce45")


def test_cancel_whose_reply_was_lost_is_looked_into(
    client: MarketoBulk, server: ScriptedServer
) -> None:
    """A reset does not leave it open whether the job goes on."""
    server.script(CANCEL, RESET)
    server.script(STATUS, job("Cancelled"))
    assert client.cancel_export(PROGRAM_MEMBERS, "ce45").status is ExportStatus.CANCELLED


def exports_page(*ids: str, **members: object) -> Exchange:
    """Return a page of jobs."""
    return envelope(*({"exportId": one, "status": "Completed"} for one in ids), **members)


@pytest.mark.parametrize(
    ("pages", "expected"),
    [
        ([exports_page()], []),
        ([exports_page("a", "b")], ["a", "b"]),
        ([exports_page("a", nextPageToken="t"), exports_page("b")], ["a", "b"]),
        ([exports_page("a", nextPageToken="t"), exports_page(nextPageToken="u")], ["a"]),
        ([exports_page("a", nextPageToken="t", moreResult=False)], ["a"]),
        (
            [exports_page("a", nextPageToken="t"), exports_page("b", nextPageToken="t")],
            ["a", "b"],
        ),
        ([Exchange(body=b'{"success":true}')], []),
    ],
    ids=["none", "one page", "two pages", "token at the end", "no more", "J18", "no result"],
)
@pytest.mark.fault(
    "J18", "the list of exports leads in circles", "stops at a token it has used, warns"
)
def test_list_of_exports_ends(
    client: MarketoBulk, server: ScriptedServer, pages: list[Exchange], expected: list[str]
) -> None:
    """J18: pages are followed as long as they lead on, and not in circles."""
    server.script(f"{BASE}.json", *pages)
    found = client.list_exports(PROGRAM_MEMBERS, [ExportStatus.COMPLETED])
    assert expected == [one.export_id for one in found]
    assert [None, "t"][: len(pages)] == [
        request.query.get("nextPageToken") for request in server.calls()
    ]
    assert server.calls()[0].query["status"] == "Completed"


@pytest.mark.fault("J18", "… or on to new pages for ever", "fails after 10 000 pages")
def test_list_without_end_is_an_error(
    client: MarketoBulk, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """J18: new tokens for ever are noticed, too."""
    monkeypatch.setattr(paging, "PAGES_MAX", 3)
    server.script(
        f"{BASE}.json", *(exports_page("a", nextPageToken=f"t{number}") for number in range(3))
    )
    with pytest.raises(DecodeError, match="did not end after 3"):
        list(client.list_exports(PROGRAM_MEMBERS))


@pytest.mark.parametrize("end", [NOTHING, envelope(), failure("702")])
def test_no_programs_are_no_error(
    client: MarketoBulk, server: ScriptedServer, end: Exchange
) -> None:
    """S1: a warning without a result is an end, and so are its relatives."""
    server.script(PROGRAMS, end)
    assert list(client.iter_programs()) == []


def test_missing_address_is_not_an_empty_list(client: MarketoBulk, server: ScriptedServer) -> None:
    """A wrong base_url must not look like an instance without programs."""
    server.script(PROGRAMS, failure("610"))
    with pytest.raises(NotFoundError, match="610"):
        list(client.iter_programs())


@pytest.mark.parametrize("last", [NOTHING, program_page()])
def test_empty_page_is_the_last(
    client: MarketoBulk, server: ScriptedServer, last: Exchange
) -> None:
    """A page that is not full is followed by another."""
    server.script(PROGRAMS, program_page(3, 1, 2), last)
    found = list(client.iter_programs())
    assert found == [{"id": 3, "name": "P3"}, {"id": 1, "name": "P1"}, {"id": 2, "name": "P2"}]
    assert [call.query for call in server.calls()] == [
        {"maxReturn": "200", "offset": "0"},
        {"maxReturn": "200", "offset": "3"},
    ]


def test_full_page_is_followed_by_another(client: MarketoBulk, server: ScriptedServer) -> None:
    """S2: a full page may be the last one, which only the next call tells; pages overlap."""
    server.script(PROGRAMS, program_page(*range(200)), program_page(*range(180, 200)))
    assert list(range(200)) == [found["id"] for found in client.iter_programs()]
    assert [request.query["offset"] for request in server.calls()] == ["0", "180"]


def test_program_that_moves_is_neither_lost_nor_doubled(
    client: MarketoBulk, server: ScriptedServer
) -> None:
    """S3: ten programs deleted between two pages shift the rest, which the overlap catches."""
    pages = range(200), range(190, 250), ()
    server.script(PROGRAMS, *(program_page(*page) for page in pages))
    assert list(range(250)) == [found["id"] for found in client.iter_programs()]


def test_same_program_twice_on_a_page_is_one(client: MarketoBulk, server: ScriptedServer) -> None:
    """S3: a program is yielded once, wherever it stands."""
    server.script(PROGRAMS, program_page(1, 2, 1), NOTHING)
    assert [found["id"] for found in client.iter_programs()] == [1, 2]


def test_warning_beside_a_result_is_logged(
    client: MarketoBulk, server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    """S4: the result is used, and the warning passed on."""
    server.script(PROGRAMS, envelope({"id": 1}, warnings=["careful"]), NOTHING)
    assert [found["id"] for found in client.iter_programs()] == [1]
    assert caplog.messages == ["list programs: Marketo warns: careful"]


def test_program_members_of_any_type_are_passed_on(
    client: MarketoBulk, server: ScriptedServer
) -> None:
    """S5, S6: what a program holds besides its id is not looked at."""
    wanted = {"id": 1, "description": None, "status": "", "createdAt": "2015-11-18T15:25:35Z+0000"}
    server.script(PROGRAMS, envelope(wanted), NOTHING)
    assert [wanted] == list(client.iter_programs())


def test_repeating_pages_are_an_error(client: MarketoBulk, server: ScriptedServer) -> None:
    """A server that ignores the offset is noticed at the second page."""
    server.script(PROGRAMS, *[program_page(*range(200))] * 2)
    with pytest.raises(DecodeError, match="offset 180 repeats"):
        list(client.iter_programs())


def test_programs_without_end_are_an_error(
    client: MarketoBulk, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every loop is bounded."""
    monkeypatch.setattr(programs_module, "PAGES_MAX", 2)
    server.script(PROGRAMS, program_page(*range(200)), program_page(*range(180, 380)))
    with pytest.raises(DecodeError, match="did not end after 2"):
        list(client.iter_programs())


@pytest.mark.parametrize("wrong", [{"name": "x"}, {"id": "one"}, {"id": True}, {"id": None}])
def test_program_without_an_id_is_an_error(
    client: MarketoBulk, server: ScriptedServer, wrong: dict[str, object]
) -> None:
    """Nothing is left out in silence."""
    server.script(PROGRAMS, envelope({"id": 5}, wrong))
    with pytest.raises(DecodeError, match="an id"):
        list(client.iter_programs())


@pytest.mark.fault(
    "A27", "an address too long for Marketo (414)", "is never sent: program ids go 200 to a call"
)
def test_programs_are_asked_for_by_id_in_chunks(
    client: MarketoBulk, server: ScriptedServer
) -> None:
    """A27: ids go in as many calls as keep each address short, and each answer on one page."""
    server.script(PROGRAMS, program_page(*range(1, 201)), program_page(201))
    found = [program["id"] for program in client.iter_programs(range(1, 202))]
    assert list(range(1, 202)) == found
    queries = [request.query for request in server.calls()]
    assert [query["filterType"] for query in queries] == ["id"] * 2
    assert [len(query["filterValues"].split(",")) for query in queries] == [200, 1]


def test_program_asked_for_twice_is_one(client: MarketoBulk, server: ScriptedServer) -> None:
    """Ids may come from a setting, where one stands twice."""
    server.script(PROGRAMS, program_page(7))
    assert [program["id"] for program in client.iter_programs([7, 7])] == [7]
    assert server.calls()[0].query["filterValues"] == "7"


def test_ignored_filter_is_an_error(client: MarketoBulk, server: ScriptedServer) -> None:
    """`filterValues` is in no specification: a server that ignores it must not be believed."""
    server.script(PROGRAMS, program_page(1, 2, 3))
    with pytest.raises(DecodeError, match="filter by id"):
        list(client.iter_programs([1, 2]))


@pytest.mark.parametrize(
    "answer",
    [NOTHING, envelope(), failure("702"), failure("610"), failure("1013"), failure("710")],
)
def test_unknown_program_is_none(
    client: MarketoBulk, server: ScriptedServer, answer: Exchange
) -> None:
    """C§4.2: that there is none has been said in many ways."""
    server.script("/rest/asset/v1/program/7.json", answer)
    assert client.get_program(7) is None


def test_program_is_what_marketo_says(client: MarketoBulk, server: ScriptedServer) -> None:
    """A known program is returned as it is."""
    server.script("/rest/asset/v1/program/7.json", envelope({"id": 7, "costs": None}))
    assert client.get_program(7) == {"id": 7, "costs": None}


def test_missing_address_is_not_a_missing_program(
    client: MarketoBulk, server: ScriptedServer
) -> None:
    """A gateway's 404 says that the address is wrong, not that there is no such program."""
    server.script("/rest/asset/v1/program/7.json", Exchange(404, b"<html>"))
    with pytest.raises(NotFoundError, match="base_url"):
        client.get_program(7)


FIELD = {"name": "leadId", "displayName": "Lead Id", "dataType": "integer", "updateable": False}


def test_program_members_are_described(client: MarketoBulk, server: ScriptedServer) -> None:
    """Fields come in Marketo's order, with what is known of each."""
    custom = {
        "name": "myField",
        "displayName": "My Field",
        "dataType": "string",
        "length": 255,
        "updateable": True,
        "crmManaged": True,
    }
    server.script(DESCRIBE, envelope({"name": "API Program Membership", "fields": [FIELD, custom]}))
    expected = [
        FieldDescription("leadId", "Lead Id", "integer"),
        FieldDescription("myField", "My Field", "string", updateable=True),
    ]
    assert expected == client.describe_export(PROGRAM_MEMBERS)


def test_superseded_address_is_used_only_where_there_is_no_other(
    client: MarketoBulk, server: ScriptedServer
) -> None:
    """C§3.2: only a 610 leads to the old address."""
    server.script(DESCRIBE, failure("610"), failure("1013"))
    server.script("/rest/v1/program/members/describe.json", envelope({"fields": [FIELD]}))
    assert [field.name for field in client.describe_export(PROGRAM_MEMBERS)] == ["leadId"]
    with pytest.raises(NotFoundError):
        client.describe_export(PROGRAM_MEMBERS)


def test_field_of_few_words_is_described(
    client: MarketoBulk, server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    """A field needs a name alone; one without is left out, and that is said."""
    fields = [{"name": "a"}, {"displayName": "nameless"}]
    server.script(DESCRIBE, envelope({"fields": fields}))
    assert [FieldDescription("a", "a", "string")] == client.describe_export(PROGRAM_MEMBERS)
    assert caplog.messages == ["describe program members: 1 fields have no name, left out"]


@pytest.mark.parametrize("result", [{}, {"fields": None}, {"fields": {}}, {"fields": ["a"]}])
def test_description_without_fields_is_an_error(
    client: MarketoBulk, server: ScriptedServer, result: dict[str, object]
) -> None:
    """An instance without fields is not believed."""
    server.script(DESCRIBE, envelope(result))
    with pytest.raises(DecodeError, match="no list of fields"):
        client.describe_export(PROGRAM_MEMBERS)


def test_empty_last_page_of_leads_is_an_end(client: MarketoBulk, server: ScriptedServer) -> None:
    """A token may lead to nothing, which is no reason to forget what was there."""
    server.script(LEADS, envelope({"fields": [FIELD]}, nextPageToken="t"), envelope())
    assert [field.name for field in client.describe_export(objects.LEADS)] == ["leadId"]


def test_leads_are_described_page_by_page(client: MarketoBulk, server: ScriptedServer) -> None:
    """C§3.4: all pages are read, and each field taken once."""
    first = {
        "fields": [FIELD, {"name": "email", "dataType": "email"}],
    }
    second = {"fields": [{"name": "email", "dataType": "string"}, {"name": "city"}]}
    server.script(LEADS, envelope(first, nextPageToken="t"), envelope(second))
    described = client.describe_export(objects.LEADS)
    expected = [("leadId", "integer"), ("email", "email"), ("city", "string")]
    assert expected == [(field.name, field.data_type) for field in described]
    assert [request.query.get("nextPageToken") for request in server.calls()] == [None, "t"]

from __future__ import annotations

import pytest

from marketo_bulk.errors import DecodeError, EmptyAnswerError
from marketo_bulk.exports.objects import (
    ACTIVITIES,
    LEADS,
    PROGRAM_MEMBERS,
    ExportObject,
    custom_object,
)
from marketo_bulk.exports.requests import (
    ExportRequest,
    create_request,
    file_request,
    job_request,
    list_request,
    parse_created_job,
)
from marketo_bulk.http.protocol import Envelope, Repeat
from marketo_bulk.jobs import ExportStatus


@pytest.mark.parametrize(
    ("export_object", "expected"),
    [
        (PROGRAM_MEMBERS, "/bulk/v1/program/members/export/a/status.json"),
        (LEADS, "/bulk/v1/leads/export/a/status.json"),
        (ACTIVITIES, "/bulk/v1/activities/export/a/status.json"),
        (custom_object("car_c"), "/bulk/v1/customobjects/car_c/export/a/status.json"),
    ],
)
def test_object_is_part_of_the_address(export_object: ExportObject, expected: str) -> None:
    """Each kind of object has its own address, none of them below /rest."""
    assert expected == job_request("status", export_object, "a").address


@pytest.mark.parametrize("api_name", ["", "../leads", "a/b", "1a", "a b"])
def test_custom_object_name_cannot_lead_elsewhere(api_name: str) -> None:
    """What is no API name is refused before any address is made of it."""
    with pytest.raises(ValueError, match="API name"):
        custom_object(api_name)


def test_header_is_fixed_by_the_request() -> None:
    """C§14.5: without the identity map the header is the instance's choice."""
    wanted = ExportRequest(PROGRAM_MEMBERS, ("leadId", "statusName"), {"programIds": [1, 2]})
    expected = {
        "fields": ["leadId", "statusName"],
        "format": "CSV",
        "columnHeaderNames": {"leadId": "leadId", "statusName": "statusName"},
        "filter": {"programIds": [1, 2]},
    }
    assert expected == wanted.content()
    assert Repeat.HARMLESS is create_request(wanted).repeat


@pytest.mark.parametrize("fields", [(), ("",), ("a", "a")])
def test_request_without_usable_fields_is_refused(fields: tuple[str, ...]) -> None:
    """No field, a nameless one, or one asked for twice cannot be meant."""
    with pytest.raises(ValueError, match="field"):
        ExportRequest(LEADS, fields, {})


@pytest.mark.parametrize("export_id", ["", "../create", "a/b", "a?b"])
def test_export_id_cannot_lead_elsewhere(export_id: str) -> None:
    """An id from a state file is checked like one from the wire."""
    with pytest.raises(DecodeError):
        job_request("cancel", LEADS, export_id)
    with pytest.raises(DecodeError):
        file_request(LEADS, export_id, 0)


def test_only_reads_are_repeated_blindly() -> None:
    """A change whose reply is lost is looked into before it is made again."""
    assert Repeat.SAFE is job_request("status", LEADS, "a").repeat
    assert Repeat.NEVER is job_request("enqueue", LEADS, "a", method="POST").repeat


@pytest.mark.parametrize(
    ("offset", "expected"),
    [
        (0, (("Accept-Encoding", "identity"),)),
        (725, (("Accept-Encoding", "identity"), ("Range", "bytes=725-"))),
    ],
)
def test_file_is_asked_for_from_the_next_byte(
    offset: int, expected: tuple[tuple[str, str], ...]
) -> None:
    """C§14.34: after 725 bytes the next one is number 725."""
    request = file_request(LEADS, "a", offset)
    assert expected == request.headers
    assert request.max_idle_seconds == 60


def test_list_is_asked_for_by_status_and_page() -> None:
    """Pages are as large as allowed, and statuses a list in Adobe's spelling."""
    statuses = [ExportStatus.COMPLETED, ExportStatus.FAILED]
    expected = (("batchSize", "300"), ("status", "Completed,Failed"), ("nextPageToken", "t"))
    assert expected == list_request(LEADS, statuses, "t").query
    assert list_request(LEADS, (), None).query == (("batchSize", "300"),)


def test_created_job_without_a_status_is_none() -> None:
    """J19: nothing but Created is a created job."""
    with pytest.raises(EmptyAnswerError, match="None, not Created"):
        parse_created_job(Envelope("op", result=({"exportId": "a"},)))

"""What is the same for every call: envelope, headers, sizes, unknown paths."""

from __future__ import annotations

import gzip
import json
import re
from typing import TYPE_CHECKING

import pytest

from tests.emulator.harness import refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.emulator.harness import Marketo

DESCRIBE = "/rest/v1/programs/members/describe.json"
CHANNELS = "/rest/asset/v1/channels.json"


def test_request_id_ends_with_the_milliseconds(marketo: Marketo) -> None:
    """Random hex, a hash sign, and the moment in hex."""
    request_id = marketo.get(DESCRIBE)["requestId"]
    match = re.fullmatch(r"([0-9a-f]{2,5})#([0-9a-f]+)", request_id)
    assert match is not None
    assert int(match[2], 16) == marketo.clock.now().timestamp() * 1000


def test_success_leaves_empty_lists_out(marketo: Marketo) -> None:
    """The lead database's envelope, in the recorded order."""
    assert list(marketo.get(DESCRIBE)) == ["requestId", "result", "success"]


def test_failure_has_a_code_as_text(marketo: Marketo) -> None:
    """And HTTP 200."""
    reply = marketo.send("GET", "/rest/v1/nothing.json")
    document = reply.get_json()
    assert reply.status_code == 200
    assert list(document) == ["requestId", "success", "errors"]
    assert document["errors"] == [{"code": "610", "message": "Requested resource not found"}]


@pytest.mark.parametrize(
    "path",
    [
        "/index.html", "/rest", "/rest/v1", "/rest//v1/leads/describe.json",
        "/rest/v1/leads/describe",
        "/bulk/v1/people/export/create.json", "/rest/bulk/v1/leads/export.json",
        "/bulk/v1/leads/batch/x.json", "/rest/v1/leads/describe.json/", "/_emulators",
    ],
)  # fmt: skip
def test_unknown_path_is_610(marketo: Marketo, path: str) -> None:
    """Doubled slashes, missing endings and invented objects alike."""
    assert refusal(marketo.send("GET", path).get_json())[0] == "610"


def test_other_method_is_605(marketo: Marketo) -> None:
    """The text names the method."""
    reply = marketo.send("DELETE", DESCRIBE)
    assert refusal(reply.get_json()) == ("605", "Request method 'DELETE' not supported")


def test_headers_are_the_recorded_ones(marketo: Marketo) -> None:
    """No rate limit header, nothing that gives the emulator away, and its own clock's date."""
    bulk = marketo.send("GET", "/bulk/v1/program/members/export.json").headers
    asset = marketo.send("GET", CHANNELS).headers
    assert set(bulk.keys()) == {"Server", "Date", "Content-Type", "Content-Length"}
    assert set(asset.keys()) == {"Server", "Date", "Content-Type"}
    assert bulk["Server"] == "nginx"
    assert bulk["Date"] == "Mon, 15 Jun 2026 18:00:00 GMT"
    assert bulk["Content-Type"] == "application/json;charset=UTF-8"


def test_json_is_compressed_when_asked_for_and_long(marketo: Marketo) -> None:
    """From 1024 bytes on, and only with gzip accepted."""
    headers = {"Accept-Encoding": "gzip, deflate"}
    long = marketo.send("GET", DESCRIBE, headers=headers)
    plain = marketo.send("GET", DESCRIBE)
    short = marketo.send("GET", "/rest/v1/stats/errors.json", headers=headers)
    refused = marketo.send("GET", DESCRIBE, headers={"Accept-Encoding": "gzip;q=0"})
    assert long.headers["Content-Encoding"] == "gzip"
    assert json.loads(gzip.decompress(long.data))["success"] is True
    for reply in (plain, short, refused):
        assert "Content-Encoding" not in reply.headers


def test_compression_can_be_switched_off(make: Callable[..., Marketo]) -> None:
    """By option."""
    reply = make(compress_json=False).send("GET", DESCRIBE, headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in reply.headers


def test_bulk_answers_are_never_compressed(marketo: Marketo) -> None:
    """So that ranges and sizes are of the bytes themselves."""
    headers = {"Accept-Encoding": "gzip"}
    export_id = marketo.create(["leadId", "dietaryNotes", "webinarUrl"], programId=1003)
    marketo.enqueue(export_id)
    for _ in range(10):
        marketo.create(["leadId"], programId=1001)
    marketo.clock.advance(600)
    listing = marketo.send("GET", "/bulk/v1/program/members/export.json", headers=headers)
    file = marketo.file(export_id, **headers)
    assert len(listing.data) > 1024
    assert "Content-Encoding" not in listing.headers
    assert "Content-Encoding" not in file.headers


def test_long_address_is_414(marketo: Marketo) -> None:
    """Eight kilobytes of path and query are let in."""
    fits = marketo.send("GET", f"{CHANNELS}?{'x' * 8000}")
    too_long = marketo.send("GET", f"{CHANNELS}?{'x' * 8192}")
    assert [fits.status_code, too_long.status_code] == [200, 414]
    assert too_long.mimetype == "text/html"


def test_long_body_is_413(marketo: Marketo) -> None:
    """A megabyte is the most outside the imports."""
    body = {"fields": ["leadId"], "filter": {"programId": 1001}, "format": "x" * (1 << 20)}
    reply = marketo.send("POST", "/bulk/v1/program/members/export/create.json", json=body)
    assert reply.status_code == 413
    assert b"413" in reply.data

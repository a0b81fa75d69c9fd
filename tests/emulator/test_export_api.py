"""How the file of an export is fetched."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.emulator.harness import Marketo


def finished(marketo: Marketo) -> tuple[str, bytes]:
    """Return the id and the file of a completed export."""
    export_id = marketo.create(["leadId", "dietaryNotes"], programId=1003)
    marketo.enqueue(export_id)
    marketo.clock.advance(600)
    return export_id, marketo.file(export_id).data


def test_whole_file_has_the_recorded_headers(marketo: Marketo) -> None:
    """Type with charset, a fixed name, the exact length, and no word of ranges."""
    export_id, content = finished(marketo)
    headers = marketo.file(export_id).headers
    assert headers["Content-Type"] == "text/csv;charset=UTF-8"
    assert headers["Content-Disposition"] == "attachment; filename=file"
    assert headers["Content-Length"] == str(len(content))
    assert set(headers.keys()) == {
        "Content-Type", "Content-Disposition", "Content-Length", "Server", "Date",
    }  # fmt: skip


def test_content_type_follows_the_option(make: Callable[..., Marketo]) -> None:
    """Before 2024 it had no charset."""
    marketo = make(file_content_type="text/csv")
    export_id, _ = finished(marketo)
    assert marketo.file(export_id).headers["Content-Type"] == "text/csv"


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [("0-9", 0, 10), ("5-", 5, None), ("0-0", 0, 1), ("-7", -7, None), ("10-99999", 10, None)],
)
def test_part_of_the_file(marketo: Marketo, asked: str, start: int, end: int | None) -> None:
    """206 with exactly the bytes asked for, as far as there are any."""
    export_id, content = finished(marketo)
    reply = marketo.file(export_id, Range=f"bytes={asked}")
    expected = content[start:end]
    first = start % len(content)
    assert reply.status_code == 206
    assert reply.data == expected
    assert reply.headers["Content-Length"] == str(len(expected))
    assert reply.headers["Content-Range"] == (
        f"bytes {first}-{first + len(expected) - 1}/{len(content)}"
    )
    assert reply.headers["Accept-Ranges"] == "bytes"


def test_part_beyond_the_end_is_416(marketo: Marketo) -> None:
    """The length is told, no byte is sent."""
    export_id, content = finished(marketo)
    reply = marketo.file(export_id, Range=f"bytes={len(content)}-")
    assert reply.status_code == 416
    assert reply.headers["Content-Range"] == f"bytes */{len(content)}"
    assert reply.data == b""


def test_parts_make_the_whole(marketo: Marketo) -> None:
    """The file is the same at every fetch."""
    export_id, content = finished(marketo)
    parts = [
        marketo.file(export_id, Range=f"bytes={start}-{start + 99}").data
        for start in range(0, len(content), 100)
    ]
    assert b"".join(parts) == content


@pytest.mark.parametrize("seconds", [None, 0, 60])
def test_file_of_an_unfinished_job_is_a_plain_404(marketo: Marketo, seconds: int | None) -> None:
    """Created, queued or processing: HTTP says so, in plain text."""
    export_id = marketo.create(["leadId"], programId=1001)
    if seconds is not None:
        marketo.enqueue(export_id)
        marketo.clock.advance(seconds)
    reply = marketo.file(export_id)
    assert (reply.status_code, reply.mimetype) == (404, "text/plain")


def test_file_of_an_unknown_job_is_a_plain_404(marketo: Marketo) -> None:
    """An invented id."""
    reply = marketo.file("00000000-0000-4000-8000-000000000000")
    assert (reply.status_code, reply.mimetype) == (404, "text/plain")


def test_errors_of_limits_and_tokens_are_json_in_place_of_the_file(marketo: Marketo) -> None:
    """HTTP 200 is no proof of a file."""
    export_id, _ = finished(marketo)
    marketo.emulator.expire_tokens()
    reply = marketo.file(export_id)
    assert (reply.status_code, reply.mimetype) == (200, "application/json")
    assert reply.get_json()["errors"][0]["code"] == "602"

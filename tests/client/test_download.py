"""One file over a real socket that lies, breaks and dawdles; ids are those of the catalogue."""

from __future__ import annotations

import hashlib
import logging
import os
import stat
import threading
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from marketo_bulk.errors import (
    ChecksumMismatchError,
    DailyQuotaExceededError,
    DownloadError,
    ExportFileGoneError,
    IncompleteDownloadError,
    MarketoBulkError,
    RejectedError,
    ServiceUnavailableError,
    SizeMismatchError,
    TokenExpiredError,
)
from marketo_bulk.exports import download as download_module
from marketo_bulk.exports.file import PartialFile
from marketo_bulk.exports.objects import PROGRAM_MEMBERS
from marketo_bulk.jobs import ExportJob, ExportStatus
from tests.client.scripted import HTML, RESET, Exchange, csv, envelope, failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import TypeAlias

    from marketo_bulk.client import MarketoBulk
    from marketo_bulk.exports.file import ExportFile
    from tests.client.scripted import ScriptedServer, SleepClock

Fetch: TypeAlias = "Callable[..., ExportFile]"

FILE = "/bulk/v1/program/members/export/ce45/file.json"
STATUS = "/bulk/v1/program/members/export/ce45/status.json"
BODY = b"leadId,programId\n" + b"".join(b"%d,1001\n" % row for row in range(30_000))
CUT = 200_000
COMPLETED = envelope({"exportId": "ce45", "status": "Completed"})


def digest(body: bytes) -> str:
    """Return the digest Marketo would announce."""
    return hashlib.sha256(body).hexdigest()


def job(**members: Any) -> ExportJob:
    """Return the job of BODY, or one that differs in some member."""
    usual: dict[str, Any] = {"file_size_bytes": len(BODY), "file_checksum": digest(BODY)}
    return ExportJob("ce45", ExportStatus.COMPLETED, "Completed", **(usual | members))


def rest(offset: int, body: bytes = BODY, **members: Any) -> Exchange:
    """Return the answer to a Range request from offset on."""
    content_range = f"bytes {offset}-{len(body) - 1}/{len(body)}"
    headers = {"Content-Range": content_range} | members.pop("headers", {})
    return csv(body[offset:], status=206, headers=headers, **members)


def ranges(server: ScriptedServer) -> list[str | None]:
    """Return the Range header of each request for the file."""
    return [request.headers.get("range") for request in server.calls(FILE)]


@pytest.fixture
def fetch(client: MarketoBulk, tmp_path: Path) -> Iterator[Fetch]:
    """Download the file of a job into an empty directory."""
    with ExitStack() as files:

        def fetch(wanted: ExportJob | None = None) -> ExportFile:
            file = client.download_export(PROGRAM_MEMBERS, wanted or job(), tmp_path)
            return files.enter_context(closing(file))

        yield fetch


def test_file_arrives_whole_and_private(
    server: ScriptedServer, fetch: Fetch, tmp_path: Path
) -> None:
    """The usual case: one call, one private file, its size and its digest."""
    server.script(FILE, csv(BODY))
    file = fetch()
    assert (BODY, len(BODY), digest(BODY)) == (
        file.content.read(),
        file.size_bytes,
        file.sha256,
    )
    assert list(tmp_path.iterdir()) == []
    assert stat.S_IMODE(os.fstat(file.content.fileno()).st_mode) == 0o600
    assert server.calls(FILE)[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    "content_type",
    ["text/csv", "text/csv;charset=UTF-8", "application/octet-stream", "text/plain", ""],
)
def test_type_of_a_file_may_be_any(server: ScriptedServer, fetch: Fetch, content_type: str) -> None:
    """F11: the type has changed over the years."""
    server.script(FILE, csv(BODY, headers={"Content-Type": content_type}))
    assert fetch().content.read() == BODY


@pytest.mark.parametrize("chunked", [False, True])
def test_broken_connection_is_resumed(
    server: ScriptedServer, fetch: Fetch, clock: SleepClock, *, chunked: bool
) -> None:
    """F1: what has arrived is kept, the rest is asked for, at once and as often as it takes."""
    server.script(FILE, csv(BODY, cut_after=CUT, chunked=chunked), rest(CUT, cut_after=50_000))
    server.script(FILE, rest(CUT + 50_000))
    assert fetch().content.read() == BODY
    if not chunked:
        assert [None, f"bytes={CUT}-", f"bytes={CUT + 50_000}-"] == ranges(server)
    assert sum(clock.slept) <= 1


def test_little_progress_is_waited_for(
    server: ScriptedServer, fetch: Fetch, clock: SleepClock
) -> None:
    """F1: a connection that brings nearly nothing is a fault to be waited out, in vain at last."""
    server.script(FILE, csv(BODY, cut_after=10))
    server.script(FILE, *[rest(offset, cut_after=10) for offset in range(10, 100, 10)])
    with pytest.raises(ServiceUnavailableError, match="after 10 attempts"):
        fetch()
    assert clock.slept == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert ranges(server)[:3] == [None, "bytes=10-", "bytes=20-"]


def test_clean_end_before_the_end_is_noticed(server: ScriptedServer, fetch: Fetch) -> None:
    """F2: a file that ends in good order but early is asked for its rest."""
    server.script(FILE, csv(BODY[:CUT], chunked=True), rest(CUT))
    assert fetch().content.read() == BODY
    assert [None, f"bytes={CUT}-"] == ranges(server)


def test_ignored_range_starts_over(server: ScriptedServer, fetch: Fetch) -> None:
    """F3: a 200 to a request for a range is the file from its first byte."""
    server.script(FILE, csv(BODY, cut_after=CUT), csv(BODY))
    assert fetch().content.read() == BODY


@pytest.mark.parametrize(
    "content_range",
    [
        "",
        "bytes 0-9/10",
        f"bytes {CUT - 1}-{len(BODY) - 1}/{len(BODY)}",
        f"bytes {CUT + 1}-{len(BODY) - 1}/{len(BODY)}",
        f"bytes {CUT}-{len(BODY)}/{len(BODY) + 1}",
        f"bytes {CUT}-{len(BODY) - 1}/{len(BODY) + 1}",
        "bytes */10",
    ],
    ids=["none", "start", "one early", "one late", "longer", "total", "unsatisfied"],
)
def test_wrong_range_is_thrown_away(
    server: ScriptedServer, fetch: Fetch, content_range: str
) -> None:
    """F4: bytes of another place or another file are not used, and the file is begun again."""
    wrong = rest(CUT, headers={"Content-Range": content_range})
    server.script(FILE, csv(BODY, cut_after=CUT), wrong, csv(BODY))
    assert fetch().content.read() == BODY
    assert [None, f"bytes={CUT}-", None] == ranges(server)


@pytest.mark.parametrize("length", [-1, 1], ids=["one short", "one more"])
def test_range_of_another_length_is_thrown_away(
    server: ScriptedServer, fetch: Fetch, length: int
) -> None:
    """F5: a range that holds another number of bytes than it says is not trusted."""
    said = f"bytes {CUT}-{len(BODY) - 1 - length}/{len(BODY) - length}"
    wrong = rest(CUT, headers={"Content-Range": said})
    server.script(FILE, csv(BODY, cut_after=CUT, chunked=True, reset=False), wrong, csv(BODY))
    assert fetch().content.read() == BODY
    assert [None, f"bytes={CUT}-", None] == ranges(server)


def test_part_of_the_rest_is_continued(server: ScriptedServer, fetch: Fetch) -> None:
    """A server may answer with less than was asked for, as long as it says so."""
    end = CUT + 60_000
    part = csv(
        BODY[CUT:end],
        status=206,
        headers={"Content-Range": f"bytes {CUT}-{end - 1}/{len(BODY)}"},
    )
    server.script(FILE, csv(BODY, cut_after=CUT), part, rest(end))
    assert fetch().content.read() == BODY


def test_range_of_unknown_total_is_taken(server: ScriptedServer, fetch: Fetch) -> None:
    """A total of `*` is allowed, and the digest decides."""
    said = f"bytes {CUT}-{len(BODY) - 1}/*"
    server.script(FILE, csv(BODY, cut_after=CUT), rest(CUT, headers={"Content-Range": said}))
    assert fetch().content.read() == BODY


@pytest.mark.parametrize("content_range", ["", f"bytes */{CUT}"])
def test_nothing_beyond_the_end(server: ScriptedServer, fetch: Fetch, content_range: str) -> None:
    """F6, F8: a size announced too large leads to a 416, and the digest says that all is there."""
    short = BODY[:CUT]
    beyond = Exchange(416, headers={"Content-Range": content_range})
    server.script(FILE, csv(short, chunked=True), beyond)
    server.script(FILE, csv(short, chunked=True), beyond)
    with pytest.raises(ChecksumMismatchError, match="announced"):
        fetch()


def test_matching_digest_outweighs_the_size(
    server: ScriptedServer, fetch: Fetch, caplog: pytest.LogCaptureFixture
) -> None:
    """F8: a wrong size under a right digest is a warning, and costs no further call."""
    server.script(FILE, csv(BODY))
    with caplog.at_level(logging.WARNING):
        assert fetch(job(file_size_bytes=len(BODY) + 12)).size_bytes == len(BODY)
    [message] = caplog.messages
    assert "the size is not as announced, but the checksum is right" in message


def test_refused_range_inside_the_file_starts_over(server: ScriptedServer, fetch: Fetch) -> None:
    """A 416 that gives another size than the bytes so far ends nothing."""
    beyond = Exchange(416, headers={"Content-Range": f"bytes */{len(BODY)}"})
    server.script(FILE, csv(BODY, cut_after=CUT), beyond, csv(BODY))
    assert fetch().content.read() == BODY


def test_416_before_any_byte_is_an_error(server: ScriptedServer, fetch: Fetch) -> None:
    """Nothing was asked for that could lie beyond an end."""
    server.script(FILE, Exchange(416))
    with pytest.raises(RejectedError):
        fetch()


def test_wrong_bytes_are_fetched_once_more(
    server: ScriptedServer, fetch: Fetch, caplog: pytest.LogCaptureFixture
) -> None:
    """F7: one wrong file is followed by a second try, from the first byte, with a warning."""
    server.script(FILE, csv(BODY.replace(b"7", b"8")), csv(BODY))
    with caplog.at_level(logging.WARNING):
        assert fetch().content.read() == BODY
    assert ranges(server) == [None, None]
    [message] = caplog.messages
    assert "the file is not as announced, downloaded again" in message


def test_wrong_bytes_twice_are_an_error(
    server: ScriptedServer, fetch: Fetch, tmp_path: Path
) -> None:
    """F7: no unverified file is handed out, or left."""
    wrong = BODY.replace(b"7", b"8")
    server.script(FILE, csv(wrong), csv(wrong))
    with pytest.raises(ChecksumMismatchError, match=f"{digest(wrong)}, not {digest(BODY)}"):
        fetch()
    assert list(tmp_path.iterdir()) == []


def test_file_that_changes_between_ranges_is_noticed(server: ScriptedServer, fetch: Fetch) -> None:
    """F12: halves of two files make a wrong whole, which the digest tells."""
    other = BODY.replace(b"7", b"8")
    server.script(FILE, csv(other, cut_after=CUT), rest(CUT), csv(BODY))
    assert fetch().content.read() == BODY


def test_no_checksum_is_warned_about(
    server: ScriptedServer, fetch: Fetch, caplog: pytest.LogCaptureFixture
) -> None:
    """J11: without checksum and size the file is taken as it is, and that is said."""
    server.script(FILE, csv(BODY))
    with caplog.at_level(logging.WARNING):
        assert fetch(job(file_checksum=None, file_size_bytes=None)).size_bytes == len(BODY)
    assert caplog.messages == ["export ce45: Marketo gave no checksum, so only the size is checked"]


def test_size_is_checked_without_a_checksum(server: ScriptedServer, fetch: Fetch) -> None:
    """The size alone is evidence enough to refuse a file."""
    short = BODY[:-5]
    server.script(FILE, *[csv(short)] * 4)
    with pytest.raises(SizeMismatchError, match="no checksum"):
        fetch(job(file_checksum=None))


def test_empty_file_is_a_file(server: ScriptedServer, fetch: Fetch) -> None:
    """J20, C18: an export without rows may have no byte at all."""
    server.script(FILE, csv(b""))
    assert fetch(job(file_checksum=digest(b""), file_size_bytes=0)).size_bytes == 0


def test_empty_file_that_nothing_vouches_for_is_fetched_twice(
    server: ScriptedServer, fetch: Fetch
) -> None:
    """C18: no size, no digest, no number of rows: a transfer that went wrong looks the same."""
    bare = job(file_checksum=None, file_size_bytes=None, number_of_records=None)
    server.script(FILE, csv(b""), csv(BODY), csv(b""), csv(b""))
    assert fetch(bare).size_bytes == len(BODY)
    assert fetch(bare).size_bytes == 0


def test_empty_answer_for_a_file_with_bytes_ends(server: ScriptedServer, fetch: Fetch) -> None:
    """An answer that brings nothing is not asked for its rest for ever."""
    server.script(FILE, csv(b""), csv(b""))
    with pytest.raises(ChecksumMismatchError):
        fetch()


@pytest.mark.parametrize("content_type", ["application/json;charset=UTF-8", "text/csv"])
def test_token_refused_as_json_in_place_of_the_file(
    server: ScriptedServer, fetch: Fetch, content_type: str
) -> None:
    """A2: the refusal is not written into the file, and the file goes on where it was."""
    refused = Exchange(body=failure("601").body, headers={"Content-Type": content_type})
    server.script(FILE, csv(BODY, cut_after=CUT), refused, rest(CUT))
    assert fetch().content.read() == BODY
    assert [None, f"bytes={CUT}-", f"bytes={CUT}-"] == ranges(server)
    assert [request.headers["authorization"] for request in server.calls(FILE)] == [
        "Bearer token-1",
        "Bearer token-1",
        "Bearer token-2",
    ]


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([failure("601")] * 13, TokenExpiredError),
        ([failure("607")], DailyQuotaExceededError),
        ([failure("603")], RejectedError),
        ([Exchange(body=b'{"success":true}')] * 10, ServiceUnavailableError),
        ([HTML] * 10, ServiceUnavailableError),
        ([csv(b"<html>502</html>")] * 10, ServiceUnavailableError),
        ([csv(BODY, headers={"Content-Encoding": "gzip"})], DownloadError),
    ],
    ids=["A5", "A15", "603", "success", "A16", "A16 as csv", "compressed"],
)
def test_answer_that_is_no_file_is_never_written(
    server: ScriptedServer,
    fetch: Fetch,
    tmp_path: Path,
    answers: list[Exchange],
    expected: type[MarketoBulkError],
) -> None:
    """Whatever comes in place of the file is an error, and nothing is left on disk."""
    server.script(FILE, *answers)
    with pytest.raises(expected):
        fetch()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "words", ["Identity", "IDENTITY", "UTF-8", "utf8", "", " ", "identity, UTF-8", ",", "binary"]
)
@pytest.mark.parametrize("is_cut", [False, True], ids=["whole", "resumed"])
def test_harmless_words_are_no_content_coding(
    server: ScriptedServer, fetch: Fetch, words: str, *, is_cut: bool
) -> None:
    """Bytes that nothing was done to are the file, whatever a header calls that."""
    headers = {"Content-Encoding": words or " "}
    if is_cut:
        server.script(FILE, csv(BODY, cut_after=CUT, headers=headers), rest(CUT, headers=headers))
    else:
        server.script(FILE, csv(BODY, headers=headers))
    assert fetch().content.read() == BODY


@pytest.mark.parametrize("words", ["gzip", "GZIP", "br", "zstd", "identity, gzip", "aws-chunked"])
def test_content_coding_of_a_file_ends_the_download_at_once(
    server: ScriptedServer, fetch: Fetch, clock: SleepClock, words: str
) -> None:
    """Neither another try nor another job would come without it."""
    server.script(FILE, csv(BODY, headers={"Content-Encoding": words}))
    with pytest.raises(DownloadError, match=r"encoded as.*compresses answers") as caught:
        fetch()
    assert (clock.slept, caught.value.job_at_fault) == ([], False)


def test_passing_faults_are_waited_out(
    server: ScriptedServer, fetch: Fetch, clock: SleepClock
) -> None:
    """Pages, resets and limits on the way do not end a download."""
    server.script(FILE, HTML, RESET, failure("606"), failure("615"), csv(BODY))
    assert fetch().content.read() == BODY
    assert clock.slept == [1, 2, 20, 1]


def test_data_that_looks_like_an_error_is_data(server: ScriptedServer, fetch: Fetch) -> None:
    """A rest may begin with any byte: only the first byte of the file tells what it is."""
    body = BODY[:CUT] + b'{"success":false}\n' + b"x" * 70_000
    server.script(FILE, csv(body, cut_after=CUT), rest(CUT, body))
    file = fetch(job(file_size_bytes=len(body), file_checksum=digest(body)))
    assert body == file.content.read()


def test_missing_file_of_a_completed_job_is_asked_for_again(
    server: ScriptedServer, fetch: Fetch, clock: SleepClock
) -> None:
    """J12: status and file may disagree for a moment."""
    gone = Exchange(404, b"not found", {"Content-Type": "text/plain"})
    server.script(FILE, gone, gone, csv(BODY))
    server.script(STATUS, COMPLETED, COMPLETED)
    assert fetch().content.read() == BODY
    assert clock.slept == [5, 15]


def test_missing_file_stays_missing(server: ScriptedServer, fetch: Fetch, tmp_path: Path) -> None:
    """J12: after a minute the file is taken for gone."""
    server.script(FILE, *[Exchange(404)] * 4)
    server.script(STATUS, *[COMPLETED] * 4)
    with pytest.raises(ExportFileGoneError, match="no file of it"):
        fetch()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (envelope({"exportId": "ce45", "status": "Processing"}), "Processing"),
        (failure("1013"), "does not know"),
        (failure("610"), "does not know"),
        (Exchange(404), "does not know"),
    ],
    ids=["J10", "J13", "J13 610", "J13 404"],
)
def test_missing_file_of_another_job_is_gone(
    server: ScriptedServer, fetch: Fetch, status: Exchange, text: str
) -> None:
    """A job that is not Completed (any more) has no file to wait for."""
    server.script(FILE, Exchange(404))
    server.script(STATUS, status)
    with pytest.raises(ExportFileGoneError, match=text):
        fetch()


def test_flood_is_cut_off(server: ScriptedServer, fetch: Fetch, tmp_path: Path) -> None:
    """A body much larger than announced does not fill the disk."""
    server.script(FILE, csv(b"x" * (2**20 + 100), chunked=True))
    with pytest.raises(DownloadError, match="larger than announced"):
        fetch(job(file_size_bytes=10))
    assert list(tmp_path.iterdir()) == []


def test_trickle_is_dropped_and_resumed(
    server: ScriptedServer, fetch: Fetch, clock: SleepClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A20: a connection that only drips is given up for another, and the bytes kept."""
    append = PartialFile.append
    arrived = threading.Event()

    def slowly(part: PartialFile, chunk: bytes) -> None:
        append(part, chunk)
        clock.now += 31
        arrived.set()

    def drips() -> Iterator[bytes]:
        for start in range(100, 1000, 100):
            assert arrived.wait(60)
            arrived.clear()
            yield BODY[start : start + 100]

    monkeypatch.setattr(PartialFile, "append", slowly)
    whole = {"Content-Length": str(len(BODY))}
    server.script(FILE, csv(BODY[:100], headers=whole, drips=drips()), rest(200))
    assert fetch().content.read() == BODY
    assert (ranges(server), clock.slept) == ([None, "bytes=200-"], [1])


def test_restarts_are_bounded(server: ScriptedServer, fetch: Fetch) -> None:
    """A server that breaks every transfer and ignores every range is given up."""
    server.script(FILE, *[csv(BODY, cut_after=CUT)] * 7)
    with pytest.raises(IncompleteDownloadError, match="5 restarts"):
        fetch()


def test_resumes_are_bounded(
    server: ScriptedServer, fetch: Fetch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that breaks every transfer is given up, even if each brings a little."""
    monkeypatch.setattr(download_module, "DOWNLOAD_MAX_RESUMES", 3)
    step = 70_000
    server.script(FILE, csv(BODY, cut_after=step))
    server.script(FILE, rest(step, cut_after=step), rest(2 * step, cut_after=step))
    with pytest.raises(IncompleteDownloadError, match="3 resumes"):
        fetch()


def test_interrupt_leaves_nothing(
    server: ScriptedServer, fetch: Fetch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C in the middle removes the partial file."""

    def interrupted(_part: object, _chunk: bytes) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(PartialFile, "append", interrupted)
    server.script(FILE, csv(BODY))
    with pytest.raises(KeyboardInterrupt):
        fetch()
    assert list(tmp_path.iterdir()) == []


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(cuts=st.lists(st.integers(1, len(BODY) - 1), max_size=4, unique=True), chunked=st.booleans())
def test_any_cuts_give_the_same_file(
    server: ScriptedServer, fetch: Fetch, cuts: list[int], *, chunked: bool
) -> None:
    """Wherever a transfer breaks, and however often, the file is the file."""
    offset = 0
    for cut in sorted(cuts):
        first = csv(BODY, cut_after=cut, chunked=chunked)
        later = rest(offset, cut_after=cut - offset)
        server.script(FILE, later if offset else first)
        offset = cut
    server.script(FILE, rest(offset) if offset else csv(BODY))
    assert fetch().content.read() == BODY

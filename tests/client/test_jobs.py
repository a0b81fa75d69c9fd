from __future__ import annotations

import logging
from datetime import datetime, timezone

import pytest

from marketo_bulk.errors import DecodeError
from marketo_bulk.jobs import ExportJob, ExportStatus, ImportJob, ImportStatus, checked_job_id

DIGEST = "ab" * 32


@pytest.mark.parametrize("text", ["Cancelled", "Canceled", "cancelled", "CANCELED"])
def test_status_parses_both_spellings_of_cancelled(text: str) -> None:
    """Adobe's prose and its samples disagree; both are the same status."""
    assert ExportStatus.parse(text) is ExportStatus.CANCELLED


@pytest.mark.parametrize(
    ("text", "expected", "is_terminal"),
    [
        ("Created", ExportStatus.CREATED, False),
        ("Queued", ExportStatus.QUEUED, False),
        ("processing", ExportStatus.PROCESSING, False),
        ("Completed", ExportStatus.COMPLETED, True),
        ("Failed", ExportStatus.FAILED, True),
        ("Cancelled", ExportStatus.CANCELLED, True),
        ("Paused", ExportStatus.UNKNOWN, False),
        ("Complete", ExportStatus.UNKNOWN, False),
    ],
)
def test_export_status_is_read_in_any_case(
    text: str, expected: ExportStatus, *, is_terminal: bool
) -> None:
    """A status is known by its word, and an unknown one is never taken for the end."""
    status = ExportStatus.parse(text)
    assert (expected, is_terminal) == (status, status.is_terminal)


@pytest.mark.parametrize(
    ("text", "expected", "is_terminal"),
    [
        ("Queued", ImportStatus.QUEUED, False),
        ("IMPORTING", ImportStatus.IMPORTING, False),
        ("Complete", ImportStatus.COMPLETE, True),
        ("Failed", ImportStatus.FAILED, True),
        ("Completed", ImportStatus.UNKNOWN, False),
    ],
)
def test_import_status_is_complete_not_completed(
    text: str, expected: ImportStatus, *, is_terminal: bool
) -> None:
    """Imports are Complete where exports are Completed."""
    status = ImportStatus.parse(text)
    assert (expected, is_terminal) == (status, status.is_terminal)


def test_export_job_with_everything() -> None:
    """Each member of the wire lands in its field, with its type."""
    job = ExportJob.parse(
        {
            "exportId": "ce45a7a1-f19d-4ce2-882c-a3c795940a7d",
            "format": "CSV",
            "status": "Completed",
            "createdAt": "2017-01-21T11:47:30-08:00",
            "queuedAt": "2017-01-21T19:48:30Z",
            "startedAt": "2017-01-21T19:51:30Z",
            "finishedAt": "2017-01-21T20:59:30Z",
            "numberOfRecords": 122323,
            "fileSize": 123424,
            "fileChecksum": f"sha256:{DIGEST.upper()}",
            "errorMsg": "none",
        }
    )
    expected = ExportJob(
        export_id="ce45a7a1-f19d-4ce2-882c-a3c795940a7d",
        status=ExportStatus.COMPLETED,
        status_text="Completed",
        file_format="CSV",
        created_at=datetime(2017, 1, 21, 19, 47, 30, tzinfo=timezone.utc),
        queued_at=datetime(2017, 1, 21, 19, 48, 30, tzinfo=timezone.utc),
        started_at=datetime(2017, 1, 21, 19, 51, 30, tzinfo=timezone.utc),
        finished_at=datetime(2017, 1, 21, 20, 59, 30, tzinfo=timezone.utc),
        number_of_records=122323,
        file_size_bytes=123424,
        file_checksum=DIGEST,
        error_message="none",
    )
    assert expected == job


def test_export_job_with_nothing_but_id_and_status() -> None:
    """All else is optional, and null is the same as absent."""
    job = ExportJob.parse({"exportId": "a", "status": "Paused", "queuedAt": None, "fileSize": None})
    assert ExportJob("a", ExportStatus.UNKNOWN, "Paused") == job


@pytest.mark.parametrize(
    ("checksum", "expected", "warnings"),
    [
        (f"sha256:{DIGEST}", DIGEST, 0),
        (f"SHA-256:{DIGEST}", DIGEST, 0),
        (DIGEST, DIGEST, 0),
        (f"md5:{DIGEST[:32]}", None, 1),
        ("sha256:abc", None, 1),
        (None, None, 0),
        ("", None, 0),
    ],
    ids=["F10 usual", "F10 dash", "F10 bare", "F10 other algorithm", "F10 short", "J11", "empty"],
)
def test_checksum_of_another_algorithm_is_warned_about(
    caplog: pytest.LogCaptureFixture, checksum: str | None, expected: str | None, warnings: int
) -> None:
    """Only a SHA-256 is used; anything else is said in the log and treated as none."""
    with caplog.at_level(logging.WARNING):
        job = ExportJob.parse({"exportId": "a", "status": "Completed", "fileChecksum": checksum})
    assert (expected, warnings) == (job.file_checksum, len(caplog.records))


@pytest.mark.parametrize(
    "wrong",
    [
        {"exportId": None},
        {"exportId": "../leads"},
        {"exportId": "a/b"},
        {"exportId": ""},
        {"exportId": True},
        {"exportId": "a" * 129},
        {"status": None},
        {"status": ""},
        {"status": 3},
        {"status": ["Completed"]},
    ],
    ids=repr,
)
def test_export_job_that_cannot_be_read_is_an_error(wrong: dict[str, object]) -> None:
    """Nothing can be done without an id and a status: neither is guessed."""
    with pytest.raises(DecodeError):
        ExportJob.parse({"exportId": "a", "status": "Completed"} | wrong)


ODD_COUNTS: list[tuple[object, int | None]] = [
    ("12", 12),
    (12.0, 12),
    ("0", 0),
    ("n/a", None),
    ("", None),
    ("1,234", None),
    ("-1", None),
    ("\u0661\u0662", None),
    ("9" * 400, None),
    (-1, None),
    (1.5, None),
    (float("nan"), None),
    (float("inf"), None),
    (1e300, None),
    (10**40, None),
    (True, None),
    ([], None),
    ({"value": 3}, None),
]
ODD_TEXTS: list[object] = [5, 1.5, True, [], {}]
ODD_MOMENTS: list[object] = [
    *("n/a", "yesterday", "2026-13-01T00:00:00Z", "2026-01-01", "0000-00-00T00:00:00Z"),
    *ODD_TEXTS,
]


@pytest.mark.parametrize(("value", "expected"), ODD_COUNTS, ids=repr)
@pytest.mark.parametrize(
    ("name", "field"),
    [("numberOfRecords", "number_of_records"), ("fileSize", "file_size_bytes")],
)
def test_odd_count_of_an_export_is_read_or_left_out(
    name: str, field: str, value: object, expected: int | None
) -> None:
    """What can mean one number only is that number; the rest is as good as left out, and named."""
    job = ExportJob.parse({"exportId": "a", "status": "Completed", name: value})
    assert getattr(job, field) == expected
    assert job.odd_members == (name,)


@pytest.mark.parametrize(("value", "expected"), ODD_COUNTS, ids=repr)
@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("numOfLeadsProcessed", "rows_processed"),
        ("numOfRowsFailed", "rows_failed"),
        ("numOfRowsWithWarning", "rows_with_warning"),
    ],
)
def test_odd_count_of_an_import_is_read_or_left_out(
    name: str, field: str, value: object, expected: int | None
) -> None:
    """As for exports: where the number of failed rows is unknown, their file is asked for."""
    job = ImportJob.parse({"batchId": 7, "status": "Complete", name: value})
    assert getattr(job, field) == expected
    assert job.odd_members == (name,)


@pytest.mark.parametrize("value", ODD_MOMENTS, ids=repr)
@pytest.mark.parametrize("name", ["createdAt", "queuedAt", "startedAt", "finishedAt"])
def test_odd_moment_is_left_out(name: str, value: object) -> None:
    """A time that is none ends nothing."""
    job = ExportJob.parse({"exportId": "a", "status": "Completed", name: value})
    assert (job.created_at, job.finished_at, job.odd_members) == (None, None, (name,))


@pytest.mark.parametrize("value", ODD_TEXTS, ids=repr)
@pytest.mark.parametrize("name", ["format", "errorMsg", "fileChecksum"])
def test_odd_text_is_left_out(name: str, value: object) -> None:
    """A checksum that is no text is none; the count and the size are compared then."""
    job = ExportJob.parse({"exportId": "a", "status": "Completed", name: value})
    assert (job.file_checksum, job.error_message, job.odd_members) == (None, None, (name,))
    answer = {"batchId": 7, "status": "Failed", "message": value}
    assert ImportJob.parse(answer).message is None


def test_import_job_with_everything() -> None:
    """Each member of the wire lands in its field; the id becomes text."""
    job = ImportJob.parse(
        {
            "batchId": 3404,
            "importId": "3404",
            "status": "Complete",
            "numOfLeadsProcessed": 2,
            "numOfRowsFailed": 1,
            "numOfRowsWithWarning": 0,
            "message": "Import completed with errors, 2 records imported (2 members), 1 failed",
        }
    )
    expected = ImportJob(
        batch_id="3404",
        status=ImportStatus.COMPLETE,
        status_text="Complete",
        rows_processed=2,
        rows_failed=1,
        rows_with_warning=0,
        message="Import completed with errors, 2 records imported (2 members), 1 failed",
    )
    assert expected == job


@pytest.mark.parametrize("answer", [{"batchId": 7}, {"importId": "7"}], ids=["I17 int", "I17 text"])
def test_import_job_counters_may_be_missing(answer: dict[str, object]) -> None:
    """While a job is queued there are no counters, and either form of its id will do."""
    job = ImportJob.parse(answer | {"status": "Queued"})
    assert ImportJob("7", ImportStatus.QUEUED, "Queued") == job


@pytest.mark.parametrize("answer", [{"status": "Queued"}, {"batchId": 7}, {"batchId": "7/8"}])
def test_import_job_that_cannot_be_read_is_an_error(answer: dict[str, object]) -> None:
    """No id or no status is an error."""
    with pytest.raises(DecodeError):
        ImportJob.parse(answer)


def test_job_id_that_leads_elsewhere_is_refused_on_one_line() -> None:
    """An id from a peer or a state file cannot leave its place in an address."""
    with pytest.raises(DecodeError) as caught:
        checked_job_id("..\n../create")
    assert "\n" not in str(caught.value)

from __future__ import annotations

from hashlib import sha256

import pytest

from marketo_bulk.exports.empty import is_certainly_empty
from marketo_bulk.exports.objects import LEADS, PROGRAM_MEMBERS, ExportObject
from marketo_bulk.exports.requests import ExportRequest
from marketo_bulk.jobs import ExportJob, ExportStatus

FIELDS = ("leadId", "statusName", "updatedAt")


def is_empty(
    content: bytes | None,
    *,
    size_bytes: int | None = None,
    records: int | None = 0,
    export_object: ExportObject = PROGRAM_MEMBERS,
) -> bool:
    """Return the verdict on a job with the digest of some content, or none."""
    checksum = None if content is None else sha256(content).hexdigest()
    job = ExportJob(
        "ce45",
        ExportStatus.COMPLETED,
        number_of_records=records,
        file_size_bytes=size_bytes,
        file_checksum=checksum,
    )
    return is_certainly_empty(ExportRequest(export_object, FIELDS, {}), job)


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
@pytest.mark.parametrize("first", [b"", b"programId,", "\ufeff".encode()])
def test_the_digest_of_a_header_proves_that_there_are_no_rows(first: bytes, end: bytes) -> None:
    """No call is made for what it would bring is known."""
    header = first + b"leadId,statusName,updatedAt" + end
    assert is_empty(header, size_bytes=len(header))
    assert not is_empty(header, size_bytes=len(header), records=1)
    assert not is_empty(header, size_bytes=len(header), records=None)
    assert not is_empty(header + b"7,Member,null\n", size_bytes=90)


def test_no_file_is_an_empty_export() -> None:
    """Neither digest nor size, or those of nothing."""
    assert is_empty(None)
    assert is_empty(None, size_bytes=0)
    assert is_empty(b"", size_bytes=0)


def test_a_size_without_a_digest_is_looked_into() -> None:
    """It may be the header, or more."""
    assert not is_empty(None, size_bytes=30)


def test_only_program_members_get_a_column_unasked() -> None:
    """Another object's file that begins so has something else in it."""
    assert not is_empty(b"programId,leadId,statusName,updatedAt\n", export_object=LEADS)

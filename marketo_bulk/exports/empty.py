"""Empty exports: which jobs need no download, because it is certain that they found no rows."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING

from marketo_bulk.exports.objects import PROGRAM_MEMBERS

if TYPE_CHECKING:
    from marketo_bulk.exports.requests import ExportRequest
    from marketo_bulk.jobs import ExportJob

_DELIMITERS = {"CSV": ",", "TSV": "\t", "SSV": ";"}


def is_certainly_empty(request: ExportRequest, job: ExportJob) -> bool:
    """Return whether a job's file has no rows: its count says so, and nothing contradicts it.

    A count may be one too low, as Adobe's sample has one that is one too high. A digest that is
    not the one of a header alone, or a size without a digest, is a reason to look into the file.
    """
    if job.number_of_records != 0:
        return False
    if job.file_checksum is not None:
        return job.file_checksum in _digests_without_rows(request)
    return not job.file_size_bytes


def _digests_without_rows(request: ExportRequest) -> frozenset[str]:
    delimiter = _DELIMITERS.get(request.file_format, ",")
    # A job over programIds brings that column without being asked.
    added = ("", f"programId{delimiter}") if request.object == PROGRAM_MEMBERS else ("",)
    return _digests(delimiter.join(request.fields), added)


@lru_cache(maxsize=8)
def _digests(header: str, added: tuple[str, ...]) -> frozenset[str]:
    files = (
        f"{mark}{first}{header}{end}".encode()
        for mark, first, end in product(("", "\ufeff"), added, ("", "\n", "\r\n"))
    )
    return frozenset(hashlib.sha256(file).hexdigest() for file in (b"", *files))

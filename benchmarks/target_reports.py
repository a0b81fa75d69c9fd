"""Driver of the target: `python target_reports.py ROWS PERCENT` takes in a report of Marketo's.

A file of so many short rows has been imported, and the report names so many percent of them.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1]))

from target_marketo_bulk.files.open_file import OpenFile
from target_marketo_bulk.outcomes.rejects import RejectLog
from target_marketo_bulk.outcomes.reports import match_report
from target_marketo_bulk.records.lookup_keys import Keys
from tests.target.layouts import layout_of

if TYPE_CHECKING:
    from target_marketo_bulk.files.import_file import ImportFile

TOGETHER = 1_000
LIMIT_BYTES = 1 << 30


def main() -> None:
    """Match the report with the file, and write the rejects."""
    rows, percent = (int(text) for text in sys.argv[1:])
    file = imported(rows)
    body = bytearray(b"email,a,Import Failure Reason\n")
    for number in range(rows):
        if number % 100 < percent:
            body += b"%d@b.cc,%d,Lookup field value missing\n" % (number, number % 10)
    report = bytes(body)
    del body
    with tempfile.TemporaryDirectory() as name:
        log = RejectLog(Path(name), "run")
        for finding in match_report(report, file):
            log.reject(finding.record or {}, finding.reason, batch_id="1234")
        log.close()


def imported(rows: int) -> ImportFile:
    """Return a file of so many rows."""
    file = OpenFile(1, layout_of("email", "a"), opened_at=0.0, slack_bytes=LIMIT_BYTES)
    for start in range(0, rows, TOGETHER):
        numbers = range(start, min(start + TOGETHER, rows))
        keys = Keys([f"{number}@b.cc" for number in numbers])
        file.put_new(keys, [b"%d@b.cc,%d\n" % (number, number % 10) for number in numbers])
    return file.finish()[0]


if __name__ == "__main__":
    main()

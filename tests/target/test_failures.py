from __future__ import annotations

import csv
import io
from collections import Counter
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from target_marketo_bulk.failures import NO_REASON, Finding, match_report
from target_marketo_bulk.import_file import ImportFile, Layout, OpenFile
from target_marketo_bulk.keys import Key
from target_marketo_bulk.row_format import RowFormat

if TYPE_CHECKING:
    from collections.abc import Sequence

COLUMNS = ("email", "a", "b")
TEXT = st.text(st.sampled_from('ab ,;\t"\n\r|é'), max_size=4)


def sent(rows: Sequence[tuple[str, ...]], name: str = "csv") -> ImportFile:
    """Return a file of these rows."""
    layout = Layout(COLUMNS, 0, RowFormat(name))
    file = OpenFile(1, layout, opened_at=0)
    for row in rows:
        file.put(Key(row[0]), layout.row_format.encode(row))
    return file.finish()


def report(rows: list[list[str]], delimiter: str = ",", **quoting: int) -> bytes:
    """Return a report of these lines."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, **quoting)  # type: ignore[arg-type]
    writer.writerows(rows)
    return text.getvalue().encode()


def found(body: bytes, file: ImportFile) -> list[Finding]:
    """Return what a report says about a file."""
    findings = list(match_report(body, file))
    file.close()
    return findings


@given(st.data())
def test_failed_rows_are_found_however_they_are_written(data: st.DataObject) -> None:
    """Columns in any order, some missing, cells quoted and padded anew: exactly those rows.

    Rows that are alike in the columns reported cannot be told apart, so they are compared by those.
    """
    draw = data.draw
    values = draw(st.lists(st.tuples(TEXT, TEXT), max_size=8))
    rows = [(f"p{number}@load.test", *cells) for number, cells in enumerate(values)]
    failed = draw(st.lists(st.sampled_from(rows), unique=True)) if rows else []
    shown = draw(st.lists(st.sampled_from(range(3)), min_size=1, unique=True))
    pad = draw(st.sampled_from(["", " "]))
    name, delimiter = draw(st.sampled_from([("csv", ","), ("tsv", "\t"), ("ssv", ";")]))
    quoting = draw(st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]))
    header = [f"{pad}{COLUMNS[index].upper()}" for index in shown] + ["Import Failure Reason"]
    place = draw(st.integers(0, len(shown)))
    header.insert(place, header.pop())
    lines = [header]
    for row in failed:
        cells = [f"{pad}{row[index]}{pad}" for index in shown]
        cells.insert(place, "Bad")
        lines.append(cells)
    findings = found(report(lines, delimiter, quoting=quoting), sent(rows, name))
    assert all(finding.record is not None for finding in findings)

    def visible(row: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(row[index].strip() if pad else row[index] for index in shown)

    records = [tuple((finding.record or {}).values()) for finding in findings]
    assert Counter(map(visible, failed)) == Counter(map(visible, records))
    assert len(set(records)) == len(records)
    assert {finding.reason for finding in findings} <= {"Bad"}


def test_row_that_was_not_sent_is_given_as_reported() -> None:
    """What matches nothing is neither guessed at nor dropped."""
    body = report([["email", "a", "Import Failure Reason"], ["x", "y", "Bad"]])
    assert found(body, sent([("p", "1", "2")])) == [
        Finding("Bad", reported_row={"email": "x", "a": "y"})
    ]


def test_each_row_sent_is_found_once() -> None:
    """A row reported twice is found once; the other report is given as it is."""
    line = ["p", "1", "2", "Bad"]
    body = report([[*COLUMNS, "Import Failure Reason"], line, line])
    assert [finding.record is None for finding in found(body, sent([("p", "1", "2")]))] == [
        False,
        True,
    ]


def test_report_without_known_columns_matches_nothing() -> None:
    """A report that shares no column with the file cannot be matched by position."""
    body = report([["x", "y", "z", "Import Failure Reason"], ["p", "1", "2", "Bad"]])
    assert [finding.record for finding in found(body, sent([("p", "1", "2")]))] == [None]


def test_report_without_reason_says_so() -> None:
    """A missing reason column, or an empty reason, is named as that."""
    body = report([[*COLUMNS], ["p", "1", "2"]])
    assert [finding.reason for finding in found(body, sent([("p", "1", "2")]))] == [NO_REASON]


def test_report_of_broken_text_is_matched_by_what_is_readable() -> None:
    """Bytes that are not UTF-8 do not stop the matching of a row by its lookup value."""
    body = b"email,a,Import Failure Reason\nP,\xff,Bad\n"
    assert [finding.record for finding in found(body, sent([("p", "1", "2")]))] == [
        {"email": "p", "a": "1", "b": "2"}
    ]


def test_empty_report_finds_nothing() -> None:
    """No bytes, no findings."""
    assert found(b"", sent([("p", "1", "2")])) == []

from __future__ import annotations

import csv
import io
import tracemalloc
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_marketo_bulk.files.open_file import OpenFile
from target_marketo_bulk.outcomes.reports import NO_REASON, Finding, match_report
from target_marketo_bulk.records.lookup_keys import Key
from tests.target.layouts import layout_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_marketo_bulk.files.import_file import ImportFile

COLUMNS = ("email", "a", "b")
TEXT = st.text(st.sampled_from('ab ,;\t"\n\r|é'), max_size=4)


def sent(
    rows: Sequence[tuple[str, ...]], name: str = "csv", columns: Sequence[str] = COLUMNS
) -> ImportFile:
    """Return a file of these rows."""
    layout = layout_of(*columns, format_name=name)
    file = OpenFile(1, layout, opened_at=0)
    for row in rows:
        file.put(Key(row[0]), layout.row_format.encode(row))
    return file.finish()[0]


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


REPEATS = {
    "the very same line": ["p", "1", "2", "Bad"],
    "in other quotes and blanks": [" p", "1 ", "2", "Bad"],
    "with cells that differ": ["P", "one", "2", "Bad"],
    "with another reason": ["p", "1", "2", "Worse"],
    "with another reason, in blanks": [" p ", "1", "2", "Worse"],
}


@pytest.mark.parametrize("again", REPEATS.values(), ids=REPEATS)
def test_row_reported_twice_is_one_row(again: list[str]) -> None:
    """Its second line is left out, or a repeat if it gives another reason."""
    body = report([[*COLUMNS, "Import Failure Reason"], ["p", "1", "2", "Bad"], again, again])
    first, *others = found(body, sent([("p", "1", "2"), ("q", "1", "2")]))
    assert first == Finding("Bad", record={"email": "p", "a": "1", "b": "2"})
    cells = dict(zip(COLUMNS, again, strict=False))
    worse = Finding("Worse", reported_row=cells, is_repeat=True)
    assert others == ([worse] if again[-1] == "Worse" else [])


def test_rows_that_are_alike_are_repeats_only_beyond_their_number() -> None:
    """Without a lookup value rows are counted one to one, and one more is a repeat."""
    lines = [["1", reason] for reason in ("Bad", "Worse", "Worst")]
    body = report([["a", "Import Failure Reason"], *lines])
    findings = found(body, sent([("p", "1", "2"), ("q", "1", "2"), ("r", "3", "2")]))
    assert [finding.reason for finding in findings] == ["Bad", "Worse", "Worst"]
    assert [finding.is_repeat for finding in findings] == [False, False, True]


@pytest.mark.slow
@pytest.mark.fault(
    "T8.6",
    "every one of 240,000 rows fails",
    "finds each in the report in about 100 bytes of memory a row",
)
def test_matching_takes_few_bytes_a_row() -> None:
    """Every row of a file of the shortest rows may fail: memory stays near that of the report."""
    rows = [(f"{number:06d}", "", "") for number in range(20_000)]
    file = sent(rows)
    body = b"email,a,b,Import Failure Reason\n" + b"".join(
        b"%06d,,,Bad\n" % number for number in range(20_000)
    )
    tracemalloc.start()
    findings = sum(finding.record is not None for finding in match_report(body, file))
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    file.close()
    assert findings == 20_000
    assert peak_bytes < 120 * 20_000


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


CASES = ("email", "loyaltyTier", "LoyaltyTier")
ROWS = [("p", "gold", "old"), ("q", "old", "gold"), ("r", "old", "old")]


@pytest.mark.parametrize(
    ("header", "cells", "expected"),
    [
        (["loyaltyTier", "LoyaltyTier"], ["gold", "old"], "p"),
        (["LoyaltyTier", "loyaltyTier"], ["gold", "old"], "q"),
        (["LoyaltyTier"], ["gold"], "q"),
        (["loyaltyTier"], ["gold"], "p"),
        ([" loyaltyTier "], ["gold"], "p"),
        (["loyaltyTier", "LOYALTYTIER"], ["gold", "old"], "p"),
        (["EMAIL", "LOYALTYTIER"], ["q", "gold"], "q"),
        (["LOYALTYTIER", "loyaltytier"], ["gold", "old"], None),
        (["LOYALTYTIER"], ["gold"], None),
    ],
)
def test_columns_that_differ_by_case_are_told_apart(
    header: list[str], cells: list[str], expected: str | None
) -> None:
    """The exact name first, then the only one in another case; else the column does not count."""
    file = sent(ROWS, columns=CASES)
    body = report([[*header, "Import Failure Reason"], [*cells, "Bad"]])
    (finding,) = found(body, file)
    assert (finding.record or {}).get("email") == expected

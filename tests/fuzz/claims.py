"""Claims: what must hold for any bytes, as functions that a fuzzer or a test can call."""

from __future__ import annotations

import csv
import io
from collections import Counter
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Literal

from marketo_bulk.errors import DecodeError
from marketo_bulk.reader import block_splitter, text_decoder
from marketo_bulk.reader.columns import Column, Kind
from marketo_bulk.reader.row_reader import RowReader
from target_marketo_bulk.files.open_file import OpenFile
from target_marketo_bulk.outcomes.reports import NO_REASON, match_report
from target_marketo_bulk.records.lookup_keys import Key
from target_marketo_bulk.records.row_format import DELIMITERS, read_rows
from tests.target.layouts import layout_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from target_marketo_bulk.files.import_file import ImportFile

TYPED = (
    Column("leadId", Kind.INTEGER),
    Column("score", Kind.NUMBER),
    Column("ok", Kind.BOOLEAN),
    Column("day", Kind.DATE),
    Column("updatedAt", Kind.DATETIME),
    Column("name", Kind.STRING),
)
TEXTS = (Column("a", Kind.STRING), Column("b", Kind.STRING))
BOUND = ("updatedAt", "2026-10-21T00:00:00Z")
SMALL_BLOCK_BYTES = 7
SEPARATOR = b"\xff\xff"
"""Between the rows sent and the report about them; it is in no UTF-8 text."""

Outcome = tuple[list[dict[str, object]], dict[str, Any]]


def check_rows(data: bytes) -> None:
    """Hold RowReader to its word: rows or DecodeError, however blocks are read and cut.

    Shape: the first byte chooses columns, format and whether a header is put before the rest.
    """
    choice, content = (data[0], data[1:]) if data else (0, b"")
    columns = TYPED if choice & 1 else TEXTS
    file_format = ("CSV", "TSV", "SSV", "CSV")[choice >> 1 & 3]
    delimiter = {"CSV": ",", "TSV": "\t", "SSV": ";"}[file_format]
    if choice & 8:
        content = delimiter.join(column.name for column in columns).encode() + b"\n" + content
    strict = _read(content, columns, "fail", file_format)
    lenient = _read(content, columns, "null", file_format)
    with _small_blocks():
        assert strict == _read(content, columns, "fail", file_format), "blocks change the rows"
    with _many_quotes():
        assert strict == _read(content, columns, "fail", file_format), "quotes change the rows"
    if strict is not None:
        assert strict == lenient, "nothing to forgive, and yet something was"
        assert not strict[1]["bad_values"]
        assert not strict[1]["replaced_bytes"]
    if columns is TEXTS and strict is not None and choice & 8:
        _check_against_csv(content, delimiter, strict)
    if columns is TYPED:
        _check_bound(content, file_format, lenient)


def _read(
    content: bytes, columns: tuple[Column, ...], on_bad_value: Any, file_format: str, **options: Any
) -> Outcome | None:
    """Return rows and counts, or None where the reader refuses."""
    reader = RowReader(columns, on_bad_value=on_bad_value, file_format=file_format, **options)
    try:
        rows = list(reader.row_dicts(io.BytesIO(content)))
    except DecodeError:
        return None
    assert reader.counts.rows == len(rows) + reader.counts.filtered_rows
    assert options or not reader.counts.filtered_rows
    assert all(list(row) == [column.name for column in columns] for row in rows)
    return rows, asdict(reader.counts)


def _check_bound(content: bytes, file_format: str, whole: Outcome | None) -> None:
    """A bound drops exactly the rows before it."""
    bound = _read(content, TYPED, "null", file_format, keep_from=BOUND)
    assert (bound is None) == (whole is None)
    if bound is None or whole is None:
        return
    second = BOUND[1][:19]
    kept = [
        row for row in whole[0] if row["updatedAt"] is None or str(row["updatedAt"])[:19] >= second
    ]
    assert kept == bound[0]
    assert {**bound[1], "filtered_rows": 0} == whole[1]


def _check_against_csv(content: bytes, delimiter: str, outcome: Outcome) -> None:
    """Whatever the standard library reads without doubt is read alike."""
    text = content.decode("utf-8").removeprefix("\ufeff")
    if "\0" in text or "\r" in text.replace("\r\n", ""):
        return  # removed here, a line end there
    lines = io.StringIO(text.replace("\r\n", "\n"), newline="\n")
    try:
        rows = list(csv.reader(lines, delimiter=delimiter, strict=True))
    except csv.Error:
        return
    header, *expected = rows
    if header != [column.name for column in TEXTS]:
        return
    read = [["null" if v is None else str(v) for v in row.values()] for row in outcome[0]]
    # A CR that ends a line inside quotes is data here, and was taken away above.
    read = [[cell.replace("\r\n", "\n") for cell in row] for row in read]
    assert [row for row in expected if row] == read


@contextmanager
def _many_quotes() -> Iterator[None]:
    dense = block_splitter.DENSE_QUOTES
    block_splitter.DENSE_QUOTES = -1
    try:
        yield
    finally:
        block_splitter.DENSE_QUOTES = dense


@contextmanager
def _small_blocks() -> Iterator[None]:
    sizes = text_decoder.BLOCK_BYTES, text_decoder.WIDE_BLOCK_BYTES
    text_decoder.BLOCK_BYTES = text_decoder.WIDE_BLOCK_BYTES = SMALL_BLOCK_BYTES
    try:
        yield
    finally:
        text_decoder.BLOCK_BYTES, text_decoder.WIDE_BLOCK_BYTES = sizes


def check_failures(data: bytes) -> None:
    """Hold `match_report` to its word: each reported row counted once, each sent row at most once.

    Shape: a byte that chooses the format and whether the report is a faithful one; the rows sent,
        as CSV; SEPARATOR; the report, or the choice of the rows it has.
    """
    choice, rest = (data[0], data[1:]) if data else (0, b"")
    sent_part, _, report_part = rest.partition(SEPARATOR)
    name = tuple(DELIMITERS)[choice % 3]
    file = _sent(sent_part, name)
    try:
        rows = [tuple(row) for row in file.read_rows()]
        if choice & 64:
            _check_faithful(rows, report_part, file)
        else:
            _check_any(rows, report_part, file)
    finally:
        file.close()


COLUMNS = ("email", "a", "b")


def _sent(content: bytes, name: str) -> ImportFile:
    layout = layout_of(*COLUMNS, format_name=name)
    file = OpenFile(1, layout, opened_at=0)
    for cells in read_rows(io.StringIO(content.decode("utf-8", "replace"), newline=""), ","):
        row = [*cells, "", ""][:3]
        file.put(Key(row[0]), layout.row_format.encode(row))
    return file.finish()[0]


def _check_any(rows: list[tuple[str, ...]], report: bytes, file: ImportFile) -> None:
    findings = list(match_report(report, file))
    records = [tuple(f.record.values()) for f in findings if f.record is not None]
    assert not Counter(records) - Counter(rows), "a row was found that was not sent, or twice"
    assert all((f.record is None) != (f.reported_row is None) for f in findings)
    assert len(findings) in _row_counts(report), "a reported row was lost or counted twice"


def _row_counts(report: bytes) -> set[int]:
    """Return how many rows below the header there are, by each delimiter the report may have."""
    text = report.decode("utf-8-sig", "replace")
    counts = set()
    for delimiter in DELIMITERS.values():
        rows = list(read_rows(io.StringIO(text, newline=""), delimiter))
        counts.add(max(0, len(rows) - 1))
    return counts


def _check_faithful(rows: list[tuple[str, ...]], chosen: bytes, file: ImportFile) -> None:
    """A report of some of the rows, in any order and quoting, finds exactly those."""
    picks = dict.fromkeys(number % len(rows) for number in chosen) if rows else {}
    failed = [rows[number] for number in picks]
    text = io.StringIO(newline="")
    quoting: Literal[0, 1] = csv.QUOTE_ALL if chosen[:1] > b"\x7f" else csv.QUOTE_MINIMAL
    # As RowFormat does: with "\n" a lone CR would stand bare.
    delimiter = DELIMITERS[file.layout.row_format.name]
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\r\n", quoting=quoting)
    writer.writerow([*COLUMNS, "Import Failure Reason"])
    writer.writerows([*row, "Bad"] for row in failed)
    findings = list(match_report(text.getvalue().encode(), file))
    records = [tuple((finding.record or {}).values()) for finding in findings]
    assert Counter(failed) == Counter(records)
    assert {finding.reason for finding in findings} <= {"Bad"} - {NO_REASON}

"""Failures: the rows of Marketo's report, found among the rows sent."""

from __future__ import annotations

import io
from collections import deque
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

from target_marketo_bulk.row_format import DELIMITERS, read_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from target_marketo_bulk.import_file import ImportFile

    Trait = Callable[[Sequence[str]], object]

REASON_COLUMNS = ("import failure reason", "import warning reason")
NO_REASON = "Marketo gave no reason"


@dataclass(frozen=True, slots=True)
class Finding:
    """One row of a report: the record sent, or the row as reported if it is none of them."""

    reason: str
    record: dict[str, str] | None = None
    reported_row: dict[str, str] | None = None


class Report:
    """Marketo's failures or warnings file: columns in any order, some perhaps missing.

    Rows carry no number, and their text may have been quoted anew or padded with blanks.
    """

    def __init__(self, body: bytes, columns: Sequence[str]) -> None:
        self._body = body
        self._delimiter, self.header = self._find_header([_plain(name) for name in columns])
        names = [_plain(name) for name in self.header]
        self._reason_index = next(
            (index for index, name in enumerate(names) if name in REASON_COLUMNS), None
        )
        sent = {_plain(name): index for index, name in enumerate(columns)}
        self.places = {sent[name]: index for index, name in enumerate(names) if name in sent}
        """For each place in a row sent, the place of the same column in the report."""

    def rows(self) -> Iterator[list[str]]:
        """Yield the rows below the header; lazy, from the beginning every time."""
        rows = self._rows(self._delimiter)
        next(rows, None)
        return rows

    def reason_of(self, row: Sequence[str]) -> str:
        """Return why Marketo reported a row."""
        index = self._reason_index
        given = "" if index is None or index >= len(row) else row[index].strip()
        return given or NO_REASON

    def named(self, row: Sequence[str]) -> dict[str, str]:
        """Return a row as reported, by column; the reason stands elsewhere."""
        return {
            name: cell
            for index, (name, cell) in enumerate(zip(self.header, row, strict=False))
            if index != self._reason_index
        }

    def _find_header(self, columns: Sequence[str]) -> tuple[str, list[str]]:
        headers = [(each, next(self._rows(each), [])) for each in DELIMITERS.values()]
        return max(headers, key=lambda pair: len({_plain(name) for name in pair[1]} & {*columns}))

    def _rows(self, delimiter: str) -> Iterator[list[str]]:
        text = io.TextIOWrapper(
            io.BytesIO(self._body), encoding="utf-8-sig", errors="replace", newline=""
        )
        return read_rows(text, delimiter)


def match_report(body: bytes, file: ImportFile) -> Iterator[Finding]:
    """Yield a finding for every row of the report, each row sent being found at most once.

    A row is looked for by all its columns, then without outer blanks, then by its lookup value,
    which no other row of the file has. Rows that are alike are matched one to one.
    """
    return _Search(Report(body, file.layout.columns), file).findings()


class _Search:
    def __init__(self, report: Report, file: ImportFile) -> None:
        self._report = report
        self._file = file
        self._reported_found: set[int] = set()
        self._sent_found: set[int] = set()

    def findings(self) -> Iterator[Finding]:
        for in_sent, in_report in _traits(self._report, self._file.layout.lookup_index):
            wanted = self._wanted(in_report)
            if not wanted:
                break
            yield from self._found(wanted, in_sent)
        for number, row in enumerate(self._report.rows()):
            if number not in self._reported_found:
                yield Finding(self._report.reason_of(row), reported_row=self._report.named(row))

    def _wanted(self, trait: Trait) -> dict[bytes, deque[tuple[int, str]]]:
        """Return the numbers and reasons of the rows reported and not found yet, by a trait."""
        wanted: dict[bytes, deque[tuple[int, str]]] = {}
        for number, row in enumerate(self._report.rows()):
            if number not in self._reported_found:
                entry = (number, self._report.reason_of(row))
                wanted.setdefault(_digest(trait(row)), deque()).append(entry)
        return wanted

    def _found(
        self, wanted: dict[bytes, deque[tuple[int, str]]], trait: Trait
    ) -> Iterator[Finding]:
        columns = self._file.layout.columns
        for number, row in enumerate(self._file.read_rows()):
            waiting = wanted.get(_digest(trait(row))) if number not in self._sent_found else None
            if waiting:
                found, reason = waiting.popleft()
                self._reported_found.add(found)
                self._sent_found.add(number)
                yield Finding(reason, record=dict(zip(columns, row, strict=True)))


def _traits(report: Report, lookup_index: int) -> Iterator[tuple[Trait, Trait]]:
    """Yield pairs of functions that agree on a row sent and the same row as reported."""
    places = report.places
    if not places:
        return
    sent, reported = tuple(places), tuple(places.values())
    yield _cells(sent), _cells(reported)
    yield _stripped(sent), _stripped(reported)
    if lookup_index in places:
        yield _folded(lookup_index), _folded(places[lookup_index])


def _cells(indexes: Sequence[int]) -> Trait:
    return lambda row: [row[index] if index < len(row) else "" for index in indexes]


def _stripped(indexes: Sequence[int]) -> Trait:
    return lambda row: [row[index].strip() if index < len(row) else "" for index in indexes]


def _folded(index: int) -> Trait:
    return lambda row: row[index].strip().casefold() if index < len(row) else ""


def _digest(trait: object) -> bytes:
    # Of a file in which every row failed, the rows themselves would not fit into memory.
    return blake2b(repr(trait).encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _plain(name: str) -> str:
    return name.strip().casefold()

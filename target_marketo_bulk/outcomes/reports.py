"""Failures: the rows of Marketo's report, found among the rows sent."""

from __future__ import annotations

import io
from array import array
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from target_marketo_bulk.outcomes.trait_index import TraitIndex
from target_marketo_bulk.records.row_format import DELIMITERS, read_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence

    from target_marketo_bulk.files.import_file import ImportFile

    Trait = Callable[[Sequence[str]], Hashable]

REASON_COLUMNS = ("import failure reason", "import warning reason")
NO_REASON = "Marketo gave no reason"


@dataclass(frozen=True, slots=True)
class Finding:
    """One row of a report: the record sent, or the row as reported if it is none of them."""

    reason: str
    record: dict[str, str] | None = None
    reported_row: dict[str, str] | None = None
    is_repeat: bool = False
    """Whether another finding is about the same row."""


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
        self.places = _places(self.header, columns)
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
    which no other row of the file has. Rows that are alike are matched one to one. A row that is
    reported once more with another reason is a repeat; with the same reason it says nothing new.
    """
    return _Search(Report(body, file.layout.columns), file).findings()


class _Search:
    def __init__(self, report: Report, file: ImportFile) -> None:
        self._report = report
        self._file = file
        self._reasons = _Reasons(map(report.reason_of, report.rows()))
        self._reported_found = bytearray(len(self._reasons))
        self._sent_found = bytearray(file.rows)

    def findings(self) -> Iterator[Finding]:
        last: tuple[TraitIndex, Trait] | None = None
        for in_sent, in_report in _traits(self._report, self._file.layout.lookup_indexes):
            if all(self._reported_found):
                return
            index = TraitIndex(map(in_report, self._report.rows()))
            yield from self._found(index, in_sent)
            last = index, in_report
        yield from self._left(last)

    def _found(self, index: TraitIndex, trait: Trait) -> Iterator[Finding]:
        columns = self._file.layout.columns
        for number, row in enumerate(self._file.read_rows()):
            if self._sent_found[number]:
                index.see(trait(row))
                continue
            found = index.take(trait(row), self._reported_found)
            if found is not None:
                self._sent_found[number] = True
                yield Finding(self._reasons[found], record=dict(zip(columns, row, strict=True)))

    def _left(self, last: tuple[TraitIndex, Trait] | None) -> Iterator[Finding]:
        """Yield the rows reported that are none of those sent, and those reported once more."""
        if all(self._reported_found):
            return
        index, trait = last or (TraitIndex(()), _nothing)
        repeated = {
            trait(row)
            for number, row in enumerate(self._report.rows())
            if not self._reported_found[number] and index.has_seen(trait(row))
        }
        told: set[tuple[Hashable, str]] = set()
        for is_new in (False, True):
            for number, row in enumerate(self._report.rows()):
                if bool(self._reported_found[number]) is is_new:
                    continue
                about = trait(row), self._reasons[number]
                if is_new and (about[0] not in repeated or about not in told):
                    yield Finding(
                        about[1],
                        reported_row=self._report.named(row),
                        is_repeat=about[0] in repeated,
                    )
                if about[0] in repeated:
                    told.add(about)


class _Reasons:
    """The reason of each row of a report; most of them are the same few."""

    def __init__(self, reasons: Iterable[str]) -> None:
        places: dict[str, int] = {}
        self._places = array("I", (places.setdefault(each, len(places)) for each in reasons))
        self._texts = list(places)

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, number: int) -> str:
        return self._texts[self._places[number]]


def _traits(report: Report, lookup_indexes: Sequence[int]) -> Iterator[tuple[Trait, Trait]]:
    """Yield pairs of functions that agree on a row sent and the same row as reported."""
    places = report.places
    if not places:
        return
    sent, reported = tuple(places), tuple(places.values())
    yield _cells(sent), _cells(reported)
    yield _stripped(sent), _stripped(reported)
    if places.keys() >= set(lookup_indexes):
        yield _folded(lookup_indexes), _folded([places[index] for index in lookup_indexes])


def _places(header: Sequence[str], columns: Sequence[str]) -> dict[int, int]:
    """Return for each column sent where it is in a header: by its name, else in another case.

    Shape: a column is left out where another case would fit two columns.
    """
    exact = {name: index for index, name in enumerate(columns)}
    named = [name.strip() for name in header]
    places = {exact[name]: index for index, name in enumerate(named) if name in exact}
    left: dict[str, list[int]] = {}
    for name, index in exact.items():
        if index not in places:
            left.setdefault(_plain(name), []).append(index)
    respelled = Counter(_plain(name) for name in named if name not in exact)
    for index, name in enumerate(named):
        candidates = left.get(_plain(name), ())
        if name not in exact and respelled[_plain(name)] == len(candidates) == 1:
            places[candidates[0]] = index
    return places


def _nothing(_: Sequence[str]) -> Hashable:
    return None


def _cells(indexes: Sequence[int]) -> Trait:
    return lambda row: tuple([row[index] if index < len(row) else "" for index in indexes])


def _stripped(indexes: Sequence[int]) -> Trait:
    return lambda row: tuple([row[index].strip() if index < len(row) else "" for index in indexes])


def _folded(indexes: Sequence[int]) -> Trait:
    return lambda row: tuple(
        [row[index].strip().casefold() if index < len(row) else "" for index in indexes]
    )


def _plain(name: str) -> str:
    return name.strip().casefold()

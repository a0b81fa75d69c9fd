"""Ledger: where each row of a tap is to be found: in Marketo, in the rejects, or nowhere."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.target_simulation.messages import MARK
from tests.target_simulation.rows import Verdict

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from tests.target_simulation.import_world import ImportWorld, Upload
    from tests.target_simulation.rows import Row

FAULTY_REASONS = ("the import failed: ", "the row is too large for Marketo")
"""Reasons for which a row that Marketo would have taken is a reject."""


class Ledger:
    """The rows of one simulation, in the order sent, and the folder of rejects."""

    def __init__(self, rows: Sequence[Row], world: ImportWorld, directory: Path) -> None:
        self._rows = rows
        self._world = world
        self._directory = directory
        self._names: set[str] = set()
        """Files of earlier runs."""

    def begin_run(self) -> None:
        """Take note that what is on disk now is of earlier runs."""
        self._names = {path.name for path in self._directory.iterdir()}

    # -- when a STATE comes out -----------------------------------------------------------------

    def unaccounted(self, start: int, position: int) -> list[int]:
        """Return the marks of rows from start up to position which this run has not settled."""
        entries = self._entries("rejects-", since=self._names)
        anonymous = {entry["batch_id"] for entry in entries if entry["record"] is None}
        settled = _marks(entries)
        self._world.catch_up()
        for upload in self._world.diary.uploads:
            if upload.run == self._world.run and upload.is_complete:
                hidden = "failures" in upload.hidden or str(upload.job.batch_id) in anonymous
                settled |= upload.rows.keys() - (set() if hidden else upload.failed_marks)
        missing, places = [], set()
        for row in reversed(self._rows):
            place = row.key, row.layout
            if row.position <= start or row.verdict is Verdict.DELETION:
                continue
            if row.mark in settled and row.verdict.goes_into_file:
                places.add(place)
            elif row.position <= position and row.mark not in settled and place not in places:
                missing.append(row.mark)
        return missing

    def nameless(self) -> Iterator[str]:
        """Yield the reports of this run that name no row, as if Marketo had not."""
        for prefix in ("rejects-", "warnings-"):
            for entry in self._entries(prefix, since=self._names):
                if entry["record"] is None:
                    yield f"rows of import {entry['batch_id']} are not named: {entry['reason']}"

    # -- in the end -----------------------------------------------------------------------------

    def faults_of_rows(self) -> Iterator[str]:
        """Yield what is wrong with where the rows went."""
        rejects = self._entries("rejects-")
        reasons = defaultdict(list)
        for entry in rejects:
            if not entry["reason"]:
                yield f"a reject without a reason: {entry['batch_id']}"
            if entry["record"] is not None:
                reasons[_mark(entry["record"])].append(entry["reason"])
        sent = {mark for upload in self._world.diary.uploads for mark in upload.rows}
        unnamed = self._unnamed("failures", rejects)
        for row in self._rows:
            yield from _faults_of(row, reasons[row.mark], is_sent=row.mark in sent)
            if not reasons[row.mark] and self._must_be_rejected(row) and row.mark not in unnamed:
                yield f"{row.mark} is {row.verdict.value}, and not among the rejects"
        yield from self._faults_of_warnings()

    def _faults_of_warnings(self) -> Iterator[str]:
        entries = self._entries("warnings-")
        warned, unnamed = _marks(entries), self._unnamed("warnings", entries)
        rejected = _marks(self._entries("rejects-"))
        for row in self._rows:
            if row.verdict is Verdict.WARNED and self._is_certain(row):
                if row.mark not in warned | unnamed | rejected:
                    yield f"{row.mark} was imported with a warning nobody heard of"
            elif row.mark in warned and row.verdict is not Verdict.WARNED:
                yield f"{row.mark} is among the warnings: {row.verdict.value}"

    def _must_be_rejected(self, row: Row) -> bool:
        return row.verdict is Verdict.UNSENDABLE or (
            row.verdict is Verdict.REFUSED and self._is_certain(row)
        )

    def _is_certain(self, row: Row) -> bool:
        """Whether no later row can have taken this one's place before it was sent."""
        return not any(
            row.may_be_replaced_by(other) for other in self._rows if other.position > row.position
        )

    def _unnamed(self, kind: str, entries: Iterable[Mapping[str, Any]]) -> set[int]:
        """Return the marks of rows in imports of whose reports Marketo has hidden some rows."""
        ids = {entry["batch_id"] for entry in entries if entry["record"] is None}
        uploads = self._world.diary.uploads
        return {
            m for u in uploads if kind in u.hidden or str(u.job.batch_id) in ids for m in u.rows
        }

    def differences(self) -> Iterator[str]:
        """Yield how Marketo's leads differ from what the rows should have made of them."""
        rejected = _marks(self._entries("rejects-"))
        by_lead = defaultdict(list)
        for row in self._rows:
            by_lead[row.lead].append(row)
        after, before = self._world.leads(), self._world.before
        others = after.keys() - by_lead.keys()
        yield from (f"invented or changed: {i!r}" for i in others if after[i] != before.get(i))
        for lead, rows in by_lead.items():
            found = self._possible(lead, rows, rejected)
            if lead not in after:
                if found.must_be:
                    yield f"lost: {lead!r}"
                continue
            if lead not in before and not found.may_be:
                yield f"invented: {lead!r}"
            born = before.get(lead, self._newborn())
            for name, value in after[lead].items():
                allowed = found.allowed(name, born.get(name))
                if value not in allowed:
                    yield f"{lead!r} has {name} {value!r:.50}, not {allowed!r:.90}"

    def _newborn(self) -> dict[str, Any]:
        return {
            "unsubscribed": False,
            "emailInvalid": False,
            "leadPartitionId": self._world.partition,
        }

    def _possible(self, lead: str, rows: Sequence[Row], rejected: Collection[int]) -> Possible:
        """Return what a lead may look like.

        A value is certain unless its row may have been replaced by a later one with the same
        columns, or was rejected with its whole import. An import whose reply was lost may end
        after a later one of the same lead, which docs/target.md says.
        """
        found = Possible()
        for row in reversed(rows):
            if not row.verdict.is_imported:
                continue
            certain = row.mark not in rejected and self._is_certain(row)
            found.add(row.values, certain=certain)
        for upload in self._world.diary.uploads:
            if not upload.is_known and self._is_late(upload, lead):
                late = [row for row in rows if row.mark in upload.rows and row.verdict.is_imported]
                for row in late:
                    found.allow(row.values)
        return found

    def _is_late(self, upload: Upload, lead: str) -> bool:
        """Whether an import nobody could wait for was under way together with a later one."""
        return any(
            upload in other.others and lead.strip() in other.folded
            for other in self._world.diary.uploads
        )

    def _entries(self, prefix: str, since: Collection[str] = ()) -> list[dict[str, Any]]:
        return [
            json.loads(line)
            for path in sorted(self._directory.glob(f"{prefix}*.jsonl"))
            if path.name not in since
            for line in path.read_bytes().splitlines()
        ]


@dataclass
class Possible:
    """What a lead may look like; filled from its last row to its first."""

    values: dict[str, list[Any]] = field(default_factory=dict)
    certain: set[str] = field(default_factory=set)
    """The fields of which no earlier value can be left."""
    may_be: bool = False
    must_be: bool = False

    def add(self, values: Mapping[str, Any], *, certain: bool) -> None:
        """Take note of a row before all those noted."""
        self.may_be = True
        self.must_be |= certain
        for name, value in values.items():
            if name not in self.certain:
                self.values.setdefault(name, []).append(value)
        if certain:
            self.certain.update(values)

    def allowed(self, name: str, at_first: Any) -> list[Any]:
        """Return the values a field may have."""
        values = self.values.get(name, [])
        return values if name in self.certain else [*values, at_first]

    def allow(self, values: Mapping[str, Any]) -> None:
        """Take note of values that may have come late."""
        self.may_be = True
        for name, value in values.items():
            self.values.setdefault(name, []).append(value)


def _faults_of(row: Row, reasons: Iterable[str], *, is_sent: bool) -> Iterator[str]:
    if is_sent and not row.verdict.goes_into_file:
        yield f"{row.mark} is {row.verdict.value}, and was sent"
    if row.verdict is Verdict.DELETION and any(reasons):
        yield f"{row.mark} is a deletion, and among the rejects"
    for reason in reasons if row.verdict.is_imported else ():
        if not reason.startswith(FAULTY_REASONS):
            yield f"{row.mark} is a reject for no reason: {reason:.60}"


def _mark(record: Mapping[str, Any]) -> int:
    return int(record[MARK])


def _marks(entries: Iterable[Mapping[str, Any]]) -> set[int]:
    return {_mark(entry["record"]) for entry in entries if entry["record"] is not None}

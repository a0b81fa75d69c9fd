"""The change: a row before and after, told as the activities Marketo would note (C§23.6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from marketo_emulator.data.activities import Happening
from marketo_emulator.data.fields import LEAD_FIELDS, MEMBER_FIELDS, Field, FieldSet, field_id
from marketo_emulator.data.values import readable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from marketo_emulator.data.programs import Program
    from marketo_emulator.data.values import Value

    Row = tuple[Value, ...]

_LEAD = LEAD_FIELDS.position
_MEMBER = MEMBER_FIELDS.position
_UNTOLD = frozenset({"id", "createdAt", "updatedAt", "leadPartitionId"})
_NOT_IN_PROGRAM = "Not in Program"
_MOST_TEXT = 255
_STATUS_PLACE, _NURTURE_PLACE, _TRACK_PLACE, _CADENCE_PLACE, _DATA_PLACE = range(5)


# Frozen ones take three times as long to make, and a large import makes one for each row.
@dataclass(slots=True, eq=False)
class LeadChange:
    """A lead that was made or changed."""

    at: int
    before: Row | None
    after: Row
    fields: FieldSet
    source: str

    @property
    def committed_at(self) -> int:
        """When it was noted: at once."""
        return self.at

    def told(self) -> Iterator[tuple[int, Happening]]:
        """Return New Lead, or a row for each field that changed."""
        lead_id = int(self.after[_LEAD["id"]] or 0)
        if self.before is None:
            born = {"Source Type": self.source, "Created Date": _day(self.at)}
            yield 0, Happening(self.at, lead_id, 12, lead_id, lead_name(self.after), born)
            return
        yield from self._partition(lead_id, self.before)
        for field in self.fields:
            position = self.fields.position[field.name]
            old, new = _at(self.before, position), _at(self.after, position)
            if old != new and field.name not in _UNTOLD:
                type_id, attributes = self._value(field, old, new)
                number = field_id(field, position)
                yield (
                    position + 1,
                    Happening(self.at, lead_id, type_id, number, field.label, attributes),
                )

    def _value(self, field: Field, old: Value, new: Value) -> tuple[int, dict[str, Any]]:
        """Return type and attributes of a changed value; scores have a type of their own."""
        if field.data_type == "score" or field.name == "leadScore":
            change = f"{int(new or 0) - int(old or 0):+d}"
            score = {"Change Value": change, "Old Value": old, "New Value": new}
            return 22, {**score, "Reason": self.source}
        texts = {name: _text(x, field.data_type) for name, x in (("Old", old), ("New", new))}
        values: dict[str, Any] = {f"{name} Value": text for name, text in texts.items()}
        return 13, {**values, "Reason": self.source, "Source": self.source}

    def _partition(self, lead_id: int, before: Row) -> Iterator[tuple[int, Happening]]:
        old, new = before[_LEAD["leadPartitionId"]], self.after[_LEAD["leadPartitionId"]]
        if old != new:
            attributes = {"Old Partition ID": int(old or 0), "Reason": self.source}
            yield 0, Happening(self.at, lead_id, 100, int(new or 0), None, attributes)


@dataclass(slots=True, eq=False)
class MemberChange:
    """A member that joined, changed or left; `after` is None for one that left."""

    at: int
    before: Row | None
    after: Row | None
    program: Program
    fields: FieldSet

    @property
    def committed_at(self) -> int:
        """When it was noted: at once."""
        return self.at

    def told(self) -> Iterator[tuple[int, Happening]]:
        """Return what changed of status, nurturing and data; some changes are told by nothing."""
        yield from self._status()
        if self.after is not None and self.program.nurtures:
            yield from self._nurture(self.after)
        if self.before is not None and self.after is not None and self._data_changed():
            yield _DATA_PLACE, self._happening(123, {"Source": "Web service API"})

    def _status(self) -> Iterator[tuple[int, Happening]]:
        old = _NOT_IN_PROGRAM if self.before is None else self.before[_MEMBER["statusName"]]
        new = _NOT_IN_PROGRAM if self.after is None else self.after[_MEMBER["statusName"]]
        if old == new:
            return
        row = self.after or self.before or ()
        attributes: dict[str, Any] = {
            "Old Status": old,
            "New Status": new,
            "Old Status ID": self.program.channel.status_id(str(old)),
            "New Status ID": self.program.channel.status_id(str(new)),
            "Acquired By": bool(row[_MEMBER["acquiredBy"]]),
            "Success": bool(row[_MEMBER["reachedSuccess"]]) and self.after is not None,
            "Program Member ID": self.program.program_id * 1_000_000 + self._lead_id,
        }
        yield _STATUS_PLACE, self._happening(104, attributes)

    def _nurture(self, after: Row) -> Iterator[tuple[int, Happening]]:
        before = self.before
        old_track = None if before is None else before[_MEMBER["trackName"]]
        old_cadence = None if before is None else before[_MEMBER["nurtureCadence"]]
        track, cadence = after[_MEMBER["trackName"]], after[_MEMBER["nurtureCadence"]]
        if before is None and track is not None:
            attributes = {"Track ID": track_id(track), "Track Name": track}
            yield _NURTURE_PLACE, self._happening(113, attributes)
        elif track is not None and track != old_track:
            attributes = {"New Track ID": track_id(track), "Track Name": track}
            if old_track is not None:
                attributes["Previous Track ID"] = track_id(old_track)
                attributes["Previous Track Name"] = old_track
            yield _TRACK_PLACE, self._happening(114, attributes)
        if cadence is not None and cadence != old_cadence:
            attributes = {"New Nurture Cadence": str(cadence).capitalize()}
            if old_cadence is not None:
                attributes["Previous Nurture Cadence"] = str(old_cadence).capitalize()
            yield _CADENCE_PLACE, self._happening(115, attributes)

    def _data_changed(self) -> bool:
        before, after = self.before or (), self.after or ()
        positions = (self.fields.position[field.name] for field in self.fields if field.updateable)
        return any(_at(before, position) != _at(after, position) for position in positions)

    @property
    def _lead_id(self) -> int:
        row = self.after or self.before or ()
        return int(row[_MEMBER["leadId"]] or 0)

    def _happening(self, type_id: int, attributes: dict[str, Any]) -> Happening:
        program = self.program
        return Happening(
            self.at, self._lead_id, type_id, program.program_id, program.name, attributes
        )


def lead_name(row: Row) -> str | None:
    """Return the name activities give a person, or None for one without."""
    parts = (row[_LEAD["firstName"]], row[_LEAD["lastName"]])
    return " ".join(str(part) for part in parts if part) or None


def track_id(name: Value) -> int:
    """Return the number of a nurture track."""
    return 100 + sum(str(name).encode()) % 900


def _at(row: Row, position: int) -> Value:
    return row[position] if position < len(row) else None


def _text(value: Value, data_type: str) -> str | None:
    """Return a value as Change Data Value quotes it: always text, moments without zone."""
    if value is None:
        return None
    if data_type == "datetime":
        return str(readable(value, data_type))[:-1].replace("T", " ")
    return str(value)[:_MOST_TEXT]


def _day(at: int) -> str:
    return str(readable(at, "datetime"))[:10]

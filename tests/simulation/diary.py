"""Diary: every version of every member there ever was, as a record would show it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marketo_emulator.data.fields import MEMBER_FIELDS
from marketo_emulator.data.values import readable
from tests.simulation.described import member_fields

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from marketo_emulator.data.store import Store
    from marketo_emulator.data.values import Value

    Row = tuple[Value, ...]

Key = tuple[int, int]
"""Lead and program, as the key of the stream."""


class Diary:
    """Versions of the members of a store, oldest first; `note` is told whenever some changed."""

    def __init__(
        self,
        store: Store,
        optional: Collection[str] | None,
        refused: Collection[str],
        late_field: str | None = None,
    ) -> None:
        self._store = store
        self._columns = [
            (field.name, MEMBER_FIELDS.position[field.name], field.data_type)
            for field in member_fields(optional)
            if field.name not in refused
        ]
        self._late = late_field
        self._versions: dict[Key, list[Row]] = {}
        self._shown_before: dict[int, dict[str, Any]] = {}

    def note(self) -> None:
        """Write down what has changed."""
        for program_id, rows in self._store.member_rows.items():
            for lead_id, row in rows.items():
                versions = self._versions.setdefault((lead_id, program_id), [])
                if not versions or versions[-1] is not row:
                    versions.append(row)

    def __iter__(self) -> Iterator[Key]:
        """Yield the keys of all members there ever were."""
        return iter(self._versions)

    def was(self, key: Key, record: dict[str, Any]) -> bool:
        """Return whether this record has ever been true."""
        versions = self._versions.get(key, ())
        return any(self.agree(record, self._shown(row)) for row in versions)

    def agree(self, record: Mapping[str, Any], member: Mapping[str, Any]) -> bool:
        """Return whether a record shows a member, the field that is selected later or not."""
        if self._late is not None and self._late not in record:
            member = {name: value for name, value in member.items() if name != self._late}
        return record == member

    def members(self) -> dict[Key, dict[str, Any]]:
        """Return the members there are now."""
        return {
            (lead_id, program_id): self._shown(row)
            for program_id, rows in self._store.member_rows.items()
            for lead_id, row in rows.items()
        }

    def _shown(self, row: Row) -> dict[str, Any]:
        # By identity: every row that was ever noted is kept.
        shown = self._shown_before.get(id(row))
        if shown is None:
            shown = {name: readable(row[at], kind) for name, at, kind in self._columns}
            self._shown_before[id(row)] = shown
        return shown

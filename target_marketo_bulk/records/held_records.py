"""Held records: those of sets of properties that take turns, until there are enough of one set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from target_marketo_bulk.records.row_plan import RowPlan

    Record = dict[str, Any]
    Take = Callable[[RowPlan, list[Record]], None]

GROUP_RECORDS = 200
"""So many records of one set of properties become rows together."""

CELLS_MAX = 300_000
"""Values in all records held, about 30 MB; beyond it all are let go."""

HELD_MAX_SECONDS = 1.0
"""How long a record is held where no more come, and a little more."""


class HeldRecords:
    """Records that wait for more of their set of properties, all of one sink.

    Those of one lookup value are let go in the order in which they came; the order of others does
    not matter. Who needs to know that all records are in their files calls `release` first.
    Units: `clock` counts seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._take: Take | None = None
        self._groups: dict[RowPlan, tuple[list[Record], list[str]]] = {}
        self._plan_of_value: dict[str, RowPlan] = {}
        self._cells = 0
        self._began_at = 0.0

    def hold(self, held: Iterable[tuple[RowPlan, str, Record]], take: Take) -> None:
        """Hold records, each with its plan and its folded lookup value; `take` is given groups.

        Another `take` than before has all that are held let go first.
        """
        if take != self._take:
            self.release()
            self._take = take
        groups, plan_of_value = self._groups, self._plan_of_value
        if not groups:
            self._began_at = self._clock()
        for plan, value, record in held:
            before = plan_of_value.setdefault(value, plan)
            if before is not plan:
                self._release_group(before)
                plan_of_value[value] = plan
            group = groups.get(plan)
            if group is None:
                group = groups[plan] = [], []
            records, values = group
            records.append(record)
            values.append(value)
            self._cells += len(record)
            if len(records) >= GROUP_RECORDS:
                self._release_group(plan)
            elif self._cells > CELLS_MAX:
                self.release()

    def release(self) -> None:
        """Let all go."""
        while self._groups:
            self._release_group(next(iter(self._groups)))

    def release_old(self) -> None:
        """Let all go once the first of them has been held long enough."""
        if self._groups and self._clock() - self._began_at >= HELD_MAX_SECONDS:
            self.release()

    def _release_group(self, plan: RowPlan) -> None:
        records, values = self._groups.pop(plan)
        for value in values:
            self._plan_of_value.pop(value, None)
        self._cells -= sum(map(len, records))
        if self._take is not None:
            self._take(plan, records)

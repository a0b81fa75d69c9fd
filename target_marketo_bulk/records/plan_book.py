"""Plan book: the row plans of one stream, by the properties of its records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from target_marketo_bulk.records.row_plan import RowPlan

NAMES_MAX = 200_000
"""Names of properties in all keys together; beyond it the book begins anew."""


class PlanBook:
    """Finds the plan for a record by its properties, whatever their order.

    Plans are made for a set of properties; the orders in which it came are remembered, as most taps
    have one.
    """

    def __init__(self, make: Callable[[Mapping[str, Any]], RowPlan | None]) -> None:
        self._make = make
        self._by_order: dict[tuple[str, ...], RowPlan] = {}
        self._by_set: dict[frozenset[str], RowPlan] = {}
        self._order_names = 0
        self._set_names = 0

    def known(self, names: tuple[str, ...]) -> RowPlan | None:
        """Return the plan for properties in this order, if it was asked for before."""
        return self._by_order.get(names)

    def find(self, record: Mapping[str, Any]) -> RowPlan | None:
        """Return the plan for a record; None if it can have none.

        Raises: whatever making one does.
        """
        names = tuple(record)
        plan = self._by_order.get(names)
        if plan is not None:
            return plan
        plan = self._of_set(frozenset(names), record)
        if plan is not None:
            self._order_names += len(names)
            if self._order_names > NAMES_MAX:
                self._by_order.clear()
                self._order_names = len(names)
            self._by_order[names] = plan
        return plan

    def _of_set(self, names: frozenset[str], record: Mapping[str, Any]) -> RowPlan | None:
        plan = self._by_set.get(names)
        if plan is not None:
            return plan
        plan = self._make(record)
        if plan is not None:
            self._set_names += len(names)
            if self._set_names > NAMES_MAX:
                self._by_set.clear()
                self._set_names = len(names)
            self._by_set[names] = plan
        return plan

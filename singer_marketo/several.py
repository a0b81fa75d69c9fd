"""Several errors that end a command together, each told in a line of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marketo_bulk import MarketoBulkError

if TYPE_CHECKING:
    from collections.abc import Iterable


class SeveralError(MarketoBulkError):
    """More than one thing has gone wrong; `errors` are they, in their order.

    Remedy: See each line.
    """

    concerns_all = True

    def __init__(self, errors: Iterable[MarketoBulkError]) -> None:
        self.errors = tuple(errors)
        super().__init__("; ".join(str(error) for error in self.errors))

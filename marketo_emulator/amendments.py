"""The amendment: what a fault makes an ended job tell of itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from marketo_emulator.faults import Fault


@dataclass(frozen=True, slots=True)
class Amendments:
    """Values put into a status, and keys left out of it."""

    put: tuple[tuple[str, Any], ...] = ()
    drop: tuple[str, ...] = ()

    def with_fault(self, fault: Fault) -> Amendments:
        """Return these and those of one more fault."""
        return Amendments((*self.put, *fault.put.items()), self.drop + fault.drop)

    def applied(self, shown: dict[str, object]) -> dict[str, object]:
        """Return the status as it is told."""
        told = {**shown, **dict(self.put)}
        return {key: value for key, value in told.items() if key not in self.drop}


NOTHING_AMENDED = Amendments()

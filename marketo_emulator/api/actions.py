"""The action: one control call, with what its body may hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from marketo_emulator.api.body import Shape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from marketo_emulator.wire.request_log import RequestLog
    from marketo_emulator.world import World


@dataclass(frozen=True, slots=True)
class Place:
    """What an action acts on."""

    world: World
    requests: RequestLog


@dataclass(frozen=True, slots=True)
class Action:
    """One control call: `do` gets the place, the parts of the path and the keys of the body."""

    method: str
    path: str
    do: Callable[..., object]
    shape: Shape = field(default_factory=Shape)
    list_key: str = ""
    """Under which name a body that is a list reaches `do`; "" if no list is allowed."""

    def run(self, place: Place, arguments: dict[str, Any], document: object) -> object:
        """Check the body and act.

        Raises: BodyError for a body that is not of the shape.
        """
        if self.list_key and isinstance(document, list):
            checked = [self.shape.check(entry) for entry in document]
            return self.do(place, **arguments, **{self.list_key: checked})
        return self.do(place, **arguments, **self.shape.check(document))


def listed(rows: Iterable[object]) -> list[object]:
    """Return the rows as a list, which is what JSON can hold."""
    return list(rows)

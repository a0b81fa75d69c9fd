"""State gate: the STATE messages that are not true yet."""

from __future__ import annotations

import json
import re
from collections import deque
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

_ENCODER = msgspec.json.Encoder(decimal_format="number")
_NON_ASCII = re.compile(r"[^\x00-\x7f]+")


class StateGate:
    """Holds each STATE until every file with a record before it is settled.

    Files are units numbered in the order they were opened. A state is true once no unit up to the
    last one opened before it is left; of the states that are true only the last is passed on.
    """

    def __init__(self, emit: Callable[[str], None]) -> None:
        self._emit = emit
        self._held: deque[tuple[str, int]] = deque()
        self._unsettled: set[int] = set()
        self._last_unit = 0

    @property
    def is_holding(self) -> bool:
        """Whether a state is still waiting."""
        return bool(self._held)

    def hold(self, state: object, *, last_unit: int) -> None:
        """Take over a state that came after the units up to `last_unit` were opened."""
        self._unsettled.update(range(self._last_unit + 1, last_unit + 1))
        self._last_unit = last_unit
        if self._held and self._held[-1][1] == last_unit:
            self._held.pop()
        self._held.append((_line(state), last_unit))

    def settle(self, unit: int, *, last_unit: int) -> None:
        """Note that every row of a unit is in a complete import or in the rejects."""
        self._unsettled.update(range(self._last_unit + 1, last_unit + 1))
        self._last_unit = max(self._last_unit, last_unit)
        self._unsettled.discard(unit)

    def release(self) -> bool:
        """Pass on the last state that is true; return whether there was one."""
        first_unsettled = min(self._unsettled, default=self._last_unit + 1)
        line = None
        while self._held and self._held[0][1] < first_unsettled:
            line, _ = self._held.popleft()
        if line is None:
            return False
        self._emit(line)
        return True


def _line(state: object) -> str:
    try:
        text = _ENCODER.encode(state).decode()
        if "null" in text:
            # msgspec writes NaN and the infinities as null; the standard library can refuse them.
            json.dumps(state, allow_nan=False, default=str)
    except (ValueError, OverflowError):
        return _spelled(state)
    # Standard output may be limited to ASCII; JSON can always be spelled within it.
    return _NON_ASCII.sub(lambda match: json.dumps(match[0])[1:-1], text)


def _spelled(value: object) -> str:
    """Return JSON of what msgspec cannot write as it came: NaN, half a surrogate pair."""
    if isinstance(value, dict):
        pairs = (f"{json.dumps(name)}:{_spelled(each)}" for name, each in value.items())
        return f"{{{','.join(pairs)}}}"
    if isinstance(value, list):
        return f"[{','.join(map(_spelled, value))}]"
    return str(value) if isinstance(value, Decimal) else json.dumps(value)

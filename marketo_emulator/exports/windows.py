"""The window: the span of dates a filter asks for (C§6)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from marketo_emulator.data.values import Value, parse_moment
from marketo_emulator.wire.errors import InvalidDataError, MarketoError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from marketo_emulator.options import Options

_DAY = 86_400
# C§6: W3C form without fractions of a second.
_WINDOW_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:?\d\d)?")


@dataclass(frozen=True, slots=True)
class Window:
    """A span of whole seconds."""

    start: int
    end: int
    end_included: bool

    @property
    def last(self) -> int:
        """The last second that is in it."""
        return self.end if self.end_included else self.end - 1

    def holds(self, moment: Value) -> bool:
        """Whether a stored moment lies in it."""
        seconds = int(moment or 0)
        return self.start <= seconds < self.end + self.end_included


def window_of(conditions: Mapping[str, Any], attribute: str, options: Options) -> Window | None:
    """Return the span a filter has for this attribute, or None.

    Raises: MarketoError 1003.
    """
    if attribute not in conditions:
        return None
    span = conditions[attribute]
    if not isinstance(span, dict) or set(span) != {"startAt", "endAt"}:
        raise InvalidDataError(f"Invalid value specified for attribute '{attribute}'")
    start, end = (_moment(attribute, span[key]) for key in ("startAt", "endAt"))
    if start > end:
        raise InvalidDataError(f"'startAt' is after 'endAt' in attribute '{attribute}'")
    if end - start > options.max_window_days * _DAY:
        raise InvalidDataError(
            f"Date range of attribute '{attribute}' exceeds {options.max_window_days:g} days"
        )
    return Window(start, end, options.window_end_included)


def refuse_future(window: Window, attribute: str, now: int) -> None:
    """Refuse a window that begins after now (C§22.1).

    Raises: MarketoError 1003.
    """
    if window.start > now:
        raise InvalidDataError(f"'startAt' of attribute '{attribute}' is in the future")


def unsupported(attribute: str) -> MarketoError:
    """Return the refusal of a filter that the subscription does not have."""
    text = f"Unsupported filter type for target subscription: {attribute}"
    return MarketoError("1035", text)


def _moment(attribute: str, value: object) -> int:
    if isinstance(value, str) and _WINDOW_MOMENT.fullmatch(value):
        try:
            return parse_moment(value)
        except ValueError:
            pass
    raise InvalidDataError(f"Invalid value specified for attribute '{attribute}'")

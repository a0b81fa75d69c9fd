"""Job members: the optional parts of what Marketo says of a job, as far as they can be read.

A job whose counts or times have an odd form is as good as any other: none of them is needed to get
at its file, and a digest tells more than all of them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from marketo_bulk.errors import DecodeError
from marketo_bulk.timestamps import parse_timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

COUNT_MAX = 2**53
"""No file has more bytes or rows; JSON readers elsewhere know no larger whole number."""

_COUNT = re.compile(r"[0-9]{1,16}")


class JobMembers:
    """The members of one answer; `odd` names those that had not the form Marketo documents."""

    def __init__(self, answer: Mapping[str, object]) -> None:
        self._answer = answer
        self.odd: list[str] = []

    def text(self, name: str) -> str | None:
        """Return a text; None if there is none."""
        value = self._answer.get(name)
        if value is None or isinstance(value, str):
            return value
        self.odd.append(name)
        return None

    def count(self, name: str) -> int | None:
        """Return a whole number from zero on; None if there is none, or it is anybody's guess."""
        value = self._answer.get(name)
        if value is None or (type(value) is int and 0 <= value <= COUNT_MAX):
            return value
        self.odd.append(name)
        is_whole_float = isinstance(value, float) and value.is_integer()
        if is_whole_float or (isinstance(value, str) and _COUNT.fullmatch(value)):
            value = int(value)  # type: ignore[call-overload]  # of a text or a float
        return value if type(value) is int and 0 <= value <= COUNT_MAX else None

    def moment(self, name: str) -> datetime | None:
        """Return a moment; None if there is none, or it is in no spelling of Marketo's."""
        text = self.text(name)
        if not text:
            return None
        try:
            return parse_timestamp(text)
        except DecodeError:
            self.odd.append(name)
            return None

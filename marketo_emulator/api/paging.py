"""The paging token of the activity calls: opaque, and good for one kind of call (C§22.7)."""

from __future__ import annotations

from base64 import b32decode, b32encode
from dataclasses import dataclass

from marketo_emulator.wire.errors import InvalidDataError, MarketoError


@dataclass(frozen=True, slots=True)
class Place:
    """Where a reader of activities stands: all that was read came no later than this."""

    since: int
    """Activities that happened earlier are not wanted."""
    committed_at: int = -1
    number: int = -1
    call: str = ""
    """Which call it belongs to; any, as long as it is fresh."""
    was_empty: bool = False
    """Whether the page before this place was an empty one."""

    def token(self) -> str:
        """Return the place as a client carries it."""
        parts = (self.since, self.committed_at, self.number, self.call, int(self.was_empty))
        return b32encode("|".join(map(str, parts)).encode()).decode()

    @classmethod
    def from_token(cls, token: str, call: str, foreign_code: str) -> Place:
        """Return the place a token stands for.

        Raises: MarketoError 1002 without one, 1003 for one that was never given out, and
        `foreign_code` for one of another call.
        """
        if not token:
            raise MarketoError("1002", "Missing value for required parameter 'nextPageToken'")
        try:
            since, committed_at, number, owner, was_empty = (
                b32decode(token.encode()).decode().split("|")
            )
            place = cls(int(since), int(committed_at), int(number), call, was_empty == "1")
        except ValueError:
            raise InvalidDataError("Invalid value specified for 'nextPageToken'") from None
        if owner not in {"", call}:
            raise MarketoError(foreign_code, "Paging token belongs to another call")
        return place

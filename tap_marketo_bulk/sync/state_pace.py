"""State pace: when STATE is due, by the bytes of what it vouches for and by its age."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

BYTES_RATIO = 10
"""How many bytes of export files there are for each byte of STATE; RECORD lines are longer."""

AGE_MAX_SECONDS = 60.0
"""How long what is new may wait for its STATE, whatever it costs."""


class StatePace:
    """When STATE is due.

    A STATE names every cohort of scopes and every job in flight, so it can be larger than the
    records it vouches for. It is due once ten times its bytes have been written since, or once it
    is a minute old and there is news; the first is due at once.
    Units: `clock` counts seconds and never goes back.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._age_begins_at = -inf
        self._state_bytes = 0
        self._written_bytes = 0
        self.has_news = False
        """Whether anything has changed that no STATE says yet."""

    def add(self, size_bytes: int) -> None:
        """Count the bytes of a file whose records are all written."""
        self._written_bytes += size_bytes

    def due_in(self) -> float:
        """Return the seconds until STATE is due; infinity if there is nothing new."""
        if not self.has_news:
            return inf
        if self._state_bytes and self._written_bytes >= BYTES_RATIO * self._state_bytes:
            return 0.0
        return max(0.0, self._age_begins_at + AGE_MAX_SECONDS - self._clock())

    def said(self, state_bytes: int) -> None:
        """Take note that all there is has been said, in so many bytes."""
        self.has_news = False
        self._age_begins_at = self._clock()
        self._state_bytes = state_bytes
        self._written_bytes = 0

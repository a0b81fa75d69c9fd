"""Place wait: the pauses while Marketo's import queue is full."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from marketo_bulk.errors import QueueFullError
    from target_marketo_bulk.settings import ImportSettings

QUEUE_FULL_WAIT_MIN_SECONDS = 30
QUEUE_FULL_WAIT_MAX_SECONDS = 300

logger = logging.getLogger(__name__)


class PlaceWait:
    """Growing pauses, together at most `import_timeout_seconds`."""

    def __init__(self, settings: ImportSettings) -> None:
        self._settings = settings
        self._since: float | None = None
        self._waits = 0
        self.until = 0.0
        """The clock's time before which it is not worth trying."""

    def begin(self, error: QueueFullError, now: float) -> None:
        """Wait once more.

        Raises: the error when the time is over.
        """
        if self._since is None:
            self._since = now
        left = self._settings.import_timeout_seconds - (now - self._since)
        if left <= 0:
            raise error
        first = min(QUEUE_FULL_WAIT_MIN_SECONDS, self._settings.poll_interval_seconds)
        wait = min(first * 2**self._waits, QUEUE_FULL_WAIT_MAX_SECONDS, left)
        self._waits += 1
        self.until = now + wait
        logger.warning("the import queue is full: asked again in %.0f s (%s)", wait, error)

    def cut_short(self) -> None:
        """Try at once: whatever was full may now have a place."""
        self.until = 0.0

    def end(self) -> None:
        """Note that there was a place."""
        self._since, self._waits = None, 0

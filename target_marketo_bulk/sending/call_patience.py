"""Call patience: how long calls under way may go on once a run is told to stop."""

from __future__ import annotations

import math
import threading
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from marketo_bulk.client import MarketoBulk

CALL_PATIENCE_SECONDS = 7.0
"""Less than supervisors wait before they kill; an upload that takes longer may have been taken."""

REST_SECONDS = 1.0
"""What a thread that cannot be interrupted, as while it connects, gets beyond that."""


class CallPatience:
    """Breaks off the calls of a client, some seconds after the run was told to stop."""

    def __init__(self, client: MarketoBulk | None, clock: Callable[[], float]) -> None:
        self._client = client
        self._clock = clock
        self._leave_at = math.inf

    @property
    def is_over(self) -> bool:
        """Whether nothing under way is worth waiting for any more."""
        return self._clock() >= self._leave_at

    def begin(self) -> None:
        """Count the seconds from now on; safe in a signal handler."""
        self._leave_at = self._clock() + CALL_PATIENCE_SECONDS + REST_SECONDS
        if self._client is not None:
            abandon = partial(self._client.abandon_calls, for_good=True)
            timer = threading.Timer(CALL_PATIENCE_SECONDS, abandon)
            timer.daemon = True
            timer.start()

"""Unconfirmed uploads: files an earlier run was sending when it died, and what is known of them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from target_marketo_bulk.sending.journal import Intent, Journal
    from target_marketo_bulk.settings import ImportSettings

UNCONFIRMED_WAIT_POLLS = 60
"""How many poll intervals to wait for an import of which only the intent is known."""

logger = logging.getLogger(__name__)


class UnconfirmedUploads:
    """Uploads of earlier runs that were begun, and of which no batch id came back.

    Marketo may have taken such a file or not, and lists no imports: there is nothing to ask for.
    Nothing is sent until such an import has had time to end, lest it puts older values upon newer
    ones.
    """

    def __init__(
        self, journal: Journal, intents: list[Intent], settings: ImportSettings, *, now: float
    ) -> None:
        self._journal = journal
        self._intents = intents
        most = min(
            settings.import_timeout_seconds,
            settings.poll_interval_seconds * UNCONFIRMED_WAIT_POLLS,
        )
        waits = [min(most, max(0.0, most - intent.age_seconds)) for intent in intents]
        self.until = now + max(waits, default=0.0)
        """The clock's time before which nothing may be sent."""
        for intent, wait in zip(intents, waits, strict=True):
            logger.warning(
                "an earlier run ended while it sent a file of %d rows (at %s), and whether Marketo "
                "took it cannot be asked: waiting %.0f s. An import that takes longer may put "
                "older values upon newer ones",
                intent.rows,
                intent.sent_at,
                wait,
            )

    def forget(self) -> None:
        """Note that the time is over, if it was not noted before."""
        for intent in self._intents:
            self._journal.not_taken(intent.upload)
        self._intents = []

"""Tally: what became of the rows, in numbers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Tally:
    """Counts of one run. The first group is the reading thread's, the second the importing one's.

    Neither thread writes the other's, so no lock is needed.
    """

    records: int = 0
    """Records read, deletions among them."""
    replaced: int = 0
    """Rows that a later record of the same lookup value replaced before they were sent."""
    deletions: int = 0
    """Records marked as deleted: bulk import cannot delete."""
    waiting_seconds: float = 0.0
    """Time in which nothing could be read because Marketo had not taken what was there."""
    working_seconds: float = 0.0
    """The rest of the run, the time for which the tap let us wait included."""

    files: int = 0
    """Files accepted by Marketo and complete (in a dry run: written)."""
    bytes: int = 0
    """Bytes of those files."""
    imported: int = 0
    """Rows in complete imports that Marketo did not report as failed."""
    sent_again: int = 0
    """Uploads repeated because the reply to the first was lost."""
    halved: int = 0
    """Files Marketo found too large, sent as two."""
    unknown: int = 0
    """Rows of imports whose outcome is not known."""

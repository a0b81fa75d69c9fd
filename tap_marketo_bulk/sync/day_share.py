"""Day share: how much of Marketo's day this API user may take, and what it has taken."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from marketo_bulk import ExportStatus, RejectedError
from marketo_bulk.http.budget import Budget, day_start
from tap_marketo_bulk.sync.tally import MEGABYTE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from marketo_bulk import ExportObject, MarketoBulk
    from tap_marketo_bulk.settings import TapSettings

logger = logging.getLogger(__name__)


class DayShare:
    """The budgets of a run; none where none is set.

    Calls are counted by Marketo's statistic and here. Bytes are in no statistic: they are those of
    the files of this API user's own jobs, which Marketo lists, and of the run's.
    """

    def __init__(
        self,
        client: MarketoBulk,
        settings: TapSettings,
        objects: Iterable[ExportObject],
        calls: Callable[[], Budget | None],
    ) -> None:
        """Ask what has been used today, one call for the calls and one an object for the bytes."""
        self._client = client
        self.bytes: Budget | None = None
        if settings.daily_bytes_budget is not None:
            self.bytes = Budget(
                "daily_bytes_budget_mb (bytes)",
                settings.daily_bytes_budget,
                0,
                client.server_now,
                of_calls=False,
            )
            for export_object in dict.fromkeys(objects):
                self.bytes.add(self._bytes_before(export_object, self.bytes.counts_from))
        self.calls = calls()

    def line(self) -> str:
        """Return what has been used of each budget that is set; empty if none is."""
        said = []
        if self.bytes is not None:
            used, amount = (n / MEGABYTE for n in (self.bytes.used, self.bytes.amount))
            said.append(f"{used:.1f} of {amount:.0f} MB of export files")
        if self.calls is not None:
            said.append(f"{self.calls.used:,} of {self.calls.amount:,} calls")
        return f"used of today's budgets: {', '.join(said)}" if said else ""

    def _bytes_before(self, export_object: ExportObject, end: datetime) -> int:
        """Return the bytes of the files of this day up to a moment."""
        start = day_start(end)
        try:
            return sum(
                job.file_size_bytes or 0
                for job in self._client.list_exports(export_object, [ExportStatus.COMPLETED])
                if job.finished_at is not None and start <= job.finished_at < end
            )
        except RejectedError as error:
            logger.warning("earlier files are not counted in daily_bytes_budget_mb: %s", error)
            return 0

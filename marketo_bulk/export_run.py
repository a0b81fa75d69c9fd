"""Export run: what all that move its jobs along have in common."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic

from marketo_bulk.errors import MarketoBulkError
from marketo_bulk.slots import WorkT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from marketo_bulk.client import MarketoBulk
    from marketo_bulk.exports import ExportObject
    from marketo_bulk.jobs import ExportJob
    from marketo_bulk.slot_board import SlotBoard


@dataclass(frozen=True, slots=True)
class RunnerOptions:
    """How jobs are run; the settings of the same names say what each means."""

    directory: Path
    poll_interval_seconds: float = 60.0
    job_timeout_seconds: float = 21_600.0
    max_queued_jobs: int = 5
    wait_for_daily_quota: bool = False


@dataclass(frozen=True, slots=True)
class ExportRun(Generic[WorkT]):
    """Whom to ask about jobs, of which object, where they stand, how they are run, and the time.

    Units: `clock` counts seconds and never goes back.
    """

    client: MarketoBulk
    export_object: ExportObject
    board: SlotBoard[WorkT]
    options: RunnerOptions
    clock: Callable[[], float]

    def cancel(self, job: ExportJob) -> None:
        """Cancel a job as far as Marketo lets us: one that has ended cannot be."""
        with contextlib.suppress(MarketoBulkError):
            self.client.cancel_export(self.export_object, job.export_id)

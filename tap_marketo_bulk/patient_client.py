"""Patient client: the calls made before there are export jobs, through a used up daily quota."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from marketo_bulk.quota import QuotaPatience

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from marketo_bulk import (
        ExportJob,
        ExportObject,
        FieldDescription,
        LeadDescription,
        MarketoBulk,
        Timing,
    )


class PatientClient:
    """A client in the words of `MarketoBulk`, for the thread that reads.

    With `wait`, a call refused because the day's calls are used up is made again after the reset.
    """

    def __init__(self, client: MarketoBulk, timing: Timing, *, wait: bool) -> None:
        self._client = client
        self._patience = QuotaPatience(
            wait=wait, server_now=client.server_now, sleep=timing.sleep or time.sleep
        )

    def describe_program_members(self) -> list[FieldDescription]:
        """Return the fields of program members."""
        return self._patience.call(self._client.describe_program_members)

    def describe_leads(self) -> LeadDescription:
        """Return the fields of leads."""
        return self._patience.call(self._client.describe_leads)

    def list_programs(self, ids: Sequence[int]) -> list[dict[str, Any]]:
        """Return the programs the API user can see; listed anew after a wait."""
        return self._patience.call(lambda: list(self._client.iter_programs(ids)))

    def server_now(self) -> datetime:
        """Return Marketo's time."""
        return self._patience.call(self._client.server_now)

    def get_export_status(self, export_object: ExportObject, export_id: str) -> ExportJob:
        """Return the job."""
        return self._patience.call(lambda: self._client.get_export_status(export_object, export_id))

    def cancel_export(self, export_object: ExportObject, export_id: str) -> ExportJob:
        """Return the job, now cancelled or ended."""
        return self._patience.call(lambda: self._client.cancel_export(export_object, export_id))

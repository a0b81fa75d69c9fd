"""The life of an export: statuses, queue, quota, visibility, retention."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.emulator.harness import Marketo


def test_export_runs_from_created_to_completed(marketo: Marketo) -> None:
    """A job shows each status in turn, and each time only from then on."""
    export_id = marketo.create(["leadId"], programId=1001)
    created = marketo.status(export_id)
    marketo.enqueue(export_id)
    queued = marketo.status(export_id)
    marketo.clock.advance(61)
    processing = marketo.status(export_id)
    marketo.clock.advance(60)
    completed = marketo.status(export_id)

    assert [created["status"], queued["status"]] == ["Created", "Queued"]
    assert set(created) == {"exportId", "format", "status", "createdAt"}
    assert set(queued) - set(created) == {"queuedAt"}
    assert processing["status"] == "Processing"
    assert set(processing) - set(queued) == {"startedAt"}
    assert completed["status"] == "Completed"
    assert set(completed) - set(processing) == {
        "finishedAt",
        "numberOfRecords",
        "fileSize",
        "fileChecksum",
    }
    assert completed["queuedAt"] == "2026-06-15T18:00:00Z"
    assert completed["finishedAt"] == "2026-06-15T18:01:30Z"


def test_status_tells_size_digest_and_count_of_the_file(marketo: Marketo) -> None:
    """What the status says of the file is true of its bytes."""
    export_id = marketo.create(["leadId", "dietaryNotes"], programId=1002)
    marketo.enqueue(export_id)
    marketo.clock.advance(120)
    status = marketo.status(export_id)
    content = marketo.file(export_id).data

    assert status["fileSize"] == len(content)
    assert status["fileChecksum"] == f"sha256:{hashlib.sha256(content).hexdigest()}"
    assert status["numberOfRecords"] == len(marketo.emulator.store.member_rows[1002])

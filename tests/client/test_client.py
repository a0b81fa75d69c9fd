from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from marketo_bulk import PROGRAM_MEMBERS, ExportRequest
from marketo_bulk.jobs import ExportStatus
from tests.client.scripted import csv, envelope

if TYPE_CHECKING:
    from pathlib import Path

    from marketo_bulk.client import MarketoBulk
    from tests.client.scripted import ScriptedServer


def test_export_from_create_to_file(
    client: MarketoBulk, server: ScriptedServer, tmp_path: Path
) -> None:
    """An export is created, enqueued, looked at and downloaded, each by one call."""
    base = "/bulk/v1/program/members/export"
    body = b"leadId,programId\n1,2\n"
    job = {"exportId": "ce45", "format": "CSV", "createdAt": "2026-10-20T08:00:00Z"}
    done = job | {
        "status": "Completed",
        "fileSize": len(body),
        "fileChecksum": f"sha256:{hashlib.sha256(body).hexdigest()}",
        "numberOfRecords": 1,
    }
    server.script(f"{base}/create.json", envelope(job | {"status": "Created"}))
    server.script(f"{base}/ce45/enqueue.json", envelope(job | {"status": "Queued"}))
    server.script(f"{base}/ce45/status.json", envelope(done))
    server.script(f"{base}/ce45/file.json", csv(body))
    request = ExportRequest(PROGRAM_MEMBERS, ("leadId", "programId"), {"programIds": [2]})

    created = client.create_export(request)
    queued = client.enqueue_export(PROGRAM_MEMBERS, created.export_id)
    completed = client.get_export_status(PROGRAM_MEMBERS, created.export_id)
    file = client.download_export(PROGRAM_MEMBERS, completed, tmp_path)

    assert [
        created.status,
        queued.status,
        completed.status,
    ] == [ExportStatus.CREATED, ExportStatus.QUEUED, ExportStatus.COMPLETED]
    assert body == file.path.read_bytes()
    assert client.calls_made == 4

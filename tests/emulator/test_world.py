"""Exports and imports in one order of time."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import pytest

from marketo_emulator.imports.imports import ImportJob

if TYPE_CHECKING:
    from collections.abc import Callable

    from marketo_emulator.exports.job import ExportJob
    from tests.emulator.harness import Marketo


@pytest.mark.parametrize(("import_seconds", "seen"), [(30, True), (120, False)])
def test_export_sees_imports_that_ended_before_it_started(
    make: Callable[..., Marketo], import_seconds: float, *, seen: bool
) -> None:
    """Although nobody looked until long after both: the second export starts at 90 seconds."""

    def seconds(job: ExportJob | ImportJob) -> float:
        return import_seconds if isinstance(job, ImportJob) else 90

    marketo = make(max_running_exports=1, job_seconds=seconds)
    marketo.emulator.store.static_lists[100].lead_ids.add(7)
    exports = [marketo.create(["city"], "leads", staticListId=100) for _ in range(2)]
    for export_id in exports:
        marketo.enqueue(export_id, "leads")
    data = {"file": (BytesIO(b"email,city\nperson7@example.com,Graz\n"), "f.csv")}
    marketo.send("POST", "/bulk/v1/leads.json", data=data)
    marketo.clock.advance(3000)
    content = marketo.file(exports[1], "leads").data
    assert (content == b"city\nGraz\n") is seen


def test_directory_is_made_when_first_needed(marketo: Marketo) -> None:
    """An emulator that exports nothing leaves nothing to remove."""
    assert marketo.emulator.application.world._directory is None  # noqa: SLF001 - the claim itself

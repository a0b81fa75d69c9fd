"""Exit codes: what an orchestrator learns of a run that failed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from marketo_emulator.faults.fault import Fault
from tests.target.runs import leads, people, singer_lines

if TYPE_CHECKING:
    from pathlib import Path

    from marketo_emulator import Emulator
    from tests.target.runs import Record

COMMAND = [sys.executable, "-m", "target_marketo_bulk"]
PLAIN = {k: v for k, v in os.environ.items() if not k.startswith("TARGET_MARKETO")}


def target(config: Record, directory: Path) -> subprocess.CompletedProcess[bytes]:
    """Run the target to its end on 20 leads."""
    path = directory / "config.json"
    path.write_text(json.dumps(config))
    return subprocess.run(
        [*COMMAND, "--config", str(path)],
        input=singer_lines(people(20)),
        check=False,
        capture_output=True,
        timeout=60,
        env=PLAIN,
    )


@pytest.mark.parametrize("operation", ["describe.leads", "import.create", "import.status"])
@pytest.mark.fault(
    "A15",
    "… while leads are loaded",
    "the target stops with exit code 75 and without STATE; the next day's run loads them all",
)
def test_a15_used_up_calls_stop_the_target(
    emulator: Emulator, config: Record, tmp_path: Path, operation: str
) -> None:
    """One refused call, one line that says when to come back, and nothing claimed."""
    emulator.faults.add(Fault(operation=operation, code="607", times=None))
    first = target(config, tmp_path)
    assert (first.returncode, first.stdout) == (75, b"")
    assert b"06:00 UTC" in first.stderr
    assert b"Traceback" not in first.stderr
    refused = [entry for entry in emulator.requests if entry.error_code == "607"]
    assert len(refused) == 1
    emulator.faults.clear()
    second = target(config, tmp_path)
    assert second.returncode == 0, second.stderr.decode()
    assert json.loads(second.stdout) == {"records": 20}
    assert len(leads(emulator)) == 20

"""`--test`: what an import needs is looked at, and no row is sent."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from marketo_emulator import Emulator, Options

if TYPE_CHECKING:
    from pathlib import Path


def check(config: dict[str, Any], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the command as a person does."""
    path = folder / "config.json"
    path.write_text(json.dumps(config))
    command = [sys.executable, "-m", "target_marketo_bulk", "--config", str(path), "--test"]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=60, stdin=subprocess.DEVNULL
    )


def test_all_is_in_order(emulator: Emulator, config: dict[str, Any], tmp_path: Path) -> None:
    """Each thing is named; stdout stays empty, and Marketo gets no import."""
    list_id = next(iter(emulator.store.static_lists))
    partition = next(iter(emulator.store.partitions))
    more = {"list_id": list_id, "partition_name": partition, "max_rejected_rows": 0}
    done = check({**config, **more}, tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    for words in ("Read-Only Lead", "Read-Write Lead", "list_id", "partition_name", "rejects_path"):
        assert words in done.stderr
    assert "above max_rejected_percent (10 %), max_rejected_rows (0) of rejects" in done.stderr
    assert "import.create" not in {request.operation for request in emulator.requests}


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"client_secret": "wrong"}, "client_secret"),
        ({"client_id": None}, "client_id must be set"),
        ({"client_id": None, "dry_run_path": "dry"}, "client_id must be set"),
        ({"lookup_field": "emial"}, "lookup_field 'emial' is no lead field (did you mean"),
        ({"list_id": 987654}, "list_id 987654: no such static list"),
        ({"partition_name": "Defualt"}, "partition_name 'Defualt': no such lead partition"),
        ({"rejects_path": "/proc/nowhere"}, "Check rejects_path"),
        ({"max_rejected_rows": -1}, "max_rejected_rows"),
    ],
)
def test_the_first_fault_is_one_line(
    wrong: dict[str, Any], words: str, config: dict[str, Any], tmp_path: Path
) -> None:
    """It names the setting; the exit code is 1."""
    done = check({**config, **wrong}, tmp_path)
    errors = [line for line in done.stderr.splitlines() if words in line]
    assert (done.returncode, len(errors)) == (1, 1), done.stderr
    assert "Traceback" not in done.stderr
    assert "all is in order" not in done.stderr


def test_a_user_who_may_only_read_is_told(config: dict[str, Any], tmp_path: Path) -> None:
    """Without Read-Write Lead an import would be refused with 603."""
    with Emulator(options=Options(missing_permissions=("lead write",))) as emulator:
        done = check({**config, "base_url": emulator.base_url}, tmp_path)
    assert done.returncode == 1
    assert "603" in done.stderr

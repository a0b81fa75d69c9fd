"""The emulator as a library."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import marketo_emulator
from marketo_emulator import Emulator, VirtualClock

if TYPE_CHECKING:
    from tests.emulator.harness import Marketo


def test_public_names_are_sorted_and_there() -> None:
    """Each name in `__all__` can be had."""
    assert marketo_emulator.__all__ == sorted(marketo_emulator.__all__)
    assert all(getattr(marketo_emulator, name) for name in marketo_emulator.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = marketo_emulator.Nothing


def test_simulated_days_cost_no_time(marketo: Marketo) -> None:
    """A month with a job a day is over at once."""
    for _ in range(31):
        export_id = marketo.create(["leadId"], programId=1003)
        marketo.enqueue(export_id)
        marketo.emulator.advance(86_400)
        marketo.sign_in()
    assert [job.status.value for job in marketo.emulator.jobs] == ["Completed"] * 31
    assert marketo.clock.now() == datetime(2026, 7, 16, 18, tzinfo=timezone.utc)


def test_files_are_private_and_gone_in_the_end(marketo: Marketo) -> None:
    """In a directory of their own that nobody else can read."""
    marketo.export(["leadId"], programId=1001)
    file = marketo.emulator.jobs[0].file
    assert file is not None
    assert file.path.parent.stat().st_mode & 0o777 == 0o700
    marketo.emulator.close()
    assert not file.path.parent.exists()
    marketo.emulator.close()


def test_a_hundred_thousand_members_are_quick() -> None:
    """Held in memory that fits a laptop, made in a moment."""
    emulator = Emulator(programs=40, members=100_000, clock=VirtualClock())
    assert emulator.store.member_count == 100_000


def test_emulator_imports_nothing_of_the_plugins() -> None:
    """An independent reading of the same pages."""
    banned = (
        "marketo_bulk",
        "singer_marketo",
        "tap_marketo_bulk",
        "target_marketo_bulk",
        "singer_sdk",
    )
    script = (
        "import sys, marketo_emulator.cli;"
        f"print([name for name in {banned!r} if name in sys.modules])"
    )
    root = Path(marketo_emulator.__file__).parent.parent
    result = subprocess.run(
        (sys.executable, "-c", script), capture_output=True, text=True, check=True, cwd=root
    )
    assert result.stdout == "[]\n"

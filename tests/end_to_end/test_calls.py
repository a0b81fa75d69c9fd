"""A sync makes no more calls than the README says."""

from __future__ import annotations

from collections import Counter
from math import ceil
from typing import TYPE_CHECKING

import pytest

from tests.tap_runs import DAY_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from marketo_emulator import Emulator
    from tests.tap_runs import TapRun


@pytest.mark.parametrize("programs", [21, 37, 199, 200, 230])
def test_an_incremental_run_makes_the_calls_the_readme_says(
    make_emulator: Callable[..., Emulator], run_tap: Callable[..., TapRun], programs: int
) -> None:
    """The formula holds to the call, when each job is done at the first look."""
    emulator = make_emulator(programs=programs, members=programs)
    first = run_tap(emulator)
    emulator.advance(DAY_SECONDS)
    for program_id in range(1001, 1001 + programs):
        emulator.store.add_member(program_id)
    emulator.advance(120)
    emulator.requests.clear()
    second = run_tap(emulator, state=first.last_state)
    calls = [r for r in emulator.requests if not r.operation.startswith("identity")]
    assert len(second.records()) == programs
    assert len(calls) == 4 * ceil(programs / 10) + ceil((programs - 20) / 180) + 3


def test_waiting_costs_at_most_two_status_calls_per_poll_interval(
    make_emulator: Callable[..., Emulator], run_tap: Callable[..., TapRun]
) -> None:
    """Jobs behind the two that Marketo works on are not asked for."""
    emulator = make_emulator(programs=60, members=60, job_seconds=1e6)
    with pytest.raises(Exception, match="job_timeout_seconds"):
        run_tap(emulator, {"poll_interval_seconds": 0.2, "job_timeout_seconds": 0.9})
    asked = Counter(r.path for r in emulator.requests if r.operation == "export.status")
    assert len(asked) <= 2


def test_3000_programs_come_to_the_figure_in_the_readme() -> None:
    """The arithmetic is right."""
    assert 4 * ceil(3000 / 10) + ceil((3000 - 20) / 180) + 3 == 1220

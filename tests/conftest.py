"""What tests of several folders need: an emulator, and a tap run against it."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
from tap_runs import NO_RATE_LIMIT, TapRun, capture, make_tap
from virtual_runs import VirtualRuns

from marketo_emulator import Emulator, VirtualClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


# Examples are the same in every run, and slow ones are no failure: what fails here fails anywhere.
# `HYPOTHESIS_PROFILE=explore` looks for new examples.
hypothesis.settings.register_profile(
    "same", derandomize=True, deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.register_profile("explore", deadline=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


@pytest.fixture
def make_emulator() -> Iterator[Callable[..., Emulator]]:
    """Return a function that starts an emulator, on a clock of its own, without rate limit."""
    with contextlib.ExitStack() as running:

        def start(**options: Any) -> Emulator:
            plain = {"programs": 3, "members": 60, "job_seconds": 0.0, "options": NO_RATE_LIMIT}
            return running.enter_context(Emulator(**{**plain, "clock": VirtualClock(), **options}))

        yield start


@pytest.fixture
def emulator(make_emulator: Callable[..., Emulator]) -> Emulator:
    """Return a small emulator."""
    return make_emulator()


@pytest.fixture
def run_tap(monkeypatch: pytest.MonkeyPatch) -> Callable[..., TapRun]:
    """Return a function that runs the tap in this process against an emulator."""

    def run(
        emulator: Emulator,
        config: Mapping[str, Any] | None = None,
        *,
        catalog: dict[str, Any] | None = None,
        state: dict[str, Any] | None = None,
    ) -> TapRun:
        tap = make_tap(emulator, config, catalog=catalog, state=state)
        with tap.client:
            return capture(tap.sync_all, monkeypatch)

    return run


@pytest.fixture
def virtual(monkeypatch: pytest.MonkeyPatch) -> Callable[[Emulator], VirtualRuns]:
    """Return a function that gives the runs against an emulator, on its virtual clock."""

    def runs(emulator: Emulator) -> VirtualRuns:
        return VirtualRuns(emulator, monkeypatch)

    return runs

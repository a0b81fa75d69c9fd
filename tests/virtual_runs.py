"""Virtual runs: the tap and the emulator on one clock that only sleeping moves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marketo_bulk import Clock, MarketoBulk
from tests.tap_runs import TapRun, capture, make_tap, settings_for, unpaced

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    import pytest

    from marketo_emulator import Emulator


class VirtualTime:
    """The emulator's clock as a monotonic one, and a sleep that moves it at once.

    `at` names moments at which something happens on the way, each once.
    """

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self.began_at = emulator.clock.now()
        self.slept: list[float] = []
        self.at: list[tuple[datetime, Callable[[], object]]] = []

    def __call__(self) -> float:
        """Return the seconds since the beginning."""
        return (self.now - self.began_at).total_seconds()

    @property
    def now(self) -> datetime:
        """The emulator's moment."""
        return self._emulator.clock.now()

    def for_client(self) -> Clock:
        """Return it as the client takes it, with dice that always show zero."""
        return Clock(self, self.sleep, lambda: 0.0, moves_by_sleep=True)

    def sleep(self, seconds: float) -> None:
        """Let time pass at once, stopping where something is to happen."""
        assert len(self.slept) < 100_000, "the tap sleeps for ever"
        self.slept.append(seconds)
        # Less than a microsecond would not move it.
        self._emulator.advance(max(seconds, 1e-6))
        due = [entry for entry in self.at if entry[0] <= self.now]
        self.at = [entry for entry in self.at if entry[0] > self.now]
        for _, action in due:
            action()


class VirtualRuns:
    """Runs of the tap, one after another, against one emulator, days of them in no time."""

    def __init__(self, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
        self.emulator = emulator
        self.time = VirtualTime(emulator)
        self._monkeypatch = monkeypatch

    def run(
        self,
        config: Mapping[str, Any] | None = None,
        *,
        state: dict[str, Any] | None = None,
        catalog: dict[str, Any] | None = None,
        between: Callable[[], object] = lambda: None,
    ) -> TapRun:
        """Return what the tap writes; `between` happens after discovery."""
        config = {"poll_interval_seconds": 60, **(config or {})}
        client = MarketoBulk.connect(
            unpaced(settings_for(self.emulator, config)),
            clock=self.time.for_client(),
        )
        with client:
            tap = make_tap(
                self.emulator,
                config,
                state=state,
                catalog=catalog,
                client=client,
                clock=self.time.for_client(),
            )
            between()
            return capture(tap.sync_all, self._monkeypatch)

    def calls(self, pattern: str = "export.") -> list[str]:
        """Return the calls of a family in their order, without its name."""
        return [
            entry.operation.removeprefix(pattern)
            for entry in self.emulator.requests
            if entry.operation.startswith(pattern)
        ]

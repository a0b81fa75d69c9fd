"""Drills: whole runs of the tap against an emulator that misbehaves, and what must hold then."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from marketo_bulk import Clock, MarketoBulk
from marketo_emulator import Fault
from marketo_emulator.faults.rewrites import REWRITES
from tap_marketo_bulk.sync.windows import format_timestamp
from tests.tap_runs import TapRun, capture, make_tap, members_of, settings_for, unpaced

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from marketo_emulator import Emulator

SETTLING = timedelta(seconds=60)

ErrorT = TypeVar("ErrorT", bound=BaseException)


class DrillClock:
    """The client's clock: its sleep takes no time, and the emulator's clock follows it.

    `tick` is what reading it costs, for tests of time that passes without a sleep.
    """

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self._now = 0.0
        self.tick = 0.0
        self.slept: list[float] = []
        self.on_sleep: Callable[[], object] = lambda: None

    def __call__(self) -> float:
        """Return the moment."""
        self._now += self.tick
        return self._now

    def for_client(self) -> Clock:
        """Return it as the client takes it, with dice that always show zero."""
        return Clock(self, self.sleep, lambda: 0.0, moves_by_sleep=True)

    def sleep(self, seconds: float) -> None:
        """Let time pass at once."""
        self.slept.append(seconds)
        self._now += seconds
        self._emulator.advance(seconds)
        self.on_sleep()


class Drill:
    """Runs of the tap, one after another, against one emulator."""

    def __init__(self, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
        self.emulator = emulator
        self.clock = DrillClock(emulator)
        self._monkeypatch = monkeypatch
        self._began_at: datetime = emulator.clock.now()

    def arm(self, *faults: Fault) -> None:
        """Have these things go wrong from now on."""
        self.emulator.faults.add(*faults)

    def spoil(self, rewrite: Callable[[bytes], bytes]) -> None:
        """Have the next file be something else for good, with a size and digest of its own."""
        self._monkeypatch.setitem(REWRITES, "drill", rewrite)
        self.arm(Fault(operation="export.job", rewrites=("drill",)))

    def run(
        self,
        config: Mapping[str, Any] | None = None,
        *,
        state: dict[str, Any] | None = None,
        catalog: dict[str, Any] | None = None,
        between: Callable[[], object] = lambda: None,
    ) -> TapRun:
        """Return what the tap writes; `between` happens after discovery."""
        client = MarketoBulk.connect(
            unpaced(settings_for(self.emulator, config)),
            clock=self.clock.for_client(),
        )
        with client:
            self._began_at = self.emulator.clock.now()
            tap = make_tap(self.emulator, config, catalog=catalog, state=state, client=client)
            between()
            return capture(tap.sync_all, self._monkeypatch)

    def run_fails(
        self,
        kind: type[ErrorT],
        config: Mapping[str, Any] | None = None,
        *,
        state: dict[str, Any] | None = None,
    ) -> tuple[ErrorT, TapRun]:
        """Return the error a run ends with, and what it has written; no bookmark has moved."""
        with pytest.raises(kind) as caught:
            self.run(config, state=state)
        run = getattr(caught.value, "run", TapRun([]))
        assert program_bookmarks(run.last_state or state) == program_bookmarks(state)
        return caught.value, run

    def assert_whole(self, *runs: TapRun) -> None:
        """Hold the table of all runs against Marketo's, and the last bookmark against its clock."""
        table: dict[tuple[int, int], dict[str, Any]] = {}
        for run in runs:
            table.update(run.table())
        assert table == members_of(self.emulator)
        bookmark = runs[-1].bookmark
        assert bookmark["export_jobs"] == []
        (cohort,) = bookmark["program_bookmarks"]
        earliest, latest = (
            format_timestamp(moment.replace(microsecond=0) - SETTLING)
            for moment in (self._began_at, self.emulator.clock.now())
        )
        assert earliest <= cohort["updatedAt"] <= latest

    def assert_next_run_completes(
        self,
        failed: TapRun,
        *,
        state: dict[str, Any] | None = None,
        config: Mapping[str, Any] | None = None,
        earlier: tuple[TapRun, ...] = (),
    ) -> TapRun:
        """Run again from what a failed run left, with nothing wrong any more."""
        self.emulator.faults.clear()
        run = self.run(config, state=failed.last_state or state)
        self.assert_whole(*earlier, failed, run)
        return run

    def operations(self, pattern: str = "export.") -> list[str]:
        """Return the calls of a family in their order, without its name."""
        return [
            entry.operation.removeprefix(pattern)
            for entry in self.emulator.requests
            if entry.operation.startswith(pattern)
        ]

    def count(self, operation: str) -> int:
        """Return how many calls of an operation were answered."""
        return len(self.emulator.requests.of(operation))

    def statuses(self, operation: str) -> list[int]:
        """Return the HTTP status of each call of an operation; 0 where the connection broke."""
        return [entry.status for entry in self.emulator.requests.of(operation)]


def program_bookmarks(state: Mapping[str, Any] | None) -> list[dict[str, str]]:
    """Return the bookmarks in the value of a STATE message."""
    stream = (state or {}).get("bookmarks", {}).get("program_members", {})
    return list(stream.get("program_bookmarks", []))


def jobs_in(run: TapRun) -> list[str]:
    """Return the ids of the jobs a run leaves to the next one."""
    return [job["exportId"] for job in run.bookmark.get("export_jobs", [])]

"""What tests of several folders need: an emulator, and a tap run against it."""

from __future__ import annotations

import io
import json
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from marketo_emulator import Emulator
from tap_marketo_bulk.tap import TapMarketoBulk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

POLL_SECONDS = 0.02


@dataclass
class TapRun:
    """What a tap has written."""

    messages: list[dict[str, Any]]
    state: dict[str, Any] = field(default_factory=dict)

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        """Return the messages of one type."""
        return [message for message in self.messages if message["type"] == kind]

    def records(self, stream: str = "program_members") -> list[dict[str, Any]]:
        """Return the records of a stream, in the order written."""
        return [m["record"] for m in self.of_type("RECORD") if m["stream"] == stream]

    def table(self) -> dict[tuple[int, int], dict[str, Any]]:
        """Return the members as a loader would keep them: the last record of each key."""
        return {(r["leadId"], r["programId"]): r for r in self.records()}

    @property
    def bookmark(self) -> dict[str, Any]:
        """Return the last state of the stream of members."""
        states = self.of_type("STATE")
        return states[-1]["value"]["bookmarks"]["program_members"] if states else {}

    @property
    def last_state(self) -> dict[str, Any]:
        """Return the value of the last STATE message."""
        states = self.of_type("STATE")
        return states[-1]["value"] if states else {}


@pytest.fixture
def make_emulator() -> Iterator[Callable[..., Emulator]]:
    """Return a function that starts an emulator which stops with the test."""
    started: list[Emulator] = []

    def start(**options: Any) -> Emulator:
        emulator = Emulator(**{"programs": 3, "members": 60, "job_seconds": 0.0, **options})
        emulator.__enter__()
        started.append(emulator)
        return emulator

    yield start
    for emulator in started:
        emulator.__exit__(None, None, None)


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
        return capture(tap.sync_all, monkeypatch)

    return run


def make_tap(
    emulator: Emulator,
    config: Mapping[str, Any] | None = None,
    *,
    catalog: dict[str, Any] | None = None,
    state: dict[str, Any] | None = None,
) -> TapMarketoBulk:
    """Return a tap that talks to an emulator."""
    settings = {
        "base_url": emulator.base_url,
        "client_id": emulator.client_id,
        "client_secret": emulator.client_secret,
        "poll_interval_seconds": POLL_SECONDS,
        "calls_per_20_seconds": 100,
        **(config or {}),
    }
    return TapMarketoBulk(config=settings, catalog=catalog, state=state)


def capture(action: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> TapRun:
    """Run something that writes Singer messages to stdout, and return them.

    Whatever it raises is raised after the messages have been attached to the error as `run`.
    """
    written = io.BytesIO()
    with monkeypatch.context() as patched:
        stdout = io.TextIOWrapper(written, encoding="utf-8", write_through=True)
        patched.setattr(sys, "stdout", stdout)
        try:
            action()
        except BaseException as error:
            error.run = TapRun(parse(written.getvalue()))  # type: ignore[attr-defined]
            raise
        finally:
            stdout.detach()
    return TapRun(parse(written.getvalue()))


def parse(text: bytes) -> list[dict[str, Any]]:
    """Return the messages of Singer output; every line must be whole."""
    return [json.loads(line) for line in text.splitlines()]

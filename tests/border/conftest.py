"""What the tests of the border share: a process that a command leaves as it was."""

from __future__ import annotations

import functools
import logging
import signal
from typing import TYPE_CHECKING

import pytest

from tests.border.commands import PLAIN, run_here

KEPT = {*PLAIN, "XDG_STATE_HOME"}
"""The folder of a test's own, for what a run leaves."""

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.border.commands import Ended


@pytest.fixture(autouse=True)
def _own_journals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no run find the journal of another test, whose emulator may have had the same port."""
    monkeypatch.setitem(PLAIN, "XDG_STATE_HOME", str(tmp_path / "state-home"))


@pytest.fixture
def here(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> Iterator[Callable[..., Ended]]:
    """A function that runs a command in this process, in an empty folder."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    root, level = logging.getLogger(), logging.getLogger().level
    of_root = list(root.handlers)
    monkeypatch.chdir(tmp_path)
    for name in [name for name in __import__("os").environ if name not in KEPT]:
        monkeypatch.delenv(name)
    yield functools.partial(run_here, monkeypatch=monkeypatch, caplog=caplog)
    logging.captureWarnings(capture=False)
    root.handlers[:], root.level = of_root, level
    for number, handler in handlers.items():
        signal.signal(number, handler)

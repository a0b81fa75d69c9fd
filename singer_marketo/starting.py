"""Starting: what a signal does before a plugin hears signals itself, and after it has ended.

This module imports next to nothing, so that it is there before whatever takes a second to import.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
from typing import TYPE_CHECKING, Protocol

from singer_marketo import signal_alarm

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType


HEARD = (signal.SIGINT, signal.SIGTERM)


class Plugin(Protocol):
    """What is used of a plugin."""

    def cli(self) -> None:
        """Run its command."""


def run(load: Callable[[], Plugin]) -> None:
    """Run the command of the plugin that `load` imports; a signal ends it with 128 + signal.

    Raises: SystemExit
    """
    # In the middle of an import nothing is in hand, and an exception would show a traceback.
    _hear(_leave_at_once)
    signal_alarm.install(HEARD)
    # Python gives the handlers up before it is gone, and a signal would then decide the exit code.
    atexit.register(_hear, signal.SIG_IGN)
    plugin = load()
    _hear(_leave)
    try:
        plugin.cli()
    finally:
        # All is written. Python would tell of an exception that it cannot raise any more.
        _hear(_leave_at_once)


def _hear(handler: Callable[[int, FrameType | None], None] | signal.Handlers) -> None:
    for number in HEARD:
        # What runs in the background of a shell without a terminal is not to hear Ctrl+C.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handler)


def _leave_at_once(number: int, _frame: FrameType | None) -> None:
    os._exit(128 + number)


def _leave(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)

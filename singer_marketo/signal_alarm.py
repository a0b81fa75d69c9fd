"""Signal alarm: a signal is heard although it came just before a call that blocks.

Python runs a handler between two steps of the main thread. A signal that arrives within a call ends
the call. One that arrives just before it does not, and the handler would wait as long as the call.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

PAUSES_SECONDS = (0.1, 0.4, 1.5)
"""How long after a signal, and after each time before, the call of the main thread is ended."""

ENDS_CALLS = signal.SIGURG
"""A signal that nobody sends and that ends no process."""


def install(numbers: Collection[int]) -> None:
    """Have the handlers of these signals run soon, whatever the main thread waits for.

    Call it once, in the main thread.
    """
    reader, writer = os.pipe()
    # Python's own handler must not wait for room.
    os.set_blocking(writer, False)
    # Ignored, it would end no call.
    signal.signal(ENDS_CALLS, _do_nothing)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    arguments = reader, frozenset(numbers), threading.get_ident()
    threading.Thread(target=_end_calls, args=arguments, name="signal alarm", daemon=True).start()


def _do_nothing(*_: object) -> None:
    pass


def _end_calls(reader: int, numbers: frozenset[int], main_thread: int) -> None:
    while arrived := os.read(reader, 64):
        if numbers.isdisjoint(arrived):
            continue
        for seconds in PAUSES_SECONDS:
            time.sleep(seconds)
            signal.pthread_kill(main_thread, ENDS_CALLS)

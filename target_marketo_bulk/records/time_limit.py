"""Time limit: the end of a check that would take for ever, as some regular expressions do."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator

CHECK_SECONDS_MAX = 5.0
"""Processor time for the check of one record; an ordinary one takes less than a millisecond."""


class CheckTooSlowError(Exception):
    """A check that has taken as long as it may."""


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """End what is done inside after so much processor time.

    Python's regular expressions look for signals while they search, so even one that tries all of
    2^40 ways is ended. Only the main thread gets signals: elsewhere there is no limit.

    Raises: CheckTooSlowError.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGVTALRM, _end)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _end(_signal: int, _frame: object) -> NoReturn:
    raise CheckTooSlowError

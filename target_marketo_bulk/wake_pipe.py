"""Wake pipe: lets a thread or a signal end the main thread's wait for input."""

from __future__ import annotations

import os
import select


class WakePipe:
    """A pipe whose only message is that something happened."""

    def __init__(self) -> None:
        self.descriptor, self._writer = os.pipe()
        os.set_blocking(self.descriptor, False)
        os.set_blocking(self._writer, False)

    def wake(self) -> None:
        """End the wait under way, or the next one; safe in signal handlers and threads."""
        try:
            os.write(self._writer, b"!")
        except OSError:
            # Full: enough messages are waiting. Closed: nobody waits any more.
            return

    def wait(self, seconds: float) -> None:
        """Return when woken, or after a time."""
        select.select([self.descriptor], [], [], seconds)
        self.drain()

    def drain(self) -> None:
        """Forget all messages so far."""
        try:
            while os.read(self.descriptor, 1024):
                pass
        except BlockingIOError:
            return

    def close(self) -> None:
        """Give both ends back."""
        os.close(self.descriptor)
        os.close(self._writer)

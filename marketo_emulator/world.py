"""The world: one instance's whole state behind one lock, moved by its clock."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from random import Random
from threading import RLock
from typing import TYPE_CHECKING

from marketo_emulator.exports import Exports, Workplace
from marketo_emulator.faults import Faults
from marketo_emulator.limits import Limits
from marketo_emulator.store import Store
from marketo_emulator.tokens import Tokens

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from marketo_emulator.clock import Clock
    from marketo_emulator.exports import JobSeconds
    from marketo_emulator.options import Options


class World:
    """Everything that has a state; whoever reads or changes it does so inside `at()`."""

    def __init__(
        self,
        clock: Clock,
        options: Options,
        secrets: Mapping[str, str],
        *,
        seed: int,
        job_seconds: JobSeconds,
    ) -> None:
        self.clock = clock
        self.options = options
        self.random = Random(seed)  # noqa: S311 - its tokens open nothing but the emulator
        self._lock = RLock()
        self._directory: Path | None = None
        self.store = Store(clock, self.at, seed=seed)
        self.faults = Faults(clock.now)
        self.limits = Limits(options)
        self.tokens = Tokens(secrets, options.token_lifetime_seconds, self.random)
        workplace = Workplace(
            self.store, options, self.faults, self.random, self.directory, self.limits.day
        )
        self.exports = Exports(workplace, job_seconds)

    @contextmanager
    def at(self) -> Iterator[datetime]:
        """Hold the lock with every job brought up to the present, which is returned."""
        with self._lock:
            now = self.clock.now()
            self._advance(now)
            yield now

    def directory(self) -> Path:
        """Return the private directory of the files, made when first needed."""
        if self._directory is None:
            self._directory = Path(tempfile.mkdtemp(prefix="marketo-emulator-"))
        return self._directory

    def close(self) -> None:
        """Remove the files."""
        with self._lock:
            if self._directory is not None:
                shutil.rmtree(self._directory)
                self._directory = None

    def _advance(self, now: datetime) -> None:
        """Let everything happen that was due, in the order in which it was."""
        queues = (self.exports.queue,)
        while True:
            due = [(at, queue) for queue in queues if (at := queue.next_event_at()) is not None]
            at, queue = min(due, key=lambda event: event[0], default=(None, None))
            if at is None or queue is None or at > now:
                return
            queue.step()

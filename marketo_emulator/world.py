"""The world: one instance's whole state behind one lock, moved by its clock."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from random import Random
from threading import RLock
from typing import TYPE_CHECKING

from marketo_emulator.data.store import Store
from marketo_emulator.exports.exports import Exports
from marketo_emulator.faults.fault import Faults
from marketo_emulator.imports.imports import Imports
from marketo_emulator.limits import Limits
from marketo_emulator.tokens import Tokens
from marketo_emulator.workplace import Workplace

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from marketo_emulator.clock import Clock
    from marketo_emulator.options import Options
    from marketo_emulator.workplace import JobSeconds


class World:
    """Everything that has a state; whoever reads or changes it does so inside `at()`.

    `lock` alone is for what has nothing to do with jobs: to bring jobs up to the present can mean
    to write a large file.
    """

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
        self.lock = RLock()
        self._directory: Path | None = None
        self.store = Store(clock, self.at, seed=seed, options=options)
        self.faults = Faults(clock.now)
        self.limits = Limits(options)
        self.tokens = Tokens(secrets, options.token_lifetime_seconds, self.random)
        workplace = Workplace(
            self.store, options, self.faults, self.random, self.directory, self.limits.day
        )
        self.exports = Exports(workplace, job_seconds)
        self.imports = Imports(workplace, job_seconds)

    @contextmanager
    def at(self) -> Iterator[datetime]:
        """Hold the lock with every job brought up to the present, which is returned."""
        with self.lock:
            now = self.clock.now()
            self._advance(now)
            yield now

    def directory(self) -> Path:
        """Return the private directory of the files, made when first needed."""
        if self._directory is None:
            self._directory = Path(tempfile.mkdtemp(prefix="marketo-emulator-"))
        return self._directory

    def revoke_tokens(self) -> None:
        """Make every token unknown, so that calls with it get 601."""
        with self.at():
            self.tokens.revoke()

    def expire_tokens(self) -> None:
        """End every token's life early, so that calls with it get 602."""
        with self.at() as now:
            self.tokens.expire(now)

    def others_use(
        self,
        *,
        queued_exports: int = 0,
        queued_imports: int = 0,
        seconds: float = 0,
        exported_bytes: int = 0,
        calls: int = 0,
    ) -> None:
        """Let other integrations take places in the queues for some seconds, and today's quota."""
        with self.at() as now:
            until = now + timedelta(seconds=seconds)
            self.exports.queue.hold(queued_exports, until)
            self.imports.queue.hold(queued_imports, until)
            self.exports.exported_bytes[self.limits.day(now)] += exported_bytes
            self.limits.use_up_calls(calls, now)

    def close(self) -> None:
        """Remove the files."""
        with self.lock:
            if self._directory is not None:
                shutil.rmtree(self._directory)
                self._directory = None

    def _advance(self, now: datetime) -> None:
        """Let everything happen that was due, in the order in which it was."""
        exports, imports = self.exports.queue, self.imports.queue
        while True:
            next_export, next_import = exports.next_event_at(), imports.next_event_at()
            if next_import is not None and (next_export is None or next_import < next_export):
                if next_import > now:
                    return
                imports.step()
            elif next_export is None or next_export > now:
                return
            else:
                exports.step()

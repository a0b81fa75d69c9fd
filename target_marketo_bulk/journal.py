"""Journal: the imports Marketo has accepted and not yet finished, on disk."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, BinaryIO

from marketo_bulk.limits import IMPORT_BATCH_RETENTION_DAYS

from target_marketo_bulk.rejects import make_private_directory, utc_now

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

_PREFIX = "imports-"
_ACCEPTED = "accepted"
_SETTLED = "settled"


class Journal:
    """One run's journal; locked while the run lives, gone once all its imports are settled.

    Marketo has no list of imports, so an id that is not on disk is lost with the process. The next
    run takes over what a killed run left and waits for it: an import that is still
    running could otherwise put its older values upon newer ones.
    """

    def __init__(
        self,
        directory: Path,
        run_id: str,
        *,
        instance: str,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        make_private_directory(directory)
        self.path = directory / f"{_PREFIX}{run_id}.jsonl"
        self._instance = instance
        self._now = now
        self._unsettled: dict[str, None] = {}
        self._handle = self._create()

    @property
    def unsettled(self) -> list[str]:
        """Batch ids of the imports whose outcome is not known."""
        return list(self._unsettled)

    def accepted(self, batch_id: str, *, rows: int | None = None) -> None:
        """Return once the id of a new import is on disk."""
        self._unsettled[batch_id] = None
        self._write({"event": _ACCEPTED, "batch_id": batch_id, "rows": rows})

    def settled(self, batch_id: str, outcome: str) -> None:
        """Note that nothing more is to be learned about an import."""
        self._unsettled.pop(batch_id, None)
        self._write({"event": _SETTLED, "batch_id": batch_id, "outcome": outcome})

    def take_over(self) -> list[str]:
        """Return the unsettled imports of runs that are over, now this run's own.

        Shape: oldest run first; only this instance's, and only as old as Marketo knows them.
        """
        taken: list[str] = []
        for path in sorted(self.path.parent.glob(f"{_PREFIX}*.jsonl")):
            if path != self.path:
                taken.extend(self._take_over(path))
        return taken

    def close(self) -> None:
        """End the run: the file stays only if an import is unsettled."""
        if not self._unsettled:
            self.path.unlink(missing_ok=True)
        self._handle.close()

    def _take_over(self, path: Path) -> Iterator[str]:
        with contextlib.ExitStack() as stack:
            try:
                handle = stack.enter_context(path.open("rb"))
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except (BlockingIOError, FileNotFoundError):
                # The run is alive, another pipeline with the same folder; or one has just ended.
                return
            entries = list(_entries(handle))
            if any(entry.get("instance") != self._instance for entry in entries):
                return
            for batch_id in self._still_open(entries):
                self.accepted(batch_id)
                yield batch_id
            path.unlink(missing_ok=True)

    def _still_open(self, entries: list[Mapping[str, object]]) -> list[str]:
        oldest = (self._now() - timedelta(days=IMPORT_BATCH_RETENTION_DAYS)).isoformat()
        ids: dict[str, None] = {}
        for entry in entries:
            batch_id = str(entry.get("batch_id"))
            if entry.get("event") == _ACCEPTED and str(entry.get("time")) >= oldest:
                ids[batch_id] = None
            elif entry.get("event") == _SETTLED:
                ids.pop(batch_id, None)
        return list(ids)

    def _create(self) -> BinaryIO:
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        directory = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
        return os.fdopen(descriptor, "ab")

    def _write(self, entry: Mapping[str, object]) -> None:
        line = {"time": self._now().astimezone(timezone.utc).isoformat(), **entry}
        self._handle.write(json.dumps({**line, "instance": self._instance}).encode() + b"\n")
        self._handle.flush()
        os.fsync(self._handle.fileno())


def _entries(handle: BinaryIO) -> Iterator[Mapping[str, object]]:
    for line in handle:
        try:
            entry = json.loads(line)
        except ValueError:
            # The last line of a killed run may be half a line.
            continue
        if isinstance(entry, dict):
            yield entry

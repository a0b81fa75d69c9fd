"""Journal: the imports Marketo has accepted and not yet finished, on disk."""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, BinaryIO

from marketo_bulk.errors import DecodeError
from marketo_bulk.jobs import checked_job_id
from marketo_bulk.limits import IMPORT_BATCH_RETENTION_DAYS
from target_marketo_bulk.files.storage import REJECTS_SETTING, stored_in
from target_marketo_bulk.outcomes.rejects import make_private_directory, utc_now

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

_PREFIX = "imports-"
_SENDING = "sending"
_NOT_TAKEN = "not_taken"
_ACCEPTED = "accepted"
_SETTLED = "settled"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Intent:
    """An upload of an earlier run that was begun, and of which nothing more is on disk."""

    upload: int
    """Its number in the journal that has it now."""
    rows: int
    sent_at: str
    age_seconds: float


class Journal:
    """One run's journal; locked while the run lives, gone once all its imports are settled.

    Marketo has no list of imports, so an id that is not on disk is lost with the process. The next
    run takes over what a killed run left and waits for it: an import that is still
    running could otherwise put its older values upon newer ones. The intent to upload is on disk
    before the upload is, so that a run killed before the id was leaves a trace, too.
    """

    def __init__(
        self,
        directory: Path,
        run_id: str,
        *,
        instance: str,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        with stored_in(directory, REJECTS_SETTING):
            make_private_directory(directory)
        self.path = directory / f"{_PREFIX}{run_id}.jsonl"
        self._instance = instance
        self._now = now
        self._unsettled: dict[str, str | None] = {}
        self._intended: set[int] = set()
        self._uploads = 0
        with stored_in(self.path, REJECTS_SETTING):
            self._handle = self._create()

    def object_of(self, batch_id: str) -> str | None:
        """Return the name of the object of an unsettled import, if it has one."""
        return self._unsettled.get(batch_id)

    def sending(self, rows: int, *, upload: int | None = None, sent_at: str | None = None) -> int:
        """Return the number of an upload, a new one or the given, once the intent is on disk."""
        if upload is None:
            self._uploads += 1
            upload = self._uploads
        self._intended.add(upload)
        more = {} if sent_at is None else {"sent_at": sent_at}
        self._write({"event": _SENDING, "batch_id": None, "upload": upload, "rows": rows, **more})
        return upload

    def not_taken(self, upload: int) -> None:
        """Note that nothing will come of an upload."""
        self._intended.discard(upload)
        self._write({"event": _NOT_TAKEN, "upload": upload})

    def accepted(
        self,
        batch_id: str,
        *,
        rows: int | None = None,
        upload: int | None = None,
        object_name: str | None = None,
    ) -> None:
        """Return once the id of a new import is on disk."""
        self._unsettled[batch_id] = object_name
        entry = {"event": _ACCEPTED, "batch_id": batch_id, "rows": rows, "upload": upload}
        self._write(entry if object_name is None else {**entry, "object": object_name})
        if upload is not None:
            self._intended.discard(upload)

    def settled(self, batch_id: str, outcome: str) -> None:
        """Note that nothing more is to be learned about an import."""
        self._unsettled.pop(batch_id, None)
        self._write({"event": _SETTLED, "batch_id": batch_id, "outcome": outcome})

    def take_over(self) -> tuple[list[str], list[Intent]]:
        """Return the unsettled imports and uploads of runs that are over, now this run's own.

        Shape: oldest run first; only this instance's, and only as old as Marketo knows them.
        """
        taken: list[str] = []
        intents: list[Intent] = []
        for path in sorted(self.path.parent.glob(f"{_PREFIX}*.jsonl")):
            if path != self.path:
                with stored_in(path, REJECTS_SETTING):
                    self._take_over(path, taken, intents)
        return taken, intents

    def close(self) -> None:
        """End the run: the file stays only if an import is unsettled, or an upload uncertain."""
        if not self._unsettled and not self._intended:
            self.path.unlink(missing_ok=True)
        # Each entry was on disk before its call returned; one that was not has ended the run.
        with contextlib.suppress(OSError):
            self._handle.close()

    def _take_over(self, path: Path, taken: list[str], intents: list[Intent]) -> None:
        with contextlib.ExitStack() as stack:
            try:
                handle = stack.enter_context(path.open("rb"))
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except (BlockingIOError, FileNotFoundError):
                # The run is alive, another pipeline with the same folder; or one has just ended.
                return
            entries = list(_entries(handle, path))
            if any(entry.get("instance") != self._instance for entry in entries):
                return
            oldest = self._now() - timedelta(days=IMPORT_BATCH_RETENTION_DAYS)
            young = [entry for entry in entries if _moment(entry) >= oldest]
            for batch_id, name in _unsettled(young).items():
                self.accepted(batch_id, object_name=name)
                taken.append(batch_id)
            intents.extend(map(self._taken_over, _intended(young)))
            path.unlink(missing_ok=True)

    def _taken_over(self, entry: Mapping[str, object]) -> Intent:
        sent_at, rows = _moment(entry), entry.get("rows")
        rows = rows if isinstance(rows, int) else 0
        text = sent_at.isoformat()
        age_seconds = (self._now() - sent_at).total_seconds()
        return Intent(self.sending(rows, sent_at=text), rows, text, age_seconds)

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
        with stored_in(self.path, REJECTS_SETTING):
            self._handle.write(json.dumps({**line, "instance": self._instance}).encode() + b"\n")
            self._handle.flush()
            os.fsync(self._handle.fileno())


def _entries(handle: BinaryIO, path: Path) -> Iterator[Mapping[str, object]]:
    spoilt = 0
    for line in handle:
        entry = _entry(line)
        if entry is not None:
            yield entry
        else:
            # The last line of a killed run may be half a line; no other is.
            spoilt += line.endswith(b"\n")
    if spoilt:
        logger.warning(
            "rejects_path: %d lines of the journal %s are not read: an import that they alone tell "
            "of is not waited for",
            spoilt,
            path,
        )


def _entry(line: bytes) -> Mapping[str, object] | None:
    """Return what a line tells; None if it is no entry of a journal."""
    try:
        entry: Mapping[str, object] = json.loads(line)
        is_dated = _moment(entry).tzinfo is not None
        if (batch_id := entry.get("batch_id")) is not None:
            checked_job_id(batch_id)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, DecodeError):
        return None
    return entry if is_dated and isinstance(entry.get("upload"), int | None) else None


def _unsettled(entries: Iterable[Mapping[str, object]]) -> dict[str, str | None]:
    ids: dict[str, str | None] = {}
    for entry in entries:
        batch_id = str(entry.get("batch_id"))
        if entry.get("event") == _ACCEPTED:
            name = entry.get("object")
            ids[batch_id] = None if name is None else str(name)
        elif entry.get("event") == _SETTLED:
            ids.pop(batch_id, None)
    return ids


def _intended(entries: Iterable[Mapping[str, object]]) -> list[Mapping[str, object]]:
    intents: dict[object, Mapping[str, object]] = {}
    for entry in entries:
        if entry.get("event") == _SENDING:
            intents[entry.get("upload")] = entry
        else:
            intents.pop(entry.get("upload"), None)
    return list(intents.values())


def _moment(entry: Mapping[str, object]) -> datetime:
    """Return when an entry's event was; of an upload taken over, when the dead run began it."""
    return datetime.fromisoformat(str(entry.get("sent_at", entry["time"])))
